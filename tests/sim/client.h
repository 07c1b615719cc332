// SPDX-License-Identifier: Apache-2.0
// A firm's client: the client library's session, and orders whose every quantity is followed. Knows what it has sent,
// believes only what it is told, sends again what stays unanswered.
#ifndef CROSSWIRE_TESTS_SIM_CLIENT_H
#define CROSSWIRE_TESTS_SIM_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"

// How busy the clients are.
struct client_mood {
    uint64_t pause_ns; // mean time between two actions of a client
    uint32_t burst;    // of a million actions, how many are a burst of orders
    uint32_t burst_most;
    uint32_t relogin; // of a million: from another port
    uint32_t logoff;
    uint32_t hidden;             // of a million orders; drawn once a seed, books are compared where it is 0
    uint32_t alike, short_sales; // of a million orders
    uint32_t wrong;              // of a million: a login with another password
    bool quiet;                  // nothing new is sent
};
extern struct client_mood client_mood;

void clients_open(const struct config *config);

// A UDP datagram for client `client`.
void client_receive(unsigned client, uint16_t to_port, const uint8_t *payload, size_t size);

// Whether it has changed its port lately: then the data plane may miss it at the old one.
bool client_moved(unsigned client);

// NULL when every client is logged in, misses nothing and waits for nothing; else what is missing.
const char *clients_busy(void);

// At rest: what the clients were told adds up, and is what the engines have.
void clients_check_rest(void);

#endif
