#!/bin/bash
# Ordinary sockets reach the appliance over an Ethernet link: ping, xwreplay --udp, the example client
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" -eq 0 ] || xw_skip "a network namespace and AF_PACKET need root"
for tool in ip ethtool ping; do
    command -v $tool >/dev/null || xw_skip "there is no $tool (make deps)"
done
xw_begin
# A pair of interfaces: the appliance polls one end, a namespace of its own holds the client and the other end.
space=xw-$$ ours=xwa$$ theirs=xwb$$
ip netns add "$space" 2>"$XW_HOME/netns.log" || xw_skip "no network namespace can be made: $(cat "$XW_HOME/netns.log")"
leave() {
    xw_clean
    ip link del "$ours" 2>/dev/null
    ip netns del "$space" 2>/dev/null
}
trap leave EXIT
ip link add "$ours" type veth peer name "$theirs" netns "$space" 2>"$XW_HOME/netns.log" ||
    xw_skip "no veth pair can be made: $(cat "$XW_HOME/netns.log")"
# Only the appliance shall answer on this link.
sysctl -qw "net.ipv6.conf.$ours.disable_ipv6=1" 2>/dev/null
ip link set "$ours" up
ip -n "$space" addr add 10.0.0.2/24 dev "$theirs"
ip -n "$space" link set "$theirs" up
ip -n "$space" link set lo up
ip netns exec "$space" ethtool -K "$theirs" tx off >/dev/null 2>&1 || xw_skip "ethtool cannot turn checksum offload off"
ethtool -K "$ours" tx off >/dev/null 2>&1
client=(ip netns exec "$space")

xw_configure
sed -i "s#profile: vhost, device: [^,]*#profile: af_packet, device: $ours#" "$XW_CONFIG"
xw_start 30

"${client[@]}" ping -n -c 5 -i 0.1 -W 2 10.0.0.1 || xw_fail "ping is not answered"
"${client[@]}" ip neigh show dev "$theirs" | grep -qi '10.0.0.1 lladdr 02:00:00:00:00:01' ||
    xw_fail "ARP is not answered as it should"

udp=(--udp)
for option in "${XW_CLIENT[@]}"; do
    case $option in
    --virtio) skip=1 ;;
    *) [ "${skip:-}" ] && skip= || udp+=("$option") ;;
    esac
done
capture=$XW_HOME/udp.pcap
timeout -k 5 60 "${client[@]}" "$XW_BIN/xwreplay" "${udp[@]}" --orders 20000 --resting 2000 --window 32 --pcap "$capture" \
    --json "$XW_HOME/summary.json" || xw_fail "xwreplay --udp ended with $?"
xw_expect "unanswered" "$(xw_json "$XW_HOME/summary.json" .unanswered)" 0
xw_expect "sent" "$(xw_json "$XW_HOME/summary.json" .sent)" 20000
timeout -k 5 60 "${client[@]}" "$XW_BIN/xwreplay" "${udp[@]}" --orders 10000 --resting 2000 --seed 2 --rate 5000 --pack 8 ||
    xw_fail "xwreplay --udp --rate --pack ended with $?"
if command -v tshark >/dev/null; then
    xw_expect "malformed packets" "$(tshark -n -r "$capture" -d udp.port==4000,data -o ip.check_checksum:TRUE \
        -o udp.check_checksum:TRUE -Y '_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0' 2>/dev/null | wc -l)" 0
fi

# The example: a firm's first program. Its order is far from the market, so it is accepted and rests.
for option in "${XW_CLIENT[@]}"; do [[ $option == TRADE1:* ]] && password=${option#*:} && password=${password%%@*}; done
"${client[@]}" timeout 20 "$XW_BIN/example_order" 10.0.0.1 4000 TRADE1 "$password" XWIRE 0.01 >"$XW_HOME/example.log" 2>&1 ||
    xw_fail "example_order ended with $?: $(tail -n 3 "$XW_HOME/example.log")"
grep -Eq ' A number [0-9]+: 100 at 0.0100$' "$XW_HOME/example.log" ||
    xw_fail "the example's order was not accepted: $(tail -n 3 "$XW_HOME/example.log")"
timeout 20 "${client[@]}" "$XW_BIN/example_order" 10.0.0.1 4000 TRADE1 WRONG XWIRE 0.01 >"$XW_HOME/wrong.log" 2>&1
xw_expect "the example's exit code with a wrong password" $? 77
xw_identity
xw_stop
