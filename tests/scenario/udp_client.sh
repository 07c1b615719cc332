#!/bin/bash
# Ordinary sockets reach the appliance over an Ethernet link: ping, xwreplay --udp, the example client
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_link ping

xw_configure
xw_start

"${xw_inside[@]}" ping -n -c 5 -i 0.1 -W 2 10.0.0.1 || xw_fail "ping is not answered"
"${xw_inside[@]}" ip neigh show dev "$xw_far" | grep -qi '10.0.0.1 lladdr 02:00:00:00:00:01' ||
    xw_fail "ARP is not answered as it should"

capture=$XW_HOME/udp.pcap
timeout -k 5 120 "${xw_inside[@]}" "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" --orders 20000 --resting 2000 --window 32 --pcap "$capture" \
    --json "$XW_HOME/summary.json" || xw_fail "xwreplay --udp ended with $?"
xw_expect "unanswered" "$(xw_json "$XW_HOME/summary.json" .unanswered)" 0
xw_expect "sent" "$(xw_json "$XW_HOME/summary.json" .sent)" 20000
timeout -k 5 120 "${xw_inside[@]}" "$XW_BIN/xwreplay" "${XW_CLIENT[@]}" --orders 10000 --resting 2000 --seed 2 --rate 5000 --pack 8 ||
    xw_fail "xwreplay --udp --rate --pack ended with $?"
if command -v tshark >/dev/null; then
    xw_expect "malformed packets" "$(tshark -n -r "$capture" -d udp.port==4000,data -o ip.check_checksum:TRUE \
        -o udp.check_checksum:TRUE -Y '_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0' 2>/dev/null | wc -l)" 0
fi

# The example: a firm's first program. Its order is far from the market, so it is accepted and rests.
for option in "${XW_CLIENT[@]}"; do [[ $option == TRADE1:* ]] && password=${option#*:} && password=${password%%@*}; done
"${xw_inside[@]}" timeout 60 "$XW_BIN/example_order" 10.0.0.1 4000 TRADE1 "$password" XWIRE 0.01 >"$XW_HOME/example.log" 2>&1 ||
    xw_fail "example_order ended with $?: $(tail -n 3 "$XW_HOME/example.log")"
grep -Eq ' A number [0-9]+: 100 at 0.0100$' "$XW_HOME/example.log" ||
    xw_fail "the example's order was not accepted: $(tail -n 3 "$XW_HOME/example.log")"
timeout 60 "${xw_inside[@]}" "$XW_BIN/example_order" 10.0.0.1 4000 TRADE1 WRONG XWIRE 0.01 >"$XW_HOME/wrong.log" 2>&1
xw_expect "the example's exit code with a wrong password" $? 77
xw_identity
xw_stop
