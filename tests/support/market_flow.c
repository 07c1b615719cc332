// SPDX-License-Identifier: Apache-2.0
#include "tests/support/market_flow.h"

#include <string.h>

#define SECOND UINT64_C(1000000000)
#define CENTRE 1000 // ticks: where random_flow.c's prices mostly are

static uint32_t draw(uint64_t *state, uint32_t below)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)(((z ^ z >> 31) >> 32) * below >> 32);
}

static void draw_halt(uint64_t *state, struct command *c, uint16_t locate)
{
    static const char states[] = "TTTTTHPQX";
    c->type = CMD_HALT;
    c->halt.locate = draw(state, 8) ? locate : LOCATE_NONE;
    c->halt.state = states[draw(state, sizeof states - 1)];
    memcpy(c->halt.reason, draw(state, 2) ? "T1  " : "H11 ", 4);
}

static void draw_bands(uint64_t *state, struct command *c, uint16_t locate, uint64_t now_ns)
{
    c->type = CMD_BANDS;
    c->bands.locate = locate;
    c->bands.percent = draw(state, 5) ? 1000 + draw(state, 12000) : draw(state, 2) * 2000000;
    c->bands.wide_percent = draw(state, 3) ? 0 : 2 * c->bands.percent;
    c->bands.wide_until_ns = now_ns + draw(state, 60) * SECOND;
    c->bands.wide_from_ns = c->bands.wide_until_ns + draw(state, 60) * SECOND;
    c->bands.limit_state_ms = draw(state, 3000);
    c->bands.pause_ms = draw(state, 8000);
    c->bands.velocity_percent = draw(state, 3) ? 0 : 2000 + draw(state, 8000);
    c->bands.velocity_ms = draw(state, 20000);
}

static void draw_reference(uint64_t *state, struct command *c, uint16_t locate, uint32_t tick)
{
    c->type = CMD_REFERENCE;
    c->reference.locate = locate;
    c->reference.reference = draw(state, 3) ? (CENTRE - 6 + draw(state, 13)) * tick + draw(state, 2) : 0;
    c->reference.reg_sho = (char)(draw(state, 3) ? 0 : '0' + draw(state, 4));
    c->reference.adv = draw(state, 3) * 1000;
}

static void draw_index(uint64_t *state, struct command *c, uint64_t now_ns)
{
    c->type = CMD_INDEX;
    c->index.level = 7900 + draw(state, 2200);
    c->index.breached = (uint8_t)draw(state, 3);
    c->index.last_ns = draw(state, 4) ? UINT64_MAX : now_ns;
    for (unsigned i = 0; draw(state, 2) && i < 3; i++)
        c->index.declared[i] = draw(state, 1000);
}

void market_flow(uint64_t seed, const struct rig_day *day, struct command *commands, size_t count)
{
    uint64_t state = seed ^ UINT64_C(0x6D61726B6574), now_ns = 0;
    uint32_t often = 4 + draw(&state, 60);
    for (size_t i = 0; i + 1 < count; i++) {
        struct command *c = &commands[i];
        now_ns = c->time_ns > now_ns ? c->time_ns : now_ns;
        if (draw(&state, often))
            continue;
        uint16_t locate = (uint16_t)(1 + draw(&state, day->symbols));
        *c = (struct command){.session = SESSION_NONE};
        switch (draw(&state, 12)) {
        case 0:
        case 1:
            draw_halt(&state, c, locate);
            break;
        case 2:
        case 3:
            draw_bands(&state, c, locate, now_ns);
            break;
        case 4:
        case 5:
            draw_reference(&state, c, locate, day->ticks[(locate - 1) % 4]);
            break;
        case 6:
            if (draw(&state, 20) == 0) {
                draw_index(&state, c, now_ns);
                break;
            } // fall through
        default:
            c->type = CMD_TICK;
            c->time_ns = now_ns += draw(&state, 12000) * (SECOND / 1000);
        }
    }
}
