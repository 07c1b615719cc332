#!/bin/bash
# Runs the tests and ends with one line: N passed, N failed, N skipped.
#   tests/run.sh BUILD [PATTERN]   BUILD holds the binaries; PATTERN limits the run to tests whose path matches it
# Ctrl-C ends the test that runs, which then leaves nothing behind, and the rest is left out (exit 130).
# Environment: XW_STREAMS, where order streams lie (found beside the repository otherwise); XW_FUZZ_SECONDS a fuzz target.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "${1:?usage: tests/run.sh BUILD [PATTERN]}")
pattern=${2:-.}
export XW_BIN=$build XW_ROOT=$PWD
work=$build/test-work
exec {lock}>"$build/test.lock"
flock -n "$lock" || {
    echo "tests/run.sh: another run tests ${build#"$PWD"/}: wait for it, or test another build"
    exit 75
}
rm -rf "$work"
mkdir -p "$work"
passed=0 failed=0 skipped=0
failures=()
# A leak that is not ours is named there, with the reason.
export LSAN_OPTIONS="suppressions=$PWD/tests/support/leaks.supp:print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}"

say() { printf '%-8s %s%s\n' "$1" "$2" "${3:+  ($3)}"; }

# Two lanes. Alone: what polls on cores of its own or waits for the clock, one at a time, on the first CPUs. Beside: what computes and
# does nothing else; it takes what the first lane leaves of the CPUs that no data plane polls on, and all of them once that is through.
mapfile -t cpus < <(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status | tr ',' '\n' | while IFS=- read -r from to; do seq "$from" "${to:-$from}"; done)
spare=("${cpus[-1]}")
[ ${#cpus[@]} -lt 4 ] || spare=("${cpus[@]:3}")
# A session of its own is a scheduling group of its own (autogroup), in which nice says nothing of the other groups: the group gets
# the same. The kernel takes ten changes a second from who is not root.
modest='if [ -w /proc/self/autogroup ]; then for try in 1 2 3 4 5; do echo 19 >/proc/self/autogroup && break; sleep 0.1; done 2>/dev/null; fi
exec nice -n 19 "$@"'

# begin KIND:TEST LOG SECONDS COMMAND..: starts it in a session of its own, so that a Ctrl-C reaches this shell alone, which passes it
# on. Its output goes to LOG.
declare -A running=() started=() # KIND:TEST by process, seconds by TEST
lane='' alone=0                  # of what is started next; how many are left of the first lane
exec {terminal}>&1
begin() {
    local test=$1 log=$2 aside=()
    shift 2
    started[${test#*:}]=$SECONDS
    [ "$lane" != beside ] || [ "$alone" -eq 0 ] || aside=(taskset -c "$(IFS=, && echo "${spare[*]}")" bash -c "$modest" modest)
    env --default-signal setsid "${aside[@]}" timeout -k 15 "$@" </dev/null >"$log" 2>&1 &
    running[$!]=$lane=$test
}
# begin_in DIRECTORY KIND:TEST COMMAND..: the same, in a directory that no other test knows: a script empties its own when it begins,
# and unit tests are started beside it.
begin_in() {
    mkdir -p "$1"
    begin "$2" "$1.log" 600 env XW_TMP="$1" "${@:3}"
}
# What runs beside may use all CPUs.
everywhere() {
    local session pid
    for session in "${!running[@]}"; do
        for pid in $(pgrep -s "$session"); do taskset -apc "$(IFS=, && echo "${cpus[*]}")" "$pid"; done
    done >/dev/null 2>&1
}
took() { echo "$((SECONDS - started[$1])) s"; }
ended() {
    local status=0 pid test
    wait -n -p pid || status=$?
    test=${running[$pid]}
    unset "running[$pid]"
    if [[ $test == alone=* ]]; then
        alone=$((alone - 1))
        [ "$alone" -gt 0 ] || everywhere
    fi
    test=${test#*=}
    "judge_${test%%:*}" "${test#*:}" $status
}
# Both lanes, each an array of KIND:TEST. start_KIND TEST begins one, judge_KIND TEST STATUS says what came of it.
first=() second=()
lanes() {
    local width test i=0 j=0
    alone=${#first[@]}
    while [ $i -lt ${#first[@]} ] || [ $j -lt ${#second[@]} ] || [ ${#running[@]} -gt 0 ]; do
        lane=alone width=1 test=${first[i]-}
        if [ -n "$test" ] && [[ "${running[*]}" != *alone=* ]]; then
            "start_${test%%:*}" "${test#*:}"
            i=$((i + 1))
            continue
        fi
        lane=beside width=${#cpus[@]} test=${second[j]-}
        [ "$alone" -eq 0 ] || width=$((${#spare[@]} + 1))
        if [ -n "$test" ] && [ ${#running[@]} -lt "$width" ] && ! { [ -n "$building" ] && [[ $test =~ $built ]]; }; then
            "start_${test%%:*}" "${test#*:}"
            j=$((j + 1))
            continue
        fi
        ended
    done
}
interrupted() {
    trap '' INT TERM HUP
    [ ${#running[@]} -eq 0 ] || { kill -TERM "${!running[@]}" && wait "${!running[@]}"; } 2>/dev/null
    echo "interrupted: $passed passed, $failed failed and $skipped skipped until then" >&"$terminal"
    exit 130
}
trap interrupted INT TERM HUP

# Small order streams with known trades, made once by the programs that stand beside the repository.
if [ -z "${XW_STREAMS:-}" ]; then
    if [ -f ../shared/streams/make.sh ]; then
        export XW_STREAMS=$build/streams
        if [ ! -f "$XW_STREAMS/s64.trades" ]; then
            say making "order streams in $XW_STREAMS"
            bash ../shared/streams/make.sh "$XW_STREAMS" small >"$build/streams.log" 2>&1 ||
                { say warning "no order streams" "see $build/streams.log"; }
        fi
    fi
fi

# failure TEST LOG WHAT: shown at once, and at the end again.
failure() {
    failures+=("$1" "$2")
    say FAILED "$1" "$3"
    told "$2"
}
# What a log says of what failed: cmocka's lines of it; else a scenario's line, and the last ones.
told() {
    { grep -A 6 '^not ok' "$1" || { grep '^FAILED' "$1"; tail -n 25 "$1"; }; } | cut -c 1-400 | head -n 50 | sed 's/^/         /'
}

# What programs need that not every run needs, so that it is built beside.
building='' built='^fuzzer:|/simulator|/engine_builds'
start_build() {
    building=$1
    begin "build:$1" "$work/build.log" 1200 make --no-print-directory -j"${#cpus[@]}" B="${build#"$PWD/"}" $1
}
judge_build() {
    building=
    if [ "$2" -eq 0 ]; then say built "$1" "$(took "$1")"; else failed=$((failed + 1)) && failure "make $1" "$work/build.log" "exit $2"; fi
}

# A cmocka program that has ended with a status: every test in it counts.
judge_unit() {
    local program=$1 status=$2 log=$work/$(basename "$1").log p s f
    # cmocka says `not ok N # SKIP name` for a skipped test.
    s=$(grep -cE '^(not )?ok .*# *SKIP' "$log")
    p=$(grep -E '^ok ' "$log" | grep -cvE '# *SKIP')
    f=$(grep -E '^not ok ' "$log" | grep -cvE '# *SKIP')
    # A program that ended badly without saying which test failed (a crash, a sanitizer) is a failure of its own.
    if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    if [ "$status" -eq 0 ] && [ $((p + s)) -eq 0 ]; then f=1; fi
    passed=$((passed + p)) skipped=$((skipped + s)) failed=$((failed + f))
    grep -hE '^unsupported:' "$log"
    grep -hE '^# *(skip|SKIP)|skipped because' "$log" | sed 's/^# */         /'
    if [ "$f" -gt 0 ]; then
        failure "$(basename "$program")" "$log" "$p passed, $f failed, exit $status"
    else
        say passed "$(basename "$program")" "$p tests${s:+, $s skipped}, $(took "$program")"
    fi
}

export CMOCKA_MESSAGE_OUTPUT=TAP
start_unit() { begin_in "$work/$(basename "$1")" "unit:$1" "$1"; }

# A script: one test, named by its first comment line.
start_script() { begin_in "$work/$(basename "$1" .sh)" "script:$1" "$1"; }
judge_script() {
    local file=$1 status=$2 name log=$work/$(basename "$1" .sh).log
    name=$(sed -n '2s/^# *//p' "$file")
    case $status in
    0)
        passed=$((passed + 1))
        say passed "$name" "$(took "$file")"
        ;;
    77)
        skipped=$((skipped + 1))
        say skipped "$name" "$(tail -n 1 "$log")"
        ;;
    *)
        failed=$((failed + 1))
        failure "$name" "$log" "$file, exit $status"
        ;;
    esac
}

# A fuzz target: a bounded time from a fixed seed and the corpus.
fuzz_seconds=${XW_FUZZ_SECONDS:-6}
start_fuzzer() {
    local corpus found=$work/$(basename "$1")
    corpus=tests/fuzz/corpus/$(basename "$1" | sed 's/^fuzz_//')
    mkdir -p "$found/new"
    begin "fuzzer:$1" "$found.log" $((fuzz_seconds + 110)) "$1" -max_total_time="$fuzz_seconds" -seed=1 -rss_limit_mb=4096 \
        -artifact_prefix="$found/" "$found/new" $([ -d "$corpus" ] && echo "$corpus")
}
judge_fuzzer() {
    local program=$1 status=$2 log=$work/$(basename "$1").log
    if [ "$status" -eq 0 ]; then
        passed=$((passed + 1))
        say passed "$(basename "$program") finds nothing" "$(grep -Eo 'Done [0-9]+ runs' "$log")"
    else
        failed=$((failed + 1))
        failure "$(basename "$program")" "$log" "exit $status"
    fi
}

matches() { [[ $1 =~ $pattern ]]; }

# chosen LANE KIND FILE..: of these, what can be run and matches, added to the lane as KIND:FILE, once.
chosen() {
    local -n to=$1
    local file kind=$2
    shift 2
    for file in "$@"; do
        if [ -x "$file" ] && [ ! -d "$file" ] && [[ $file != *.[od] ]] && matches "$file" && [ -z "${known[$file]-}" ]; then
            to+=("$kind:$file") known[$file]=$kind
        fi
    done
}
declare -A known=()
# The longest of what computes only first; what has deadlines of its own last, when there are CPUs for it.
compute=(simulator_faults engine_builds hugepage_setup simulator engine_instructions install symbols units lanes)
chosen second unit "$build"/tests/unit/test_engine_random
chosen second script tests/shape/static.sh $(printf 'tests/scenario/%s.sh ' "${compute[@]}") tests/shape/*.sh
chosen second unit "$build"/tests/unit/test_engine_* "$build"/tests/unit/test_*
# The fuzzers have one build, and a fixed one.
if [ "$build" = "$PWD/build" ]; then
    for source in tests/fuzz/fuzz_*.c; do
        source=$build/fuzz/${source%.c}
        ! matches "$source" || second+=("fuzzer:$source")
    done
fi
targets=
[[ "${second[*]}" != *fuzzer:* ]] || targets=fuzzers
[[ "${second[*]}" != */simulator* ]] || targets+=" simulator"
[ -z "$targets" ] || second=("build:${targets# }" "${second[@]}")
chosen first unit "$build"/tests/eal/test_*
chosen first script tests/scenario/*.sh
lanes

for ((i = 0; i < ${#failures[@]}; i += 2)); do
    say failed "${failures[i]}" "${failures[i + 1]}"
    told "${failures[i + 1]}"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
