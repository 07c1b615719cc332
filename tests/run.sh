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

# limited SECONDS COMMAND..: in a process group of its own, so that a Ctrl-C reaches this shell alone, which passes it on.
child=
exec {terminal}>&1
limited() {
    env --default-signal timeout -k 15 "$@" </dev/null &
    child=$!
    wait "$child"
    set -- $?
    child=
    return "$1"
}
interrupted() {
    trap '' INT TERM HUP
    [ -z "$child" ] || { kill -TERM "$child" && wait "$child"; } 2>/dev/null
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

# A cmocka program: every test in it counts.
unit() {
    local program=$1 log=$work/$(basename "$1").log status p s f
    CMOCKA_MESSAGE_OUTPUT=TAP limited 300 "$program" >"$log" 2>&1
    status=$?
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

# A script: one test, named by its first comment line.
script() {
    local file=$1 name log status began=$SECONDS
    name=$(sed -n '2s/^# *//p' "$file")
    export XW_TMP=$work/$(basename "$file" .sh)
    mkdir -p "$XW_TMP"
    log=$XW_TMP.log
    limited 420 "$file" >"$log" 2>&1
    status=$?
    case $status in
    0)
        passed=$((passed + 1))
        say passed "$name" "$((SECONDS - began)) s"
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

matches() { [[ $1 =~ $pattern ]]; }

for file in tests/shape/*.sh; do
    matches "$file" && script "$file"
done
for program in "$build"/tests/unit/test_* "$build"/tests/eal/test_*; do
    if [ -x "$program" ] && [ ! -d "$program" ] && [[ $program != *.[od] ]] && matches "$program"; then unit "$program"; fi
done
for file in tests/scenario/*.sh; do
    [ -x "$file" ] && matches "$file" && script "$file"
done
for program in "$build"/fuzz/tests/fuzz/fuzz_*; do
    if [ -x "$program" ] && [[ $program != *.[od] ]] && matches "$program"; then
        corpus=tests/fuzz/corpus/$(basename "$program" | sed 's/^fuzz_//')
        found=$work/$(basename "$program")
        mkdir -p "$found/new"
        if limited $((${XW_FUZZ_SECONDS:-10} + 110)) "$program" -max_total_time="${XW_FUZZ_SECONDS:-10}" -seed=1 -rss_limit_mb=4096 -artifact_prefix="$found/" \
            "$found/new" $([ -d "$corpus" ] && echo "$corpus") >"$found.log" 2>&1; then
            passed=$((passed + 1))
            say passed "$(basename "$program") finds nothing" "$(grep -Eo 'Done [0-9]+ runs' "$found.log")"
        else
            failed=$((failed + 1))
            failures+=("$program (log: $found.log)")
            say FAILED "$(basename "$program")"
            tail -n 25 "$found.log" | sed 's/^/         /'
        fi
    fi
done

for failure in "${failures[@]+"${failures[@]}"}"; do say failed "$failure"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
