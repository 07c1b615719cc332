// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/trade_search.h"

#include <string.h>

#include "contract/command.h"
#include "contract/wire.h"

// A walk over the journal that another request had begun may end before what we want; the one after it does not.
enum { STAGE_TRADES = 2, STAGE_ORDERS, STAGE_DONE };
enum { READS = 64, READ_BYTES = 4096 }; // a call

bool trade_search_begin(struct trade_search *search, const struct config *config, uint64_t match)
{
    *search = (struct trade_search){.match = match, .core = (unsigned)(match >> 40) - 1, .next = 1};
    return match >> 40 != 0 && search->core < config->matchers_count;
}

// The channel that an appendage at `at` names; 0 when there is none.
static uint8_t channel_of(const uint8_t *message, size_t size, size_t at)
{
    for (at += 2; at + 2 < size && message[at] != 0; at += 1u + message[at])
        if (message[at + 1] == TAG_USER_REF_IDX)
            return message[at + 2];
    return 0;
}

static void take_execution(struct trade_search *search, uint16_t session, const uint8_t *message, size_t size)
{
    char liquidity = (char)message[25];
    struct trade_party *party = liquidity == 'R' || liquidity == 'm' ? &search->taker : &search->maker;
    *party = (struct trade_party){.session = session,
                                  .user_ref = get_be32(message + 9),
                                  .user_ref_idx = channel_of(message, size, 34),
                                  .told = true};
    search->time_ns = get_be64(message + 1);
    search->quantity = get_be32(message + 13);
    search->price = (uint32_t)get_be64(message + 17);
}

static void take_trade_message(struct trade_search *search, uint16_t session, const uint8_t *message, size_t size)
{
    if (message[0] == 'E' && size >= 36 && get_be64(message + 26) == search->match)
        take_execution(search, session, message, size);
    else if (message[0] == 'B' && size >= 36 && get_be64(message + 13) == search->match)
        search->broken = (char)message[21];
}

// A and U name an order in the same fields; U has one number more before them.
static void take_order_message(struct trade_party *party, uint16_t session, const uint8_t *message, size_t size)
{
    size_t shift = message[0] == 'U' ? 4 : 0;
    if ((message[0] != 'A' && message[0] != 'U') || size < 64 + shift || !party->told || party->session != session)
        return;
    const uint8_t *m = message + shift;
    if (get_be32(m + 9) != party->user_ref || channel_of(message, size, 62 + shift) != party->user_ref_idx)
        return;
    party->side = (char)m[13];
    memcpy(party->symbol, m + 18, sizeof party->symbol);
    memcpy(party->cl_ord_id, m + 48, sizeof party->cl_ord_id);
    party->named = true;
}

static bool is_wanted(const struct trade_search *search, const struct config *config, uint16_t session)
{
    if (config->sessions[session].matcher != search->core)
        return false;
    return search->stage == STAGE_TRADES || search->taker.session == session || search->maker.session == session;
}

// One read of the present session; false when there is nothing more in any.
static bool read_on(struct trade_search *search, const struct config *config, struct outbound *outbound)
{
    uint8_t blocks[READ_BYTES];
    size_t bytes;
    unsigned count = 0;
    for (; search->session < config->sessions_count; search->session++, search->next = 1) {
        if (is_wanted(search, config, search->session))
            count = outbound_read(outbound, search->session, search->next, UINT16_MAX, blocks, sizeof blocks, &bytes);
        if (count)
            break;
    }
    const uint8_t *at = blocks;
    for (unsigned i = 0; i < count; i++, at += 2 + get_be16(at)) {
        if (search->stage == STAGE_TRADES) {
            take_trade_message(search, search->session, at + 2, get_be16(at));
        } else {
            take_order_message(&search->taker, search->session, at + 2, get_be16(at));
            take_order_message(&search->maker, search->session, at + 2, get_be16(at));
        }
    }
    search->next += count;
    return count > 0;
}

enum trade_search_result trade_search_go_on(struct trade_search *search, const struct config *config,
                                            struct outbound *outbound, const struct journal_place *until,
                                            uint64_t now_ns)
{
    if (search->stage < STAGE_TRADES) {
        enum outbound_result result = outbound_follow(outbound, search->core, until, now_ns);
        if (result == OUTBOUND_NONE)
            return TRADE_SEARCH_FAILED;
        search->stage += result == OUTBOUND_OK;
        return TRADE_SEARCHING;
    }
    for (unsigned i = 0; i < READS && search->stage < STAGE_DONE; i++) {
        bool all_named = search->stage == STAGE_ORDERS && search->taker.named && search->maker.named;
        if (!all_named && read_on(search, config, outbound))
            continue;
        if (search->stage == STAGE_TRADES && (!search->taker.told || !search->maker.told))
            return TRADE_ABSENT;
        search->stage++;
        search->session = 0;
        search->next = 1;
    }
    return search->stage == STAGE_DONE ? TRADE_FOUND : TRADE_SEARCHING;
}
