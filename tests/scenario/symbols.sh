#!/bin/bash
# No two libraries that are linked together define the same symbol: the linker would take the first without a word
# SPDX-License-Identifier: Apache-2.0
set -u
here=${XW_TMP:?a directory to work in} built=${XW_BIN:?where the libraries are}

# twice ARCHIVE..: what more than one object of theirs defines, a line a symbol: its name, then who defines it
twice() {
    nm -A -g --defined-only "$@" | awk 'NF == 3 && $2 !~ /[WVwv]/ {
        sub(/:[0-9a-f]*$/, "", $1); sub(/.*\//, "", $1); times[$3]++; where[$3] = where[$3] " " $1
    } END { for (name in times) if (times[name] > 1) print name ":" where[name] }' | sort
}

# This test can fail: two libraries that share one name, and each a name of its own.
mkdir -p "$here/one" "$here/two" && cd "$here" || exit 1
echo 'int shared_name(void); int name_of_one(void); int shared_name(void) { return 1; } int name_of_one(void) { return 1; }' >one/desk.c
echo 'int shared_name(void); int name_of_two(void); int shared_name(void) { return 2; } static int hidden(void) { return 2; } int name_of_two(void) { return hidden(); }' >two/kill.c
for library in one two; do
    cc -c -o "$library/part.o" "$library"/*.c && ar rcs "$library.a" "$library/part.o" || exit 1
done
[ "$(twice one.a two.a)" = "shared_name: one.a:part.o two.a:part.o" ] || { echo "a planted double is told as: $(twice one.a two.a)"; exit 1; }
[ -z "$(twice one.a)" ] || { echo "one library alone has doubles: $(twice one.a)"; exit 1; }

libraries=()
for library in contract engine io cores dataplane client control ctl perf; do
    [ -f "$built/$library.a" ] || { echo "$built/$library.a is not there: the list of this test is not the Makefile's"; exit 1; }
    libraries+=("$built/$library.a")
done
[ "$(nm -g --defined-only "${libraries[@]}" | grep -c ' [TDBR] ')" -gt 200 ] || { echo "the libraries define next to nothing"; exit 1; }
doubles=$(twice "${libraries[@]}")
[ -z "$doubles" ] && exit 0
echo "$doubles"
exit 1
