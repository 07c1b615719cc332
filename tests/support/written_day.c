// SPDX-License-Identifier: Apache-2.0
#include "tests/support/written_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "control/recovery/opening.h"

enum { DEPTH = 16384 };

void written_day_begin(struct written_day *day, uint32_t max_positions)
{
    struct journal_report tail;
    char text[256];
    *day = (struct written_day){0};
    stage_open(&day->stage, 1, "durable", 256);
    struct config *config = day->stage.config;
    config->engine.max_positions = max_positions;
    day->identity = (struct journal_identity){.directory = config->journal_directory,
                                              .instance = config->instance,
                                              .date = config->date,
                                              .config_hash = config->hash};
    struct journal_writer_options options = {.segment_mb = 1, .commit_kb = 64};
    assert_int_equal(journal_scan(&day->identity, &tail), JOURNAL_OK);
    assert_int_equal(journal_writer_open(&day->writer, &day->identity, &options, &tail, text, sizeof text), JOURNAL_OK);
    size_t size = ring_footprint(DEPTH, sizeof(struct command));
    void *memory = aligned_alloc(CACHE_PAIR, size);
    assert_non_null(memory);
    memset(memory, 0, size);
    day->lane = (struct journal_lane){.ring = ring_new(memory, DEPTH, sizeof(struct command), 0)};
    day->venue = shadow_new(config, &day->identity, 0);
    assert_non_null(day->venue);
}

void written_day_free(struct written_day *day)
{
    journal_writer_close(day->writer);
    shadow_free(day->venue);
    free(day->lane.ring);
    stage_close(&day->stage);
}

static void give(struct written_day *day, struct command command, bool right)
{
    while (ring_room(day->lane.ring, 1) == 0)
        assert_int_equal(journal_drain(day->writer, &day->lane, 1), JOURNAL_OK);
    command.time_ns = 1000 * ++day->given;
    command.prev_hash = (uint32_t)shadow_event_hash(day->venue);
    struct command record = command;
    record.seq = day->given;
    assert_true(shadow_take(day->venue, &record));
    command.prev_hash ^= !right;
    memcpy((char *)ring_slot(day->lane.ring, 0) + 8, (char *)&command + 8, sizeof command - 8);
    ring_publish(day->lane.ring, 1);
}

void written_day_open(struct written_day *day)
{
    struct opening opening;
    struct command command, up = {.type = CMD_SESSION_UP};
    assert_true(opening_init(&opening, day->stage.config, 0));
    while (opening_next(&opening, 0, &command)) {
        opening_note(&opening, &command);
        give(day, command, true);
    }
    opening_free(&opening);
    give(day, up, true);
}

void written_day_give(struct written_day *day, struct command command)
{
    give(day, command, true);
    assert_int_equal(journal_drain(day->writer, &day->lane, 1), JOURNAL_OK);
}

void written_day_trade(struct written_day *day, unsigned count, unsigned wrong)
{
    for (unsigned i = 0; i < count; i++) {
        struct command command = {.type = CMD_ENTER,
                                  .quantity = 100,
                                  .price = 1000000 + 100 * (i % 40),
                                  .locate = 1,
                                  .side = i % 3 ? 'B' : 'S',
                                  .tif = '0',
                                  .display = 'Y',
                                  .capacity = 'A',
                                  .iso = 'N',
                                  .cross = 'N'};
        memcpy(command.symbol, day->stage.config->symbols[0].wire_name, sizeof command.symbol);
        command.user_ref = ++day->user_ref;
        give(day, command, i != wrong);
    }
    assert_int_equal(journal_drain(day->writer, &day->lane, 1), JOURNAL_OK);
}
