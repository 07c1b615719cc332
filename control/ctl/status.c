// SPDX-License-Identifier: Apache-2.0
// xwctl status and xwctl counters: what the shared region shows of the running appliance.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "contract/log.h"
#include "control/ctl/breakers.h"
#include "control/ctl/ctl.h"
#include "control/ctl/standing.h"
#include "control/journal/verify.h"

enum { SAMPLE_MS = 100 }; // between the two looks that show what moves

static const char *const state_names[] = {
    [CORE_BOOT] = "boot", [CORE_RUN] = "run", [CORE_HALT] = "halt", [CORE_FAIL] = "fail"};

static const void *object_at(const struct region *region, unsigned i)
{
    return (const char *)region->header + region->header->objects[i].offset;
}

// ---- one tree, shown as text or as JSON -----------------------------------------------------------------------------

static json_t *core_json(const struct region_object *object, const struct core_block *block,
                         const struct ctl_core_sample *before, const struct ctl_core_sample *after)
{
    uint64_t busy = after->busy - before->busy, idle = after->idle - before->idle;
    json_t *counters = json_object();
    const struct counter_info *info;
    for (unsigned i = 0; (info = counter_info((enum role)object->a, i)) != NULL; i++)
        json_object_set_new(counters, info->name, json_integer((json_int_t)after->counters[i]));
    return json_pack("{s:s, s:i, s:i, s:s, s:b, s:f, s:I, s:I, s:I, s:o}", "role", role_name((enum role)object->a),
                     "index", (int)object->b, "lcore", (int)block->lcore, "state",
                     after->state <= CORE_FAIL ? state_names[after->state] : "?", "heartbeat_moves",
                     after->heartbeat != before->heartbeat, "busy_percent",
                     busy + idle ? 100.0 * (double)busy / (double)(busy + idle) : 0.0, "busy_cycles",
                     (json_int_t)after->busy, "idle_cycles", (json_int_t)after->idle, "heap_bytes",
                     (json_int_t)after->heap_bytes, "counters", counters);
}

static json_t *matcher_json(unsigned core, const struct matcher_port *port)
{
    uint64_t durable = atomic_load_explicit(&port->durable_seq, memory_order_acquire);
    uint64_t applied = atomic_load_explicit(&port->applied_seq, memory_order_acquire);
    char hash[17];
    snprintf(hash, sizeof hash, "%016" PRIx64, atomic_load_explicit(&port->event_hash, memory_order_relaxed));
    bool gated = durable != UINT64_MAX;
    return json_pack("{s:i, s:I, s:b, s:I, s:s, s:i}", "core", (int)core, "applied_seq", (json_int_t)applied, "gated",
                     gated, "durable_lag", (json_int_t)(gated && applied > durable ? applied - durable : 0),
                     "event_hash", hash, "day_open", (int)atomic_load_explicit(&port->day_open, memory_order_relaxed));
}

static const char *ring_name(unsigned kind)
{
    static const char *const names[] = {
        [OBJECT_COMMANDS] = "commands",       [OBJECT_JOURNAL] = "journal", [OBJECT_REQUESTS] = "requests",
        [OBJECT_REPLIES] = "replies",         [OBJECT_ORDERS] = "orders",   [OBJECT_EVENTS] = "events",
        [OBJECT_MARKET_DATA] = "market_data", [OBJECT_ALERTS] = "alerts"};
    return kind < sizeof names / sizeof names[0] ? names[kind] : NULL;
}

static json_t *ring_json(const struct region_object *object, const struct ring *ring)
{
    uint64_t consumed = atomic_load_explicit(&ring->consumed, memory_order_acquire);
    uint64_t produced = atomic_load_explicit(&ring->produced, memory_order_acquire);
    uint64_t used = produced > consumed ? produced - consumed : 0;
    return json_pack("{s:s, s:i, s:i, s:I, s:I, s:f}", "ring", ring_name(object->kind), "a", (int)object->a, "b",
                     (int)object->b, "depth", (json_int_t)ring->depth, "used", (json_int_t)used, "fill_percent",
                     100.0 * (double)used / ring->depth);
}

static json_t *accounts_json(const struct region *region)
{
    struct ctl_accounts sum;
    ctl_sum_accounts(region, &sum);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "received",
                     (json_int_t)sum.received, "session_messages", (json_int_t)sum.session_messages, "forwarded",
                     (json_int_t)sum.forwarded, "discarded", (json_int_t)sum.discarded, "messages",
                     (json_int_t)sum.messages, "accepted", (json_int_t)sum.accepted, "rejected",
                     (json_int_t)sum.rejected, "duplicates", (json_int_t)sum.duplicates, "no_effect",
                     (json_int_t)sum.no_effect, "in_flight", (json_int_t)sum.in_flight, "unfinished",
                     (json_int_t)sum.unfinished, "holds", sum.holds);
}

// What the journal's directory shows; it is there also when control is not, or has just ended for want of room.
static json_t *journal_json(const struct config *config)
{
    const struct journal_identity identity = {
        .directory = config->journal_directory, .instance = config->instance, .date = config->date};
    struct journal_overview overview;
    if (!journal_look(&identity, &overview))
        return json_pack("{s:s}", "error", strerror(errno));
    return json_pack("{s:I, s:I, s:I, s:b}", "segments", (json_int_t)overview.segments, "sealed",
                     (json_int_t)overview.sealed, "free_mb", (json_int_t)(overview.free_bytes >> 20), "space_low",
                     overview.free_bytes >> 20 < config->journal.segment_mb);
}

static json_t *status_json(const struct ctl *ctl, const struct region *region, const struct config *config)
{
    static struct ctl_core_sample before[REGION_OBJECTS_MAX], after[REGION_OBJECTS_MAX];
    const struct region_header *header = region->header;
    const struct timespec pause = {.tv_nsec = SAMPLE_MS * 1000000L};
    json_t *cores = json_array(), *matchers = json_array(), *rings = json_array();
    uint64_t control_before = atomic_load_explicit(&header->control_heartbeat, memory_order_relaxed);
    for (unsigned i = 0; i < header->object_count; i++) {
        if (header->objects[i].kind == OBJECT_CORE)
            ctl_sample_core(object_at(region, i), &before[i]);
    }
    nanosleep(&pause, NULL);
    for (unsigned i = 0; i < header->object_count; i++) {
        const struct region_object *object = &header->objects[i];
        if (object->kind == OBJECT_CORE) {
            ctl_sample_core(object_at(region, i), &after[i]);
            json_array_append_new(cores, core_json(object, object_at(region, i), &before[i], &after[i]));
        } else if (object->kind == OBJECT_MATCHER) {
            json_array_append_new(matchers, matcher_json(object->b, object_at(region, i)));
        } else if (ring_name(object->kind)) {
            json_array_append_new(rings, ring_json(object, object_at(region, i)));
        }
    }
    bool moves = atomic_load_explicit(&header->control_heartbeat, memory_order_relaxed) != control_before;
    return json_pack("{s:s, s:I, s:I, s:b, s:b, s:b, s:b, s:b, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o?}",
                     "instance", config->instance, "generation", (json_int_t)header->generation, "dataplane_pid",
                     (json_int_t)header->dataplane_pid, "dataplane_lives", region_alive(region), "control_lives",
                     region_control_alive(config->run_directory, config->instance), "control_heartbeat_moves", moves,
                     "same_configuration", header->config_hash == config->hash, "stopping",
                     atomic_load_explicit(&header->stop, memory_order_relaxed) != 0, "trading_date",
                     (int)atomic_load_explicit(&header->trading_date, memory_order_relaxed), "cores", cores, "matchers",
                     matchers, "rings", rings, "messages", accounts_json(region), "journal", journal_json(config),
                     "modes", ctl_modes_json(region, config), "breakers", ctl_open_breakers_json(region, config),
                     "standing", ctl_standing_json(ctl));
}

// ---- text -----------------------------------------------------------------------------------------------------------

static json_int_t integer(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const char *string(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool truth(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static void print_cores(const json_t *cores)
{
    size_t i;
    json_t *core;
    printf("\n%-12s %5s  %-5s %-9s %6s %12s\n", "core", "lcore", "state", "heartbeat", "busy", "heap bytes");
    json_array_foreach(cores, i, core)
    {
        char name[32];
        snprintf(name, sizeof name, "%s %" JSON_INTEGER_FORMAT, string(core, "role"), integer(core, "index"));
        printf("%-12s %5" JSON_INTEGER_FORMAT "  %-5s %-9s %5.1f%% %12" JSON_INTEGER_FORMAT "\n", name,
               integer(core, "lcore"), string(core, "state"), truth(core, "heartbeat_moves") ? "moves" : "STANDS",
               json_real_value(json_object_get(core, "busy_percent")), integer(core, "heap_bytes"));
    }
}

static void print_matchers(const json_t *matchers)
{
    size_t i;
    json_t *matcher;
    printf("\n%-12s %14s %14s  %-16s %s\n", "matching", "applied seq", "not durable", "event hash", "day");
    json_array_foreach(matchers, i, matcher)
    {
        char lag[32] = "not gated";
        if (truth(matcher, "gated"))
            snprintf(lag, sizeof lag, "%" JSON_INTEGER_FORMAT, integer(matcher, "durable_lag"));
        printf("core %-7" JSON_INTEGER_FORMAT " %14" JSON_INTEGER_FORMAT " %14s  %-16s %" JSON_INTEGER_FORMAT "\n",
               integer(matcher, "core"), integer(matcher, "applied_seq"), lag, string(matcher, "event_hash"),
               integer(matcher, "day_open"));
    }
}

static void print_rings(const json_t *rings)
{
    size_t i;
    json_t *ring;
    printf("\n%-12s %4s %4s %10s %10s %6s\n", "ring", "a", "b", "depth", "used", "fill");
    json_array_foreach(rings, i, ring)
    {
        printf("%-12s %4" JSON_INTEGER_FORMAT " %4" JSON_INTEGER_FORMAT " %10" JSON_INTEGER_FORMAT
               " %10" JSON_INTEGER_FORMAT " %5.1f%%\n",
               string(ring, "ring"), integer(ring, "a"), integer(ring, "b"), integer(ring, "depth"),
               integer(ring, "used"), json_real_value(json_object_get(ring, "fill_percent")));
    }
}

static void print_messages(const json_t *sum)
{
    const char *key;
    json_t *value;
    printf("\nmessages: received = session_messages + forwarded + discarded; forwarded = messages + in_flight;\n"
           "messages = accepted + rejected + duplicates + no_effect + unfinished: %s\n ",
           truth(sum, "holds") ? "holds" : "DOES NOT HOLD");
    json_object_foreach((json_t *)sum, key, value)
    {
        if (json_is_integer(value))
            printf(" %s %" JSON_INTEGER_FORMAT, key, json_integer_value(value));
    }
    putchar('\n');
}

static void print_journal(const json_t *journal)
{
    if (json_object_get(journal, "error"))
        printf("journal: %s\n", string(journal, "error"));
    else
        printf("journal: %" JSON_INTEGER_FORMAT " segments, %" JSON_INTEGER_FORMAT " sealed; %" JSON_INTEGER_FORMAT
               " MiB free%s\n",
               integer(journal, "segments"), integer(journal, "sealed"), integer(journal, "free_mb"),
               truth(journal, "space_low") ? ": NO ROOM FOR ANOTHER SEGMENT, orders stop when this one is full" : "");
}

static void print_status(const json_t *status)
{
    printf("%s, generation %" JSON_INTEGER_FORMAT ", trading date %" JSON_INTEGER_FORMAT "%s%s\n",
           string(status, "instance"), integer(status, "generation"), integer(status, "trading_date"),
           truth(status, "stopping") ? ", stopping" : "",
           truth(status, "same_configuration") ? "" : ", of ANOTHER configuration than -c names");
    printf("dataplane pid %" JSON_INTEGER_FORMAT ": %s; control: %s\n", integer(status, "dataplane_pid"),
           truth(status, "dataplane_lives") ? "lives" : "DEAD",
           !truth(status, "control_lives")            ? "AWAY"
           : truth(status, "control_heartbeat_moves") ? "lives"
                                                      : "lives, has not joined this generation");
    print_journal(json_object_get(status, "journal"));
    ctl_print_modes(json_object_get(status, "modes"));
    ctl_print_open_breakers(json_object_get(status, "breakers"));
    ctl_print_standing(json_object_get(status, "standing"));
    print_cores(json_object_get(status, "cores"));
    print_matchers(json_object_get(status, "matchers"));
    print_rings(json_object_get(status, "rings"));
    print_messages(json_object_get(status, "messages"));
}

int ctl_status(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    if (argc != 0)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG status [--json]");
    struct config *config = ctl_load_config(ctl);
    struct region region;
    ctl_join(&region, config);
    json_t *status = status_json(ctl, &region, config);
    if (ctl->json) {
        json_dumpf(status, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_status(status);
    }
    json_decref(status);
    region_leave(&region);
    config_free(config);
    return EX_OK;
}

// ---- counters -------------------------------------------------------------------------------------------------------

static void print_counters(const struct region_object *object, const struct core_block *block, const struct ctl *ctl)
{
    struct ctl_core_sample sample;
    const struct counter_info *info;
    const char *role = role_name((enum role)object->a);
    ctl_sample_core(block, &sample);
    for (unsigned i = 0; (info = counter_info((enum role)object->a, i)) != NULL; i++) {
        if (ctl->json)
            printf("{\"role\":\"%s\",\"index\":%u,\"name\":\"%s\",\"unit\":\"%s\",\"value\":%" PRIu64 "}\n", role,
                   object->b, info->name, info->unit, sample.counters[i]);
        else
            printf("%s.%u.%-24s %16" PRIu64 " %-9s %s\n", role, object->b, info->name, sample.counters[i], info->unit,
                   info->help);
    }
}

int ctl_counters(const struct ctl *ctl, int argc, char **argv)
{
    if (argc > 1)
        fail_with(EX_USAGE, "usage: xwctl -c CONFIG counters [gateway|matcher|publisher] [--json]");
    struct config *config = ctl_load_config(ctl);
    struct region region;
    ctl_join(&region, config);
    for (unsigned i = 0; i < region.header->object_count; i++) {
        const struct region_object *object = &region.header->objects[i];
        if (object->kind != OBJECT_CORE || (argc == 1 && strcasecmp(argv[0], role_name((enum role)object->a)) != 0))
            continue;
        print_counters(object, object_at(&region, i), ctl);
    }
    region_leave(&region);
    config_free(config);
    return EX_OK;
}
