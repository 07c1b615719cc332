// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/market.h"

#include <string.h>

#include "client/book.h"
#include "client/itch.h"
#include "client/mold.h"
#include "tests/sim/client.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

enum { DEPTH = 64 };

struct receiver {
    unsigned core;
    struct xw_mold *mold;
    struct xw_book *book;
    bool gap;             // it has given up messages that the publisher no longer had: its book is wrong
    uint64_t waiting_for; // next message
    uint64_t waiting_ns;  // since
};

static const struct config *config;
static struct receiver receivers[ORACLE_CORES];

static void apply(struct receiver *receiver, const uint8_t *message, size_t size)
{
    struct xw_itch itch;
    if (!xw_itch_decode(message, size, &itch))
        sim_fail("market data of core %u can not be read", receiver->core);
    if (!xw_book_apply(receiver->book, &itch))
        sim_fail("market data of core %u contradicts the book that it has built (%c)", receiver->core, itch.type);
}

static void on_message(void *context, uint64_t sequence, const uint8_t *message, size_t size)
{
    struct receiver *receiver = context;
    (void)sequence;
    if (!receiver->gap)
        apply(receiver, message, size);
}

static void open_mold(struct receiver *receiver, uint64_t next)
{
    struct xw_mold_config options = {
        .next_sequence = next, .retransmit_ns = 3 * SIM_MS, .context = receiver, .on_message = on_message};
    if (receiver->mold)
        xw_mold_close(receiver->mold);
    receiver->mold = xw_mold_open(&options);
    if (!receiver->mold)
        sim_fail("no memory");
}

static void ask(void *context, uint64_t unused)
{
    struct receiver *receiver = context;
    const struct config_publisher *publisher = &config->publishers[receiver->core];
    uint8_t request[64];
    uint64_t next = xw_mold_next_sequence(receiver->mold);
    (void)unused;
    if (xw_mold_state(receiver->mold) == XW_MOLD_ENDED) // by a restart: the session goes on
        open_mold(receiver, next);
    if (next != receiver->waiting_for || xw_mold_missing(receiver->mold) == 0) {
        receiver->waiting_for = next;
        receiver->waiting_ns = sim.now_ns;
    } else if (sim.now_ns - receiver->waiting_ns > (receiver->gap ? 5 : 200) * SIM_MS) {
        receiver->gap = true;
        xw_mold_skip(receiver->mold);
    }
    size_t size = xw_mold_poll(receiver->mold, sim.now_ns, request);
    if (size)
        world_send(publisher->port_index, 0x0A020001u + receiver->core, 30000, (uint16_t)publisher->request_port,
                   request, size);
    sim_after(SIM_MS, ask, receiver, 0);
}

static void open_receiver(struct receiver *receiver)
{
    open_mold(receiver, 1);
    receiver->gap = false;
    receiver->book = xw_book_open();
    if (!receiver->book)
        sim_fail("no memory");
}

void market_open(const struct config *of)
{
    config = of;
    for (unsigned core = 0; core < config->matchers_count; core++) {
        receivers[core] = (struct receiver){.core = core};
        open_receiver(&receivers[core]);
        sim_after(SIM_MS, ask, &receivers[core], 0);
    }
}

void market_receive(unsigned core, const uint8_t *packet, size_t size)
{
    xw_mold_receive(receivers[core].mold, sim.now_ns, packet, size);
}

const char *market_busy(void)
{
    static char text[128];
    for (unsigned core = 0; core < config->matchers_count; core++) {
        const struct receiver *receiver = &receivers[core];
        if (xw_mold_next_sequence(receiver->mold) == oracle_market_messages(core) + 1)
            continue;
        snprintf(text, sizeof text, "market data of core %u: at message %llu of %llu", core,
                 (unsigned long long)xw_mold_next_sequence(receiver->mold),
                 (unsigned long long)oracle_market_messages(core));
        return text;
    }
    return NULL;
}

static void compare_side(unsigned core, const struct xw_book *book, uint16_t locate, char side)
{
    struct xw_level built[DEPTH];
    struct engine_level real[DEPTH];
    unsigned count = xw_book_levels(book, locate, side, built, DEPTH);
    unsigned want = engine_levels(oracle_engine(core), locate, side, real, DEPTH);
    for (unsigned i = 0; i < count || i < want; i++) {
        if (i < count && i < want && built[i].price == real[i].price && built[i].shares == real[i].quantity)
            continue;
        sim_fail("core %u, symbol %u, side %c, level %u: the book built from market data has %llu at %u, the engine "
                 "%llu at %u",
                 core, locate, side, i, i < count ? (unsigned long long)built[i].shares : 0,
                 i < count ? built[i].price : 0, i < want ? (unsigned long long)real[i].quantity : 0,
                 i < want ? real[i].price : 0);
    }
}

static void compare(unsigned core, const struct xw_book *book)
{
    if (client_mood.hidden)
        return; // which the engine's levels count, and market data does not
    for (uint16_t locate = 1; locate <= xw_book_highest_locate(book); locate++) {
        compare_side(core, book, locate, 'B');
        compare_side(core, book, locate, 'S');
    }
}

void market_check_rest(void)
{
    for (unsigned core = 0; core < config->matchers_count; core++) {
        // From the truth's stream, which is, byte for byte, what was sent.
        struct xw_book *book = xw_book_open();
        for (uint64_t n = 1; n <= oracle_market_messages(core); n++) {
            struct xw_itch itch;
            size_t size;
            const uint8_t *message = oracle_market_message(core, n, &size);
            if (!xw_itch_decode(message, size, &itch) || !xw_book_apply(book, &itch))
                sim_fail("market data of core %u: message %llu contradicts the book", core, (unsigned long long)n);
        }
        compare(core, book);
        xw_book_close(book);
        if (!receivers[core].gap)
            compare(core, receivers[core].book);
    }
}
