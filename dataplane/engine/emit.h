// SPDX-License-Identifier: Apache-2.0
// Events out: each is composed as whole 64-bit words, stored once and folded into the rolling hash from the registers.
#ifndef CROSSWIRE_ENGINE_EMIT_H
#define CROSSWIRE_ENGINE_EMIT_H

#include <string.h>

#include "contract/assert.h"
#include "engine/state.h"

// Where a step's events go. The hash is carried here and goes back to the engine when the step ends.
struct out {
    struct event *events;
    unsigned count;
    struct event_lanes lanes;
    uint64_t sequence;
    uint64_t time_ns;
};

static inline struct out out_open(const struct engine *e, struct event *events)
{
    return (struct out){.events = events, .lanes = e->lanes, .sequence = e->sequence, .time_ns = e->time_ns};
}

// The step's events are complete. Returns how many.
static inline unsigned out_close(struct engine *e, const struct out *out)
{
    e->lanes = out->lanes;
    return out->count;
}

static inline bool out_full(const struct out *out)
{
    return out->count == ENGINE_EVENTS_MAX;
}

#define AT(field, offset) _Static_assert(offsetof(struct event, field) == (offset), "words below")
AT(cmd_seq, 8);
AT(time_ns, 16);
AT(type, 24);
AT(lines, 25);
AT(flags, 26);
AT(reason, 27);
AT(locate, 28);
AT(side, 30);
AT(user_ref, 32);
AT(session, 36);
AT(user_ref_idx, 38);
AT(other_user_ref, 40);
AT(other_session, 44);
AT(other_user_ref_idx, 46);
AT(ref, 48);
AT(quantity, 56);
AT(price, 60);
AT(old_ref, 72);
AT(cl_ord_id, 80);
AT(group_id, 94);
AT(tif, 96);
AT(display, 97);
AT(capacity, 98);
AT(iso, 99);
AT(cross, 100);
AT(options, 104);
AT(firm, 108);
AT(match, 64);
AT(trade_symbol, 72);
AT(taker_liquidity, 80);
AT(maker_liquidity, 81);
AT(maker_side, 82);
#undef AT

// The first line's fields that differ from event to event.
struct head {
    uint8_t type;
    uint8_t lines;
    uint8_t flags;
    char reason;
    uint64_t terms; // locate and side of them
    uint64_t key;   // session, channel, UserRefNum
    uint64_t other; // the same of the other party; REPLACED: OrigUserRefNum alone
    uint64_t ref;
    uint32_t quantity;
    uint32_t price;
};

// The key of an event that goes to no session.
#define KEY_NOBODY ((uint64_t)SESSION_NONE << 32)

// A cache line as words. By value wherever it goes, so that compilers keep it in registers.
struct line {
    uint64_t w[8];
};

static inline __attribute__((always_inline)) struct line head_line(const struct out *out, struct head h)
{
    return (struct line){{0, out->sequence, out->time_ns,
                          h.type | (uint64_t)h.lines << 8 | (uint64_t)h.flags << 16 |
                              (uint64_t)(uint8_t)h.reason << 24 | h.terms << 40 >> 8,
                          h.key, h.other, h.ref, h.quantity | (uint64_t)h.price << 32}};
}

// Written out, because compilers turn a loop into a copy by vectors, for which the words must go through the stack
// first.
static inline __attribute__((always_inline)) void store_line(void *line, struct line from)
{
    uint64_t *to = line;
    to[0] = from.w[0];
    to[1] = from.w[1];
    to[2] = from.w[2];
    to[3] = from.w[3];
    to[4] = from.w[4];
    to[5] = from.w[5];
    to[6] = from.w[6];
    to[7] = from.w[7];
}

// An event of one line.
static inline __attribute__((always_inline)) void emit_one(struct out *out, struct head head)
{
    struct line first = head_line(out, head);
    store_line(&out->events[out->count++], first);
    out->lanes = event_fold_end(event_fold_first(out->lanes, first.w));
}

// An event of two lines.
static inline __attribute__((always_inline)) void emit_two(struct out *out, struct head head, struct line second)
{
    struct line first = head_line(out, head);
    struct event *event = &out->events[out->count++];
    store_line(event, first);
    store_line((char *)event + 64, second);
    out->lanes = event_fold_end(event_fold_next(event_fold_first(out->lanes, first.w), second.w));
}

// An event that is rare enough to be written field by field: the caller zeroes it and fills all but sequence, time and
// word.
static inline void emit_event(struct out *out, const struct event *from)
{
    struct event *event = &out->events[out->count++];
    memcpy(event, from, (size_t)from->lines * 64);
    event->word = 0;
    event->cmd_seq = out->sequence;
    event->time_ns = out->time_ns;
    out->lanes = event_lanes(event_hash(event_lanes_hash(out->lanes), event));
}

// A Canceled that goes to the session of `key`. `flags` is 0, EV_MD_DELETE or EV_MD_REDUCE.
static inline __attribute__((always_inline)) void emit_canceled_to(struct out *out, const struct order *order,
                                                                   uint64_t key, uint32_t quantity, char reason,
                                                                   uint8_t flags)
{
    emit_one(out, (struct head){.type = EV_CANCELED,
                                .lines = 1,
                                .flags = flags,
                                .reason = reason,
                                .terms = order->terms,
                                .key = key,
                                .ref = order->ref,
                                .quantity = quantity,
                                .price = order->price});
}

static inline void emit_canceled(struct out *out, const struct order *order, uint32_t quantity, char reason,
                                 uint8_t flags)
{
    emit_canceled_to(out, order, order->key, quantity, reason, flags);
}

// What the market sees less of while the client is told otherwise, or nothing.
static inline void emit_less(struct out *out, const struct order *order, uint32_t quantity)
{
    emit_canceled_to(out, order, order->key | KEY_NOBODY, quantity, 'U', EV_MD_REDUCE);
}

// A Rejected for the order-entry command `c`, which has used its UserRefNum.
void emit_rejected(struct out *out, const struct command *c, uint8_t reason);

#endif
