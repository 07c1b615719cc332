// SPDX-License-Identifier: Apache-2.0
// A matching core's share of the market-wide index, for control: never an input of the engine by itself.
#include "cores/matcher.h"

bool matcher_index_init(struct matcher *matcher, const struct role_context *context)
{
    const struct config *config = context->config;
    if (config->index_close == 0)
        return true;
    matcher->members = context->take_memory(config->symbols_count * sizeof *matcher->members, "index");
    for (uint32_t i = 0; matcher->members && i < config->symbols_count; i++) {
        const struct config_symbol *symbol = &config->symbols[i];
        if (symbol->matcher == context->index && symbol->index_weight)
            matcher->members[matcher->members_count++] = (struct index_member){symbol->index_weight, symbol->locate};
    }
    return matcher->members != NULL;
}

void matcher_index_tell(struct matcher *matcher)
{
    uint64_t sum = 0, base = 0; // of 65,535 members of weights up to 10,000 and prices below 2^31: below 2^61
    for (uint32_t i = 0; i < matcher->members_count; i++) {
        const struct index_member *member = &matcher->members[i];
        struct engine_price price = engine_price(matcher->engine, member->locate);
        sum += price.close ? (uint64_t)member->weight * (price.last ? price.last : price.close) : 0;
        base += (uint64_t)member->weight * price.close;
    }
    atomic_store_explicit(&matcher->port->index_sum, sum, memory_order_relaxed);
    atomic_store_explicit(&matcher->port->index_base, base, memory_order_relaxed);
}
