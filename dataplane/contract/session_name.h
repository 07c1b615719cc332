// SPDX-License-Identifier: Apache-2.0
// The session name of a trading day on one matching core: of its UFO sessions and of its MoldUDP64 stream.
#ifndef CROSSWIRE_CONTRACT_SESSION_NAME_H
#define CROSSWIRE_CONTRACT_SESSION_NAME_H

#include <stdint.h>

// Writes YYMMDDXWnn (10 characters, no terminator): date is yyyymmdd, core below 100.
static inline void session_name(uint32_t date, unsigned core, char name[10])
{
    uint32_t short_date = date % 1000000;
    for (int i = 5; i >= 0; i--, short_date /= 10)
        name[i] = (char)('0' + short_date % 10);
    name[6] = 'X';
    name[7] = 'W';
    name[8] = (char)('0' + core / 10 % 10);
    name[9] = (char)('0' + core % 10);
}

#endif
