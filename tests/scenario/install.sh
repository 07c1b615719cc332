#!/bin/bash
# make install lays out programs that start and a client library that a program outside the tree is built with
# SPDX-License-Identifier: Apache-2.0
set -u
fail() { echo "FAILED: $*"; exit 1; }
here=${XW_TMP:?a directory to work in} root=${XW_ROOT:?the source tree} build=${XW_BIN:?where the binaries are}
to=$here/to
rm -rf "$to" "$here/firm"
mkdir -p "$here/firm"
goal=$(make -C "$root" -pnq 2>/dev/null | sed -n 's/^.DEFAULT_GOAL := //p')
[ "$goal" = all ] || fail "make alone builds '$goal', not all"
make=(make -s -C "$root" B="$build" DESTDIR="$to" PREFIX=/opt/xw)
"${make[@]}" install || fail "make install"
for file in sbin/crosswire-dataplane sbin/crosswire-control bin/xwctl bin/xwreplay; do
    "$to/opt/xw/$file" --help >"$here/help" || fail "$file --help ends with $?"
    grep -q '^usage: ' "$here/help" || fail "$file --help: $(cat "$here/help")"
    version=$("$to/opt/xw/$file" --version) || fail "$file --version ends with $?"
    [[ $version == "$(basename "$file") $(PKG_CONFIG_PATH=$to/opt/xw/lib/pkgconfig pkg-config --modversion crosswire-client),"* ]] ||
        fail "$file --version: $version, and the library's version is another"
done
[ "$(stat -c %a "$to/etc/crosswire/crosswire.yaml")" = 640 ] || fail "anybody can read crosswire.yaml"
! grep -n 'build/run\|profile_directory: nic' "$to/etc/crosswire/crosswire.yaml" || fail "crosswire.yaml names the source tree"
sed -i "s#/opt/xw/share#$to/opt/xw/share#" "$to/etc/crosswire/crosswire.yaml"
"$to/opt/xw/bin/xwctl" config check "$to/etc/crosswire/crosswire.yaml" || fail "crosswire.yaml is not accepted"
(cd / && "$to/opt/xw/bin/xwctl" nic list) | grep -q '^vhost ' || fail "xwctl does not find the profiles beside it"
"$to/opt/xw/sbin/crosswire-dataplane" "$to/etc/crosswire/crosswire.yaml" --topology >/dev/null || fail "crosswire-dataplane --topology"

# As a firm does it: the installed example and the installed library alone, with strict settings of its own.
cd "$here/firm" || exit 1
cp "$to/opt/xw/share/doc/crosswire/examples/example_order.c" .
export PKG_CONFIG_PATH=$to/opt/xw/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$to
cc -std=c11 -Wall -Wextra -Werror -pedantic -D_POSIX_C_SOURCE=200809L -o order example_order.c $(pkg-config --cflags --libs crosswire-client) ||
    fail "the example does not compile against the installed library"
./order >/dev/null 2>&1
[ $? -eq 64 ] || fail "the example does not run"
for header in "$to"/opt/xw/include/crosswire/client/*.h; do
    echo "#include \"client/$(basename "$header")\"" >one.c
    echo 'int main(void) { return 0; }' >>one.c
    cc -std=c11 -Wall -Wextra -Werror -pedantic -c -o one.o one.c $(pkg-config --cflags crosswire-client) ||
        fail "$(basename "$header") does not stand alone"
done
names=$(nm -g --defined-only "$to/opt/xw/lib/libcrosswire-client.a" | awk 'NF == 3 && $3 !~ /^xw_/ {print $3}')
[ -z "$names" ] || fail "the library has names that are not its own: $names"

"${make[@]}" uninstall || fail "make uninstall"
left=$(find "$to" -type f | sort | paste -sd' ')
[ "$left" = "$to/etc/crosswire/crosswire.yaml $to/etc/crosswire/limits.yaml" ] || fail "uninstall leaves: $left"
