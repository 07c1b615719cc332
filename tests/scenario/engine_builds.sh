#!/bin/bash
# the engine gives the same event hash from gcc and clang, -O0 and -O3, with sanitizers and without
# SPDX-License-Identifier: Apache-2.0
set -u
here=${XW_TMP:?a directory to work in} root=${XW_ROOT:?the source tree}
command -v clang >/dev/null || { echo "clang is not installed"; exit 77; }
cd "$root" || exit 1
sources=(dataplane/engine/*.c dataplane/contract/assert.c tests/support/engine_rig.c tests/support/random_flow.c tests/unit/test_engine_hash.c)

build() { # NAME COMPILER FLAGS..
    local name=$1 compiler=$2
    shift 2
    "$compiler" -std=c11 -march=x86-64-v3 -fno-strict-aliasing -D_GNU_SOURCE -Idataplane -I. "$@" -o "$here/$name" "${sources[@]}" -lcmocka &&
        "$here/$name" 2>&1 | grep -o 'event hash of .*' >"$here/$name.hash"
}
sanitized=(-g -fsanitize=address,undefined -fno-sanitize-recover=all)
build gcc-plain gcc -O3 &
build clang-plain clang -O0 &
wait
build gcc-sanitized gcc -O0 "${sanitized[@]}" &
build clang-sanitized clang -O3 "${sanitized[@]}" &
wait
status=0
for name in gcc-plain clang-plain gcc-sanitized clang-sanitized; do
    echo "$name: $(cat "$here/$name.hash")"
    grep -q hash "$here/$name.hash" && cmp -s "$here/$name.hash" "$here/gcc-plain.hash" || status=1
done
exit $status
