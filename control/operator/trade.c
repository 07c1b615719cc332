// SPDX-License-Identifier: Apache-2.0
// {"ask":"trade_show"}, "trade_break", "trade_adjust":
//
//   SEARCH (the trade, in the journal) -> GIVE (a command) -> TAKEN -> CONFIRM (the Broken Trade in the journal)
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "contract/command.h"
#include "contract/log.h"
#include "contract/wire.h"
#include "control/operator/operator.h"
#include "control/recovery/trade_search.h"

#define CONFIRM_NS (10000 * DESK_MS)
#define AGAIN_NS (20 * DESK_MS)

enum stage { STAGE_BEGIN, STAGE_SEARCH, STAGE_GIVE, STAGE_TAKEN, STAGE_CONFIRM };

struct trade_request {
    char reason;
    char by[17];
    uint64_t match;
    uint32_t price, quantity;
    struct trade_search search;
    unsigned walks; // over the journal, that have ended since
    uint32_t told;  // messages of the taker's session before the command
};

static bool is_break(const struct request *request)
{
    return request->subject == &ask_trade_break;
}

// ---- what is asked --------------------------------------------------------------------------------------------------

static const char *read_show(struct request *request, const json_t *root)
{
    struct trade_request *ask = request->state;
    json_int_t match;
    if (!desk_number(root, "match", INT64_MAX, &match))
        return "the match number is none: give it as the E message does";
    ask->match = (uint64_t)match;
    return NULL;
}

static const char *read_break(struct request *request, const json_t *root)
{
    struct trade_request *ask = request->state;
    const char *wrong = read_show(request, root);
    if (wrong)
        return wrong;
    if (!desk_by(root, ask->by))
        return DESK_BY_MISSING;
    ask->reason = desk_letter(root, "reason");
    if (!ask->reason || !strchr("ECSX", ask->reason))
        return "the reason is none of E (erroneous), C (consent), S (supervisory), X (external)";
    return NULL;
}

static const char *read_adjust(struct request *request, const json_t *root)
{
    struct trade_request *ask = request->state;
    json_int_t price, quantity;
    const char *wrong = read_show(request, root);
    if (wrong)
        return wrong;
    if (!desk_by(root, ask->by))
        return DESK_BY_MISSING;
    if (!desk_number(root, "price", PRICE_MAX, &price))
        return "the price is none: give 0.0001 to 199999.99";
    if (!desk_number(root, "quantity", QUANTITY_MAX, &quantity))
        return "the quantity is none: give 1 to 999999";
    ask->price = (uint32_t)price;
    ask->quantity = (uint32_t)quantity;
    return NULL;
}

// ---- answers --------------------------------------------------------------------------------------------------------

static json_t *party_json(const struct config *config, const struct trade_party *party)
{
    return json_pack("{s:s, s:I, s:i, s:o, s:o}", "user", config->sessions[party->session].user, "user_ref",
                     (json_int_t)party->user_ref, "user_ref_idx", (int)party->user_ref_idx, "side",
                     desk_text(&party->side, 1), "cl_ord_id", desk_text(party->cl_ord_id, sizeof party->cl_ord_id));
}

static json_t *trade_json(const struct request *request)
{
    const struct trade_search *search = &((const struct trade_request *)request->state)->search;
    const struct config *config = request->context->config;
    return json_pack("{s:b, s:I, s:o, s:I, s:I, s:I, s:b, s:o, s:o, s:o}", "ok", 1, "match", (json_int_t)search->match,
                     "symbol", desk_text(search->taker.symbol, sizeof search->taker.symbol), "price",
                     (json_int_t)search->price, "quantity", (json_int_t)search->quantity, "time_ns",
                     (json_int_t)search->time_ns, "broken", search->broken != 0, "reason",
                     desk_text(&search->broken, 1), "taker", party_json(config, &search->taker), "maker",
                     party_json(config, &search->maker));
}

// ---- what a request goes through ------------------------------------------------------------------------------------

static void begin(struct request *request)
{
    struct trade_request *ask = request->state;
    if (trade_search_begin(&ask->search, request->context->config, ask->match))
        request->stage = STAGE_SEARCH;
    else
        desk_refuse(request, EX_DATAERR, "%" PRIu64 " is no match number of this instance: see the E message",
                    ask->match);
}

static void found(struct request *request)
{
    const struct trade_request *ask = request->state;
    uint32_t most = request->context->config->engine.max_trades;
    if (request->subject == &ask_trade_show)
        desk_answer(request, trade_json(request));
    else if (ask->search.broken)
        desk_refuse(request, EX_DATAERR, "match %" PRIu64 " is broken already (%c): nothing is left to change",
                    ask->match, ask->search.broken);
    else if ((ask->match & ((UINT64_C(1) << 40) - 1)) > most)
        desk_refuse(request, EX_UNAVAILABLE,
                    "match %" PRIu64 " came after the day's first %u trades: raise engine.max_trades for next time",
                    ask->match, most);
    else
        request->stage = STAGE_GIVE;
}

static void search_on(struct request *request, uint64_t now_ns)
{
    struct trade_request *ask = request->state;
    const struct desk_context *context = request->context;
    struct journal_place until = journal_writer_position(context->writer);
    switch (trade_search_go_on(&ask->search, context->config, context->outbound, &until, now_ns)) {
    case TRADE_SEARCHING:
        return;
    case TRADE_SEARCH_FAILED:
        desk_refuse(request, EX_SOFTWARE, "the journal can not be followed: see control's log for XW2011");
        return;
    case TRADE_ABSENT:
        desk_refuse(request, EX_DATAERR, "match %" PRIu64 " is no trade of this day: see the E message", ask->match);
        return;
    case TRADE_FOUND:
        found(request);
        return;
    }
}

static struct command command_of(const struct request *request)
{
    const struct trade_request *ask = request->state;
    struct command command = {.session = SESSION_NONE};
    command.type = is_break(request) ? CMD_BREAK : CMD_ADJUST;
    command.trade.match = ask->match;
    command.trade.price = ask->price;
    command.trade.quantity = ask->quantity;
    command.trade.reason = is_break(request) ? ask->reason : 'S';
    memcpy(command.trade.taker_cl_ord_id, ask->search.taker.cl_ord_id, sizeof command.trade.taker_cl_ord_id);
    memcpy(command.trade.maker_cl_ord_id, ask->search.maker.cl_ord_id, sizeof command.trade.maker_cl_ord_id);
    memcpy(command.trade.by, ask->by, sizeof command.trade.by);
    return command;
}

static void give(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    struct trade_request *ask = request->state;
    struct command command = command_of(request);
    if (!recovery) {
        desk_refuse(request, EX_UNAVAILABLE, "no data plane runs: start crosswire-dataplane, then ask again");
        return;
    }
    if (desk_day_over(request, recovery, 1u << ask->search.core, "no trade of it changes any more"))
        return;
    ask->told = outbound_count(request->context->outbound, ask->search.taker.session);
    if (!recovery_give(recovery, ask->search.core, &command)) {
        desk_refuse(request, EX_TEMPFAIL, "matching core %u takes nothing now: ask again", ask->search.core);
        return;
    }
    request->stage = STAGE_TAKEN;
    request->deadline_ns = now_ns + CONFIRM_NS;
    log_event(LOG_XW2013,
              "\"what\":\"%s\",\"match\":%" PRIu64 ",\"reason\":\"%c\",\"price\":%u,\"quantity\":%u,\"by\":%s",
              is_break(request) ? "break" : "adjust", ask->match, command.trade.reason, ask->price, ask->quantity,
              log_quote(ask->by));
}

static void await_taken(struct request *request, const struct recovery *recovery, uint64_t now_ns)
{
    const struct trade_request *ask = request->state;
    if (!recovery || desk_taken(request, recovery, 1u << ask->search.core))
        request->stage = STAGE_CONFIRM;
    else if (now_ns > request->deadline_ns)
        desk_refuse(request, EX_TEMPFAIL, "it is not known whether that was taken: see xwctl journal dump");
}

// Looks for the Broken Trade among what the taker was told since; `adjusted` gets the new trade's match number.
static bool find_broken(const struct request *request, uint64_t *adjusted)
{
    const struct trade_request *ask = request->state;
    struct trade_party taker = ask->search.taker;
    uint8_t blocks[4096];
    size_t bytes;
    bool broken = false;
    *adjusted = 0;
    for (uint32_t next = ask->told + 1;;) {
        unsigned count =
            outbound_read(request->context->outbound, taker.session, next, UINT16_MAX, blocks, sizeof blocks, &bytes);
        if (count == 0)
            return broken && (is_break(request) || *adjusted);
        const uint8_t *at = blocks;
        for (unsigned i = 0; i < count; i++, at += 2 + get_be16(at)) {
            const uint8_t *message = at + 2;
            if (message[0] == 'B' && get_be64(message + 13) == ask->match)
                broken = true;
            else if (broken && !*adjusted && message[0] == 'E' && get_be32(message + 9) == taker.user_ref)
                *adjusted = get_be64(message + 26);
        }
        next += count;
    }
}

static void confirm(struct request *request, uint64_t now_ns)
{
    struct trade_request *ask = request->state;
    struct journal_place until = journal_writer_position(request->context->writer);
    uint64_t adjusted;
    enum outbound_result result = outbound_follow(request->context->outbound, ask->search.core, &until, now_ns);
    ask->walks += result == OUTBOUND_OK;
    if (result == OUTBOUND_OK && find_broken(request, &adjusted)) {
        json_t *root = trade_json(request);
        json_object_set_new(root, "broken", json_true());
        json_object_set_new(root, "reason", json_stringn(is_break(request) ? &ask->reason : "S", 1));
        if (adjusted)
            json_object_set_new(root, "new_match", json_integer((json_int_t)adjusted));
        desk_answer(request, root);
    } else if (result == OUTBOUND_NONE || (ask->walks > 1 && now_ns > request->deadline_ns)) {
        desk_refuse(request, EX_TEMPFAIL, "it is not known yet whether match %" PRIu64 " changed: ask trade show",
                    ask->match);
    } else if (result == OUTBOUND_OK) {
        request->again_ns = now_ns + AGAIN_NS;
    }
}

static void go_on(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    switch ((enum stage)request->stage) {
    case STAGE_BEGIN:
        begin(request);
        break;
    case STAGE_SEARCH:
        search_on(request, now_ns);
        break;
    case STAGE_GIVE:
        give(request, recovery, now_ns);
        break;
    case STAGE_TAKEN:
        await_taken(request, recovery, now_ns);
        break;
    case STAGE_CONFIRM:
        confirm(request, now_ns);
        break;
    }
}

const struct desk_subject ask_trade_show = {
    .ask = "trade_show", .size = sizeof(struct trade_request), .read = read_show, .go_on = go_on};
const struct desk_subject ask_trade_break = {
    .ask = "trade_break", .size = sizeof(struct trade_request), .read = read_break, .go_on = go_on};
const struct desk_subject ask_trade_adjust = {
    .ask = "trade_adjust", .size = sizeof(struct trade_request), .read = read_adjust, .go_on = go_on};
