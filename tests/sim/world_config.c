// SPDX-License-Identifier: Apache-2.0
// The seed's configuration: small rings, few sessions, everything else as production has it.
#include <stdlib.h>
#include <string.h>

#include "tests/sim/posix.h"
#include "tests/sim/world.h"

static struct world_text text;

#define add(...) world_say(&text, __VA_ARGS__)

static unsigned draw(unsigned least, unsigned most)
{
    return (unsigned)random_between(&sim.chaos, least, most);
}

static unsigned pick(unsigned a, unsigned b, unsigned c)
{
    return (unsigned[]){a, b, c}[random_below(&sim.chaos, 3)];
}

char world_password_end(unsigned session)
{
    return (char)('A' + session);
}

static void add_roles(unsigned cores, unsigned gateways, bool apart)
{
    add("ports:\n  - {name: wire, profile: vhost, address: 10.0.0.1}\n");
    add("gateways:\n");
    for (unsigned i = 0; i < gateways; i++)
        add("  - {lcore: 0, port: wire, udp_port: %u}\n", 4000 + i);
    add("matchers:\n");
    for (unsigned i = 0; i < cores; i++)
        add("  - {lcore: %u}\n", apart ? 2 + i : 0);
    add("publishers:\n");
    for (unsigned i = 0; i < cores; i++)
        add("  - {lcore: 0, port: wire, group: 239.0.1.%u, udp_port: %u, request_port: %u}\n", 1 + i, 6000 + i,
            5000 + i);
}

static void add_market(unsigned cores, unsigned gateways, unsigned sessions)
{
    add("symbols:\n");
    for (unsigned i = 0; i < 2 * cores; i++)
        add("  - {name: SYM%u, matcher: %u, tier: %u, index_weight: %u}\n", i, i / 2, world_tier(), world_weight());
    add("accounts:\n  - {name: NORTH, firm: NRTH}\n  - {name: SOUTH, firm: SOTH}\n");
    add("sessions:\n");
    for (unsigned i = 0; i < sessions; i++)
        add("  - {user: USER%u, password_hash: \"$argon2-as-the-simulator-has-it-%c\", account: %s, gateway: %u, "
            "matcher: "
            "%u, cancel_on_disconnect: %s}\n",
            i, world_password_end(i), i % 2 ? "SOUTH" : "NORTH", i % gateways, i / 2 % cores,
            draw(0, 3) == 0 ? "true" : "false");
}

// Of each firm on each matching core.
static void add_copies(unsigned cores, unsigned gateways, unsigned sessions)
{
    add("drop_copies:\n");
    for (unsigned i = 0; i < 2 * cores; i++)
        add("  - {user: COPY%u, password_hash: \"$argon2-as-the-simulator-has-it-%c\", firm: %s, gateway: %u, matcher: "
            "%u}\n",
            i, world_password_end(sessions + i), i % 2 ? "SOTH" : "NRTH", i % gateways, i / 2);
}

void world_mend_schedule(void)
{
    posix_put_file("/etc", "crosswire.yaml", text.bytes, text.used);
}

void world_spoil_schedule(void)
{
    static const char *const schedules[] = {
        "schedule: {market_open: \"14:30:00\", market_close: \"14:29:59\"}\n",
        "schedule: {venue_close: \"21:00:00\", day_end: \"21:00:00\"}\n",
        "schedule: {pre_market: \"09:00:00\", market_close: \"08:00:00\", day_end: \"23:00:00\"}\n",
    };
    static const char limits[] =
        "accounts:\n  - {account: NORTH, max_quantity: 1}\n  - {account: SOUTH, max_quantity: 1}\n";
    static char spoilt[sizeof text.bytes + 128];
    int size = snprintf(spoilt, sizeof spoilt, "%.*s%s", (int)text.used, text.bytes,
                        schedules[random_below(&sim.risk, sizeof schedules / sizeof schedules[0])]);
    posix_put_file("/etc", "crosswire.yaml", spoilt, (size_t)size);
    posix_put_file("/etc", "limits.yaml", limits, sizeof limits - 1);
}

const struct config *world_configure(void)
{
    char error[512];
    unsigned cores = draw(0, 2) ? 1 : 2, gateways = draw(0, 2) ? 1 : 2, sessions = draw(2, 4) * cores;
    add("instance: sim\ntrading_date: 2026-11-02\nack: %s\n", draw(0, 7) ? "durable" : "matched");
    add("run_directory: /run\njournal_directory: /journal\n");
    add("dataplane:\n  huge_pages: false\n  memory_mb: 32\n  main_lcore: 1\n  burst: %u\n", pick(4, 32, 64));
    add("  order_ring_depth: %u\n  event_ring_depth: %u\n  command_ring_depth: %u\n  journal_ring_depth: %u\n",
        pick(256, 256, 1024), pick(256, 512, 2048), pick(256, 256, 1024), pick(256, 512, 4096));
    add("  window_messages: 1024\n  session_timeout_ms: 300\n  heartbeat_ms: %u\n", pick(40, 40, 80));
    add("journal: {segment_mb: 1, commit_kb: %u}\n", pick(4, 64, 256));
    if (draw(0, 3)) // by what stands in the sequence, or by time, or seldom
        add("snapshots: {every_seconds: %u, every_commands: %u, keep: %u}\n", draw(0, 1), pick(30, 200, 2000),
            draw(1, 3));
    add("engine: {max_orders: %u, max_levels: 256, tick_ms: %u}\n", pick(1024, 1024, 2048), pick(5, 50, 200));
    bool risk = draw(0, 1), copies = risk || draw(0, 3) == 0;
    if (risk)
        world_add_risk(&text, 2 * cores, sessions);
    add("control: {login_attempts_per_minute: 0}\n");
    add_roles(cores, gateways, draw(0, 1));
    add_market(cores, gateways, sessions);
    if (copies)
        add_copies(cores, gateways, sessions);
    posix_put_file("/etc", "crosswire.yaml", text.bytes, text.used);
    // The simulator's own copy of the reader goes through the kernel's files.
    char path[] = "/tmp/crosswire-sim-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file || fwrite(text.bytes, 1, text.used, file) != text.used || fclose(file) != 0)
        sim_fail("%s can not be written", path);
    const struct config *config = config_load(path, error, sizeof error);
    remove(path);
    if (!config)
        sim_fail("%s", error);
    return config;
}
