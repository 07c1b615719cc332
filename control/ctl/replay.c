// SPDX-License-Identifier: Apache-2.0
// xwctl replay: the day, or its beginning, fed to engines again. Says what they come to, and how fast.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl/replay.h"

static void count_record(void *context, const struct command *record)
{
    struct ctl_tally *counts = context;
    counts[journal_core(record)].records++;
}

void ctl_tally_event(struct ctl_tally *tally, const struct event *event)
{
    tally->accepted += event->type == EV_ACCEPTED || event->type == EV_REPLACED;
    tally->rejected += event->type == EV_REJECTED;
    tally->canceled += event->type == EV_CANCELED || event->type == EV_AIQ_CANCELED;
    tally->trades += event->type == EV_TRADE;
    tally->shares += event->type == EV_TRADE ? event->quantity : 0;
}

static void count_event(void *context, unsigned core, const struct event *event)
{
    ctl_tally_event((struct ctl_tally *)context + core, event);
}

static json_t *core_json(unsigned core, const struct engine *engine, const struct ctl_tally *counts)
{
    char hash[17];
    snprintf(hash, sizeof hash, "%016" PRIx64, engine_event_hash(engine));
    return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "core", (int)core, "sequence",
                     (json_int_t)engine_sequence(engine), "time_ns", (json_int_t)engine_time_ns(engine), "records",
                     (json_int_t)counts->records, "accepted", (json_int_t)counts->accepted, "rejected",
                     (json_int_t)counts->rejected, "canceled", (json_int_t)counts->canceled, "trades",
                     (json_int_t)counts->trades, "shares", (json_int_t)counts->shares, "live_orders",
                     (json_int_t)engine_live_orders(engine), "event_hash", hash);
}

static void print_core(unsigned core, const struct engine *engine, const struct ctl_tally *counts)
{
    uint64_t time_ns = engine_time_ns(engine), s = time_ns / 1000000000;
    printf("core %u up to sequence %" PRIu64 " at %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%09" PRIu64 ": %" PRIu64
           " accepted or replaced, %" PRIu64 " rejected, %" PRIu64 " canceled, %" PRIu64 " trades of %" PRIu64
           " shares, %u live orders, event hash %016" PRIx64 "\n",
           core, engine_sequence(engine), s / 3600, s / 60 % 60, s % 60, time_ns % 1000000000, counts->accepted,
           counts->rejected, counts->canceled, counts->trades, counts->shares, engine_live_orders(engine),
           engine_event_hash(engine));
}

static void print_json(const struct ctl_walk *walk, const struct ctl_tally *counts)
{
    json_t *cores = json_array();
    for (unsigned core = 0; core < JOURNAL_CORES; core++) {
        if (walk->replicas[core])
            json_array_append_new(cores, core_json(core, replica_engine(walk->replicas[core]), &counts[core]));
    }
    json_t *root = json_pack("{s:i, s:I, s:f, s:o}", "date", (int)walk->identity->date, "records",
                             (json_int_t)walk->records, "seconds", walk->seconds, "cores", cores);
    json_dumpf(root, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(root);
}

int ctl_replay(const struct ctl *ctl, int argc, char **argv)
{
    static struct ctl_tally counts[JOURNAL_CORES];
    struct journal_identity identity;
    if (argc > 1)
        fail_with(EX_USAGE,
                  "usage: xwctl [-c CONFIG] replay [JOURNALDIR/YYYYMMDD] [--core N] [--until SEQ | --at TIME] [--with "
                  "CONFIG]");
    ctl_find_journal(ctl, argc ? argv[0] : NULL, &identity);
    struct ctl_walk walk = ctl_walk_of(ctl, &identity);
    if (ctl->with) {
        struct ctl other = {.config_path = ctl->with};
        struct config *config = ctl_load_config(&other);
        ctl_what_if(&walk, config, ctl);
        config_free(config);
        ctl_walk_free(&walk);
        return EX_OK;
    }
    walk.on_record = count_record;
    walk.on_event = count_event;
    walk.context = counts;
    ctl_walk(&walk);
    if (ctl->json) {
        print_json(&walk, counts);
    } else {
        for (unsigned core = 0; core < JOURNAL_CORES; core++) {
            if (walk.replicas[core])
                print_core(core, replica_engine(walk.replicas[core]), &counts[core]);
        }
        printf("%" PRIu64 " records replayed in %.2f s, every event hash as the journal has it\n", walk.records,
               walk.seconds);
    }
    ctl_walk_free(&walk);
    return EX_OK;
}
