// SPDX-License-Identifier: Apache-2.0
// A stream file as commands of one session, for the engine alone: the engine's benchmark and its stream tests share
// this.
//
// UserRefNums ascend with the stream's order ids but lie scattered over 32 bits. A Replace carries the whole chain's
// quantity, so that it must be known what the target has executed: the caller shows every event to engine_stream_watch.
#ifndef CROSSWIRE_PERF_ENGINE_STREAM_H
#define CROSSWIRE_PERF_ENGINE_STREAM_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/engine.h"
#include "perf/stream_file.h"

struct engine_stream {
    void *map;
    size_t size;
    const struct stream_record *records;
    uint64_t count, prefill, max_id;
    uint32_t symbols;
    uint32_t stride;    // of UserRefNums
    uint32_t *executed; // by order id, of the whole chain
    uint32_t *chain;    // by record: a Replace's quantity once known, 0 before
    uint16_t sessions;  // one an account; 0 is 1
    uint16_t *owner;    // by order id, its session
    uint64_t trades, digest;
};

// A file mapped whole, read-only; NULL when it is not there. `*size` is its length.
static inline void *engine_stream_map(const char *path, size_t *size)
{
    struct stat status = {0};
    *size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    void *map = MAP_FAILED;
    if (fstat(fd, &status) == 0 && status.st_size > 0) {
        *size = (size_t)status.st_size;
        map = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    close(fd);
    return map == MAP_FAILED ? NULL : map;
}

// Returns false when the file is absent or no stream.
static inline bool engine_stream_open(struct engine_stream *s, const char *path)
{
    memset(s, 0, sizeof *s);
    const struct stream_header *header = s->map = engine_stream_map(path, &s->size);
    if (!header || s->size < sizeof *header || header->magic != STREAM_MAGIC)
        return false;
    s->count = header->records;
    s->prefill = header->prefill;
    s->symbols = header->symbols;
    s->max_id = header->max_id;
    if (s->size != sizeof *header + s->count * sizeof(struct stream_record) || s->max_id >= UINT32_MAX)
        return false;
    s->records = (const void *)(header + 1);
    s->stride = (uint32_t)(UINT32_MAX / (s->max_id + 2));
    s->executed = calloc(s->max_id + 1, sizeof *s->executed);
    s->chain = calloc(s->count, sizeof *s->chain);
    s->owner = calloc(s->max_id + 1, sizeof *s->owner);
    return s->executed && s->chain && s->owner;
}

static inline void engine_stream_close(struct engine_stream *s)
{
    if (s->map)
        munmap(s->map, s->size);
    free(s->executed);
    free(s->chain);
    free(s->owner);
}

// Forgets what was watched, but not what was learnt of the chains, so that the stream can be played again.
static inline void engine_stream_rewind(struct engine_stream *s)
{
    memset(s->executed, 0, (s->max_id + 1) * sizeof *s->executed);
    s->trades = 0;
    s->digest = UINT64_C(1469598103934665603);
}

static inline uint32_t engine_stream_number(const struct engine_stream *s, uint64_t id)
{
    uint64_t scatter = id * UINT64_C(0x9E3779B97F4A7C15) >> 32;
    return (uint32_t)(id * s->stride + scatter % s->stride);
}

static inline uint64_t engine_stream_id(const struct engine_stream *s, uint32_t user_ref)
{
    return user_ref / s->stride;
}

static inline void engine_stream_symbol(uint32_t symbol, char name[8])
{
    memcpy(name, "S       ", 8);
    for (int digit = 4; digit >= 1; digit--, symbol /= 10)
        name[digit] = (char)('0' + symbol % 10);
}

// Spreads the orders over so many sessions, each of an account of its own; a replacement is its original's session's.
static inline void engine_stream_spread(struct engine_stream *s, uint16_t sessions)
{
    s->sessions = sessions;
    for (uint64_t i = 0; i < s->count; i++) {
        const struct stream_record *r = &s->records[i];
        if (r->type == 2)
            s->owner[r->new_id] = s->owner[r->id];
        else if (r->type != 1)
            s->owner[r->id] = (uint16_t)((r->id * UINT64_C(0x9E3779B97F4A7C15) >> 32) % sessions);
    }
}

// Record `index` as a command of its session, 0 unless the orders are spread; the caller fills in seq and time_ns.
static inline void engine_stream_command(struct engine_stream *s, uint64_t index, struct command *c)
{
    const struct stream_record *r = &s->records[index];
    memset(c, 0, sizeof *c);
    c->session = s->owner[r->id];
    if (r->type == 1) {
        c->type = CMD_CANCEL;
        c->user_ref = engine_stream_number(s, r->id);
        return;
    }
    c->tif = r->type == 4 ? '3' : '0';
    c->display = 'Y';
    c->iso = 'N';
    c->price = r->price * STREAM_TICK;
    memset(c->cl_ord_id, ' ', sizeof c->cl_ord_id);
    if (r->type == 2) {
        c->type = CMD_REPLACE;
        c->orig_user_ref = engine_stream_number(s, r->id);
        c->user_ref = engine_stream_number(s, r->new_id);
        if (s->chain[index] == 0)
            s->chain[index] = r->quantity + s->executed[r->id];
        c->quantity = s->chain[index];
        s->executed[r->new_id] = c->quantity - r->quantity;
        return;
    }
    c->type = CMD_ENTER;
    c->user_ref = engine_stream_number(s, r->id);
    c->side = r->side == 0 ? 'B' : 'S';
    c->capacity = 'P';
    c->cross = 'N';
    c->quantity = r->quantity;
    c->locate = (uint16_t)(r->symbol + 1);
    engine_stream_symbol(r->symbol, c->symbol);
}

// Takes note of an event. Returns true when it is a trade and writes it to `*trade`.
static inline bool engine_stream_watch(struct engine_stream *s, const struct event *event, struct stream_trade *trade)
{
    if (event->type != EV_TRADE)
        return false;
    uint64_t maker = engine_stream_id(s, event->other_user_ref), taker = engine_stream_id(s, event->user_ref);
    *trade = (struct stream_trade){
        .maker = maker, .taker = taker, .quantity = event->quantity, .price = event->price / STREAM_TICK};
    s->executed[maker] += event->quantity;
    s->executed[taker] += event->quantity;
    uint64_t h = s->digest ^ (maker * UINT64_C(0x9E3779B97F4A7C15) + taker * UINT64_C(0xC2B2AE3D27D4EB4F) +
                              ((uint64_t)trade->quantity << 32 | trade->price) * UINT64_C(0x165667B19E3779F9));
    s->digest = (h << 27 | h >> 37) * UINT64_C(0x9FB21C651E98DF25);
    s->trades++;
    return true;
}

// The opening commands of a day that suits the stream, the sessions up: command `index`, false past the last. Eight
// accounts are a firm.
static inline bool engine_stream_opening(const struct engine_stream *s, const struct engine_capacity *capacity,
                                         uint32_t index, struct command *c)
{
    memset(c, 0, sizeof *c);
    c->session = SESSION_NONE;
    if (index == 0) {
        c->type = CMD_OPEN_DAY;
        c->day.trading_date = 20240304;
        c->day.engine_version = CROSSWIRE_ENGINE_VERSION;
        c->day.lookup_key = UINT64_C(0x243F6A8885A308D3);
        c->day.max_orders = capacity->max_orders;
        c->day.max_levels = capacity->max_levels;
        c->day.max_symbols = capacity->max_symbols;
        c->day.max_accounts = capacity->max_accounts;
        c->day.max_sessions = capacity->max_sessions;
        c->day.core = capacity->core;
        c->day.max_trades = capacity->max_trades;
        c->day.max_special = capacity->max_special;
        c->day.max_conditional = capacity->max_conditional;
        c->day.max_positions = capacity->max_positions;
    } else if (index <= s->symbols) {
        c->type = CMD_OPEN_SYMBOL;
        engine_stream_symbol(index - 1, c->open_symbol.name);
        c->open_symbol.tick = STREAM_TICK;
        c->open_symbol.round_lot = 100;
        c->open_symbol.locate = (uint16_t)index;
    } else {
        uint32_t sessions = s->sessions ? s->sessions : 1, at = index - s->symbols - 1, which = at % sessions;
        if (at < sessions) {
            c->type = CMD_OPEN_ACCOUNT;
            c->open_account.account = (uint16_t)which;
            memcpy(c->open_account.firm, "F   ", 4);
            for (uint32_t digit = 3, firm = which / 8; digit; digit--, firm /= 10)
                c->open_account.firm[digit] = (char)('0' + firm % 10);
        } else if (at < 2 * sessions) {
            c->type = CMD_OPEN_SESSION;
            c->session = (uint16_t)which;
            c->open_session.account = (uint16_t)which;
        } else if (at == 2 * sessions) {
            c->type = CMD_START;
        } else {
            c->type = CMD_SESSION_UP;
            c->session = (uint16_t)(at - 2 * sessions - 1);
        }
        return at <= 3 * sessions;
    }
    return true;
}

#endif
