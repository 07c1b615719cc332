// SPDX-License-Identifier: Apache-2.0
#include "tests/support/demands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// ---- kinds of orders, as Accepted tells them

static bool has(const struct event *e, int tag)
{
    return e->options >> tag & 1;
}

static bool is_peg(const struct event *e, char type)
{
    return has(e, TAG_PRICE_TYPE) && e->price_type == type;
}

static bool has_minimum(const struct event *e)
{
    return has(e, TAG_MIN_QTY) && e->min_qty != 0;
}

static bool has_reserve(const struct event *e)
{
    return has(e, TAG_MAX_FLOOR) && e->max_floor != 0 && e->max_floor < e->quantity;
}

static bool has_discretion(const struct event *e, bool pegged)
{
    bool type = has(e, TAG_DISCRETION_PRICE_TYPE) && e->discretion_price_type != 'L';
    return pegged ? type : !type && has(e, TAG_DISCRETION_PRICE) && e->discretion_price != 0;
}

static bool triggered_by(const struct event *e, char type)
{
    return e->lines == 3 && e->trigger_type == type;
}

#define DAY_ORDER (e->tif != '3')
// name, whether an accepted order is of the kind
#define KINDS(KIND)                                                                                   \
    KIND("limit, displayed", DAY_ORDER && e->display == 'Y' && e->price <= PRICE_MAX)                 \
    KIND("attributable", DAY_ORDER && e->display == 'A')                                              \
    KIND("non-displayed", DAY_ORDER && e->display == 'N' && !has(e, TAG_PRICE_TYPE))                  \
    KIND("market", e->price > PRICE_MAX && !has(e, TAG_PRICE_TYPE))                                   \
    KIND("immediate or cancel", e->tif == '3')                                                        \
    KIND("fill or kill", e->tif == '3' && has_minimum(e) && e->min_qty == e->quantity)                \
    KIND("immediate with a minimum", e->tif == '3' && has_minimum(e) && e->min_qty < e->quantity)     \
    KIND("all or none, resting", DAY_ORDER &&has_minimum(e) && e->min_qty == e->quantity)             \
    KIND("minimum, resting", DAY_ORDER &&has_minimum(e) && e->min_qty < e->quantity)                  \
    KIND("reserve", has_reserve(e))                                                                   \
    KIND("reserve, random", has_reserve(e) && has(e, TAG_RANDOM_RESERVES) && e->random_reserves != 0) \
    KIND("post-only", has(e, TAG_POST_ONLY) && e->post_only == 'P')                                   \
    KIND("primary peg", is_peg(e, 'R'))                                                               \
    KIND("market peg", is_peg(e, 'P'))                                                                \
    KIND("midpoint peg", is_peg(e, 'M') || is_peg(e, 'm'))                                            \
    KIND("peg with an offset", has(e, TAG_PEG_OFFSET) && e->peg_offset != 0)                          \
    KIND("peg with a minimum", has_minimum(e) && has(e, TAG_PRICE_TYPE) && e->price_type != 'L')      \
    KIND("discretion to a price", has_discretion(e, false))                                           \
    KIND("discretion, pegged", has_discretion(e, true))                                               \
    KIND("stop limit", triggered_by(e, 'S') && e->price <= PRICE_MAX)                                 \
    KIND("stop market", triggered_by(e, 'S') && e->price > PRICE_MAX)                                 \
    KIND("trailing stop", triggered_by(e, 'T'))                                                       \
    KIND("intermarket sweep", e->iso == 'Y')                                                          \
    KIND("sale, short", e->side == 'T')                                                               \
    KIND("sale, short exempt", e->side == 'E')

static const char *const kind_names[] = {
#define NAME(name, test) name,
    KINDS(NAME)
#undef NAME
};
#define KIND_COUNT (sizeof kind_names / sizeof kind_names[0])
_Static_assert(KIND_COUNT <= DEMAND_KINDS, "room for every kind");

static void note_accepted(struct demands *d, const struct event *e, char phase)
{
    const char *phases = "PRA", *at = phase ? strchr(phases, phase) : NULL;
    size_t place = at ? (size_t)(at - phases) : 0, kind = 0;
#define NOTE(name, test) d->kinds[kind++][place] += (test);
    KINDS(NOTE)
#undef NOTE
    d->tifs[e->tif & 127][place]++;
    if (has(e, TAG_AIQ_STRATEGY))
        d->strategies[e->aiq_strategy & 127]++;
}

// ---- what came of a message

#define OUTCOMES(OUTCOME)                      \
    OUTCOME(REPLACE_SILENT, "replace (a)")     \
    OUTCOME(REPLACE_CANCELED, "replace (b)")   \
    OUTCOME(REPLACE_REJECTED, "replace (c)")   \
    OUTCOME(REPLACED, "replace (d)")           \
    OUTCOME(CANCEL_WHOLE, "cancel, whole")     \
    OUTCOME(CANCEL_PART, "cancel, part")       \
    OUTCOME(CANCEL_SILENT, "cancel, silent")   \
    OUTCOME(MODIFIED, "modify")                \
    OUTCOME(MODIFY_SILENT, "modify, silent")   \
    OUTCOME(MASS_CANCELED, "mass cancel")      \
    OUTCOME(DISABLED, "disable")               \
    OUTCOME(ENABLED, "enable")                 \
    OUTCOME(QUERIED, "query")                  \
    OUTCOME(BROKEN_E, "break, erroneous")      \
    OUTCOME(BROKEN_C, "break, consent")        \
    OUTCOME(BROKEN_S, "break, supervisory")    \
    OUTCOME(BROKEN_X, "break, external")       \
    OUTCOME(BREAK_REFUSED, "break, refused")   \
    OUTCOME(ADJUSTED, "adjust")                \
    OUTCOME(ADJUST_REFUSED, "adjust, refused") \
    OUTCOME(RESTATED, "reserve refreshed")     \
    OUTCOME(RELEASED, "stop released")         \
    OUTCOME(EXPIRED, "expiry by a tick")       \
    OUTCOME(PHASED, "phase change")            \
    OUTCOME(OFF_PRICE, "trade by discretion")  \
    OUTCOME(DISCONNECTED, "cancel on disconnect")

enum outcome {
#define ENUM(name, text) OUT_##name,
    OUTCOMES(ENUM)
#undef ENUM
        OUTCOMES_COUNT
};
_Static_assert(OUTCOMES_COUNT <= DEMAND_OUTCOMES, "room for every outcome");

static void note_reduction(struct demands *d, const struct command *c, const struct event *first)
{
    bool cancel = c->type == CMD_CANCEL;
    if (!first)
        d->outcomes[cancel ? OUT_CANCEL_SILENT : OUT_MODIFY_SILENT]++;
    else if (first->type == EV_MODIFIED)
        d->outcomes[OUT_MODIFIED]++;
    else if (cancel)
        d->outcomes[c->quantity ? OUT_CANCEL_PART : OUT_CANCEL_WHOLE]++;
}

static void note_break(struct demands *d, const struct event *first)
{
    const char *reasons = "ECSX", *at = first ? strchr(reasons, first->reason) : NULL;
    d->outcomes[at ? OUT_BROKEN_E + (at - reasons) : OUT_BREAK_REFUSED]++;
}

static void note_command(struct demands *d, const struct command *c, const struct event *first)
{
    switch (c->type) {
    case CMD_REPLACE:
        d->outcomes[!first                       ? OUT_REPLACE_SILENT
                    : first->type == EV_CANCELED ? OUT_REPLACE_CANCELED
                    : first->type == EV_REJECTED ? OUT_REPLACE_REJECTED
                                                 : OUT_REPLACED]++;
        break;
    case CMD_CANCEL:
    case CMD_MODIFY:
        note_reduction(d, c, first);
        break;
    case CMD_MASS_CANCEL:
        d->outcomes[OUT_MASS_CANCELED] += first && first->type == EV_MASS_CANCEL;
        break;
    case CMD_DISABLE:
        d->outcomes[OUT_DISABLED] += first && first->type == EV_DISABLED;
        break;
    case CMD_ENABLE:
        d->outcomes[OUT_ENABLED] += first && first->type == EV_ENABLED;
        break;
    case CMD_QUERY:
        d->outcomes[OUT_QUERIED] += first && first->type == EV_QUERY;
        break;
    case CMD_BREAK:
        note_break(d, first);
        break;
    case CMD_ADJUST:
        d->outcomes[first ? OUT_ADJUSTED : OUT_ADJUST_REFUSED]++;
        break;
    case CMD_TICK:
        d->outcomes[OUT_EXPIRED] += first && first->type == EV_CANCELED && first->reason == 'T';
        break;
    case CMD_PHASE:
        d->outcomes[OUT_PHASED] += first != NULL;
        break;
    default:
        break;
    }
}

static void note_event(struct demands *d, const struct command *c, const struct event *e, char phase, char strategy)
{
    switch (e->type) {
    case EV_ACCEPTED:
        note_accepted(d, e, phase);
        break;
    case EV_CANCELED:
        d->canceled[e->reason & 127]++;
        d->outcomes[OUT_DISCONNECTED] += c->type == CMD_SESSION_DOWN;
        if (e->reason == 'Q' && c->type == CMD_ENTER)
            d->prevented[strategy & 127]++;
        break;
    case EV_AIQ_CANCELED:
        d->prevented[e->aiq_strategy & 127]++;
        break;
    case EV_REJECTED:
        if (c->type == CMD_ENTER || c->type == CMD_REPLACE)
            d->rejected[(uint8_t)e->reason]++;
        break;
    case EV_TRADE:
        d->taker[e->taker_liquidity & 127]++;
        d->maker[e->maker_liquidity & 127]++;
        d->outcomes[OUT_OFF_PRICE] += e->off_price;
        break;
    case EV_RESTATED:
        d->outcomes[OUT_RESTATED]++;
        break;
    case EV_PRIORITY:
        d->outcomes[OUT_RELEASED]++;
        break;
    default:
        break;
    }
}

void demands_note(struct demands *d, const struct command *c, const struct event *events, size_t count, char phase,
                  char strategy)
{
    bool own = c->type == CMD_ENTER && c->options & OPTION(TAG_AIQ_STRATEGY) && c->aiq_strategy != '*';
    d->commands++;
    note_command(d, c, count ? &events[0] : NULL);
    for (size_t i = 0; i < count; i++)
        note_event(d, c, &events[i], phase, own ? c->aiq_strategy : strategy);
}

// ---- what is demanded

static unsigned missing_letters(const char *what, const char *letters, const unsigned counts[128])
{
    unsigned missing = 0;
    printf("%s:", what);
    for (; *letters; letters++) {
        printf(" %c %u", *letters, counts[(unsigned char)*letters]);
        missing += counts[(unsigned char)*letters] == 0;
    }
    printf("\n");
    return missing;
}

static unsigned missing_phases(const char *what, const unsigned counts[3], const char *phases)
{
    unsigned missing = 0;
    printf("%-26s", what);
    for (const char *phase = "PRA"; *phase; phase++, counts++) {
        printf("  %c %8u", *phase, *counts);
        missing += strchr(phases, *phase) && *counts == 0;
    }
    printf("\n");
    return missing;
}

unsigned demands_missing(const struct demands *d)
{
    // 0C 17 09 13 02 2D 2E 0F 1D 03 08 1A 14 16 0D 04 05 11 1B 40 0A: every code of rule 2.
    static const uint8_t codes[] = {0x0C, 0x17, 0x09, 0x13, 0x02, 0x2D, 0x2E, 0x0F, 0x1D, 0x03, 0x08,
                                    0x1A, 0x14, 0x16, 0x0D, 0x04, 0x05, 0x11, 0x1B, 0x40, 0x0A};
    static const char *const outcomes[] = {
#define NAME(name, text) text,
        OUTCOMES(NAME)
#undef NAME
    };
    unsigned missing = 0;
    for (size_t i = 0; i < KIND_COUNT; i++)
        missing += missing_phases(kind_names[i], d->kinds[i], "PRA");
    missing += missing_phases("day", d->tifs['0'], "R");
    missing += missing_phases("extended hours", d->tifs['5'], "PRA");
    missing += missing_phases("to a time", d->tifs['6'], "PRA");
    missing += missing_phases("after hours", d->tifs['E'], "A");
    missing += missing_letters("strategies", "YDOWRydowrZEPXS01245N*", d->strategies);
    missing += missing_letters("takers prevented", "YDOWRydowrZEPXS01245", d->prevented);
    missing += missing_letters("cancel reasons", "UITEZQG", d->canceled);
    missing += missing_letters("takers' liquidity", "Rm", d->taker);
    missing += missing_letters("makers' liquidity", "AJk", d->maker);
    for (size_t i = 0; i < OUTCOMES_COUNT; i++) {
        printf("%-26s  %10u\n", outcomes[i], d->outcomes[i]);
        missing += d->outcomes[i] == 0;
    }
    printf("rejects:");
    for (size_t i = 0; i < sizeof codes; i++) {
        printf(" %02X %u", codes[i], d->rejected[codes[i]]);
        missing += d->rejected[codes[i]] == 0;
    }
    printf("\n%llu commands, %u demands not met\n", (unsigned long long)d->commands, missing);
    return missing;
}
