#!/bin/bash
# xwctl doctor finds before the start what the start would refuse, says what mends it, and leaves nothing behind
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_configure
other_pid=
doctor() { # CODE ARGUMENTS..: exit code; text in doctor.out
    local code=$1 status=0
    shift
    "$XW_BIN/xwctl" -c "$XW_CONFIG" doctor "$@" >"$XW_HOME/doctor.out" 2>"$XW_HOME/doctor.err" || status=$?
    [ $status -eq "$code" ] && [ ! -s "$XW_HOME/doctor.err" ] ||
        xw_fail "doctor $*: exit $status, wanted $code: $(grep -A1 FAIL "$XW_HOME/doctor.out"; cat "$XW_HOME/doctor.err")"
}
says() { grep -qE -- "$1" "$XW_HOME/doctor.out" || xw_fail "doctor does not say '$1': $(cat "$XW_HOME/doctor.out")"; }
# with SED: the configuration with this changed, until the next one
keep=$XW_HOME/keep.yaml
cp "$XW_CONFIG" "$keep"
with() { sed "$1" "$keep" >"$XW_CONFIG"; }

# A host that can run it: no check fails, and every finding that is not a pass names what mends it.
doctor 0
cat "$XW_HOME/doctor.out"
says '^[0-9]+ pass, [0-9]+ warn, 0 fail$'
says '^PASS  dpdk +DPDK [0-9.]+, as it was built against'
says 'disk +.* a synced write of 4 KiB takes [0-9]+ us|is memory'
grep -A1 '^WARN' "$XW_HOME/doctor.out" | grep -c '^      mend: ' >"$XW_HOME/mends"
[ "$(cat "$XW_HOME/mends")" -ge 1 ] || xw_fail "no warning names what mends it"
doctor 0 --json
xw_expect "failures in JSON" "$(xw_json "$XW_HOME/doctor.out" .fail)" 0
xw_expect "checks in JSON" "$(xw_json "$XW_HOME/doctor.out" '[.findings[].check] | unique | length')" 23
xw_expect "what is left in the journal's directory" "$(ls -A "$XW_HOME/journal")" ''
xw_expect "what is left in run_directory" "$(ls -A "$XW_RUN")" owner

# A host's mend of a made-up tree is a command that the host preparation understands.
mkdir -p "$XW_HOME/tree/sys/devices/system/cpu" "$XW_HOME/tree/proc"
echo 0-1 >"$XW_HOME/tree/sys/devices/system/cpu/online"
doctor 0 --root "$XW_HOME/tree"
mend=$(sed -n 's/^      mend: *\(.*apply boot.*\); then reboot$/\1/p' "$XW_HOME/doctor.out" | head -n 1)
[ -n "$mend" ] || xw_fail "no mend of the boot parameters: $(cat "$XW_HOME/doctor.out")"
${mend/apply boot/plan boot} --root "$XW_HOME/tree" >"$XW_HOME/plan" || xw_fail "'$mend' is not understood"
grep -q 'isolcpus=' "$XW_HOME/plan" || xw_fail "'$mend' plans nothing: $(cat "$XW_HOME/plan")"

with 's/^ack:.*/ack: never/'
doctor 1
says '^FAIL  config .*ack'
with "s/lcore: $xw_core_plane,/lcore: 126,/"
doctor 1
says '^FAIL  lcores +lcore 126 is not there'
with 's#^run_directory:.*#run_directory: /nonexistent/run#'
doctor 1
says 'mend: +mkdir -p /nonexistent/run'
with 's/profile: vhost/profile: absent/'
doctor 1
says '^FAIL  ports +port wire0: .*absent'
with 's#profile: vhost, device: [^,]*#profile: af_packet, device: none0#'
doctor 1
says '^FAIL  ports +port wire0: there is no interface none0'

# This instance runs; another one wants its core; then both are dead.
with ''
xw_start_dataplane
xw_await dataplane XW1001 1 60
doctor 1
says "^FAIL  instance +instance crosswire runs already: crosswire-dataplane, pid $xw_dataplane_pid"
with "s/^instance:.*/instance: second/; s#device: [^,]*wire0.sock#device: $XW_RUN/second.sock#"
doctor 1
says "^FAIL  instance +lcore $xw_core_plane is polled by instance crosswire \(pid $xw_dataplane_pid\) already"
with ''
xw_kill dataplane
doctor 0
says '^PASS  instance +1 generations of a dead data plane stand in'
says '^PASS  ports +port wire0: .*wire0.sock is left from a dead process'
"$XW_BIN/xwctl" doctor >"$XW_HOME/doctor.out" || [ -e /etc/crosswire/crosswire.yaml ] || xw_fail "doctor without a configuration ends with $?"
