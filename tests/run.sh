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

# begin KIND:TEST LOG SECONDS COMMAND..: starts it in a process group of its own, so that a Ctrl-C reaches this shell alone, which
# passes it on. Its output goes to LOG.
declare -A running=() # KIND:TEST, by process
exec {terminal}>&1
begin() {
    local test=$1 log=$2
    shift 2
    env --default-signal timeout -k 15 "$@" </dev/null >"$log" 2>&1 &
    running[$!]=$test
}
# several WIDTH KIND:TEST..: so many at once; start_KIND TEST begins one, judge_KIND TEST STATUS says what came of it.
several() {
    local width=$1 test status pid ended
    shift
    for test in "$@" ""; do
        while [ ${#running[@]} -ge "$width" ] || { [ -z "$test" ] && [ ${#running[@]} -gt 0 ]; }; do
            status=0
            wait -n -p pid || status=$?
            ended=${running[$pid]}
            unset "running[$pid]"
            "judge_${ended%%:*}" "${ended#*:}" $status
        done
        [ -z "$test" ] || "start_${test%%:*}" "${test#*:}"
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
        failures+=("$program (log: $log)")
        say FAILED "$(basename "$program")" "$p passed, $f failed, exit $status"
        tail -n 25 "$log" | sed 's/^/         /'
    else
        say passed "$(basename "$program")" "$p tests${s:+, $s skipped}"
    fi
}

export CMOCKA_MESSAGE_OUTPUT=TAP
start_unit() { begin "unit:$1" "$work/$(basename "$1").log" 300 "$1"; }

# A script: one test, named by its first comment line.
declare -A started=()
start_script() {
    export XW_TMP=$work/$(basename "$1" .sh)
    mkdir -p "$XW_TMP"
    started[$1]=$SECONDS
    begin "script:$1" "$XW_TMP.log" 420 "$1"
}
judge_script() {
    local file=$1 status=$2 name log=$work/$(basename "$1" .sh).log
    name=$(sed -n '2s/^# *//p' "$file")
    case $status in
    0)
        passed=$((passed + 1))
        say passed "$name" "$((SECONDS - started[$file])) s"
        ;;
    77)
        skipped=$((skipped + 1))
        say skipped "$name" "$(tail -n 1 "$log")"
        ;;
    *)
        failed=$((failed + 1))
        failures+=("$file (log: $log)")
        say FAILED "$name" "exit $status"
        tail -n 25 "$log" | sed 's/^/         /'
        ;;
    esac
}

# A fuzz target: a bounded time from a fixed seed and the corpus.
start_fuzzer() {
    local corpus found=$work/$(basename "$1")
    corpus=tests/fuzz/corpus/$(basename "$1" | sed 's/^fuzz_//')
    mkdir -p "$found/new"
    begin "fuzzer:$1" "$found.log" $((${XW_FUZZ_SECONDS:-6} + 110)) "$1" -max_total_time="${XW_FUZZ_SECONDS:-6}" -seed=1 -rss_limit_mb=4096 \
        -artifact_prefix="$found/" "$found/new" $([ -d "$corpus" ] && echo "$corpus")
}
judge_fuzzer() {
    local program=$1 status=$2 log=$work/$(basename "$1").log
    if [ "$status" -eq 0 ]; then
        passed=$((passed + 1))
        say passed "$(basename "$program") finds nothing" "$(grep -Eo 'Done [0-9]+ runs' "$log")"
    else
        failed=$((failed + 1))
        failures+=("$program (log: $log)")
        say FAILED "$(basename "$program")"
        tail -n 25 "$log" | sed 's/^/         /'
    fi
}

matches() { [[ $1 =~ $pattern ]]; }

# chosen KIND FILE..: of these, what can be run and matches, added to `tests` as KIND:FILE
chosen() {
    local file kind=$1
    shift
    for file in "$@"; do
        if [ -x "$file" ] && [ ! -d "$file" ] && [[ $file != *.[od] ]] && matches "$file"; then tests+=("$kind:$file"); fi
    done
}
# What keeps one CPU busy and nothing else goes side by side, the longest first; what polls on cores of its own, alone.
beside=(tests/scenario/{hugepage_setup,engine_builds,engine_instructions,install,symbols,units}.sh)
tests=()
chosen script tests/shape/static.sh "${beside[@]}" $(printf '%s\n' tests/shape/*.sh | grep -v /static.sh)
chosen unit "$build"/tests/unit/test_*
chosen fuzzer "$build"/fuzz/tests/fuzz/fuzz_*
several "$(nproc)" "${tests[@]}"
tests=()
chosen unit "$build"/tests/eal/test_*
chosen script $(printf '%s\n' tests/scenario/*.sh | grep -vxFf <(printf '%s\n' "${beside[@]}"))
several 1 "${tests[@]}"

for failure in "${failures[@]+"${failures[@]}"}"; do say failed "$failure"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
