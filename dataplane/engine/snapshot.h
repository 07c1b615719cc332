// SPDX-License-Identifier: Apache-2.0
// What an engine holds, as a stream of commands (CMD_RESTORE_*) that make another engine hold the same.
//
//   engine --snapshot_next--> DAY, SYMBOL.., ACCOUNT.., SESSION.., KILL.., NUMBERS..,
//                             each book: ORDER (and SPECIAL).., LIST..,        --restore_take--> engine
//                             TRADES.., END
//
// The same for every future command: events and hash, what is refused as full, what a mass cancel names first. What can
// not change an answer is left out: numbers of levels, pages and pool entries, the order in which slots are free. The
// stream of a restored engine is the same stream again, byte for byte.
#ifndef CROSSWIRE_ENGINE_SNAPSHOT_H
#define CROSSWIRE_ENGINE_SNAPSHOT_H

#include "engine/engine.h"

// Where a walk over an engine stands. Private, but for `records`: commands given so far.
struct snapshot_walk {
    const struct engine *engine;
    uint64_t records;
    uint64_t digest;
    uint32_t stage;
    uint32_t at; // symbol, account, session, trade
    uint32_t side, list, page, offset;
    uint32_t slot;    // the next order of its level or list
    uint32_t special; // whose SPECIAL is owed
};

// Whether a snapshot can be taken now: between two whole commands, of a day that has started.
bool snapshot_possible(const struct engine *engine);

// Begins a walk; snapshot_possible(). The engine takes no command until it has ended.
void snapshot_begin(struct snapshot_walk *walk, const struct engine *engine);

// The next command of the stream, all of it written but `seq` and `prev_hash`, which are 0; false behind the last. A
// bounded amount of work: a walk can stop anywhere and go on later.
bool snapshot_next(struct snapshot_walk *walk, struct command *command);

// The digest of the whole stream: two engines that have the same give every future command the same answers. A whole
// walk.
uint64_t snapshot_digest(const struct engine *engine);

// What `digest` becomes with one more record; it begins with SNAPSHOT_DIGEST_SEED. Covers all but seq and prev_hash.
#define SNAPSHOT_DIGEST_SEED UINT64_C(0x9D0B1A5E7C3F2846)
static inline uint64_t snapshot_digest_add(uint64_t digest, const struct command *command)
{
    const char *bytes = (const char *)command;
    uint64_t a = (uint32_t)digest, b = digest >> 32, w[14];
    uint64_t head; // type, refuse; behind them prev_hash
    memcpy(w, bytes + offsetof(struct command, payload), 12 * sizeof *w);
    memcpy(&w[12], bytes + COMMAND_KEY, sizeof w[12]);
    memcpy(&w[13], &command->time_ns, sizeof w[13]);
    memcpy(&head, bytes + offsetof(struct command, type), sizeof head);
    for (unsigned i = 0; i < 14; i += 2) {
        a = _mm_crc32_u64(a, w[i]);
        b = _mm_crc32_u64(b, w[i + 1]);
    }
    a = _mm_crc32_u64(a, (uint32_t)head ^ b << 32);
    return a | b << 32;
}

enum restore_result { RESTORE_MORE, RESTORE_DONE, RESTORE_REFUSED };

// An engine on its way. Private, but for `refused`: a sentence when the result was RESTORE_REFUSED.
struct restore {
    struct engine *engine;
    uint64_t records;
    uint64_t digest;
    uint32_t slot;   // of the last ORDER
    uint32_t orders; // so far
    uint32_t listed; // the last entry of the last LIST
    bool special;    // the ORDER owes a SPECIAL
    uint32_t date;   // of the day, 0 before it is known
    bool ended;      // the day
    const char *refused;
};

// Begins to restore `engine`, fresh from engine_new. No engine_step before RESTORE_DONE.
void restore_begin(struct restore *restore, struct engine *engine);

// Takes the next command of a stream. REFUSED: it fits neither the engine's memory nor what came before, the engine is
// of no use any more.
enum restore_result restore_take(struct restore *restore, const struct command *command);

// A hint that `command` will be taken soon.
void restore_prefetch(const struct restore *restore, const struct command *command);

#endif
