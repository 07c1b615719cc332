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
#include "contract/ouch_out.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receiver_has_the_displayed_book_after_every_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
