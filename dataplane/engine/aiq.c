// SPDX-License-Identifier: Apache-2.0
#include "engine/aiq.h"

#include <string.h>

enum { LEVEL_FIRM, LEVEL_ORGANISATION, LEVEL_GROUP, LEVEL_ANY };

// By level, then in the order of enum aiq_action.
#define ACTIONS 5
static const char strategies[] = "YDOWR"
                                 "ydowr"
                                 "ZEPXS"
                                 "01245";

// Place in the table, -1 for no strategy.
static int place_of(char strategy)
{
    const char *at = strategy ? strchr(strategies, strategy) : NULL;
    return at ? (int)(at - strategies) : -1;
}

bool aiq_known(char strategy)
{
    return strategy == 'N' || place_of(strategy) >= 0;
}

static bool blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] != ' ' && text[i] != '\0')
            return false;
    return true;
}

static bool same_organisation(const struct account *a, const struct account *b)
{
    if (blank(a->organisation, sizeof a->organisation) || blank(b->organisation, sizeof b->organisation))
        return memcmp(a->firm, b->firm, sizeof a->firm) == 0;
    return memcmp(a->organisation, b->organisation, sizeof a->organisation) == 0;
}

static bool same_owner(int level, const struct account *a, const struct account *b, const struct special *taker,
                       const struct special *maker)
{
    bool firm = memcmp(a->firm, b->firm, sizeof a->firm) == 0;
    bool group = !blank(taker->aiq_group, sizeof taker->aiq_group) &&
                 memcmp(taker->aiq_group, maker->aiq_group, sizeof taker->aiq_group) == 0;
    switch (level) {
    case LEVEL_FIRM:
        return firm;
    case LEVEL_ORGANISATION:
        return same_organisation(a, b);
    case LEVEL_GROUP:
        return group;
    default:
        return firm || group || same_organisation(a, b);
    }
}

enum aiq_action aiq_meet(const struct engine *e, uint16_t session, const struct special *taker,
                         const struct order *maker)
{
    if (maker->special == 0)
        return AIQ_TRADE;
    const struct special *other = &e->specials[maker->special];
    int place = place_of(taker->aiq_strategy), place_other = place_of(other->aiq_strategy);
    if (place < 0 || place_other < 0 || place / ACTIONS != place_other / ACTIONS)
        return AIQ_TRADE;
    const struct account *a = &e->accounts[e->sessions[session].account];
    const struct account *b = &e->accounts[e->sessions[key_session(maker->key)].account];
    return same_owner(place / ACTIONS, a, b, taker, other) ? (enum aiq_action)(place % ACTIONS) : AIQ_TRADE;
}
