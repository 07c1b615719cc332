// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/copies.h"

#include <stdlib.h>
#include <string.h>

#include "client/drop_copy.h"
#include "client/ouch.h"
#include "contract/drop_copy.h"
#include "tests/sim/caller.h"
#include "tests/sim/client.h"
#include "tests/sim/observer.h"
#include "tests/sim/operators.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

enum { COPIES = 4 };

struct copy {
    unsigned number, core;
    struct caller caller;
    uint64_t applied;              // messages that have had their effect here
    uint32_t told[ORACLE_STREAMS]; // by session: messages of its own stream
};

static const struct config *config;
static struct copy copies[COPIES];

static unsigned session_of(const struct copy *copy, const char *user)
{
    for (unsigned i = 0; i < config->sessions_count; i++) {
        if (strcmp(config->sessions[i].user, user) == 0)
            return i;
    }
    sim_fail("drop copy %u names user %s, whom nobody knows", copy->number, user);
}

static void on_message(void *context, uint64_t sequence, const uint8_t *bytes, size_t size)
{
    struct copy *copy = context;
    struct xw_drop_copy envelope;
    struct xw_ouch message;
    size_t want;
    if (sequence <= copy->applied)
        return; // it reads its day again
    if (sequence != copy->applied + 1)
        sim_fail("drop copy %u is given message %llu after %llu", copy->number, (unsigned long long)sequence,
                 (unsigned long long)copy->applied);
    copy->applied = sequence;
    if (!xw_drop_copy_decode(bytes, size, &envelope))
        sim_fail("drop copy %u can not read message %llu", copy->number, (unsigned long long)sequence);
    unsigned session = session_of(copy, envelope.user);
    if (!drop_copy_carries(config, copy->number, session))
        sim_fail("drop copy %u is told what session %u is told", copy->number, session);
    if (envelope.sequence != ++copy->told[session])
        sim_fail("drop copy %u: message %u of session %u comes as its message %u", copy->number, envelope.sequence,
                 session, copy->told[session]);
    const uint8_t *told = oracle_message(session, envelope.sequence, &want);
    if (want != envelope.size || memcmp(told, envelope.message, want) != 0)
        sim_fail("drop copy %u: message %u of session %u has other bytes than the session's", copy->number,
                 envelope.sequence, session);
    if (!xw_ouch_decode(envelope.message, envelope.size, &message))
        sim_fail("drop copy %u: message %u of session %u can not be read", copy->number, envelope.sequence, session);
    sim.stats[STAT_COPIED]++;
    observer_take(session, &message);
}

void copy_receive(unsigned copy, uint16_t to_port, const uint8_t *payload, size_t size)
{
    caller_receive(&copies[copy].caller, to_port, payload, size);
}

static void live(void *context, uint64_t unused)
{
    struct copy *copy = context;
    struct caller *caller = &copy->caller;
    enum xw_session_state state = xw_session_state(caller->session);
    (void)unused;
    if (!client_mood.quiet && random_chance(&sim.risk, 3000)) { // another one takes over, and may know nothing
        caller->udp_port++;
        if (random_chance(&sim.risk, 300000))
            caller_open(caller, copy, on_message, NULL);
        state = XW_SESSION_OFF;
    }
    if (state == XW_SESSION_OFF || state == XW_SESSION_REFUSED || state == XW_SESSION_ENDED)
        xw_session_login(caller->session);
    caller_pump(caller);
    sim_after(random_between(&sim.risk, 1, 4) * SIM_MS, live, copy, 0);
}

void copies_open(const struct config *of)
{
    config = of;
    for (unsigned i = 0; i < config->drop_copies_count; i++) {
        struct copy *copy = &copies[i];
        *copy = (struct copy){.number = i,
                              .core = config->drop_copies[i].matcher,
                              .caller = {config, config->sessions_count + i, (uint16_t)(30000 + 100 * i), NULL, 0}};
        caller_open(&copy->caller, copy, on_message, NULL);
        sim_after(random_below(&sim.risk, SIM_MS), live, copy, 0);
    }
}

static bool is_complete(const struct copy *copy)
{
    return xw_session_missing(copy->caller.session) == 0 && copy->applied == oracle_messages(copy->caller.stream);
}

const char *copies_busy(void)
{
    static char text[128];
    for (unsigned i = 0; i < config->drop_copies_count; i++) {
        const struct copy *copy = &copies[i];
        bool on = xw_session_state(copy->caller.session) == XW_SESSION_ON;
        if (is_complete(copy) || (operators_ended(copy->core) && !on))
            continue;
        snprintf(text, sizeof text, "drop copy %u: state %d, at message %llu of %llu", i,
                 (int)xw_session_state(copy->caller.session), (unsigned long long)copy->applied,
                 (unsigned long long)oracle_messages(copy->caller.stream));
        return text;
    }
    return NULL;
}

void copies_check_rest(void)
{
    for (unsigned i = 0; i < config->drop_copies_count; i++) {
        const struct copy *copy = &copies[i];
        for (unsigned session = 0; is_complete(copy) && session < config->sessions_count; session++) {
            if (drop_copy_carries(config, i, session) && copy->told[session] != oracle_messages(session))
                sim_fail("drop copy %u is complete with %u messages of session %u, which was told %llu", i,
                         copy->told[session], session, (unsigned long long)oracle_messages(session));
        }
    }
}
