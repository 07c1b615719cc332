// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/restore_feed.h"

#include <inttypes.h>
#include <string.h>

#include "contract/log.h"
#include "control/recovery/ring_adopt.h"

enum { FEED_BUDGET = 8192, FEED_BATCH = 64, LIST_MOST = 256 };

void restore_feed_begin(struct restore_feed *feed, struct generation *generation,
                        const struct journal_identity *identity, struct limits_desk *limits, unsigned core,
                        uint64_t most, uint64_t digest, bool given)
{
    uint32_t state = atomic_load_explicit(&generation->ports[core]->restore, memory_order_acquire);
    *feed = (struct restore_feed){.generation = generation,
                                  .identity = identity,
                                  .core = core,
                                  .given = given,
                                  .clear = !given && state != CORE_FRESH,
                                  .most = most,
                                  .below = UINT64_MAX,
                                  .opening = digest,
                                  .limits = limits};
}

static void pass_over(struct restore_feed *feed, uint64_t covered, const char *why)
{
    feed->passed_over++;
    log_event(LOG_XW2016, "\"core\":%u,\"covered\":%" PRIu64 ",\"by\":\"recovery\",\"text\":%s", feed->core, covered,
              log_quote(why));
}

static void close_reader(struct restore_feed *feed)
{
    if (feed->reader)
        snapshot_close(feed->reader);
    feed->reader = NULL;
    feed->held = NULL;
}

// Why the snapshot that has just been opened will not do, or NULL.
static const char *objection(const struct restore_feed *feed)
{
    const struct snapshot_facts *facts = snapshot_facts(feed->reader);
    if (facts->covered > feed->most)
        return "it covers more than the journal has";
    return facts->opening == feed->opening ? NULL : "of another configuration";
}

// What control itself had set comes first in the file. NULL, or why it can not be read.
static const char *read_admin(struct restore_feed *feed)
{
    enum snapshot_result result;
    limits_desk_forget(feed->limits, feed->core);
    while ((result = snapshot_read(feed->reader, &feed->held)) == SNAPSHOT_OK && feed->held->type == CMD_RESTORE_ADMIN)
        limits_desk_note(feed->limits, feed->core, feed->held);
    if (result == SNAPSHOT_OK)
        return NULL;
    feed->held = NULL;
    return result == SNAPSHOT_BAD ? snapshot_text(feed->reader) : "it has no records";
}

// The newest that is still to be tried; false when there is none.
static bool open_next(struct restore_feed *feed)
{
    uint64_t list[LIST_MOST];
    char text[256];
    int count = snapshot_list(feed->identity, feed->core, list, LIST_MOST);
    for (int i = 0; i < count && i < LIST_MOST; i++) {
        if (list[i] >= feed->below)
            continue;
        feed->below = list[i];
        feed->reader = snapshot_open(feed->identity, feed->core, list[i], text, sizeof text);
        const char *why = feed->reader ? objection(feed) : text;
        if (!why)
            why = read_admin(feed);
        if (!why)
            return true;
        pass_over(feed, list[i], why);
        close_reader(feed);
    }
    return false;
}

static unsigned choose(struct restore_feed *feed)
{
    feed->records = 0;
    bool found = open_next(feed);
    feed->facts = (struct snapshot_facts){0};
    if (found) {
        feed->facts = *snapshot_facts(feed->reader);
        limits_desk_restored(feed->limits, feed->core, feed->facts.ended != 0);
    } else {
        limits_desk_forget(feed->limits, feed->core);
    }
    if (feed->given || !found)
        close_reader(feed);
    if (feed->clear)
        feed->stage = RESTORE_CLEAR;
    else
        feed->stage = feed->reader ? RESTORE_RECORDS : RESTORE_BASE;
    return 1;
}

static enum restore_state state_of(const struct restore_feed *feed)
{
    return (enum restore_state)atomic_load_explicit(&feed->generation->ports[feed->core]->restore,
                                                    memory_order_acquire);
}

static void put(struct ring *ring, uint32_t index, const struct command *command)
{
    char *slot = ring_slot(ring, index);
    memcpy(slot + sizeof command->seq, (const char *)command + sizeof command->seq,
           sizeof *command - sizeof command->seq);
}

static unsigned clear(struct restore_feed *feed)
{
    struct ring *ring = feed->generation->commands[feed->core];
    struct command reset = {.type = DIRECTIVE_RESET, .session = SESSION_NONE};
    if (ring_room(ring, ring->depth) < ring->depth)
        return 0; // what was given before is taken first
    put(ring, 0, &reset);
    ring_publish(ring, 1);
    feed->stage = RESTORE_VOID;
    return 1;
}

static unsigned await_void(struct restore_feed *feed)
{
    if (!ring_is_empty(feed->generation->commands[feed->core]) || state_of(feed) != CORE_FRESH)
        return 0;
    feed->clear = false;
    feed->stage = feed->reader ? RESTORE_RECORDS : RESTORE_BASE;
    return 1;
}

static unsigned next_older(struct restore_feed *feed, const char *why)
{
    pass_over(feed, feed->facts.covered, why);
    close_reader(feed);
    feed->clear = true;
    feed->stage = RESTORE_CHOOSE;
    return 1;
}

static unsigned give_records(struct restore_feed *feed)
{
    struct ring *ring = feed->generation->commands[feed->core];
    uint32_t staged = 0, done = 0;
    enum snapshot_result result = SNAPSHOT_OK;
    for (; done < FEED_BUDGET; done++) {
        if (!feed->held)
            result = snapshot_read(feed->reader, &feed->held);
        if (result != SNAPSHOT_OK || ring_room(ring, staged + 1) <= staged)
            break;
        put(ring, staged++, feed->held);
        feed->held = NULL;
        feed->records++;
        if (staged == FEED_BATCH) {
            ring_publish(ring, staged);
            staged = 0;
        }
    }
    if (staged)
        ring_publish(ring, staged);
    if (result == SNAPSHOT_BAD)
        return next_older(feed, snapshot_text(feed->reader));
    if (result == SNAPSHOT_OVER)
        feed->stage = RESTORE_WAIT;
    else if (state_of(feed) == CORE_REFUSED)
        return next_older(feed, "the matching core refuses it");
    return done;
}

static unsigned await_whole(struct restore_feed *feed)
{
    struct matcher_port *port = feed->generation->ports[feed->core];
    switch (state_of(feed)) {
    case CORE_FRESH:
    case CORE_RESTORING:
        // Cells that stand in the ring may still make it whole; without any it never will be.
        return ring_is_empty(feed->generation->commands[feed->core]) && state_of(feed) == CORE_RESTORING
                   ? next_older(feed, "its last record is missing")
                   : 0;
    case CORE_RESTORED:
        if (atomic_load_explicit(&port->applied_seq, memory_order_acquire) != feed->facts.covered)
            return next_older(feed, "the matching core has become another one");
        close_reader(feed);
        feed->stage = RESTORE_BASE;
        return 1;
    case CORE_REFUSED:
        break;
    }
    return next_older(feed, "the matching core refuses it");
}

unsigned restore_feed_poll(struct restore_feed *feed)
{
    switch (feed->stage) {
    case RESTORE_CHOOSE:
        return choose(feed);
    case RESTORE_CLEAR:
        return clear(feed);
    case RESTORE_VOID:
        return await_void(feed);
    case RESTORE_RECORDS:
        return give_records(feed);
    case RESTORE_WAIT:
        return await_whole(feed);
    case RESTORE_BASE:
        break;
    }
    return 0;
}

void restore_feed_again(struct restore_feed *feed, const char *why)
{
    next_older(feed, why);
}

void restore_feed_end(struct restore_feed *feed)
{
    close_reader(feed);
}
