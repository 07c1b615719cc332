#!/bin/bash
# Ctrl-C or a kill during make run or make test leaves no process, socket or region behind
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
# A tree and a build of its own, so that the locks and files of the run that tests us are not touched.
tree=$XW_HOME/tree
mkdir -p "$tree/build"
for name in perf control nic_profiles tests; do ln -s "$XW_ROOT/$name" "$tree/$name"; done
for program in "$XW_BIN"/crosswire-* "$XW_BIN"/xw*; do
    [ -x "$program" ] && ln -s "$program" "$tree/build/"
done
unset XW_RUN
export XW_BIN=$tree/build
log=$XW_HOME/output group=

end_group() { [ -z "$group" ] || kill -KILL -- "-$group" 2>/dev/null; }
trap end_group EXIT

# begin HOME COMMAND..: as a terminal does, in a foreground process group; until its data plane runs in HOME.
begin() {
    local home=$1 end=$((SECONDS + 60))
    shift
    rm -rf "$home"
    env --default-signal setsid "$@" >"$log" 2>&1 </dev/null &
    group=$!
    until grep -qs XW1002 "$home/dataplane.log"; do
        kill -0 "$group" 2>/dev/null || xw_fail "$* ended early: $(cat "$log")"
        [ $SECONDS -lt $end ] || xw_fail "$*: nothing runs after 60 s: $(cat "$log")"
        sleep 0.05
    done
    directory=$(sed -n 's/^run_directory: //p' "$home/crosswire.yaml")
    [ -e "$directory/owner" ] || xw_fail "no run directory at $directory"
}

# Waits for the end; sets `status`.
ended() {
    status=0
    wait "$group" || status=$?
    group=
}

# Processes that were started with a path in our tree; grep itself is not.
left() { grep -las "$tree[/]" /proc/[0-9]*/cmdline | cut -d/ -f3; }

nothing_left() {
    local pid end=$((SECONDS + 60))
    while [ -n "$(left)" ] && [ $SECONDS -lt $end ]; do sleep 0.05; done
    for pid in $(left); do xw_fail "$1 leaves process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")"; done
}

begin "$tree/build/run" "$tree/perf/run.sh"
"$tree/perf/run.sh" >"$XW_HOME/second" 2>&1 && xw_fail "a second run in the same tree was allowed"
grep -q 'another make run' "$XW_HOME/second" || xw_fail "a second run in the same tree says: $(cat "$XW_HOME/second")"
kill -INT -- "-$group"
ended
xw_expect "the exit code after a Ctrl-C" $status 130
nothing_left "a Ctrl-C"
[ ! -e "$directory" ] || xw_fail "a Ctrl-C leaves $directory"

begin "$tree/build/run" "$tree/perf/run.sh"
kill -KILL "$group"
ended
# The client is not the shell's to end: it finds no venue and gives up.
for pid in $(left); do
    [[ $(readlink "/proc/$pid/exe") != */xwreplay ]] || kill -TERM "$pid"
done
nothing_left "a killed run"
killed=$directory
[ -e "$killed" ] || xw_fail "a killed run cleaned up, how?"

begin "$tree/build/run" "$tree/perf/run.sh"
[ ! -e "$killed" ] || xw_fail "the next run left $killed of a killed one"
kill -TERM "$group"
kill -TERM -- "-$group"
ended
nothing_left "a run that was asked to end"
[ ! -e "$directory" ] || xw_fail "a run that was asked to end leaves $directory"

begin "$tree/build/test-work/day" "$tree/tests/run.sh" "$tree/build" tests/scenario/day
kill -INT -- "-$group"
ended
xw_expect "the exit code of interrupted tests" $status 130
nothing_left "a Ctrl-C during tests"
[ ! -e "$directory" ] || xw_fail "a Ctrl-C during tests leaves $directory"
grep -q '^interrupted: 0 passed, 0 failed' "$log" || xw_fail "interrupted tests say: $(cat "$log")"
