// SPDX-License-Identifier: Apache-2.0
#include "engine/mode.h"

#include "engine/alert.h"
#include "engine/risk_limits.h"

enum unit { UNIT_QUANTITY, UNIT_MONEY, UNIT_PPM, UNIT_COUNT, UNIT_TICKS, UNIT_MS, UNIT_MASK };

static const uint8_t units[LIMITS] = {
#define LIMIT(name, key, scopes, unit, reject, help) [LIMIT_##name] = UNIT_##unit,
#include "contract/limits.def"
#undef LIMIT
};

static bool scales(enum limit limit)
{
    return units[limit] < UNIT_MS && limit != LIMIT_CAPITAL && limit != LIMIT_ALERT && limit != LIMIT_SLOW;
}

uint64_t mode_scaled(const struct engine *e, enum limit limit, uint64_t value)
{
    uint64_t percent = e->mode.percent;
    if (percent == 100 || value == LIMIT_UNSET || !scales(limit))
        return value;
    return value / 100 * percent + (value % 100 * percent + 99) / 100;
}

bool engine_mode_on(const struct engine *e, unsigned mode)
{
    return mode < MODES && e->modes[mode].on;
}

void mode_work_out(struct engine *e)
{
    struct mode all = {.percent = 100, .on = false};
    for (unsigned i = 0; i < MODES; i++) {
        const struct mode *mode = &e->modes[i];
        if (!mode->on)
            continue;
        all.percent = mode->percent < all.percent ? mode->percent : all.percent;
        all.block |= mode->block;
        if (mode->rate && (all.rate == 0 || mode->rate < all.rate))
            all.rate = mode->rate;
        all.on = true;
    }
    e->mode = all;
}

static bool same(const struct mode *a, const struct mode *b)
{
    return a->on == b->on && a->block == b->block && a->percent == b->percent && a->rate == b->rate;
}

void mode_change(struct engine *e, const struct command *c, struct out *out)
{
    struct mode *mode = &e->modes[c->mode.mode], before = *mode, all = e->mode;
    struct mode asked = {
        .percent = c->mode.percent, .rate = c->mode.rate, .on = c->mode.on != 0, .block = c->mode.block != 0};
    if (e->risk.positions_limit == 0 || e->day == DAY_ENDED || c->mode.percent > 100)
        return;
    if (!asked.on)
        asked = (struct mode){0};
    if (same(&asked, &before))
        return;
    *mode = asked;
    mode_work_out(e);
    e->slowing += (e->mode.rate != 0) - (all.rate != 0);
    emit_alert(out, ALERT_MODE, SCOPE_VENUE, c->mode.mode, LOCATE_NONE, LIMITS, before.on, asked.on, 0);
    if (e->mode.percent != all.percent)
        risk_limits_begin(e);
}
