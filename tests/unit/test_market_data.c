// SPDX-License-Identifier: Apache-2.0
// From the engine to a receiver's book: random days of every order type through the ITCH encoder and the client's
// decoder. After every command the receiver's levels are the engine's displayed ones, and the public trades are those
// of the parties.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/book.h"
#include "client/ouch.h"
#include "contract/itch_out.h"
#include "contract/ouch_in.h"
#include "contract/ouch_out.h"
#include "control/ctl/export.h"
#include "tests/support/random_flow.h"

enum { DAYS = 60, COMMANDS = 4000, DEPTH = 64 };

static struct {
    struct rig rig;
    struct xw_book *book;
    uint64_t seed, command;
    uint64_t messages[128]; // by ITCH type
    uint64_t answers[128];  // by OUCH type
    uint64_t volume, printed;
} run;

static void assert_same_levels(uint16_t locate, char side)
{
    struct engine_level engine[DEPTH];
    struct xw_level client[DEPTH];
    unsigned count = engine_levels(run.rig.engine, locate, side, engine, DEPTH);
    if (xw_book_levels(run.book, locate, side, client, DEPTH) != count)
        fail_msg("seed %lu, command %lu: %u levels of side %c, the receiver has another number",
                 (unsigned long)run.seed, (unsigned long)run.command, count, side);
    for (unsigned i = 0; i < count; i++) {
        if (client[i].price != engine[i].price || client[i].orders != engine[i].orders ||
            client[i].shares != engine[i].quantity)
            fail_msg(
                "seed %lu, command %lu: level %u of side %c differs: %u orders of %lu at %u, received %u of %lu at %u",
                (unsigned long)run.seed, (unsigned long)run.command, i, side, engine[i].orders,
                (unsigned long)engine[i].quantity, engine[i].price, client[i].orders, (unsigned long)client[i].shares,
                client[i].price);
    }
}

static void take_market_data(const struct event *event)
{
    uint8_t message[ITCH_OUT_MAX];
    struct xw_itch itch;
    size_t size = itch_out_encode(event, message);
    if (size == 0)
        return;
    assert_true(size <= ITCH_OUT_MAX);
    assert_true(xw_itch_decode(message, size, &itch));
    run.messages[(uint8_t)itch.type]++;
    if (!xw_book_apply(run.book, &itch))
        fail_msg("seed %lu, command %lu: %c contradicts the receiver's book", (unsigned long)run.seed,
                 (unsigned long)run.command, itch.type);
    run.printed += itch.type == 'E' || itch.type == 'C' || itch.type == 'P' ? itch.shares : 0;
}

// Every answer is one that the client library reads, for both parties of a trade.
static void take_answers(const struct event *event)
{
    for (int party = OUCH_TAKER; party <= OUCH_MAKER; party++) {
        uint8_t message[OUCH_OUT_MAX];
        struct xw_ouch ouch;
        uint16_t session = party == OUCH_TAKER ? event->session : event->other_session;
        if ((party == OUCH_MAKER && event->type != EV_TRADE) || session == SESSION_NONE)
            continue;
        size_t size = ouch_out_encode(event, (enum ouch_party)party, message);
        if (size == 0)
            continue;
        assert_true(size <= OUCH_OUT_MAX);
        assert_true(xw_ouch_decode(message, size, &ouch));
        run.answers[(uint8_t)ouch.type]++;
        if (ouch.type == 'R')
            assert_true(ouch.order_ref == event->ref && ouch.display_quantity == event->quantity);
        if (ouch.type == 'A' && event->trigger_type == 'S' && event->lines == 3)
            assert_int_equal(ouch.stop_price, event->trigger);
        if (ouch.type == 'A' && event->trigger_type == 'T' && event->lines == 3)
            assert_int_equal(ouch.trail_amount, event->trigger);
    }
}

static void take_events(void)
{
    for (size_t i = 0; i < run.rig.count; i++) {
        const struct event *event = &run.rig.events[i];
        take_market_data(event);
        take_answers(event);
        run.volume += event->type == EV_TRADE ? event->quantity : 0;
    }
}

static void open_step(void *context, struct command *command)
{
    (void)context;
    rig_step(&run.rig, command);
    take_events();
}

static void play(uint64_t seed, unsigned kinds)
{
    struct rig_day day = flow_day(seed, kinds);
    struct command *commands = calloc(COMMANDS, sizeof *commands);
    assert_non_null(commands);
    flow_draw(seed, kinds, &day, commands, COMMANDS);
    run.seed = seed;
    run.command = 0;
    run.volume = run.printed = 0;
    run.book = xw_book_open();
    assert_non_null(run.book);
    rig_new(&run.rig, &day, 0);
    rig_opening(&day, open_step, NULL);
    for (run.command = 1; run.command <= COMMANDS; run.command++) {
        rig_step(&run.rig, &commands[run.command - 1]);
        take_events();
        for (uint16_t locate = 1; locate <= day.symbols; locate++) {
            assert_same_levels(locate, 'B');
            assert_same_levels(locate, 'S');
            assert_false(xw_book_crossed(run.book, locate));
        }
    }
    assert_int_equal(run.printed, run.volume);
    assert_int_equal(xw_book_orders(run.book), 0); // the day has ended
    xw_book_close(run.book);
    rig_free(&run.rig);
    free(commands);
}

static void a_receiver_has_the_displayed_book_after_every_command(void **state)
{
    (void)state;
    memset(run.messages, 0, sizeof run.messages);
    memset(run.answers, 0, sizeof run.answers);
    for (uint64_t seed = 1; seed <= DAYS; seed++)
        play(seed, FLOW_ALL & ~(unsigned)FLOW_ODD);
    for (const char *type = "SRHAFECPXDUB"; *type != '\0'; type++)
        if (run.messages[(uint8_t)*type] == 0)
            fail_msg("no ITCH %c in all those days", *type);
    for (const char *type = "AUCEDBJTMRXGKQ"; *type != '\0'; type++)
        if (run.answers[(uint8_t)*type] == 0)
            fail_msg("no OUCH %c in all those days", *type);
}

// ---- the way in -----------------------------------------------------------------------------------------------------

// An option that is absent, or has one of OUCH's values.
static bool has_value(const struct command *c, unsigned tag, char value, const char *values)
{
    return (c->options & OPTION(tag)) == 0 || (value != 0 && strchr(values, value) != NULL);
}

// Whether a client could have sent this: the gateway refuses nothing of it. What it leaves to rule 2 it must let
// through.
static bool is_legal(const struct command *c)
{
    bool limited = c->min_qty > QUANTITY_MAX || c->max_floor > QUANTITY_MAX || c->random_reserves > QUANTITY_MAX ||
                   c->discretion_price > PRICE_MAX || c->trigger > PRICE_MAX || c->expire_s > 86399;
    bool price = (c->price >= 1 && c->price <= PRICE_MAX) || c->price == PRICE_MARKET || c->price == PRICE_MARKET_CROSS;
    bool expire = (c->options & OPTION(TAG_EXPIRE_TIME)) == 0 || c->expire_s != 0;
    bool tif = c->tif != 0 && strchr(c->type == CMD_ENTER ? "0356E" : "0356", c->tif) != NULL;
    bool named = c->type == CMD_ENTER || (c->options & OPTION(TAG_SIDE)) != 0;
    bool side = !named || (c->side != 0 && strchr("BSTE", c->side) != NULL);
    bool symbol = c->type == CMD_REPLACE || (c->symbol[0] > ' ' && memchr(c->symbol, 0, sizeof c->symbol) == NULL);
    bool display = c->display != 0 && strchr("YNA", c->display) != NULL;
    uint32_t foreign =
        c->type == CMD_ENTER ? OPTION(TAG_SIDE) : OPTION(TAG_FIRM) | OPTION(TAG_CUSTOMER_TYPE) | OPTION(TAG_GROUP_ID);
    limited |= (c->options & (foreign | OPTION(TAG_ROUTE))) != 0; // no request may carry a route any more
    limited |= !has_value(c, TAG_HANDLE_INST, c->handle_inst, "IOTQBD") ||
               !has_value(c, TAG_AIQ_STRATEGY, c->aiq_strategy, "N*YDOWRydowrZEPXS01245") ||
               !has_value(c, TAG_PRICE_TYPE, c->price_type, "LPMRQm") ||
               !has_value(c, TAG_DISCRETION_PRICE_TYPE, c->discretion_price_type, "LPMR") ||
               !has_value(c, TAG_POST_ONLY, c->post_only, "PN");
    return c->refuse == 0 && !limited && price && expire && tif && display && side && symbol &&
           c->quantity - 1 < QUANTITY_MAX;
}

static void every_legal_request_of_random_days_comes_through_the_wire_unchanged(void **state)
{
    (void)state;
    uint64_t compared = 0, with_options = 0;
    struct command *commands = calloc(COMMANDS, sizeof *commands);
    assert_non_null(commands);
    for (uint64_t seed = 1; seed <= DAYS; seed++) {
        struct rig_day day = flow_day(seed, FLOW_ALL);
        flow_draw(seed, FLOW_ALL, &day, commands, COMMANDS);
        for (unsigned i = 0; i < COMMANDS; i++) {
            uint8_t message[XW_OUCH_REQUEST_MAX];
            struct command got = {0}, want = commands[i];
            if ((want.type != CMD_ENTER && want.type != CMD_REPLACE) || !is_legal(&want))
                continue;
            want.options |= want.user_ref_idx != 0 ? OPTION(TAG_USER_REF_IDX) : 0;
            size_t size = ctl_request_of(&want, message);
            assert_int_equal(ouch_in_decode(message, size, &got), OUCH_IN_OK);
            size_t length = strnlen(want.cl_ord_id, sizeof want.cl_ord_id); // the library pads with spaces
            memset(want.cl_ord_id + length, ' ', sizeof want.cl_ord_id - length);
            got.locate = want.locate;
            if (want.type == CMD_REPLACE) { // its symbol is the original's
                memset(want.symbol, 0, sizeof want.symbol);
                want.locate = got.locate = 0;
                want.capacity = want.cross = 0;
            }
            got.session = want.session;
            assert_memory_equal(&got.user_ref, &want.user_ref, 8);
            assert_memory_equal(got.aiq_group, want.aiq_group, sizeof got.aiq_group);
            if (got.refuse != 0 || memcmp(got.payload, want.payload, sizeof got.payload) != 0) {
                unsigned at = 0;
                while (at < sizeof got.payload && got.payload[at] == want.payload[at])
                    at++;
                fail_msg("seed %lu, command %u: payload byte %u is %02x, sent as %02x; refused %u, options %08x",
                         (unsigned long)seed, i, at, got.payload[at % sizeof got.payload],
                         want.payload[at % sizeof got.payload], got.refuse, want.options);
            }
            compared++;
            with_options += want.options != 0;
        }
    }
    free(commands);
    assert_true(compared > DAYS * COMMANDS / 4 && with_options > compared / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receiver_has_the_displayed_book_after_every_command),
        cmocka_unit_test(every_legal_request_of_random_days_comes_through_the_wire_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
