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
# What the tests' own build holds is not compiled again: the program by gcc -O3, the fuzzers' engine by clang with sanitizers;
# unless it is of other flags, which its debugging information tells, or older than the sources.
current() { [ -e "$1" ] && [ -z "$(find dataplane/engine dataplane/contract "${rig[@]}" -newer "$1" -print -quit)" ]; }
by_gcc_plain() {
    readelf --debug-dump=info --dwarf-depth=1 "$1" 2>/dev/null | grep -m1 DW_AT_producer | grep 'GNU C11.* -O3' | grep -qv -e -fsanitize
}
gcc_plain() {
    local built=$XW_BIN/tests/unit/test_engine_hash
    if current "$built" && by_gcc_plain "$XW_BIN/dataplane/engine/step.o"; then
        hash gcc-plain "$built"
    else
        build gcc-plain gcc -O3 "${engine[@]}" "${rig[@]}"
    fi
}
sanitized=(-gline-tables-only -fsanitize=address,undefined -fno-sanitize-recover=all)
clang_sanitized() {
    local built=$XW_BIN/fuzz
    if current "$built/engine.a" && current "$built/contract.a"; then
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
