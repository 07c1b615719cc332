// SPDX-License-Identifier: Apache-2.0
// One simulated venue: its configuration, its clients, its weather, and what is checked.
//
//   chaos (faults of every kind) -> calm (everything mended) -> rest (full checks) -> chaos ..
//   at the end: both programs are asked to stop, and started once more
#ifndef CROSSWIRE_TESTS_SIM_WORLD_H
#define CROSSWIRE_TESTS_SIM_WORLD_H

#include "contract/config.h"
#include "contract/risk.h"
#include "io/packet.h"
#include "tests/sim/sim.h"

// Runs a seed to its end, or for `steps` steps (0: no limit). Ends the process by sim_fail when something is found.
void world_run(uint64_t seed, uint64_t steps, bool trace);

// A line of the process's log.
void world_line(const struct sim_process *process);

// ---- world_wire.c: addresses and frames

void world_wire_open(const struct config *config);

// The address of stream 0's receiver (config_stream); the others follow.
#define WORLD_CLIENTS UINT32_C(0x0A010001)

// Address of a port of the data plane.
struct endpoint world_endpoint(unsigned port);

// Whom a frame that leaves the box is for; false: a group.
bool world_receiver(const uint8_t *bytes, size_t size, struct endpoint *to);

// The messages of a datagram, as the accounting counts them.
uint64_t world_count_blocks(const uint8_t *payload, size_t size);

// A datagram from a client's address to a UDP port of the data plane.
void world_send(unsigned port, uint32_t from_ip, uint16_t from_port, uint16_t to_port, const uint8_t *payload,
                size_t size);

// Noise: ARP, echo, junk, broken chains.
void world_send_noise(void);

// The last character of a stream's password.
char world_password_end(unsigned stream);

// For how long control has been away beyond the time after which matching cores act alone; 0 when they need not.
uint64_t world_control_away_ns(void);

// Whether control has recovered the day that runs, and lives.
bool world_control_serves(void);

// ---- world_text.c

// A file of the simulated disk, written piece by piece.
struct world_text {
    size_t used;
    char bytes[16384];
};

// Appends. No room ends the simulator: the file would be another one than the seed's.
void world_say(struct world_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

// ---- world_risk.c

enum { WORLD_ACCOUNTS = 2, WORLD_SESSIONS = 16 };

// What an account, firm or session was given, LIMIT_UNSET: no limit. Never raised but where operators do (max_quantity:
// the most that they ask for; loss, drawdown).
struct world_limits {
    uint64_t most[LIMITS];
};
extern struct world_limits world_limits[WORLD_ACCOUNTS], world_firm_limits[WORLD_ACCOUNTS];
extern struct world_limits world_session_limits[WORLD_SESSIONS];
extern uint64_t world_position_most; // of the first account in the first symbol, bought
#define WORLD_MOST_QUANTITY 1000

// Writes a day's limits file and appends what the configuration says of risk.
void world_add_risk(struct world_text *config, unsigned symbols, unsigned sessions);

// Puts a limits file with a mistake in its place, or the right one again.
void world_spoil_limits(void);
void world_mend_limits(void);

// Tier and index weight of a symbol.
unsigned world_tier(void), world_weight(void);

// ---- world_config.c

// Writes the seed's configuration to /etc/crosswire.yaml and returns it as both programs will read it.
const struct config *world_configure(void);

// Puts a schedule that runs backwards into the configuration, and a limits file in its place that is right but is not
// to be taken with it; or the configuration as it was.
void world_spoil_schedule(void);
void world_mend_schedule(void);

#endif
