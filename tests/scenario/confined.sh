#!/bin/bash
# As the units' users, without a capability and under the units' own system-call filters, a whole day runs and stops
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" -eq 0 ] || xw_skip "becoming other users needs root"
command -v systemd-analyze >/dev/null || xw_skip "there is no systemd-analyze, which knows the groups of system calls"
cc -std=gnu11 -D_GNU_SOURCE -O1 -Wall -o "$XW_HOME/confine" "$XW_ROOT/tests/scenario/confine.c" $(pkg-config --cflags --libs libseccomp) || xw_fail "confine does not compile (make deps)"
group=64901 user_dataplane=64902 user_control=64903

# The programs that appliance.sh starts are wrapped; everything else is as it is.
real=$XW_BIN
mkdir -p "$XW_HOME/bin"
for program in xwctl xwreplay; do ln -sf "$real/$program" "$XW_HOME/bin/"; done
for unit in dataplane control; do
    user=user_$unit
    printf '#!/bin/bash\nexec %q %q %s %s %q "$@"\n' "$XW_HOME/confine" "$XW_ROOT/systemd/crosswire-$unit.service" "${!user}" $group "$real/crosswire-$unit" \
        >"$XW_HOME/bin/crosswire-$unit"
    chmod 755 "$XW_HOME/bin/crosswire-$unit"
done
XW_BIN=$XW_HOME/bin
xw_begin
# As tmpfiles and StateDirectory= make them.
chown 0:$group "$XW_RUN" && chmod 2770 "$XW_RUN"
xw_configure
chown 0:$group "$XW_CONFIG" && chmod 640 "$XW_CONFIG"
chown $user_control:$group "$XW_HOME/journal" && chmod 2750 "$XW_HOME/journal"
setpriv --reuid $user_control --regid $group --clear-groups test -r "$XW_CONFIG" -a -x "$real/crosswire-control" ||
    xw_skip "other users may not come to ${XW_ROOT}"

xw_start
for unit in dataplane control; do
    pid=xw_${unit}_pid user=user_$unit
    status=/proc/${!pid}/status
    xw_expect "users of $unit" "$(sed -n 's/^Uid:\s*//p' "$status" | tr '\t' ' ')" "${!user} ${!user} ${!user} ${!user}"
    for line in CapPrm CapEff CapBnd CapAmb; do xw_expect "$line of $unit" "$(sed -n "s/^$line:\s*//p" "$status")" 0000000000000000; done
    xw_expect "Seccomp of $unit" "$(sed -n 's/^Seccomp:\s*//p' "$status")" 2
done
xw_play 120 "${XW_CLIENT[@]}" --orders 100000 --window 64 --json "$XW_HOME/summary.json"
xw_expect unanswered "$(xw_json "$XW_HOME/summary.json" .unanswered)" 0
kill -HUP "$xw_control_pid" "$xw_dataplane_pid"
xw_await control XW2021 1 60
xw_await dataplane XW1009 1 60
xw_identity
xw_kill dataplane # and a recovery, which maps, reads and drains
xw_start
xw_stop
"$XW_BIN/xwctl" -c "$XW_CONFIG" journal verify || xw_fail "the journal is not right"
# The filter is one: a call that no unit has ends the program.
status=0
("$XW_HOME/confine" "$XW_ROOT/systemd/crosswire-control.service" $user_control $group "$(command -v chroot)" / true; exit $?) 2>/dev/null || status=$?
[ $status -ne 0 ] || xw_fail "chroot is let through"
