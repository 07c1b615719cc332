# SPDX-License-Identifier: Apache-2.0
# Sourced by scenario tests. Gives what perf/appliance.sh gives, in the test's own directory, and the checks below.
# A test: sources this, sets choices, xw_begin; xw_configure; xw_start; ...; xw_stop.
set -u
export XW_ROOT=${XW_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
export XW_BIN=${XW_BIN:-$XW_ROOT/build}
# Enough for every stream; a start writes to each page of it.
XW_ROOM=${XW_ROOM:-262144}
export XW_HOME=${XW_TMP:-$(mktemp -d /tmp/xw-test.XXXXXX)}
rm -rf "${XW_HOME:?}"/*
. "$XW_ROOT/perf/appliance.sh"

xw_skip() {
    echo "skipped because $*"
    exit 77
}

# xw_link TOOL..: after xw_begin, before xw_configure. A pair of interfaces: the appliance polls one end, XW_LINK; a namespace of
# its own holds the clients and the other end, xw_far. "${xw_inside[@]}" COMMAND runs there. Processes listed in xw_aside are
# killed at the end. Skips without root or the tools.
xw_link() {
    local tool log=$XW_HOME/link.log
    [ "$(id -u)" -eq 0 ] || xw_skip "a network namespace and AF_PACKET need root"
    for tool in ip ethtool "$@"; do
        command -v "$tool" >/dev/null || xw_skip "there is no $tool (make deps)"
    done
    xw_space=xw-$$ XW_LINK=xwa$$ xw_far=xwb$$ xw_aside=
    xw_inside=(ip netns exec "$xw_space")
    ip netns add "$xw_space" 2>"$log" || xw_skip "no network namespace can be made: $(cat "$log")"
    trap xw_unlink EXIT
    ip link add "$XW_LINK" type veth peer name "$xw_far" netns "$xw_space" 2>"$log" || xw_skip "no veth pair can be made: $(cat "$log")"
    # Only the appliance shall answer on this link.
    sysctl -qw "net.ipv6.conf.$XW_LINK.disable_ipv6=1" 2>/dev/null
    ip link set "$XW_LINK" up
    ip -n "$xw_space" addr add 10.0.0.2/24 dev "$xw_far"
    ip -n "$xw_space" link set "$xw_far" up
    ip -n "$xw_space" link set lo up
    "${xw_inside[@]}" ethtool -K "$xw_far" tx off >/dev/null 2>&1 || xw_skip "ethtool cannot turn checksum offload off"
    ethtool -K "$XW_LINK" tx off >/dev/null 2>&1
}

xw_unlink() {
    local pid
    for pid in $xw_aside; do kill -KILL "$pid" 2>/dev/null; done
    xw_clean
    ip link del "$XW_LINK" 2>/dev/null
    ip netns del "$xw_space" 2>/dev/null
}

# xw_capture FILE FILTER: behind xw_link, tcpdump of all that comes to the far end, from now on. xw_capture_end: it has written all
# of it, a last datagram too.
xw_capture() {
    xw_captured=$1
    ip -n "$xw_space" route add 224.0.0.0/4 dev "$xw_far"
    "${xw_inside[@]}" tcpdump -U -n -i "$xw_far" -w "$1" "($2) or udp port 9" >"$XW_HOME/tcpdump.log" 2>&1 &
    xw_tcpdump_pid=$! xw_aside=$!
    xw_marked "begins"
}
xw_marked() {
    local end=$((SECONDS + 60))
    until grep -qs "the capture $1" "$xw_captured"; do
        kill -0 "$xw_tcpdump_pid" 2>/dev/null || xw_fail "tcpdump: $(cat "$XW_HOME/tcpdump.log")"
        [ $SECONDS -lt $end ] || xw_fail "tcpdump captures nothing"
        "${xw_inside[@]}" bash -c "echo the capture $1 >/dev/udp/224.0.0.250/9" 2>/dev/null
        sleep 0.05
    done
}
xw_capture_end() {
    xw_marked "ends"
    kill "$xw_tcpdump_pid" && wait "$xw_tcpdump_pid" 2>/dev/null
    xw_aside=
}

# ---- operators and clients by hand, behind xw_link

# xw_passwords: after xw_configure; xw_password[N] is that of session TRADE N.
xw_passwords() {
    local option rest
    xw_password=()
    for option in "${XW_CLIENT[@]}"; do
        case $option in TRADE[1-9]:*) rest=${option#*:} && xw_password[${option:5:1}]=${rest%%@*} ;; esac
    done
}

# xw_script N: gives its standard input to session TRADE N; all that it was told so far is left in N.log.
xw_script() {
    "${xw_inside[@]}" timeout 60 "$XW_BIN/example_script" 10.0.0.1 4000 "TRADE$1" "${xw_password[$1]}" >"$XW_HOME/$1.log" ||
        xw_fail "example_script of TRADE$1 ended with $?"
}

# xw_told N PATTERN: a message of TRADE N's.
xw_told() { grep -Eq "^[0-9]+ $2" "$XW_HOME/$1.log" || xw_fail "TRADE$1 was not told: $2: $(cat "$XW_HOME/$1.log")"; }

xw_ctl() { "$XW_BIN/xwctl" -c "$XW_CONFIG" "$@"; }

# xw_freeze PID: SIGSTOP, and none of its threads runs any more; the signal alone leaves them a moment.
xw_freeze() {
    local end=$((SECONDS + 60))
    kill -STOP "$1"
    until ! grep -hE '^State:' "/proc/$1"/task/*/status | grep -qv 'T (stopped)'; do
        [ $SECONDS -lt $end ] || xw_fail "process $1 does not stop: $(grep -hE '^State:' "/proc/$1"/task/*/status)"
        sleep 0.01
    done
}

# xw_await_kills FILTER: until it holds of xwctl kills.
xw_await_kills() {
    local end=$((SECONDS + 60))
    until xw_ctl --json kills 2>/dev/null | jq -e "$1" >/dev/null; do
        [ $SECONDS -lt $end ] || xw_fail "xwctl kills never came to $1: $(xw_ctl --json kills)"
        sleep 0.05
    done
}

# xw_stream NAME: sets XW_STREAM and XW_EXPECTED, or skips.
xw_stream() {
    local directory
    for directory in "${XW_STREAMS:-}" "$XW_ROOT/../shared/streams"; do
        XW_STREAM=$directory/$1.bin XW_EXPECTED=$directory/$1.trades
        [ -r "$XW_STREAM" ] && [ -r "$XW_EXPECTED" ] && return 0
    done
    xw_skip "there is no stream $1: set XW_STREAMS to where make.sh wrote the streams"
}

# Names for as many symbols as the stream has.
xw_stream_symbols() {
    XW_SYMBOLS=$(seq -f 'SYM%02g' 1 "$(od -An -tu4 -j32 -N4 "$XW_STREAM" | tr -d ' ')" | tr '\n' ' ')
}

# xw_json FILE FILTER: a value of a JSON file.
xw_json() { jq -r "$2" "$1"; }

# xw_expect WHAT GOT WANT
xw_expect() { [ "$2" = "$3" ] || xw_fail "$1 is $2, expected $3"; }

# xw_play SECONDS OPTIONS..: plays and demands that everything was right.
xw_play() {
    local seconds=$1 status=0
    shift
    timeout --foreground -k 5 "$seconds" "$XW_BIN/xwreplay" "$@" || status=$?
    [ $status -eq 0 ] || xw_fail "xwreplay ended with $status"
}

# xw_status [FILTER]: status.json, told by cores that have all published their counters since this was called, and of which the
# filter holds. A core does that when it has the time.
xw_status() {
    local end=$((SECONDS + 60))
    until "$XW_BIN/xwctl" -c "$XW_CONFIG" --json status >"$XW_HOME/status.json" &&
        jq -e "([.cores[].heartbeat_moves] | all) and (${1:-true})" "$XW_HOME/status.json" >/dev/null; do
        [ $SECONDS -lt $end ] || xw_fail "xwctl status never came to ${1:-cores that all move}: $(jq -c '.messages, .cores' "$XW_HOME/status.json")"
        sleep 0.05
    done
}

# The identity of all messages, received = discarded + handled + in flight, of the running appliance at rest.
xw_identity() { xw_status '.messages | .holds and .in_flight == 0'; }

# xw_verify RECORD..: the same sequence number always had the same bytes, and none is missing.
xw_verify() { "$XW_BIN/xwreplay" --verify "$@" || xw_fail "the records of what was received differ"; }

# Plays the real stream and kills `$1` (dataplane, control or both) in the middle, twice; then everything must be as if nothing
# had happened: all answered, the expected trades, and every sequence number with the bytes it had before.
xw_kill_in_the_middle() {
    local victim=$1 round status=0 record=$XW_HOME/received.rec
    xw_begin
    xw_configure
    xw_start
    xw_may 90
    "$XW_BIN/xwreplay" "${XW_CLIENT_ONE[@]}" "${xw_part[@]}" --input "$XW_STREAM" --compare "$XW_EXPECTED" --window 64 \
        --rate 20000 --grace 30 --record "$record" --reread --json "$XW_HOME/summary.json" >"$XW_HOME/replay.log" 2>&1 &
    xw_client_pid=$!
    for round in 1 2; do
        xw_await_size "$record" $((round * 1500000)) 60
        [ "$victim" = control ] || xw_kill dataplane
        [ "$victim" = dataplane ] || xw_kill control
        sleep 0.3
        xw_start
    done
    xw_may 100
    xw_await_end 120
    wait "$xw_client_pid" || status=$?
    xw_client_pid=
    cat "$XW_HOME/replay.log"
    [ $status -eq 0 ] || xw_fail "xwreplay ended with $status"
    xw_expect "unanswered" "$(xw_json "$XW_HOME/summary.json" .unanswered)" 0
    xw_expect "trades as expected" "$(xw_json "$XW_HOME/summary.json" .trades_equal)" true
    [ "$victim" = control ] || [ "$(xw_json "$XW_HOME/summary.json" .recoveries)" -ge 2 ] ||
        xw_fail "the client did not notice both kills"
    xw_verify "$record"
    xw_stop
}

# xw_may PERCENT: how much of its day the client may have sent by now: it has something to do still when what is done to the
# appliance is over, however long that takes. For a client with "${xw_part[@]}".
xw_may() {
    echo "$1" >"$XW_HOME/part"
    xw_part=(--part "$XW_HOME/part")
}

# xw_await_size FILE BYTES SECONDS: until the client has received so much.
xw_await_size() {
    local end=$((SECONDS + $3))
    while [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -lt "$2" ]; do
        kill -0 "$xw_client_pid" 2>/dev/null || xw_fail "xwreplay ended before $2 bytes were received: $(tail -n 5 "$XW_HOME/replay.log")"
        [ $SECONDS -lt $end ] || xw_fail "xwreplay has not received $2 bytes within $3 s: $(tail -n 5 "$XW_HOME/replay.log")"
        sleep 0.02
    done
}

# Until the client has ended, on its own.
xw_await_end() {
    local end=$((SECONDS + $1))
    while kill -0 "$xw_client_pid" 2>/dev/null; do
        [ $SECONDS -lt $end ] || xw_fail "xwreplay did not end within $1 s: $(tail -n 5 "$XW_HOME/replay.log")"
        sleep 0.05
    done
}

# xw_both_end CONTROL-CODE WORDS: the journal has failed, so both processes end on their own, each with its code and one line.
xw_both_end() {
    local end=$((SECONDS + 60)) pid status lines
    for pid in "$xw_control_pid" "$xw_dataplane_pid"; do
        while kill -0 "$pid" 2>/dev/null; do
            [ $SECONDS -lt $end ] || xw_fail "process $pid goes on though the journal has failed"
            sleep 0.05
        done
    done
    status=0
    wait "$xw_control_pid" || status=$?
    xw_expect "exit code of control" $status "$1"
    status=0
    wait "$xw_dataplane_pid" || status=$?
    xw_expect "exit code of the data plane" $status 74
    xw_control_pid= xw_dataplane_pid=
    lines=$(grep -v '^{' "$XW_HOME/control.log")
    xw_expect "lines of control" "$(wc -l <<<"$lines")" 1
    xw_expect "lines of the data plane" "$(grep '^crosswire-dataplane' "$XW_HOME/dataplane.log" | grep -c 'journal has failed')" 1
    grep -qE "$2" <<<"$lines" || xw_fail "the line does not say '$2': $lines"
    echo "$lines"
}

# xw_play_behind PERCENT OPTIONS..: plays in the background, through whatever happens, so much of its day until xw_may allows more;
# xw_await_client ends it.
xw_play_behind() {
    xw_may "$1"
    shift
    "$XW_BIN/xwreplay" "$@" "${xw_part[@]}" --record "$XW_HOME/received.rec" --json "$XW_HOME/summary.json" >"$XW_HOME/replay.log" 2>&1 &
    xw_client_pid=$!
}

# xw_await_client SECONDS: the client has ended on its own, all was right, and no sequence number ever had other bytes.
xw_await_client() {
    local status=0
    xw_may 100
    xw_await_end "$1"
    wait "$xw_client_pid" || status=$?
    xw_client_pid=
    grep -E '^(sent|trades|recovered)' "$XW_HOME/replay.log"
    [ $status -eq 0 ] || xw_fail "xwreplay ended with $status: $(head -n 5 "$XW_HOME/replay.log")"
    xw_expect "unanswered" "$(xw_json "$XW_HOME/summary.json" .unanswered)" 0
    xw_verify "$XW_HOME/received.rec"
}
