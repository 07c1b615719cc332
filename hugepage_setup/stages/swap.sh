# shellcheck shell=bash
# Swap: off
# SPDX-License-Identifier: Apache-2.0
stage_swap() {
    local area rest at
    want value /proc/sys/vm/swappiness 0 "control's memory is not swapped out for the sake of file caches"
    while read -r area rest; do
        [[ $area == /* && -n $rest ]] || continue
        want swap "$(printf '%b' "$area")" off 'a page that is swapped out comes back in milliseconds'
    done 2>/dev/null <"$root/proc/swaps"
    # What we have turned off is in no list any more.
    for at in "${!undo_key[@]}"; do
        [ "${undo_kind[at]}" != swap ] || [[ " ${item_key[*]} " == *" ${undo_key[at]} "* ]] ||
            want swap "${undo_key[at]}" off 'turned off by an apply before'
    done
}
