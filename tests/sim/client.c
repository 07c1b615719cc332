// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/client.h"

#include <stdlib.h>
#include <string.h>

#include "client/ouch.h"
#include "tests/sim/caller.h"
#include "tests/sim/net.h"
#include "tests/sim/operators.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

enum { ORDERS = 1 << 16, PENDING = 512, CLIENTS = ORACLE_STREAMS };

enum order_state { ORDER_NONE, ORDER_SENT, ORDER_LIVE, ORDER_DEAD, ORDER_VOID };

struct order { // by UserRefNum
    uint8_t state;
    char side;
    bool is_replace;
    uint8_t symbol; // of the client's core, 0 or 1
    char tif, display;
    uint32_t orig;
    uint32_t quantity, price; // as sent
    uint32_t live;            // as told
    uint64_t sent_ns;         // first
    uint64_t accepted, executed, canceled;
};

struct client {
    unsigned number;
    const struct config_session *session_config;
    struct caller caller;
    struct random random;
    uint32_t next_ref; // last used
    struct order *orders;
    uint32_t pending[PENDING]; // numbers sent and unanswered, in order
    unsigned pending_count;
    uint64_t asked_ns;   // Q sent
    uint64_t settled_ns; // last answer
    uint64_t excuse_ns;  // orders sent before may be passed over: a login since, or a question without reason
    uint64_t moved_ns;   // to another port
    uint64_t applied;    // messages of the stream that have had their effect here
    uint64_t bought, sold;
};

struct client_mood client_mood;
static const struct config *config;
static struct client clients[CLIENTS];

// ---- sending --------------------------------------------------------------------------------------------------------

static void send_message(struct client *client, const uint8_t *message, size_t size)
{
    if (!xw_session_send(client->caller.session, message, size)) {
        caller_pump(&client->caller);
        xw_session_send(client->caller.session, message, size);
    }
}

static const char *symbol_name(const struct client *client, unsigned symbol)
{
    for (unsigned i = 0; i < config->symbols_count; i++) {
        if (config->symbols[i].matcher == client->session_config->matcher && symbol-- == 0)
            return config->symbols[i].name;
    }
    return "NONE";
}

static void send_order(struct client *client, uint32_t ref)
{
    uint8_t message[XW_OUCH_REQUEST_MAX];
    const struct order *order = &client->orders[ref];
    size_t size;
    sim_say("client %u sends order %u", client->number, ref);
    if (order->is_replace) {
        struct xw_replace replace = {.orig_user_ref = order->orig,
                                     .user_ref = ref,
                                     .quantity = order->quantity,
                                     .price = order->price,
                                     .tif = order->tif,
                                     .display = order->display};
        size = xw_ouch_replace(message, &replace, NULL);
    } else {
        struct xw_enter enter = {.user_ref = ref,
                                 .quantity = order->quantity,
                                 .price = order->price,
                                 .symbol = symbol_name(client, order->symbol),
                                 .cl_ord_id = "sim",
                                 .side = order->side,
                                 .tif = order->tif,
                                 .display = order->display};
        size = xw_ouch_enter(message, &enter, NULL);
    }
    send_message(client, message, size);
}

static void new_order(struct client *client, uint32_t orig)
{
    struct random *random = &client->random;
    if (client->pending_count == PENDING || client->next_ref + 1 >= ORDERS)
        return;
    uint32_t ref = ++client->next_ref;
    struct order *order = &client->orders[ref];
    *order = (struct order){.state = ORDER_SENT,
                            .side = random_chance(random, 500000) ? 'B' : 'S',
                            .symbol = (uint8_t)random_below(random, 2),
                            .tif = random_chance(random, 150000) ? '3' : '0',
                            .display = random_chance(random, client_mood.hidden) ? 'N' : 'Y',
                            .quantity = 1 + (uint32_t)random_below(random, 900),
                            .price = 1000000 + 100 * (uint32_t)random_below(random, 24),
                            .sent_ns = sim.now_ns};
    if (orig) {
        order->is_replace = true;
        order->orig = orig;
        order->side = client->orders[orig].side;
        order->symbol = client->orders[orig].symbol;
        order->tif = '0';
    } else if (client_mood.alike && random_chance(&sim.risk, client_mood.alike) && ref > 1) {
        const struct order *last = &client->orders[ref - 1];
        order->side = last->side;
        order->symbol = last->symbol;
        order->quantity = last->quantity;
        order->price = last->price;
    } else if (client_mood.short_sales && order->side == 'S' && random_chance(&sim.risk, client_mood.short_sales)) {
        order->side = 'T';
    } else if (random_chance(random, 10000)) {
        order->price = 1; // not on the tick: rejected
    } else if (random_chance(random, 10000)) {
        order->tif = 'Z'; // refused by the gateway's decoder
    }
    client->pending[client->pending_count++] = ref;
    if (client->pending_count == 1)
        client->settled_ns = sim.now_ns;
    sim.stats[STAT_ORDERS]++;
    send_order(client, ref);
}

static uint32_t some_live(struct client *client)
{
    for (unsigned tries = 0; client->next_ref && tries < 8; tries++) {
        uint32_t recent = client->next_ref < 200 ? client->next_ref : 200;
        uint32_t ref = client->next_ref - (uint32_t)random_below(&client->random, recent);
        if (client->orders[ref].state == ORDER_LIVE)
            return ref;
    }
    return 0;
}

static void act(struct client *client)
{
    struct random *random = &client->random;
    uint8_t message[XW_OUCH_REQUEST_MAX];
    if (random_chance(random, client_mood.burst)) {
        for (uint64_t n = random_between(random, 10, client_mood.burst_most); n > 0; n--)
            new_order(client, 0);
        return;
    }
    uint32_t live;
    switch (random_below(random, 100)) {
    case 0 ... 19:
        if ((live = some_live(client)) != 0)
            send_message(
                client, message,
                xw_ouch_cancel(message, live, (uint32_t)random_below(random, client->orders[live].live + 1), NULL));
        break;
    case 20 ... 29:
        if ((live = some_live(client)) != 0)
            new_order(client, live);
        break;
    case 30 ... 34:
        if ((live = some_live(client)) != 0)
            send_message(client, message,
                         xw_ouch_modify(message, live, client->orders[live].side,
                                        1 + (uint32_t)random_below(random, client->orders[live].live + 1), NULL));
        break;
    case 35:
        client->excuse_ns = sim.now_ns; // an answer to it is no leave to go on where orders were lost
        send_message(client, message, xw_ouch_query(message, NULL));
        break;
    default:
        new_order(client, 0);
        break;
    }
}

// ---- being told -----------------------------------------------------------------------------------------------------

static struct order *known(struct client *client, const struct xw_ouch *message, uint32_t ref)
{
    if (ref == 0 || ref > client->next_ref || client->orders[ref].state == ORDER_NONE)
        sim_fail("client %u is told %c of order %u, which it never sent", client->number, message->type, ref);
    return &client->orders[ref];
}

static void settle(struct client *client, uint32_t ref)
{
    client->settled_ns = sim.now_ns;
    for (unsigned i = 0; i < client->pending_count; i++) {
        if (client->pending[i] != ref)
            continue;
        memmove(&client->pending[i], &client->pending[i + 1], (client->pending_count - i - 1) * sizeof(uint32_t));
        client->pending_count--;
        return;
    }
}

static void take_accepted(struct client *client, const struct xw_ouch *message)
{
    struct order *order = known(client, message, message->user_ref);
    if (order->state != ORDER_SENT)
        sim_fail("client %u: order %u is accepted twice, or after it was passed over", client->number,
                 message->user_ref);
    if (message->type == 'U') {
        struct order *old = known(client, message, message->orig_user_ref);
        old->canceled += old->live;
        old->live = 0;
        old->state = ORDER_DEAD;
    }
    order->state = message->state == 'L' ? ORDER_LIVE : ORDER_DEAD;
    order->live = message->quantity;
    order->accepted = message->quantity;
    settle(client, message->user_ref);
}

static void reduce(struct client *client, struct order *order, const struct xw_ouch *message, uint32_t quantity)
{
    if (quantity > order->live)
        sim_fail("client %u: %c of %u of order %u, of which %u are live", client->number, message->type, quantity,
                 message->user_ref, order->live);
    order->live -= quantity;
    if (order->live == 0)
        order->state = ORDER_DEAD;
}

static void take_executed(struct client *client, const struct xw_ouch *message)
{
    struct order *order = known(client, message, message->user_ref);
    reduce(client, order, message, message->quantity);
    order->executed += message->quantity;
    *(order->side == 'B' ? &client->bought : &client->sold) += message->quantity;
}

static void take_canceled(struct client *client, const struct xw_ouch *message)
{
    struct order *order = known(client, message, message->user_ref);
    reduce(client, order, message, message->quantity);
    order->canceled += message->quantity;
}

static void take_modified(struct client *client, const struct xw_ouch *message)
{
    struct order *order = known(client, message, message->user_ref);
    if (message->quantity > order->live)
        sim_fail("client %u: order %u is modified from %u up to %u", client->number, message->user_ref, order->live,
                 message->quantity);
    order->canceled += order->live - message->quantity;
    order->live = message->quantity;
}

// What the account says has been passed will never be answered, and a replace of what is dead neither; what lies ahead
// is sent again, in order.
static void take_account(struct client *client, uint32_t next)
{
    unsigned kept = 0;
    sim_say("client %u: its account goes on at %u, %u orders are unanswered", client->number, next,
            client->pending_count);
    client->asked_ns = 0;
    client->settled_ns = sim.now_ns;
    for (unsigned i = 0; i < client->pending_count; i++) {
        uint32_t ref = client->pending[i];
        struct order *order = &client->orders[ref];
        if (ref < next && !order->is_replace && order->sent_ns > client->excuse_ns && order->sent_ns > net_trouble_ns())
            sim_fail("client %u: order %u is passed over, order %u is not, and the network has lost nothing",
                     client->number, ref, next - 1);
        if (ref < next || (order->is_replace && client->orders[order->orig].state != ORDER_LIVE)) {
            order->state = ORDER_VOID;
            continue;
        }
        client->pending[kept++] = ref;
    }
    client->pending_count = kept;
    for (unsigned i = 0; i < kept; i++)
        send_order(client, client->pending[i]);
}

static void on_message(void *context, uint64_t sequence, const uint8_t *bytes, size_t size)
{
    struct client *client = context;
    struct xw_ouch message;
    sim_say("client %u is told message %llu, %c", client->number, (unsigned long long)sequence, bytes[0]);
    if (sequence <= client->applied)
        return; // it reads its day again
    client->applied = sequence;
    if (!xw_ouch_decode(bytes, size, &message))
        sim_fail("client %u can not read message %llu", client->number, (unsigned long long)sequence);
    switch (message.type) {
    case 'A':
    case 'U':
        take_accepted(client, &message);
        break;
    case 'E':
        take_executed(client, &message);
        break;
    case 'C':
        take_canceled(client, &message);
        break;
    case 'M':
        take_modified(client, &message);
        break;
    case 'J': {
        struct order *order = known(client, &message, message.user_ref);
        if (order->state != ORDER_SENT)
            sim_fail("client %u: order %u is rejected, and was answered before", client->number, message.user_ref);
        order->state = ORDER_DEAD;
        settle(client, message.user_ref);
        break;
    }
    case 'Q':
        take_account(client, message.user_ref);
        break;
    default:
        break;
    }
}

void client_receive(unsigned number, uint16_t to_port, const uint8_t *payload, size_t size)
{
    caller_receive(&clients[number].caller, to_port, payload, size);
}

// ---- a client's day -------------------------------------------------------------------------------------------------

static bool is_on(const struct client *client)
{
    return xw_session_state(client->caller.session) == XW_SESSION_ON;
}

// Something is unanswered for long: ask where to go on.
static void look_after_pending(struct client *client)
{
    uint8_t message[XW_OUCH_REQUEST_MAX];
    if (client->pending_count == 0 || xw_session_missing(client->caller.session) > 0 ||
        sim.now_ns - client->settled_ns < 15 * SIM_MS || sim.now_ns - client->asked_ns < 15 * SIM_MS)
        return;
    client->asked_ns = sim.now_ns;
    sim_say("client %u asks for its account", client->number);
    send_message(client, message, xw_ouch_query(message, NULL));
}

static void on_state(void *context, enum xw_session_state state)
{
    struct client *client = context;
    if (state == XW_SESSION_ON) // what was sent before may have met nobody
        client->excuse_ns = sim.now_ns;
}

static void open_session(struct client *client)
{
    caller_open(&client->caller, client, on_message, on_state);
}

static void live(void *context, uint64_t unused)
{
    struct client *client = context;
    enum xw_session_state state = xw_session_state(client->caller.session);
    (void)unused;
    if (state == XW_SESSION_REFUSED)
        open_session(client); // with the right password
    if (state == XW_SESSION_OFF || state == XW_SESSION_REFUSED || state == XW_SESSION_ENDED) {
        xw_session_login(client->caller.session);
    } else if (is_on(client)) {
        look_after_pending(client);
        if (!client_mood.quiet) {
            if (!client->asked_ns)
                act(client);
            if (random_chance(&client->random, client_mood.relogin)) {
                client->caller.udp_port++;
                client->moved_ns = sim.now_ns;
                if (random_chance(&client->random, 300000))
                    open_session(client); // has lost all but its orders: it reads its day from the first message on
                xw_session_login(client->caller.session);
            } else if (client_mood.wrong && random_chance(&sim.risk, client_mood.wrong)) {
                client->caller.udp_port++;
                client->moved_ns = sim.now_ns;
                caller_open_wrongly(&client->caller, client, on_message, on_state);
                xw_session_login(client->caller.session);
            } else if (random_chance(&client->random, client_mood.logoff)) {
                client->moved_ns = sim.now_ns;
                xw_session_logoff(client->caller.session);
            }
        }
    }
    caller_pump(&client->caller);
    uint64_t pause_ns = client_mood.quiet ? SIM_MS : client_mood.pause_ns;
    sim_after(1 + random_below(&client->random, 2 * pause_ns), live, client, 0);
}

void clients_open(const struct config *of)
{
    config = of;
    for (unsigned i = 0; i < config->sessions_count; i++) {
        struct client *client = &clients[i];
        *client = (struct client){.number = i,
                                  .session_config = &config->sessions[i],
                                  .random = {random_next(&sim.client)},
                                  .caller = {config, i, (uint16_t)(20000 + 100 * i), NULL, 0}};
        client->orders = calloc(ORDERS, sizeof *client->orders);
        open_session(client);
        sim_after(random_below(&sim.client, SIM_MS), live, client, 0);
    }
}

bool client_moved(unsigned client)
{
    return sim.now_ns < clients[client].moved_ns + SIM_SECOND;
}

// Whether it has been told all that there is. When the day has ended and it was away, it never will be.
static bool is_complete(const struct client *client)
{
    return xw_session_missing(client->caller.session) == 0 &&
           xw_session_next_sequence(client->caller.session) == oracle_messages(client->number) + 1;
}

const char *clients_busy(void)
{
    static char text[128];
    for (unsigned i = 0; i < config->sessions_count; i++) {
        const struct client *client = &clients[i];
        if (operators_ended(client->session_config->matcher) && (!is_on(client) || is_complete(client)))
            continue;
        if (is_on(client) && xw_session_missing(client->caller.session) == 0 && client->pending_count == 0 &&
            xw_session_next_sequence(client->caller.session) == oracle_messages(i) + 1)
            continue;
        snprintf(text, sizeof text, "client %u: state %d, at message %llu of %llu, %llu missing, %u orders unanswered",
                 i, (int)xw_session_state(client->caller.session),
                 (unsigned long long)xw_session_next_sequence(client->caller.session),
                 (unsigned long long)oracle_messages(i), (unsigned long long)xw_session_missing(client->caller.session),
                 client->pending_count);
        return text;
    }
    return NULL;
}

void clients_check_rest(void)
{
    uint64_t bought[ORACLE_CORES] = {0}, sold[ORACLE_CORES] = {0};
    bool complete[ORACLE_CORES] = {[0 ... ORACLE_CORES - 1] = true};
    uint64_t open[ORACLE_CORES][64][2] = {{{0}}};
    for (unsigned i = 0; i < config->sessions_count; i++) {
        const struct client *client = &clients[i];
        unsigned core = client->session_config->matcher;
        complete[core] &= is_complete(client);
        bought[core] += client->bought;
        sold[core] += client->sold;
        for (uint32_t ref = 1; ref <= client->next_ref; ref++) {
            const struct order *order = &client->orders[ref];
            if (order->accepted != order->executed + order->canceled + order->live)
                sim_fail("client %u, order %u: %llu accepted, %llu executed, %llu canceled, %u live", i, ref,
                         (unsigned long long)order->accepted, (unsigned long long)order->executed,
                         (unsigned long long)order->canceled, order->live);
            open[core][client->session_config->account_index][order->side == 'B'] += order->live;
        }
    }
    for (unsigned core = 0; core < config->matchers_count; core++) {
        if (!complete[core])
            continue;
        if (bought[core] != sold[core])
            sim_fail("core %u: clients have bought %llu and sold %llu", core, (unsigned long long)bought[core],
                     (unsigned long long)sold[core]);
        for (unsigned account = 0; account < config->accounts_count; account++) {
            for (int side = 0; side < 2; side++) {
                uint64_t is = engine_exposure(oracle_engine(core), (uint16_t)account, side ? 'B' : 'S').quantity;
                if (is != open[core][account][side])
                    sim_fail("core %u, account %u: clients have %llu open at side %c, the engine %llu", core, account,
                             (unsigned long long)open[core][account][side], side ? 'B' : 'S', (unsigned long long)is);
            }
        }
    }
}
