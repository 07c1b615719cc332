// SPDX-License-Identifier: Apache-2.0
// A day with risk that has room for more than is opened: symbols 7, account 2 (firm GAMA) and session 2 are not there.
// Account 3 is of account 0's firm, account 4 of one of its own.
#ifndef CROSSWIRE_TESTS_VENUE_WITH_GAPS_H
#define CROSSWIRE_TESTS_VENUE_WITH_GAPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/book.h"
#include "engine/kill.h"
#include "engine/market.h"
#include "engine/risk.h"
#include "engine/slots.h"
#include "tests/support/engine_rig.h"
#include "tests/unit/command_of.h"

#define TICK 100u
#define PRICE 1000000u // the middle
#define SECOND UINT64_C(1000000000)

enum { SYMBOL_GAP = 7, ACCOUNT_GAP = 2, SESSION_GAP = 2 };

static const struct rig_day gap_day = {.max_orders = 256,
                                       .max_levels = 256,
                                       .symbols = SYMBOL_GAP,
                                       .sessions = 4,
                                       .accounts = 5,
                                       .ticks = {TICK, TICK, TICK, TICK},
                                       .lookup_key = 3,
                                       .max_positions = 64};

static struct rig rig;
static struct engine *e;
static uint32_t user_refs[4];

static inline void step(struct command c)
{
    rig_step(&rig, &c);
}

// What comes before the start, of the test: may be NULL.
static void (*before_start)(void);

static inline void open_but_for_gaps(void *context, struct command *c)
{
    (void)context;
    if (c->type == CMD_START && before_start)
        before_start();
    bool gap = (c->type == CMD_OPEN_SYMBOL && c->open_symbol.locate == SYMBOL_GAP) ||
               (c->type == CMD_OPEN_ACCOUNT && c->open_account.account == ACCOUNT_GAP) ||
               ((c->type == CMD_OPEN_SESSION || c->type == CMD_SESSION_UP) && c->session == SESSION_GAP);
    if (c->type == CMD_OPEN_ACCOUNT && c->open_account.account == 4)
        memcpy(c->open_account.firm, "DLTA", 4);
    if (!gap)
        rig_step(&rig, c);
}

static inline void open_with_gaps(void (*before)(void))
{
    before_start = before;
    rig_new(&rig, &gap_day, 0);
    e = rig.engine;
    memset(user_refs, 0, sizeof user_refs);
    rig_opening(&gap_day, open_but_for_gaps, NULL);
}

// An order that is accepted; `display` Y or N.
static inline void entered(uint16_t session, char side, uint32_t quantity, uint16_t locate, int ticks, char display)
{
    struct command c =
        rig_enter(session, ++user_refs[session], side, quantity, locate, (uint32_t)((int)PRICE + ticks * (int)TICK));
    c.display = display;
    rig_step(&rig, &c);
    assert_int_equal(engine_outcome(e), OUTCOME_ACCEPTED);
}

#endif
