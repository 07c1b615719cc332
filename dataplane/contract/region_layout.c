// SPDX-License-Identifier: Apache-2.0
// The layout hash: what two builds must agree on before they may share a region.
#include "contract/command.h"
#include "contract/counters.h"
#include "contract/event.h"
#include "contract/region.h"

// FNV-1a over 64-bit words: not secret, only different when anything differs.
static uint64_t mix(uint64_t hash, uint64_t value)
{
    for (int byte = 0; byte < 8; byte++)
        hash = (hash ^ (value >> (8 * byte) & 0xFF)) * UINT64_C(0x100000001B3);
    return hash;
}

#define SIZE(type) sizeof(struct type)
#define FIELD(type, field) (offsetof(struct type, field) << 16 | sizeof(((struct type *)0)->field))

static const uint64_t layout[] = {
    SIZE(ring),
    FIELD(ring, magic),
    FIELD(ring, depth),
    FIELD(ring, cell_size),
    FIELD(ring, cells_offset),
    FIELD(ring, produced),
    FIELD(ring, consumed_cache),
    FIELD(ring, consumed),

    SIZE(region_object),
    FIELD(region_object, kind),
    FIELD(region_object, a),
    FIELD(region_object, b),
    FIELD(region_object, offset),
    FIELD(region_object, size),

    SIZE(region_header),
    FIELD(region_header, magic),
    FIELD(region_header, version),
    FIELD(region_header, object_count),
    FIELD(region_header, layout_hash),
    FIELD(region_header, config_hash),
    FIELD(region_header, size),
    FIELD(region_header, generation),
    FIELD(region_header, trading_date),
    FIELD(region_header, dataplane_pid),
    FIELD(region_header, control_heartbeat),
    FIELD(region_header, stop),
    FIELD(region_header, objects),

    SIZE(core_block),
    FIELD(core_block, state),
    FIELD(core_block, lcore),
    FIELD(core_block, heartbeat),
    FIELD(core_block, busy_cycles),
    FIELD(core_block, idle_cycles),
    FIELD(core_block, heap_bytes),
    FIELD(core_block, tsc_hz),
    FIELD(core_block, counters),

    SIZE(matcher_port),
    FIELD(matcher_port, durable_seq),
    FIELD(matcher_port, applied_seq),
    FIELD(matcher_port, event_hash),
    FIELD(matcher_port, diverged_seq),
    FIELD(matcher_port, diverged_want),
    FIELD(matcher_port, diverged_got),
    FIELD(matcher_port, day_open),
    FIELD(matcher_port, restore),

    SIZE(gateway_request),
    FIELD(gateway_request, id),
    FIELD(gateway_request, kind),
    FIELD(gateway_request, session),
    FIELD(gateway_request, count),
    FIELD(gateway_request, first),
    FIELD(gateway_request, source_ip),
    FIELD(gateway_request, source_port),
    FIELD(gateway_request, user),
    FIELD(gateway_request, password),

    SIZE(gateway_reply),
    FIELD(gateway_reply, id),
    FIELD(gateway_reply, kind),
    FIELD(gateway_reply, session),
    FIELD(gateway_reply, verdict),
    FIELD(gateway_reply, sequence),
    FIELD(gateway_reply, length),
    FIELD(gateway_reply, message),

    SIZE(command),
    FIELD(command, seq),
    FIELD(command, time_ns),
    FIELD(command, prev_hash),
    FIELD(command, type),
    FIELD(command, refuse),
    FIELD(command, session),
    FIELD(command, user_ref),
    FIELD(command, orig_user_ref),
    FIELD(command, quantity),
    FIELD(command, price),
    FIELD(command, symbol),
    FIELD(command, locate),
    FIELD(command, side),
    FIELD(command, tif),
    FIELD(command, display),
    FIELD(command, capacity),
    FIELD(command, iso),
    FIELD(command, cross),
    FIELD(command, user_ref_idx),
    FIELD(command, aiq_strategy),
    FIELD(command, aiq_group),
    FIELD(command, options),
    FIELD(command, cl_ord_id),
    FIELD(command, group_id),
    FIELD(command, firm),
    FIELD(command, min_qty),
    FIELD(command, max_floor),
    FIELD(command, peg_offset),
    FIELD(command, discretion_price),
    FIELD(command, discretion_peg_offset),
    FIELD(command, random_reserves),
    FIELD(command, expire_s),
    FIELD(command, locate_broker),
    FIELD(command, customer_type),
    FIELD(command, price_type),
    FIELD(command, discretion_price_type),
    FIELD(command, post_only),
    FIELD(command, trade_now),
    FIELD(command, handle_inst),
    FIELD(command, shares_located),
    FIELD(command, link),
    FIELD(command, day.trading_date),
    FIELD(command, day.engine_version),
    FIELD(command, day.lookup_key),
    FIELD(command, day.max_orders),
    FIELD(command, day.max_levels),
    FIELD(command, day.max_symbols),
    FIELD(command, day.max_accounts),
    FIELD(command, day.max_sessions),
    FIELD(command, day.core),
    FIELD(command, open_symbol.name),
    FIELD(command, open_symbol.tick),
    FIELD(command, open_symbol.round_lot),
    FIELD(command, open_symbol.locate),
    FIELD(command, open_account.name),
    FIELD(command, open_account.firm),
    FIELD(command, open_account.account),
    FIELD(command, open_session.account),
    FIELD(command, open_session.cancel_on_disconnect),
    FIELD(command, open_session.user),
    FIELD(command, tick.event_hash),
    FIELD(command, clock.offset_ns),
    FIELD(command, recovered.seq),

    SIZE(event),
    FIELD(event, cmd_seq),
    FIELD(event, time_ns),
    FIELD(event, type),
    FIELD(event, lines),
    FIELD(event, flags),
    FIELD(event, reason),
    FIELD(event, session),
    FIELD(event, locate),
    FIELD(event, user_ref),
    FIELD(event, other_user_ref),
    FIELD(event, ref),
    FIELD(event, quantity),
    FIELD(event, price),
    FIELD(event, user_ref_idx),
    FIELD(event, other_user_ref_idx),
    FIELD(event, other_session),
    FIELD(event, side),
    FIELD(event, symbol),
    FIELD(event, old_ref),
    FIELD(event, cl_ord_id),
    FIELD(event, tif),
    FIELD(event, display),
    FIELD(event, capacity),
    FIELD(event, iso),
    FIELD(event, cross),
    FIELD(event, options),
    FIELD(event, firm),
    FIELD(event, min_qty),
    FIELD(event, max_floor),
    FIELD(event, group_id),
    FIELD(event, price_type),
    FIELD(event, post_only),
    FIELD(event, customer_type),
    FIELD(event, handle_inst),
    FIELD(event, trade_now),
    FIELD(event, shares_located),
    FIELD(event, bbo_weight),
    FIELD(event, aiq_strategy),
    FIELD(event, aiq_group),
    FIELD(event, match),
    FIELD(event, trade_symbol),
    FIELD(event, taker_liquidity),
    FIELD(event, maker_liquidity),
    FIELD(event, maker_side),
    FIELD(event, broken_cl_ord_id),
    FIELD(event, peg_offset),
    FIELD(event, discretion_price),
    FIELD(event, discretion_peg_offset),
    FIELD(event, random_reserves),
    FIELD(event, expire_s),
    FIELD(event, display_quantity),
    FIELD(event, display_price),
    FIELD(event, prevented_qty),
    FIELD(event, route),
    FIELD(event, discretion_price_type),
    FIELD(event, tick_lot_class),
    FIELD(event, secondary_ref),
    FIELD(event, locate_broker),
    FIELD(event, round_lot),
};

uint64_t region_layout_hash(void)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (unsigned i = 0; i < sizeof layout / sizeof layout[0]; i++)
        hash = mix(hash, layout[i]);
    // A counter's index means its name, so the tables are part of the layout.
    for (int role = 0; role < ROLE_COUNT; role++) {
        const struct counter_info *info;
        for (unsigned i = 0; (info = counter_info((enum role)role, i)) != NULL; i++)
            for (const char *at = info->name;; at++) {
                hash = mix(hash, (unsigned char)*at);
                if (!*at)
                    break;
            }
    }
    return mix(hash, CROSSWIRE_ENGINE_VERSION);
}
