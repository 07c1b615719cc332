// SPDX-License-Identifier: Apache-2.0
// Messages as a reader of the protocol text would write them: "'O' 00000007 'ABC     ' 0000", hex digits and quoted
// text.
#ifndef CROSSWIRE_TESTS_UNIT_BYTES_H
#define CROSSWIRE_TESTS_UNIT_BYTES_H

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Turns such a text into bytes and returns how many.
static inline size_t bytes(const char *text, uint8_t *out)
{
    size_t size = 0;
    while (*text != '\0') {
        if (*text == ' ') {
            text++;
        } else if (*text == '\'') {
            for (text++; *text != '\''; text++)
                out[size++] = (uint8_t)*text;
            text++;
        } else {
            char digits[3] = {text[0], text[1], '\0'};
            if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1])) {
                fprintf(stderr, "not hex: %s\n", text);
                abort();
            }
            out[size++] = (uint8_t)strtoul(digits, NULL, 16);
            text += 2;
        }
    }
    return size;
}

#endif
