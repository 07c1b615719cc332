# SPDX-License-Identifier: Apache-2.0
# Sourced by snapshot_*.sh behind lib.sh: a day that is played, killed and compared, and what its recovery reported.

record=$XW_HOME/received.rec

# snapshot_config SECONDS COMMANDS
snapshot_config() {
    sed -i "s/^engine:\$/snapshots:\n  every_seconds: $1\n  every_commands: $2\nengine:/" "$XW_CONFIG"
    grep -q "every_commands: $2" "$XW_CONFIG" || xw_fail "snapshots are not configured"
}

# Starts the appliance and a client that plays the stream, and reads everything again at the end, unless --no-reread.
snapshot_play() {
    local reread=(--reread)
    [ "${1:-}" != --no-reread ] || reread=()
    xw_start
    xw_may 90
    "$XW_BIN/xwreplay" "${XW_CLIENT_ONE[@]}" "${xw_part[@]}" --input "$XW_STREAM" --compare "$XW_EXPECTED" --window 64 --rate 10000 --grace 60 \
        --record "$record" "${reread[@]}" --json "$XW_HOME/summary.json" >"$XW_HOME/replay.log" 2>&1 &
    xw_client_pid=$!
}

snapshot_kill() {
    xw_kill dataplane
    xw_kill control
}

# The client has ended: all answered, the expected trades, every number with the bytes that it had before.
snapshot_end() {
    local status=0
    xw_may 100
    xw_await_end 120
    wait "$xw_client_pid" || status=$?
    xw_client_pid=
    cat "$XW_HOME/replay.log"
    [ $status -eq 0 ] || xw_fail "xwreplay ended with $status"
    xw_expect "unanswered" "$(xw_json "$XW_HOME/summary.json" .unanswered)" 0
    xw_expect "trades as expected" "$(xw_json "$XW_HOME/summary.json" .trades_equal)" true
    xw_verify "$record"
}

# The day's snapshots, oldest first.
snapshot_files() { find "$XW_HOME/journal" -name '*.xwn' | sort; }

# snapshot_await COUNT SNAPSHOT: until so many newer ones than this are there: the follower is the least of all threads.
snapshot_await() {
    local end=$((SECONDS + 60))
    until [ "$(snapshot_files | awk -v last="$2" '$0 > last' | wc -l)" -ge "$1" ]; do
        [ $SECONDS -lt $end ] || xw_fail "no $1 snapshots behind $(basename "$2") in 60 s"
        sleep 0.05
    done
}

# snapshot_three FILES: both processes are killed while three snapshots stand, which FILES gets, oldest first. One more stands
# for the moment between the newest's coming and the oldest's going.
snapshot_three() {
    local -n three=$1
    snapshot_kill
    mapfile -t three < <(snapshot_files)
    [ ${#three[@]} -ne 4 ] || { rm "${three[0]}" && three=("${three[@]:1}"); }
    [ ${#three[@]} -eq 3 ] || xw_fail "there are ${#three[@]} snapshots, not three"
}

# The sequence that a snapshot covers, by its name.
snapshot_covered() { basename "$1" .xwn | sed 's/^[0-9]*-0*//'; }

# One bit of a byte in the middle.
snapshot_flip() {
    local at byte
    at=$(($(stat -c %s "$1") / 2 + 77))
    byte=$(od -An -tu1 -j $at -N 1 "$1")
    printf "\\x$(printf %x $((byte ^ 4)))" | dd of="$1" bs=1 seek=$at conv=notrunc status=none
}

# snapshot_recovered FIELD TEST VALUE: of the newest recovery report.
snapshot_recovered() {
    local got
    got=$(grep '"XW2004"' "$XW_HOME/control.log" | tail -n 1 | jq "$1")
    [ "$got" "$2" "$3" ] || xw_fail "the recovery report has $1 = $got, which is not $2 $3"
    echo "recovered: $1 = $got"
}
