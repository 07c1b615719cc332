#!/bin/bash
# A real exchange's order flow gives exactly the trades that are known
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_stream es_real
xw_begin
xw_configure
xw_start
xw_play 120 "${XW_CLIENT_ONE[@]}" --input "$XW_STREAM" --compare "$XW_EXPECTED" --json "$XW_HOME/summary.json" \
    --trades "$XW_HOME/trades.csv" --pcap "$XW_HOME/wire.pcap" --hdr "$XW_HOME/latency.hdr"
xw_expect "sent" "$(xw_json "$XW_HOME/summary.json" .sent)" 56211
xw_expect "executions" "$(xw_json "$XW_HOME/summary.json" .executions)" 6175
xw_expect "sequence gaps" "$(xw_json "$XW_HOME/summary.json" .sequence_gaps)" 0
xw_expect "lines of trades.csv" "$(wc -l <"$XW_HOME/trades.csv")" 6176
grep -q 'Total count' "$XW_HOME/latency.hdr" || xw_fail "latency.hdr is no percentile distribution"
if command -v tshark >/dev/null; then
    bad=$(tshark -r "$XW_HOME/wire.pcap" -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE \
        -Y '_ws.malformed || udp.checksum.status == 0 || ip.checksum.status == 0' 2>/dev/null | wc -l)
    xw_expect "malformed packets in the capture" "$bad" 0
fi
xw_identity
xw_stop
