#!/bin/bash
# the engine gives the same event hash from gcc and clang, -O0 and -O3, with sanitizers and without
# SPDX-License-Identifier: Apache-2.0
set -u
here=${XW_TMP:?a directory to work in} root=${XW_ROOT:?the source tree}
command -v clang >/dev/null || { echo "clang is not installed"; exit 77; }
cd "$root" || exit 1
rig=(tests/support/engine_rig.c tests/support/random_flow.c tests/unit/test_engine_hash.c)
engine=(dataplane/engine/*.c dataplane/contract/assert.c)

hash() { # NAME PROGRAM
    "$2" 2>&1 | grep -o 'event hash of .*' >"$here/$1.hash"
}
build() { # NAME COMPILER FLAGS AND SOURCES..
    local name=$1 compiler=$2
    shift 2
    "$compiler" -std=c11 -march=x86-64-v3 -fno-strict-aliasing -D_GNU_SOURCE -Idataplane -I. "$@" -o "$here/$name" -lcmocka &&
        hash "$name" "$here/$name"
}
# What the tests' own build holds is not compiled again: the program by gcc -O3, the fuzzers' engine by clang with sanitizers.
# (A build by other flags says so in its debugging information.)
built_by() { # WORDS FLAG OBJECT..: its compiler is WORDS, the flag is among its flags, no sanitizer is
    readelf --debug-dump=info --dwarf-depth=1 "$3" 2>/dev/null | grep -m1 'DW_AT_producer' | grep -e "$1" | grep -e "$2" | grep -qv -- -fsanitize
}
gcc_plain() {
    local built=$XW_BIN/tests/unit/test_engine_hash
    if [ -x "$built" ] && built_by 'GNU C11' ' -O3' "$XW_BIN/dataplane/engine/step.o"; then
        hash gcc-plain "$built"
    else
        build gcc-plain gcc -O3 "${engine[@]}" "${rig[@]}"
    fi
}
sanitized=(-gline-tables-only -fsanitize=address,undefined -fno-sanitize-recover=all)
clang_sanitized() {
    local built=$XW_BIN/fuzz
    if [ -f "$built/engine.a" ] && [ -f "$built/contract.a" ]; then
        build clang-sanitized clang -O1 "${sanitized[@]}" -fsanitize=fuzzer-no-link "${rig[@]}" "$built/engine.a" "$built/contract.a" \
            -lsodium -lcyaml -lm
    else
        build clang-sanitized clang -O1 "${sanitized[@]}" "${engine[@]}" "${rig[@]}"
    fi
}
build gcc-sanitized gcc -O0 -g1 "${sanitized[@]:1}" "${engine[@]}" "${rig[@]}" &
build clang-plain clang -O3 "${engine[@]}" "${rig[@]}"
gcc_plain
clang_sanitized
wait
status=0
for name in gcc-plain clang-plain gcc-sanitized clang-sanitized; do
    echo "$name: $(cat "$here/$name.hash")"
    grep -q hash "$here/$name.hash" && cmp -s "$here/$name.hash" "$here/gcc-plain.hash" || status=1
done
exit $status
