#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make venue: both processes stay up, on a pair of interfaces of their own, for clients with ordinary UDP sockets on this machine.
# Says how to log in; Ctrl-C stops everything, removes the interfaces and keeps logs and journal in build/venue.
set -u
cd "$(dirname "$0")/.." || exit 1
export XW_ROOT=$PWD
export XW_BIN=${XW_BIN:-$PWD/build} XW_HOME=${XW_HOME:-$PWD/build/venue}
[ "$(id -u)" -eq 0 ] || { echo "make venue makes a pair of network interfaces: run it as root" >&2; exit 77; }
route=$(ip -4 route get 10.0.0.1 2>/dev/null | head -n 1)
if [ -n "$route" ] && [[ $route != *" via "* ]]; then
    echo "10.0.0.1 is taken on this machine ($route): stop what uses it, another make venue perhaps" >&2
    exit 69
fi
rm -rf "$XW_HOME"
mkdir -p "$XW_HOME"
. perf/appliance.sh
xw_begin
XW_LINK=xwv$$ far=xwc$$ stop=
venue_clean() {
    xw_clean
    ip link del "$XW_LINK" 2>/dev/null
}
trap venue_clean EXIT
trap 'stop=yes' INT TERM HUP
ip link add "$XW_LINK" type veth peer name "$far" || exit 71
sysctl -qw "net.ipv6.conf.$XW_LINK.disable_ipv6=1" 2>/dev/null
ip link set "$XW_LINK" up
ip addr add 10.0.0.2/30 dev "$far"
ip link set "$far" up
# The appliance checks checksums, and these interfaces would leave them to hardware that is not there.
for end in "$XW_LINK" "$far"; do ethtool -K "$end" tx off >/dev/null || exit 71; done

xw_configure
xw_start
echo "The venue is open at UDP 10.0.0.1:4000, symbols ${XW_SYMBOLS:-XWIRE ALPHA BRAVO CARGO}. In another terminal:"
echo
for option in "${XW_CLIENT[@]}"; do
    [[ $option == TRADE*:* ]] || continue
    user=${option%%:*} password=${option#*:}
    echo "  $XW_BIN/example_order 10.0.0.1 4000 $user ${password%%@*} XWIRE 10.05"
done
echo
echo "  $XW_BIN/xwctl -c $XW_CONFIG status"
echo
echo "Ctrl-C stops it."
while [ -z "$stop" ]; do
    for pid in "$xw_dataplane_pid" "$xw_control_pid"; do kill -0 "$pid" 2>/dev/null || xw_fail "a process has ended"; done
    sleep 0.2
done
xw_stop
xw_say "stopped; logs and journal are in $XW_HOME"
