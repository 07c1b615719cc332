#!/bin/bash
# Two gateways share one interface: by queues of their own on af_packet, by one queue on af_xdp; each serves its own sessions
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
XW_MATCHERS=2
xw_begin
xw_link ping

# shared PROFILE QUEUE: a second gateway at the first one's port, at this queue and at UDP port 4001, with sessions 3 and 4
shared() {
    local i
    xw_configure
    sed -i -e "s/profile: af_packet/profile: $1/" -e '/user: TRADE[34]/,/cancel_on/s/gateway: 0/gateway: 1/' \
        -e "s/^\( *- {lcore: [0-9]*, port: wire0, queue: \)0, udp_port: 4000}/&\n\1$2, udp_port: 4001}/" "$XW_CONFIG"
    for i in "${!XW_CLIENT[@]}"; do
        [[ ${XW_CLIENT[i]} == TRADE[34]:* ]] && XW_CLIENT[i]=${XW_CLIENT[i]/10.0.0.1:4000/10.0.0.1:4001}
    done
    "$XW_BIN/xwctl" config check "$XW_CONFIG" | grep ', 2 gateways' || xw_fail "the configuration is not accepted"
}

# What a gateway counts.
counted() { "$XW_BIN/xwctl" -c "$XW_CONFIG" --json counters gateway | jq -s "map(select(.index == $1 and .name == \"$2\")) | .[0].value"; }

plays() {
    local gateway sent end shares
    xw_start
    "${xw_inside[@]}" ping -n -q -c 5 -i 0.1 -W 2 10.0.0.1 || xw_fail "ping is not answered"
    timeout -k 5 90 "${xw_inside[@]}" "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" --orders 12000 --resting 2000 --window 32 \
        --json "$XW_HOME/summary.json" || xw_fail "xwreplay ended with $?"
    xw_expect "unanswered" "$(xw_json "$XW_HOME/summary.json" .unanswered)" 0
    # Counters are published by the polling core, some time after the last answer. Every order, and the queries that sessions begin with.
    sent=$(xw_json "$XW_HOME/summary.json" .sent) end=$((SECONDS + 60))
    until shares=($(counted 0 forwarded) $(counted 1 forwarded)) && [ $((shares[0] + shares[1])) -ge "$sent" ]; do
        [ $SECONDS -lt $end ] || xw_fail "of $sent orders the gateways have forwarded ${shares[*]}"
        sleep 0.1
    done
    for gateway in 0 1; do
        [ $((4 * shares[gateway])) -gt "$sent" ] || xw_fail "gateway $gateway has hardly forwarded anything: ${shares[*]} of $sent"
        xw_expect "datagrams of the other that gateway $gateway got" "$(counted $gateway discard_UNKNOWN_PORT)" 0
    done
    xw_identity
    xw_stop
}

shared af_packet 1
plays
rm -rf "$XW_HOME/journal"
shared af_xdp 0
plays
