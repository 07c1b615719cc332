// SPDX-License-Identifier: Apache-2.0
// Makes what a recovery starts from: a journal of the configured day with so many commands, as a busy day's, or with
// so many orders that rest, and on request a snapshot that covers its end. Matching core 0, all symbols and sessions.
//
//   bench_recovery CONFIG day COMMANDS [--snapshot]      orders, cancels, replaces and trades; 100,000 orders live
//   bench_recovery CONFIG book ORDERS [--snapshot]       orders that rest, nothing else
//
// Prints {"commands":..,"orders":..,"snapshot_s":..}: the seconds that writing the snapshot took, 0 without.
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "contract/log.h"
#include "control/journal/key.h"
#include "control/recovery/opening.h"
#include "control/recovery/shadow.h"

enum { RING_DEPTH = 65536, LIVE = 100000, PRICES = 1000, START_S = 9 * 3600 };

struct live {
    uint32_t user_ref;
    uint16_t session;
    uint16_t locate;
};

struct maker {
    struct config *config;
    struct journal_identity identity;
    struct journal_key key; // that signs the snapshot, when the configuration names one
    struct journal_writer *writer;
    struct journal_lane lane;
    struct shadow *shadow;
    uint64_t time_ns;
    uint64_t random;
    uint64_t commands;
    uint32_t next_ref[64];
    struct live *live;
    size_t live_count, live_room;
};

static uint64_t draw(struct maker *maker, uint64_t below)
{
    maker->random += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = maker->random;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % below;
}

static void drain(struct maker *maker)
{
    enum journal_result result = journal_drain(maker->writer, &maker->lane, 1);
    if (result != JOURNAL_OK)
        fail_with(journal_exit_code(result), "%s", journal_writer_text(maker->writer));
}

static void give(struct maker *maker, struct command *command)
{
    struct ring *ring = maker->lane.ring;
    while (ring_room(ring, 1) == 0) // and looks again
        drain(maker);
    command->time_ns = maker->time_ns += 1000;
    command->prev_hash = (uint32_t)shadow_event_hash(maker->shadow);
    memcpy((char *)ring_slot(ring, 0) + 8, (const char *)command + 8, sizeof *command - 8);
    ring_publish(ring, 1);
    command->seq = ++maker->commands;
    if (!shadow_take(maker->shadow, command))
        fail_with(EX_SOFTWARE, "%s", shadow_error(maker->shadow));
}

static void open_day(struct maker *maker)
{
    struct opening opening;
    struct command command;
    if (!opening_init(&opening, maker->config, 0))
        fail_with(EX_OSERR, "no memory");
    opening_time(&opening, maker->config, 0, 0);
    while (opening_next(&opening, 0, &command)) {
        opening_note(&opening, &command);
        give(maker, &command);
    }
    opening_free(&opening);
    for (unsigned i = 0; i < maker->config->sessions_count; i++) {
        struct command up = {.type = CMD_SESSION_UP, .session = (uint16_t)i};
        give(maker, &up);
    }
}

static struct command order(struct maker *maker, uint8_t type, const struct live *live)
{
    const struct config_symbol *symbol = &maker->config->symbols[live->locate];
    struct command command = {.type = type,
                              .session = live->session,
                              .quantity = 100,
                              .locate = symbol->locate,
                              .side = draw(maker, 2) ? 'B' : 'S',
                              .tif = '0',
                              .display = 'Y',
                              .capacity = 'A',
                              .iso = 'N',
                              .cross = 'N'};
    memcpy(command.symbol, symbol->wire_name, sizeof command.symbol);
    memset(command.cl_ord_id, ' ', sizeof command.cl_ord_id);
    uint32_t away = (1 + (uint32_t)draw(maker, PRICES)) * symbol->tick_price, middle = 20000 * symbol->tick_price;
    command.price = command.side == 'B' ? middle - away : middle + away;
    return command;
}

static void enter(struct maker *maker, bool takes)
{
    // The first session has nothing to fetch: whoever logs in there is served at once.
    struct live live = {.session = (uint16_t)(1 + draw(maker, maker->config->sessions_count - 1)),
                        .locate = (uint16_t)draw(maker, maker->config->symbols_count)};
    live.user_ref = ++maker->next_ref[live.session];
    struct command command = order(maker, CMD_ENTER, &live);
    command.user_ref = live.user_ref;
    if (takes) // as far as the best of the other side
        command.side = command.side == 'B' ? 'S' : 'B';
    give(maker, &command);
    if (!takes && maker->live_count < maker->live_room)
        maker->live[maker->live_count++] = live;
}

static void change(struct maker *maker, bool replace)
{
    size_t at = draw(maker, maker->live_count);
    struct live *live = &maker->live[at];
    struct command command = order(maker, replace ? CMD_REPLACE : CMD_CANCEL, live);
    if (replace) {
        command.orig_user_ref = live->user_ref;
        command.user_ref = live->user_ref = ++maker->next_ref[live->session];
        command.side = 0;
        command.cross = 0;
        command.display = 'Y';
    } else {
        command.user_ref = live->user_ref;
        command.quantity = 0;
        maker->live[at] = maker->live[--maker->live_count];
    }
    give(maker, &command);
}

static void make_day(struct maker *maker, uint64_t commands)
{
    while (maker->commands < commands) {
        uint64_t what = draw(maker, 100);
        if (maker->live_count < LIVE / 2 || (maker->live_count < LIVE && what < 45))
            enter(maker, false);
        else if (what < 85)
            change(maker, false);
        else
            what < 93 ? change(maker, true) : enter(maker, true);
    }
}

static void make_book(struct maker *maker, uint64_t orders)
{
    for (uint64_t i = 0; i < orders; i++)
        enter(maker, false);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double write_snapshot(struct maker *maker)
{
    double begun = seconds();
    if (!shadow_snapshot(maker->shadow))
        fail_with(EX_IOERR, "no snapshot: %m");
    enum shadow_result result;
    do {
        result = shadow_write(maker->shadow, UINT32_MAX);
    } while (result == SHADOW_MORE);
    if (result == SHADOW_FAILED || !shadow_publish(maker->shadow))
        fail_with(EX_IOERR, "no snapshot: %m");
    return seconds() - begun;
}

static void open_journal(struct maker *maker)
{
    const struct config *config = maker->config;
    struct journal_report tail;
    char text[256];
    maker->identity = (struct journal_identity){.directory = config->journal_directory,
                                                .instance = config->instance,
                                                .date = config->date,
                                                .config_hash = config->hash};
    if (config->journal.signing_key[0]) {
        int code = journal_key_load(config->journal.signing_key, &maker->key, text, sizeof text);
        if (code)
            fail_with(code, "journal.signing_key: %s", text);
        maker->identity.key = &maker->key;
    }
    struct journal_writer_options options = {.segment_mb = config->journal.segment_mb,
                                             .commit_kb = config->journal.commit_kb};
    if (journal_scan(&maker->identity, &tail) != JOURNAL_OK)
        fail_with(EX_DATAERR, "%s", tail.text);
    if (journal_writer_open(&maker->writer, &maker->identity, &options, &tail, text, sizeof text) != JOURNAL_OK)
        fail_with(EX_IOERR, "%s", text);
    void *memory = aligned_alloc(CACHE_PAIR, ring_footprint(RING_DEPTH, sizeof(struct command)));
    if (!memory)
        fail_with(EX_OSERR, "no memory");
    memset(memory, 0, ring_footprint(RING_DEPTH, sizeof(struct command)));
    maker->lane.ring = ring_new(memory, RING_DEPTH, sizeof(struct command), 0);
}

int main(int argc, char **argv)
{
    struct maker maker = {.time_ns = START_S * UINT64_C(1000000000), .random = 1};
    char error[512];
    bool day = argc > 3 && strcmp(argv[2], "day") == 0, snapshot = argc > 4 && strcmp(argv[4], "--snapshot") == 0;
    log_open("bench_recovery", "");
    if (argc < 4 || (!day && strcmp(argv[2], "book") != 0))
        fail_with(EX_USAGE, "bench_recovery CONFIG day|book COUNT [--snapshot]");
    maker.config = config_load(argv[1], error, sizeof error);
    if (!maker.config)
        fail_with(EX_CONFIG, "%s", error);
    uint64_t count = strtoull(argv[3], NULL, 10);
    open_journal(&maker);
    maker.shadow = shadow_new(maker.config, &maker.identity, 0);
    maker.live_room = LIVE;
    maker.live = calloc(maker.live_room, sizeof *maker.live);
    if (!maker.shadow || !maker.live || maker.config->sessions_count > 64 || maker.config->sessions_count < 2)
        fail_with(EX_OSERR, "no memory, or more than 64 sessions");
    open_day(&maker);
    if (day)
        make_day(&maker, count);
    else
        make_book(&maker, count);
    drain(&maker);
    double took = snapshot ? write_snapshot(&maker) : 0;
    if (journal_writer_close(maker.writer) != JOURNAL_OK)
        fail_with(EX_IOERR, "the journal can not be closed");
    printf("{\"commands\":%" PRIu64 ",\"orders\":%" PRIu64 ",\"snapshot_s\":%.3f}\n", maker.commands,
           day ? (uint64_t)maker.live_count : count, took);
    shadow_free(maker.shadow);
    config_free(maker.config);
    return EX_OK;
}
