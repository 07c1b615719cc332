#!/bin/bash
# A data plane that cannot start says in one line what is wrong and what mends it, and leaves nothing behind
set -u
dataplane=$XW_BIN/crosswire-dataplane
bad=0
mkdir -p "$XW_TMP/run"

# A configuration as the example has it, in our own directory; further arguments are sed expressions.
config() {
    local file=$XW_TMP/$1.yaml
    shift
    local edits=(-e "s#build/run#$XW_TMP/run#")
    for edit in "$@"; do edits+=(-e "$edit"); done
    sed "${edits[@]}" control/crosswire.yaml >"$file"
    echo "$file"
}

# refuses NAME CODE WORDS ARGUMENTS..: exit code, exactly one line, and the words in it
refuses() {
    local name=$1 code=$2 words=$3 status
    shift 3
    timeout 60 "$dataplane" "$@" >"$XW_TMP/$name.out" 2>"$XW_TMP/$name.err"
    status=$?
    if [ "$status" -ne "$code" ] || [ "$(wc -l <"$XW_TMP/$name.err")" -ne 1 ] || ! grep -q -- "$words" "$XW_TMP/$name.err"; then
        echo "$name: exit $status, wanted $code, one line with '$words'; got:"
        cat "$XW_TMP/$name.err"
        bad=1
    fi
    if [ -n "$(ls "$XW_TMP/run"/crosswire.g* 2>/dev/null)" ] || [ -e "$XW_TMP/run/wire.sock" ]; then
        echo "$name: something was left behind:"
        ls -l "$XW_TMP/run"
        bad=1
    fi
}

refuses no-arguments 64 "one configuration file"
refuses no-file 66 crosswire.yaml "$XW_TMP/none.yaml"
refuses unknown-key 78 oders "$(config unknown-key 's/order_ring_depth/oders/')"
grep -qw waitpkg /proc/cpuinfo ||
    refuses idle-of-another-cpu 78 WAITPKG "$(config idle-of-another-cpu 's/^dataplane:/dataplane:\n  idle: umwait/')"
refuses no-such-lcore 78 taskset "$(config no-such-lcore 's/{lcore: 0/{lcore: 127/')"
refuses main-lcore-of-a-role 78 'runs no role' "$(config main-lcore-of-a-role 's/main_lcore: 1/main_lcore: 0/')"
refuses device-twice 78 'that of port wire too' \
    "$(config device-twice 's#^gateways:#  - {name: two, profile: vhost, device: '"$XW_TMP"'/run/wire.sock, address: 10.0.0.2}\n&#')"
refuses no-profile 66 profile_directory "$(config no-profile 's/profile: vhost/profile: absent/')"
refuses no-directory 69 directory "$(config no-directory 's#device: .*#device: /nonexistent/wire.sock#')"
refuses bad-eal-argument 71 log-level "$(config bad-eal-argument 's/^dataplane:/dataplane:\n  eal: --main-lcore=99/')"
refuses no-run-directory 73 run_directory \
    "$(config no-run-directory 's#^run_directory:.*#run_directory: /nonexistent/run#')"
refuses no-huge-pages 69 vm.nr_hugepages \
    "$(config no-huge-pages 's/huge_pages: false/huge_pages: true/' 's/memory_mb: 64/memory_mb: 1048576/')"

# A second data plane of the same instance, and one that wants a socket in use.
first=$(config first)
"$dataplane" "$first" 2>"$XW_TMP/first.log" &
pid=$!
trap 'kill -KILL "$pid" 2>/dev/null' EXIT
for _ in $(seq 600); do
    grep -q XW1001 "$XW_TMP/first.log" && break
    sleep 0.1
done
grep -q XW1001 "$XW_TMP/first.log" || { echo "the first did not start:"; cat "$XW_TMP/first.log"; bad=1; }
timeout 60 "$dataplane" "$first" 2>"$XW_TMP/second.err"
status=$?
[ "$status" -eq 69 ] && [ "$(wc -l <"$XW_TMP/second.err")" -eq 1 ] && grep -q wire.sock "$XW_TMP/second.err" ||
    { echo "busy socket: exit $status"; cat "$XW_TMP/second.err"; bad=1; }
timeout 60 "$dataplane" "$(config same-instance 's#wire.sock#other.sock#')" 2>"$XW_TMP/third.err"
status=$?
[ "$status" -eq 69 ] && [ "$(wc -l <"$XW_TMP/third.err")" -eq 1 ] && grep -q instance "$XW_TMP/third.err" ||
    { echo "same instance: exit $status"; cat "$XW_TMP/third.err"; bad=1; }
kill -KILL "$pid"
wait "$pid" 2>/dev/null

# What the killed one has left, a socket and a generation of the region, is in nobody's way.
[ -S "$XW_TMP/run/wire.sock" ] || { echo "the killed data plane left no socket: nothing is tested"; bad=1; }
"$dataplane" "$first" 2>"$XW_TMP/again.log" &
pid=$!
for _ in $(seq 600); do
    grep -q XW1001 "$XW_TMP/again.log" && break
    sleep 0.1
done
grep -q '"XW1001".*"generation":2' "$XW_TMP/again.log" || { echo "after a kill it does not start:"; cat "$XW_TMP/again.log"; bad=1; }
kill -KILL "$pid"
wait "$pid" 2>/dev/null

"$dataplane" "$first" --topology >"$XW_TMP/topology" || bad=1
for words in "gateway 0 *0 *spin *wire, 0" "orders *gateway 0 *matcher 0 *1024" "market data *matcher 0 *publisher 0 *4096" \
    "journal *matcher 0 *journal *65536" "replies *control *gateway 0"; do
    grep -qE "^$words" "$XW_TMP/topology" || { echo "--topology lacks: $words"; bad=1; }
done
exit $bad
