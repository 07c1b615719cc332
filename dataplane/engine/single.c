// SPDX-License-Identifier: Apache-2.0
#include "engine/single.h"

#include "engine/alert.h"
#include "engine/risk_limits.h"

#define AGAIN_NS UINT64_C(1000000000)

uint64_t single_watch(uint64_t limit, uint64_t ppm)
{
    if (limit == LIMIT_UNSET || limit == 0)
        return limit;
    uint64_t level = (uint64_t)(((unsigned __int128)limit * ppm + MILLION - 1) / MILLION);
    return level > 1 ? level - 1 : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// The tightest that the order's session has, and those above it.
static uint64_t session_most(const struct engine *e, const struct risk_order *o, enum limit limit)
{
    return least(
        least(risk_limit(e, SCOPE_VENUE, 0, limit), risk_limit(e, SCOPE_FIRM, risk_firm(e, o->account), limit)),
        least(risk_limit(e, SCOPE_ACCOUNT, o->account, limit), risk_limit(e, SCOPE_SESSION, o->session, limit)));
}

// Told at the session's settling, and not again within a second.
static void tell(struct engine *e, uint16_t session, uint16_t locate, enum limit limit, uint64_t most, uint64_t used)
{
    struct single *single = &e->singles[session];
    if (e->time_ns < single->until_ns)
        return;
    *single = (struct single){.until_ns = e->time_ns + AGAIN_NS,
                              .most = most,
                              .used = used,
                              .limit = (uint8_t)limit,
                              .locate = locate,
                              .waits = true};
    hook_stage_reached(e, party_of_session(e, session));
}

void single_near(struct engine *e, uint16_t session, uint16_t locate, enum limit limit, uint64_t most, uint64_t used)
{
    if (used > single_watch(most, settle_alert_ppm(e, SCOPE_SESSION, session)))
        tell(e, session, locate, limit, most, used);
}

uint64_t single_most(const struct engine *e, const struct risk_order *o, enum limit limit)
{
    return least(session_most(e, o, limit), risk_limit(e, SCOPE_SYMBOL, o->locate, limit));
}

uint8_t single_reached(struct engine *e, const struct risk_order *o, enum limit limit, uint64_t used, uint8_t reason)
{
    const uint64_t most = session_most(e, o, limit), symbols = risk_limit(e, SCOPE_SYMBOL, o->locate, limit);
    if (used > least(most, symbols)) {
        e->risk.refused = limit;
        return reason;
    }
    if (used > single_watch(most, settle_alert_ppm(e, SCOPE_SESSION, o->session)))
        tell(e, o->session, o->locate, limit, most, used);
    else if (used > single_watch(symbols, settle_alert_ppm(e, SCOPE_VENUE, 0)))
        tell(e, o->session, o->locate, limit, symbols, used);
    return REJECT_NONE;
}

void single_say(struct engine *e, struct out *out, uint16_t session)
{
    struct single *single = &e->singles[session];
    if (!single->waits)
        return;
    single->waits = false;
    emit_alert(out, ALERT_LEVEL, SCOPE_SESSION, session, single->locate, (enum limit)single->limit, single->most,
               single->used, 0);
}
