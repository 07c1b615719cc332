#!/bin/bash
# Under a booted systemd: the units start, trade, reload, are watched, restart, stop and go, with their users, rights and filters
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/boot.sh"
run=/run/crosswire state=/var/lib/crosswire

step() { echo "- $*"; }
show() { xw_in systemctl show -p "$2" --value "crosswire-$1.service"; }
log_of() { xw_in journalctl --no-pager -o cat -u "crosswire-$1.service"; }
files() { xw_in find / -xdev ! -path '/var/log/*' ! -path '/var/lib/systemd/*' ! -path '/tmp/*' ! -path "$XW_ROOT/*" ! -path "$XW_HOME/*" | sort; }

# await SECONDS WHAT COMMAND..
await() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ $SECONDS -lt $end ] || xw_fail "$what did not come: $(xw_in systemctl status --no-pager 'crosswire-*.service' | head -n 60)"
        sleep 0.1
    done
}

# play OPTIONS..: the firms' day, from inside; everything must be right.
play() {
    xw_in timeout -k 5 120 xwreplay "${client[@]}" --json /tmp/summary.json "$@" >"$XW_HOME/replay.log" 2>&1 ||
        xw_fail "xwreplay $*: $(tail -n 5 "$XW_HOME/replay.log")"
    xw_expect unanswered "$(xw_in jq .unanswered /tmp/summary.json)" 0
}

# login PASSWORD: one session plays a few orders with it.
login() {
    xw_in timeout -k 5 120 xwreplay --virtio "$run/wire0.sock" --server 10.0.0.1:4000 --symbols XWIRE,ALPHA,BRAVO,CARGO --core "$xw_core_client" \
        --session "TRADE2:$1@10.0.0.1:4000/0" --orders 20 --grace 20 >"$XW_HOME/login.log" 2>&1
}

# all_is_locked UNIT INSTANCE: as much as --needs says, and doctor sees it.
raises=no
if prlimit --memlock=unlimited:unlimited true 2>/dev/null; then raises=yes; fi
all_is_locked() {
    local locked wanted config=/etc/crosswire/$2.yaml
    locked=$(xw_in awk '$1 == "VmLck:" {printf "%d", $2 * 1024}' "/proc/$(show "$1" MainPID)/status")
    wanted=$(xw_in crosswire-dataplane "$config" --needs | sed -n 's/^locked_bytes //p')
    [ "$locked" -ge "$wanted" ] || xw_fail "$1 has locked $locked bytes, and needs $wanted"
    xw_expect "warnings of $1 about memory" "$(log_of "$1" | grep -c XW1007)" 0
    xw_in xwctl -c "$config" doctor | grep -qE '^PASS  memlock .* has locked [1-9][0-9]* MiB' || xw_fail "doctor does not see what $1 has locked"
}

lays_out() { make -s -C "$XW_ROOT" B="$XW_BIN" DESTDIR="/proc/$xw_boot_pid/root" "$1" >"$XW_HOME/make.log" 2>&1 || xw_fail "make $1: $(tail -n 3 "$XW_HOME/make.log")"; }

xw_begin
xw_configure
xw_boot
command -v jq >/dev/null || xw_skip "there is no jq"
cc -O1 -o "$XW_HOME/halt_thread" "$XW_ROOT/tests/scenario/halt_thread.c" || xw_fail "halt_thread does not compile"
cp "$XW_HOME/halt_thread" "/proc/$xw_boot_pid/root/tmp/"

step "what is installed is what is removed"
files >"$XW_HOME/before"
lays_out install
lays_out uninstall
files >"$XW_HOME/after"
xw_expect "what uninstall leaves" "$(comm -13 "$XW_HOME/before" "$XW_HOME/after" | xargs)" "/etc/crosswire /etc/crosswire/crosswire.yaml /etc/crosswire/limits.yaml"
xw_expect "what uninstall takes of others" "$(comm -23 "$XW_HOME/before" "$XW_HOME/after")" ""

step "users and directories"
lays_out install
xw_in systemd-sysusers 2>"$XW_HOME/sysusers.log" || xw_fail "systemd-sysusers: $(cat "$XW_HOME/sysusers.log")"
# The first user's hash is a credential; the others stand in the configuration.
hash=$(grep -m 1 -o '\$argon2[^"]*' "$XW_CONFIG")
sed -e "0,/^    password_hash:/{/^    password_hash:/d}" -e 's/^control:$/control:\n  password_file: crosswire.passwords/' -e "s#$XW_RUN/#$run/#" \
    -e "s#^run_directory:.*#run_directory: $run#" -e "s#^journal_directory:.*#journal_directory: $state/journal#" \
    -e 's#^profile_directory:.*#profile_directory: /usr/share/crosswire/nic_profiles#' "$XW_CONFIG" >"$XW_HOME/installed.yaml"
xw_in tee /etc/crosswire/crosswire.yaml <"$XW_HOME/installed.yaml" >/dev/null
xw_in bash -c "mkdir -p -m 700 /etc/credstore; umask 077; echo 'TRADE1 $hash' >/etc/credstore/crosswire.passwords"
xw_in systemd-tmpfiles --create crosswire.conf || xw_fail "systemd-tmpfiles"
xw_expect "$run" "$(xw_in stat -c '%a %U %G' $run)" "2770 root crosswire"
xw_expect "crosswire.yaml" "$(xw_in stat -c '%a %U %G' /etc/crosswire/crosswire.yaml)" "640 root crosswire"
client=("${XW_CLIENT[@]/$XW_RUN//run/crosswire}")
# The test does not wait as long as an operator would.
for unit in dataplane control; do
    xw_in mkdir -p /run/systemd/system/crosswire-$unit.service.d
    printf '[Service]\nWatchdogSec=2\n' | xw_in tee /run/systemd/system/crosswire-$unit.service.d/test.conf >/dev/null
done
xw_in systemctl daemon-reload

step "the host's unit applies the stages that it is told, and fails with what is wrong"
xw_in bash -c 'echo STAGES=tyme >/etc/crosswire/host.env'
! xw_in systemctl start crosswire-host 2>/dev/null || xw_fail "a stage that there is not is applied"
xw_expect "the host's unit" "$(show host ActiveState) $(show host ExecMainStatus)" "failed 64"
log_of host | grep -q '^host: tyme is no stage: one of boot hugepages ' || xw_fail "it does not say why: $(log_of host)"
xw_in bash -c 'echo STAGES=time rt >/etc/crosswire/host.env' # of which one can not be changed here
xw_in systemctl start crosswire-host || xw_fail "systemctl start crosswire-host: $(log_of host)"
xw_expect "the host's unit" "$(show host ActiveState)" active
log_of host | grep -q '^rt: ' || xw_fail "not all of STAGES are applied: $(log_of host)"

step "a start returns when orders are taken"
xw_in timeout 60 systemctl start crosswire-dataplane || xw_fail "systemctl start: $(log_of dataplane; log_of control)"
xw_expect "cores that run" "$(xw_in xwctl -c /etc/crosswire/crosswire.yaml --json status | jq '[.cores[] | select(.state == "RUN" or .state == "run")] | length')" 3
xw_expect "control" "$(show control ActiveState)" active
xw_expect "the data plane's status" "$(show dataplane StatusText)" running
play --orders 20000

step "each process has its user, no capability, no way to new ones, and its filter"
for unit in dataplane control; do
    process=$(show $unit MainPID)
    xw_expect "user of $unit" "$(xw_in stat -c '%U %G' "/proc/$process")" "crosswire-$unit crosswire"
    xw_in cat "/proc/$process/status" >"$XW_HOME/status.$unit"
    for line in CapPrm CapEff CapBnd CapAmb; do
        xw_expect "$line of $unit" "$(sed -n "s/^$line:\s*//p" "$XW_HOME/status.$unit")" 0000000000000000
    done
    xw_expect "NoNewPrivs of $unit" "$(sed -n 's/^NoNewPrivs:\s*//p' "$XW_HOME/status.$unit")" 1
    xw_expect "Seccomp of $unit" "$(sed -n 's/^Seccomp:\s*//p' "$XW_HOME/status.$unit")" 2
done
xw_expect "the limit of locked memory" "$(show dataplane LimitMEMLOCK)" infinity
if [ $raises = yes ]; then
    all_is_locked dataplane crosswire
else # the call comes through the filter, and fails for the limit that this machine leaves as it is
    log_of dataplane | grep XW1007 | grep -q 'Cannot allocate memory' || xw_fail "memory is not locked, and not for the limit's sake"
    xw_in xwctl -c /etc/crosswire/crosswire.yaml doctor | grep -A 1 '^WARN  memlock .*has locked nothing' | grep -q 'LimitMEMLOCK=infinity' || xw_fail "doctor does not tell that nothing is locked"
fi
xw_expect "who owns the journal" "$(xw_in stat -c '%a %U %G' $state/journal)" "2750 crosswire-control crosswire"
inside=(xw_in nsenter --mount="/proc/$(show dataplane MainPID)/ns/mnt" setpriv --reuid crosswire-dataplane --regid crosswire --clear-groups)
"${inside[@]}" touch $run/mine || xw_fail "the data plane may not write $run"
xw_in rm $run/mine
! "${inside[@]}" ls $state/journal 2>/dev/null || xw_fail "the data plane sees the journal"
! "${inside[@]}" touch /var/tmp/../spool/mine 2>/dev/null || xw_fail "the data plane may write outside of $run"

step "a reload takes over what may change, and refuses the rest whole"
old=$(sed -n 's/.*TRADE2:\([^@]*\)@.*/\1/p' <<<"${XW_CLIENT[*]}")
login "$old" || xw_fail "the old password is not taken: $(tail -n 3 "$XW_HOME/login.log")"
before=$(grep -o '\$argon2[^"]*' "$XW_HOME/installed.yaml" | head -n 1)
after=$(xw_in xwctl hash-password --fast <<<NEWONE)
sed "s#$(sed 's/[$]/\\$/g' <<<"$before")#$after#" "$XW_HOME/installed.yaml" | xw_in tee /etc/crosswire/crosswire.yaml >/dev/null
xw_in systemctl reload crosswire-control || xw_fail "systemctl reload"
reloaded() { [ "$(log_of control | grep -c '"code":"XW2021"')" -eq "$1" ]; }
reloaded 1 || xw_fail "systemctl reload returns before the reload is done"
xw_in systemctl reload crosswire-dataplane || xw_fail "systemctl reload of a data plane that goes on with the file"
log_of control | grep -q '"passwords_changed":1' || xw_fail "not one password has changed: $(log_of control | grep XW2021)"
! login "$old" || xw_fail "the old password is still taken, though the gateway had it verified before"
login NEWONE || xw_fail "the new password is not taken: $(tail -n 3 "$XW_HOME/login.log")"
xw_in sed -i 's/^  heartbeat_ms: 1000/  heartbeat_ms: 900/' /etc/crosswire/crosswire.yaml
refused() { [[ $(show "$1" StatusText) == *"heartbeat_ms\` of \`dataplane\` can not change"* ]]; }
for unit in control dataplane; do
    ! xw_in systemctl reload crosswire-$unit 2>/dev/null || xw_fail "a reload that crosswire-$unit refuses seems to be taken"
    await 60 "the refusal of $unit" refused $unit
    xw_expect "$unit after a refused reload" "$(show $unit ActiveState)" active
done
log_of control | grep -q '^xwctl: `heartbeat_ms. of `dataplane. can not change while it runs: restart both, or put it back$' || xw_fail "the reload of control does not say why it fails"
log_of dataplane | grep -q '^xwctl: /etc/crosswire/crosswire.yaml: instance crosswire runs with other values' || xw_fail "the reload of the data plane does not say why it fails"
login NEWONE || xw_fail "a refused reload has changed something"
xw_in sed -i 's/^ack:.*/ack: perhaps/' /etc/crosswire/crosswire.yaml
! xw_in systemctl reload crosswire-control 2>/dev/null || xw_fail "a wrong file is reloaded"
xw_expect "control after a failed reload" "$(show control ActiveState)" active
log_of control | grep '^xwctl: ' | tail -n 1 | grep -q 'ack' || xw_fail "it does not say what is wrong: $(log_of control | tail -n 3)"
sed "s#$(sed 's/[$]/\\$/g' <<<"$before")#$after#" "$XW_HOME/installed.yaml" | xw_in tee /etc/crosswire/crosswire.yaml >/dev/null

step "a core that hangs is noticed, the data plane is started again, and the day goes on"
alive() { [ "$(show dataplane WatchdogTimestampMonotonic)" -gt "$1" ]; }
await 60 "a sign of life" alive "$(show dataplane WatchdogTimestampMonotonic)"
process=$(show dataplane MainPID)
thread=$(xw_in bash -c "grep -lE '^Cpus_allowed_list:\s*$xw_core_plane\$' /proc/$process/task/*/status" | head -n 1 | cut -d/ -f5)
xw_in timeout 60 /tmp/halt_thread "$thread" >"$XW_HOME/halted" &
await 60 "the halt" grep -qs halted "$XW_HOME/halted"
again() { [ "$(show "$1" NRestarts)" = "$2" ] && [ "$(show "$1" ActiveState)" = active ]; }
await 60 "the restart after the watchdog" again dataplane 1
xw_in journalctl --no-pager -o cat | grep -q 'crosswire-dataplane.service: Watchdog timeout' || xw_fail "the watchdog did not bark"
login NEWONE || xw_fail "no order is taken after the watchdog's restart"

step "a control that hangs is started again, and the data plane goes on without it meanwhile"
xw_in kill -STOP "$(show control MainPID)"
await 60 "the restart of control" again control 1
xw_expect "restarts of the data plane" "$(show dataplane NRestarts)" 1
login NEWONE || xw_fail "no order is taken after control's restart"

step "killed, each comes back"
xw_in kill -KILL "$(show dataplane MainPID)"
await 60 "the restart of the data plane" again dataplane 2
xw_in kill -KILL "$(show control MainPID)"
await 60 "the restart of control" again control 2
login NEWONE || xw_fail "no order is taken after the kills"

step "a second start of the instance is refused, and says so"
status=0
xw_in timeout 60 crosswire-dataplane /etc/crosswire/crosswire.yaml >"$XW_HOME/second.log" 2>&1 || status=$?
xw_expect "exit code of a second data plane" $status 69
grep -qE 'another (crosswire-dataplane runs instance|live process holds this socket)' "$XW_HOME/second.log" || xw_fail "it says: $(tail -n 1 "$XW_HOME/second.log")"

step "a wrong configuration fails at once and is not tried again"
sed -e 's/^instance:.*/instance: second/' -e 's#/wire0.sock#/second.sock#' -e "s#^journal_directory:.*#journal_directory: $state/journal-second#" \
    -e 's/^dataplane:$/dataplane:\n  idle: yield/' -e 's#^run_directory:.*#run_directory: /dev/hugepages-crosswire#' "$XW_HOME/installed.yaml" | xw_in tee /etc/crosswire/second.yaml >/dev/null
xw_in bash -c 'cp /etc/credstore/crosswire.passwords /etc/credstore/crosswire-second.passwords; cp /etc/crosswire/second.yaml /root/good; sed -i "s/^ack:.*/ack: perhaps/" /etc/crosswire/second.yaml'
xw_in systemd-tmpfiles --create crosswire.conf
! xw_in timeout 60 systemctl start crosswire-dataplane@second 2>/dev/null || xw_fail "a wrong configuration is started"
sleep 1
for unit in dataplane@second control@second; do
    xw_expect "state of $unit" "$(show $unit ActiveState) $(show $unit ExecMainStatus) $(show $unit NRestarts)" "failed 78 0"
done

step "a second instance runs beside the first, its region where huge pages are mounted"
xw_in bash -c 'mkdir /dev/hugepages-crosswire && mount -t tmpfs -o mode=2770,gid=crosswire region /dev/hugepages-crosswire' || xw_fail "mount"
xw_in bash -c 'cat /root/good >/etc/crosswire/second.yaml'
# What stands for the limit of locked memory, where it can not be raised.
[ $raises = yes ] || printf '[Service]\nPrivateUsers=no\nAmbientCapabilities=CAP_IPC_LOCK\nCapabilityBoundingSet=CAP_IPC_LOCK\n' |
    xw_in bash -c 'mkdir -p /run/systemd/system/crosswire-dataplane@second.service.d && cat >/run/systemd/system/crosswire-dataplane@second.service.d/lock.conf && systemctl daemon-reload'
xw_in timeout 60 systemctl start crosswire@second.target || xw_fail "systemctl start crosswire@second.target"
xw_expect "the second data plane" "$(show dataplane@second ActiveState)" active
all_is_locked dataplane@second second
xw_in test -e /dev/hugepages-crosswire/second.g000001 || xw_fail "the second's region is elsewhere"
xw_expect "the first data plane" "$(show dataplane ActiveState) $(show dataplane NRestarts)" "active 2"
xw_in timeout 60 systemctl stop crosswire-dataplane@second crosswire-control@second || xw_fail "systemctl stop of the second"
xw_expect "the second after its stop" "$(show dataplane@second Result) $(show control@second Result)" "success success"

step "an upgrade: drained, synced, started, and the same day goes on"
xw_in timeout 60 systemctl stop crosswire-dataplane crosswire-control || xw_fail "systemctl stop"
xw_expect "how they ended" "$(show dataplane Result) $(show control Result)" "success success"
xw_expect "the data plane after its stop" "$(show dataplane ActiveState)" inactive
xw_expect "control after its stop" "$(show control ActiveState)" inactive
ends=$(xw_in journalctl --no-pager -o cat -u crosswire-dataplane -u crosswire-control | grep -o '"code":"XW\(1004\|2008\)"' | tail -n 2 | xargs)
xw_expect "the order of the ends" "$ends" "code:XW1004 code:XW2008"
[ -z "$(xw_in find $run -name 'crosswire.g*')" ] || xw_fail "a generation stayed in $run"
xw_in setpriv --reuid crosswire-control --regid crosswire --clear-groups xwctl -c /etc/crosswire/crosswire.yaml journal verify >/dev/null ||
    xw_fail "the journal is not right"
lays_out install
xw_in systemctl daemon-reload
xw_in timeout 60 systemctl start crosswire.target || xw_fail "systemctl start after the upgrade"
log_of control | grep '"code":"XW2004"' | tail -n 1 | jq -e '.restored + .commands > 0' >/dev/null || xw_fail "the day was not recovered"
login NEWONE || xw_fail "no order is taken after the upgrade"
xw_in timeout 60 systemctl stop crosswire.target || xw_fail "systemctl stop crosswire.target"
stopped() { [ "$(show "$1" ActiveState)" = inactive ]; }
await 60 "the end of control" stopped control # which comes after the data plane's
xw_expect "the data plane, stopped with its target" "$(show dataplane ActiveState) $(show dataplane Result)" "inactive success"
xw_expect "units that have failed" "$(xw_in systemctl --failed --no-legend --plain | grep -v '@second' | xargs)" ""
