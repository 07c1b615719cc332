#!/bin/bash
# The units as installed: systemd-analyze has nothing to say, exposure stays low, templates differ in names alone, filters suffice
# SPDX-License-Identifier: Apache-2.0
set -u
fail() { echo "FAILED: $*"; exit 1; }
here=${XW_TMP:?a directory to work in} root=${XW_ROOT:?the source tree} build=${XW_BIN:?where the binaries are}
command -v systemd-analyze >/dev/null || { echo "skipped because there is no systemd-analyze"; exit 77; }
rm -rf "$here/to" "$here/units"
make -s -C "$root" B="$build" DESTDIR="$here/to" install || fail "make install"
units=$here/to/usr/lib/systemd/system
cp -r "$units" "$here/units"
# What they start lies in the installed tree here.
sed -i "s#=/usr/#=$here/to/usr/#" "$here"/units/*.service
export SYSTEMD_UNIT_PATH=$here/units:
for unit in "$here"/units/*; do
    name=$(basename "$unit")
    cp "$unit" "$here/units/${name/@./@second.}" 2>/dev/null # verify wants an instance's name
    said=$(systemd-analyze verify --recursive-errors=no "$here/units/${name/@./@second.}" 2>&1)
    [ -z "$said" ] || fail "systemd-analyze verify $name: $said"
done

# exposure UNIT MOST: in tenths.
exposure() {
    local line
    line=$(systemd-analyze security --offline=true --no-pager "$units/$1" | tail -n 1)
    [[ $line =~ :\ ([0-9]+)\.([0-9]) ]] || fail "no exposure of $1: $line"
    [ $((BASH_REMATCH[1] * 10 + BASH_REMATCH[2])) -le "$2" ] || fail "$line"
    echo "$line"
}
for suffix in '' @; do
    exposure crosswire-dataplane$suffix.service 20
    exposure crosswire-control$suffix.service 15
done

for unit in crosswire-dataplane crosswire-control; do
    differ=$(diff "$units/$unit.service" "$units/$unit@.service" | grep '^>' | grep -v '%i')
    [ -z "$differ" ] || fail "$unit@ is not $unit of an instance: $differ"
    ! grep -nE 'crosswire\.(yaml|target)|crosswire-control\.service|journal$' "$units/$unit@.service" | grep -v '%i' || fail "$unit@ names the first instance"
    codes=$(sed -n 's/^RestartPreventExitStatus=//p' "$units/$unit.service")
    for code in 64 65 66 77 78; do
        [[ " $codes " == *" $code "* ]] || fail "$unit is tried again after exit code $code"
    done
done

# Another prefix.
make -s -C "$root" B="$build" DESTDIR="$here/other" PREFIX=/opt/xw install || fail "make install PREFIX=/opt/xw"
! grep -rn '=.*/usr/\(sbin/crosswire\|bin/xwctl\|share/crosswire\)' "$here/other/opt/xw/lib/systemd" || fail "a unit names /usr though the prefix is /opt/xw"
rm -rf "$here/other"
# Units elsewhere are not found by systemd on its own, and the last line of the install says so.
for prefix in /usr:'daemon-reload' /opt/xw:'systemctl link /opt/xw/lib/systemd/system/crosswire'; do
    make -n --no-print-directory -C "$root" B="$build" PREFIX="${prefix%%:*}" install | tail -n 1 | grep -q "next, as root: .*${prefix#*:}" || fail "the next steps after make install PREFIX=${prefix%%:*}"
done
