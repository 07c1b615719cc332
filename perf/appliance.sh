# SPDX-License-Identifier: Apache-2.0
# Sourced by perf/run.sh and the scenario tests: makes a configuration, starts, awaits, stops and kills the two processes.
#
# Given:   XW_BIN      where the binaries are                 XW_HOME     a directory for configuration, logs and journal
#          XW_ROOT     the source tree
# Choices, to be set before xw_configure (defaults in brackets):
#          XW_ACK      durable | matched [durable]            XW_SYMBOLS  names, blank separated [XWIRE ALPHA BRAVO CARGO]
#          XW_GATEWAYS 1 | 2 [1]                              XW_MATCHERS 1 | 2 [1]: symbols are dealt out in turn
#          XW_DISCONNECT true | false [false]: cancel on disconnect
#          XW_ROOM     how many orders, and how many trades, a matching core holds [as the example says]; less starts sooner
#          XW_LINK     an interface that the only gateway polls by af_packet, not a vhost socket; clients then use UDP sockets
# Made:    XW_CONFIG, XW_CLIENT (an array: xwreplay's options for all four sessions), XW_CLIENT_ONE (for the first alone),
#          XW_RUN (sockets and region, short enough for a socket's path and on tmpfs where there is one)

: "${XW_BIN:?where the binaries are}" "${XW_HOME:?a directory to work in}" "${XW_ROOT:?the source tree}"

xw_dataplane_pid= xw_control_pid= xw_started=0

xw_say() { printf '%s\n' "$*"; }

xw_fail() {
    printf 'FAILED: %s\n' "$*"
    local log
    for log in "$XW_HOME"/dataplane.log "$XW_HOME"/control.log; do
        [ -s "$log" ] && { printf -- '--- end of %s\n' "$log"; tail -n 12 "$log"; }
    done
    exit 1
}

# The CPUs that we may use, in order.
xw_cpus() {
    local part
    for part in $(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status | tr ',' ' '); do
        seq "${part%-*}" "${part#*-}"
    done
}

# Whatever happens, no process stays behind. Only processes that we started, by their number.
xw_clean() {
    local pid
    for pid in $xw_dataplane_pid $xw_control_pid ${xw_client_pid:-}; do
        kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    xw_dataplane_pid= xw_control_pid= xw_client_pid=
    [ -n "${XW_RUN:-}" ] && rm -rf "$XW_RUN"
    return 0
}

# Directories of runs that were killed: nobody holds the owner's lock any more.
xw_sweep() {
    local directory
    for directory in "$1"/xw.??????; do
        [ -O "$directory" ] && [ -e "$directory/owner" ] && flock -n "$directory/owner" rm -rf "$directory"
    done
}

xw_begin() {
    local parent=/tmp
    mkdir -p "$XW_HOME"
    if [ -d /dev/shm ] && [ -w /dev/shm ]; then parent=/dev/shm; fi
    xw_sweep $parent
    XW_RUN=$(mktemp -d $parent/xw.XXXXXX) || xw_fail "no directory can be made in $parent"
    trap xw_clean EXIT
    trap 'exit 130' INT TERM HUP
    # Locked before it has its name; this shell and whatever it starts hold the lock for as long as any of them lives.
    exec {xw_owner}>"$XW_RUN/new"
    flock -n "$xw_owner"
    mv "$XW_RUN/new" "$XW_RUN/owner"
    mapfile -t xw_cpu < <(xw_cpus)
    [ "${#xw_cpu[@]}" -ge 2 ] || xw_fail "two CPUs are needed, one for the data plane and one for the rest"
    xw_core_plane=${xw_cpu[0]} xw_core_rest=${xw_cpu[1]} xw_core_client=${xw_cpu[1]}
    [ "${#xw_cpu[@]}" -ge 4 ] && xw_core_client=${xw_cpu[2]}
    return 0
}

# xw_set SECTION KEY VALUE: in XW_CONFIG, whether the example has the key or not. No such section: a failure, not a run with
# something else than what is asked for.
xw_set() {
    grep -q "^$1:" "$XW_CONFIG" || xw_fail "the configuration has no section $1, for $2: $3"
    sed -i -e "/^$1:/,/^[^ #]/{/^  $2:/d}" -e "s|^$1:.*|&\n  $2: $3|" "$XW_CONFIG"
}

# Writes XW_CONFIG: what the example configuration says up to its ports, then what this run needs.
xw_configure() {
    local symbols=(${XW_SYMBOLS:-XWIRE ALPHA BRAVO CARGO}) gateways=${XW_GATEWAYS:-1} matchers=${XW_MATCHERS:-1}
    local gateway matcher i hash password account list options device
    mkdir -p "$XW_HOME/journal"
    XW_CONFIG=$XW_HOME/crosswire.yaml
    XW_DATE=${XW_DATE:-$(date -u +%Y-%m-%d)}
    list=$(IFS=,; echo "${symbols[*]}")
    {
        sed -e '/^ports:/,$d' -e "s#^trading_date:.*#trading_date: $XW_DATE#" -e "s#^ack:.*#ack: ${XW_ACK:-durable}#" \
            -e "s#^run_directory:.*#run_directory: $XW_RUN#" -e "s#^journal_directory:.*#journal_directory: $XW_HOME/journal#" \
            -e "s#^profile_directory:.*#profile_directory: $XW_ROOT/nic_profiles#" \
            -e "s#^  main_lcore:.*#  main_lcore: $xw_core_rest#" "$XW_ROOT/control/crosswire.yaml"
        echo "ports:"
        for ((gateway = 0; gateway < gateways; gateway++)); do
            device="profile: vhost, device: $XW_RUN/wire$gateway.sock"
            [ -z "${XW_LINK:-}" ] || device="profile: af_packet, device: $XW_LINK"
            echo "  - {name: wire$gateway, $device," \
                "mac: \"02:00:00:00:00:0$((gateway + 1))\", address: 10.0.$gateway.1}"
        done
        echo "gateways:"
        for ((gateway = 0; gateway < gateways; gateway++)); do
            echo "  - {lcore: $xw_core_plane, port: wire$gateway, queue: 0, udp_port: 4000}"
        done
        echo "matchers:"
        for ((matcher = 0; matcher < matchers; matcher++)); do echo "  - {lcore: $xw_core_plane}"; done
        echo "publishers:"
        for ((matcher = 0; matcher < matchers; matcher++)); do
            echo "  - {lcore: $xw_core_plane, port: wire$((matcher % gateways)), queue: 0, group: 233.54.12.$((matcher + 1))," \
                "udp_port: 5000, request_port: 500$((matcher + 1))}"
        done
        echo "symbols:"
        for i in "${!symbols[@]}"; do
            echo "  - {name: ${symbols[i]}, matcher: $((i % matchers)), tick: 0.01, round_lot: 100}"
        done
        printf 'accounts:\n  - {name: NORTH, firm: NRTH}\n  - {name: SOUTH, firm: SOTH}\nsessions:\n'
    } >"$XW_CONFIG"
    [ -z "${XW_ROOM:-}" ] || sed -i -E "s/^(  max_(orders|trades)):.*/\1: $XW_ROOM/" "$XW_CONFIG"
    XW_CLIENT=()
    for ((gateway = 0; gateway < gateways; gateway++)); do XW_CLIENT+=(--virtio "$XW_RUN/wire$gateway.sock"); done
    XW_CLIENT_ONE=(--virtio "$XW_RUN/wire0.sock")
    [ -z "${XW_LINK:-}" ] || XW_CLIENT=(--udp) XW_CLIENT_ONE=(--udp)
    XW_CLIENT+=(--server 10.0.0.1:4000 --symbols "$list" --core "$xw_core_client")
    XW_CLIENT_ONE+=(--server 10.0.0.1:4000 --symbols "$list" --core "$xw_core_client")
    for i in 1 2 3 4; do
        password=$(od -An -N4 -tx4 /dev/urandom | tr -d ' \n')
        hash=$("$XW_BIN/xwctl" hash-password --fast <<<"$password") || xw_fail "xwctl hash-password"
        account=NORTH
        [ $i -gt 2 ] && account=SOUTH
        gateway=$(((i - 1) / 2 % gateways)) matcher=$(((i - 1) % matchers))
        {
            echo "  - user: TRADE$i"
            echo "    password_hash: \"$hash\""
            echo "    account: $account"
            echo "    gateway: $gateway"
            echo "    matcher: $matcher"
            echo "    cancel_on_disconnect: ${XW_DISCONNECT:-false}"
        } >>"$XW_CONFIG"
        options="TRADE$i:$password@10.0.$gateway.1:4000/$gateway"
        if [ "$matchers" -gt 1 ]; then
            options+="=$(for j in "${!symbols[@]}"; do [ $((j % matchers)) -eq $matcher ] && echo "${symbols[j]}"; done | paste -sd+)"
        fi
        XW_CLIENT+=(--session "$options")
        [ $i -eq 1 ] && XW_CLIENT_ONE+=(--session "$options")
    done
    "$XW_BIN/xwctl" config check "$XW_CONFIG" >/dev/null || xw_fail "the configuration $XW_CONFIG is not accepted"
}

# In sessions of their own, and so in scheduling groups of their own: with autogroup, a busy client in their group would keep
# the kernel's disk workers off the core (control/journal/thread.c says more). They die with this shell, also if it is killed.
xw_start_control() {
    setpriv --pdeathsig KILL setsid taskset -c "$xw_core_rest" "$XW_BIN/crosswire-control" "$XW_CONFIG" >>"$XW_HOME/control.log" 2>&1 &
    xw_control_pid=$!
}

xw_start_dataplane() {
    setpriv --pdeathsig KILL setsid "$XW_BIN/crosswire-dataplane" "$XW_CONFIG" >>"$XW_HOME/dataplane.log" 2>&1 &
    xw_dataplane_pid=$!
}

# How often a log code stands in a log.
xw_count() {
    local count
    count=$(grep -c "\"$2\"" "$XW_HOME/$1.log" 2>/dev/null)
    echo "${count:-0}"
}

# xw_await LOG CODE TIMES SECONDS: until the code stands in the log at least that often.
xw_await() {
    local end=$((SECONDS + $4)) pid
    while [ "$(xw_count "$1" "$2")" -lt "$3" ]; do
        for pid in $xw_dataplane_pid $xw_control_pid; do
            kill -0 "$pid" 2>/dev/null || xw_fail "a process ended while $2 was awaited in $1.log"
        done
        [ $SECONDS -lt $end ] || xw_fail "no $2 in $1.log within $4 s"
        sleep 0.05
    done
}

# Starts what does not run, and waits until the matching cores run.
xw_start() {
    local before
    before=$(xw_count dataplane XW1002)
    [ -n "$xw_control_pid" ] || xw_start_control
    if [ -z "$xw_dataplane_pid" ]; then
        xw_start_dataplane
        xw_await dataplane XW1002 $((before + 1)) "${1:-60}"
    fi
}

# xw_stop_one dataplane|control SECONDS: SIGTERM, and exit code 0 in time.
xw_stop_one() {
    local pid_name=xw_$1_pid pid end=$((SECONDS + $2)) status
    pid=${!pid_name}
    [ -n "$pid" ] || return 0
    kill -TERM "$pid" 2>/dev/null
    while kill -0 "$pid" 2>/dev/null; do
        [ $SECONDS -lt $end ] || xw_fail "crosswire-$1 did not stop within $2 s of SIGTERM"
        sleep 0.05
    done
    status=0
    wait "$pid" || status=$?
    printf -v "$pid_name" ''
    [ $status -eq 0 ] || xw_fail "crosswire-$1 ended with $status instead of 0"
}

xw_stop() {
    xw_stop_one dataplane 60
    xw_stop_one control 60
}

# xw_kill dataplane|control: as kill -9 does.
xw_kill() {
    local pid_name=xw_$1_pid pid
    pid=${!pid_name}
    kill -KILL "$pid" || xw_fail "crosswire-$1 was not running any more"
    wait "$pid" 2>/dev/null
    printf -v "$pid_name" ''
}
