# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What was there before, one file a stage. It is on disk before the first change, and a value that stands in it is never
# replaced: whatever kills us, revert finds the values of the very first apply.
#
#   crosswire-undo 1 STAGE
#   host ID                          the machine that the values belong to (/etc/machine-id)
#   boot ID                          the start of the kernel that they belong to
#   KIND <tab> KEY <tab> =BEFORE <tab> =WANTED <tab> =FLAGS   newline, tab and backslash as \n, \t and \\
#   sum SHA256                       of all lines above
#
# What does not outlive a reboot has gone with it: lines of another boot are dropped, except of items that stay.

undo_lock() {
    mkdir -p "$state" 2>/dev/null || fail 73 "$state can not be made: give --state DIR"
    exec {lock}>"$state/lock" || fail 73 "$state can not be written: give --state DIR"
    flock -n "$lock" || fail 75 "another host works with $state: wait for it"
}

boot_id() {
    local id=none
    read -r id 2>/dev/null <"$root/proc/sys/kernel/random/boot_id"
    echo "$id"
}

host_id() {
    local id=none
    read -r id 2>/dev/null <"$root/etc/machine-id"
    echo "${id:-none}"
}

escape() {
    local text=${1//\\/\\\\}
    text=${text//$'\n'/\\n}
    REPLY=${text//$'\t'/\\t}
}

unescape() {
    printf -v REPLY '%b' "$1"
}

undo_clear() {
    undo_kind=() undo_key=() undo_before=() undo_wanted=() undo_flags=() undo_forgotten=() undo_boot=$(boot_id) undo_host=$(host_id)
}

undo_damaged() { # STAGE WHY
    fail 65 "undo file $state/$1.undo is damaged ($2): compare with 'host plan $1', put right by hand what it lists, and remove the file"
}

# Reads the stage's file into the undo_ arrays; empty when there is none. Damage ends the program, nothing changed.
undo_load() {
    local file=$state/$1.undo text body sum kind key before wanted flags old_boot
    undo_clear
    undo_present=no
    [ -e "$file" ] || return 0
    undo_present=yes
    IFS= read -rd '' text <"$file" || true
    body=${text%sum *}
    sum=${text##*$'\n'sum }
    [ "${body%%$'\n'*}" = "crosswire-undo 1 $1" ] || undo_damaged "$1" "its first line is not 'crosswire-undo 1 $1'"
    [ "$(printf '%s' "$body" | sha256sum | cut -d ' ' -f 1)"$'\n' = "$sum" ] || undo_damaged "$1" "its sum is wrong"
    while IFS=$'\t' read -r kind key before wanted flags; do
        case $kind in
        "crosswire-undo"* | '') continue ;;
        "host "*) [ "${kind#host }" = "$undo_host" ] && continue
            fail 65 "undo file $file is another machine's (${kind#host }, this one is $undo_host): compare with 'host plan $1', put right by hand what it lists, and remove the file" ;;
        "boot "*) old_boot=${kind#boot } && continue ;;
        esac
        if [ "$old_boot" != "$undo_boot" ] && ! has_flag "${flags#=}" stays; then
            [ "$kind" = memo ] || undo_forgotten+=("$key")
            continue
        fi
        unescape "${before#=}" && undo_before+=("$REPLY")
        unescape "${wanted#=}" && undo_wanted+=("$REPLY")
        undo_kind+=("$kind") undo_key+=("$key") undo_flags+=("${flags#=}")
    done <<<"$body"
}

# Writes the arrays, all or nothing, and only returns when they are on disk.
undo_save() {
    local file=$state/$1.undo body i before wanted
    body="crosswire-undo 1 $1"$'\n'"host $undo_host"$'\n'"boot $undo_boot"$'\n'
    for i in "${!undo_key[@]}"; do
        escape "${undo_before[i]}" && before=$REPLY
        escape "${undo_wanted[i]}" && wanted=$REPLY
        body+="${undo_kind[i]}"$'\t'"${undo_key[i]}"$'\t'"=$before"$'\t'"=$wanted"$'\t'"=${undo_flags[i]}"$'\n'
    done
    if ! { printf '%ssum %s\n' "$body" "$(printf '%s' "$body" | sha256sum | cut -d ' ' -f 1)" >"$file.new" &&
        sync "$file.new" && mv "$file.new" "$file" && sync "$state"; } 2>/dev/null; then
        rm -f "$file.new" 2>/dev/null
        fail 74 "undo file $file can not be written, nothing more was changed: make room, or give --state DIR"
    fi
}

undo_remove() {
    rm -f "$state/$1.undo" "$state/$1.undo.new"
    sync "$state"
}

# Sets `at` to the place of KIND KEY in the arrays; returns 1 when it is not there.
undo_find() {
    for at in "${!undo_key[@]}"; do
        [ "${undo_kind[at]}:${undo_key[at]}" != "$1:$2" ] || return 0
    done
    return 1
}

# Whether a directory is one that the stage's undo file says we have made. Needs undo_load.
made_by_us() {
    local at
    undo_find directory "$1"
}

undo_add() { # KIND KEY BEFORE WANTED FLAGS
    undo_kind+=("$1") undo_key+=("$2") undo_before+=("$3") undo_wanted+=("$4") undo_flags+=("$5")
}

undo_drop() { # PLACE
    unset "undo_kind[$1]" "undo_key[$1]" "undo_before[$1]" "undo_wanted[$1]" "undo_flags[$1]"
}
