# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# check, plan, apply and revert of one stage's items. Each returns an exit code.

# One line for a value, however long.
short() {
    local text=${1%$'\n'}
    if [ -z "$text" ]; then
        REPLY='nothing'
    elif [[ $text == *$'\n'* ]]; then
        REPLY="$(grep -c '' <<<"$text") lines"
    else
        REPLY=$text
    fi
}

# Sets item_state (same, differs, absent or fixed) and item_now of item I.
look() {
    item_now=
    if ! "get_${item_kind[$1]}" "${item_key[$1]}"; then
        item_state=absent
    elif [ "$got" = "${item_value[$1]}" ]; then
        item_state=same
    elif [ "${item_kind[$1]}" = value ] && [ "$may_write" = yes ] && [ ! -w "$root${item_key[$1]}" ]; then
        item_state=fixed
    else
        item_state=differs
    fi
    item_now=$got
}

check_stage() {
    local i status=0
    echo "$1: $(stage_title "$1")"
    for i in "${!item_key[@]}"; do
        [ "${item_kind[i]}" != memo ] || continue
        look "$i"
        short "$item_now" && local now=$REPLY
        short "${item_value[i]}"
        case $item_state in
        same) echo "  ok       ${item_key[i]} is $now" ;;
        absent) echo "  absent   ${item_key[i]}: $now" ;;
        fixed) echo "  fixed    ${item_key[i]} is $now and can not be changed here, wanted is $REPLY" ;;
        differs)
            echo "  differs  ${item_key[i]} is $now, wanted is $REPLY"
            status=1 ;;
        esac
    done
    say_facts || status=1
    if [ -n "$refusal" ]; then
        echo "  refused  $refusal"
        status=1
    fi
    return $status
}

stage_title() { sed -n '2s/^# *//p' "$here/stages/$1.sh"; }

# Prints what a stage only looks at; returns 1 when something of it is bad.
say_facts() {
    local i status=0
    for i in "${!fact_text[@]}"; do
        if [ "${fact_state[i]}" = good ]; then
            echo "  ok       ${fact_text[i]}"
        else
            echo "  differs  ${fact_text[i]}${fact_mend[i]:+: ${fact_mend[i]}}"
            status=1
        fi
    done
    return $status
}

plan_stage() {
    local i count=0 lasts
    echo "$1: $(stage_title "$1")"
    if [ -n "$refusal" ]; then echo "  refused: $refusal"; fi
    for i in "${!item_key[@]}"; do
        [ "${item_kind[i]}" != memo ] || continue
        look "$i"
        short "$item_now" && local now=$REPLY
        short "${item_value[i]}"
        case $item_state in
        same) echo "  keep   ${item_key[i]} = $now" ;;
        absent) echo "  skip   ${item_key[i]}: $now" ;;
        fixed) echo "  skip   ${item_key[i]} = $now can not be changed here, wanted is $REPLY" ;;
        differs)
            count=$((count + 1))
            lasts='at once, until a reboot'
            if has_flag "${item_flags[i]}" stays; then lasts='at once, and after a reboot'; fi
            if has_flag "${item_flags[i]}" reboot; then lasts='after the next reboot'; fi
            echo "  change ${item_key[i]}"
            echo "    from   $now"
            echo "    to     $REPLY"
            echo "    why    ${item_why[i]}"
            echo "    when   $lasts"
            "say_${item_kind[i]}" "${item_key[i]}" "${item_value[i]}" ;;
        esac
    done
    say_facts || true
    echo "  $count changes"
}

# ---- apply ----------------------------------------------------------------------------------------------------------

apply_stage() {
    local i at changes=()
    echo "$1: $(stage_title "$1")"
    if [ -n "$refusal" ]; then
        echo "$program: $1 refused, nothing changed: $refusal" >&2
        return 69
    fi
    say_forgotten
    remember_undo
    for i in "${!item_key[@]}"; do
        look "$i"
        short "$item_now"
        case $item_state in
        same) [ "${item_kind[i]}" = memo ] || echo "  is     ${item_key[i]} = $REPLY" ;;
        absent) echo "  skip   ${item_key[i]}: $REPLY" ;;
        fixed) echo "  skip   ${item_key[i]} = $REPLY can not be changed here" ;;
        differs)
            [ "${item_kind[i]}" = memo ] || changes+=("$i")
            if undo_find "${item_kind[i]}" "${item_key[i]}"; then
                [ "${item_kind[i]}" = memo ] || undo_wanted[at]=${item_value[i]}
            else
                undo_add "${item_kind[i]}" "${item_key[i]}" "$item_now" "${item_value[i]}" "${item_flags[i]}"
            fi
            note_hook "${item_flags[i]}" ;;
        esac
    done
    [ ${#changes[@]} -eq 0 ] || undo_save "$1"
    change_items "$1" "${changes[@]}" || return $?
    run_hooks "$1"
    say_facts || true
}

say_forgotten() {
    local key
    for key in "${undo_forgotten[@]}"; do echo "  went   $key, with the last reboot"; done
}

# The undo file's lines as they were, for a stage that is refused half way.
remember_undo() {
    old_kind=("${undo_kind[@]}") old_key=("${undo_key[@]}") old_before=("${undo_before[@]}")
    old_wanted=("${undo_wanted[@]}") old_flags=("${undo_flags[@]}") old_present=$undo_present
}

# A command that has to run after the change is remembered with it, so that a kill between the two does not lose it.
note_hook() {
    local word at
    for word in $1; do
        [[ $word != after=* ]] || undo_find memo "$word" || undo_add memo "$word" '' pending stays
    done
}

change_items() { # STAGE ITEMS..
    local stage=$1 i done_items=() done_before=()
    shift
    for i in "$@"; do
        look "$i"
        done_items=("$i" "${done_items[@]}") done_before=("$item_now" "${done_before[@]}")
        if "set_${item_kind[i]}" "${item_key[i]}" "${item_value[i]}"; then
            look "$i"
            if [ "$item_state" = same ] || not_run "${item_kind[i]}"; then continue; fi
            reason="it is ${item_now:-empty} after that"
        fi
        if has_flag "${item_flags[i]}" soft; then
            echo "    kept   ${item_key[i]}: the kernel does not let it go ($reason)"
            continue
        fi
        echo "  undone, because ${item_key[i]} was refused:"
        local what="set to ${item_value[i]}" mend=$refused_mend why=$reason # what is put back has reasons of its own
        roll_back
        restore_undo "$stage"
        case ${item_kind[i]} in
        file) what=written mend="make ${item_key[i]%/*} writable, then run apply again" ;;
        driver) what="bound to ${item_value[i]% *}" mend="see what the kernel says of ${item_key[i]} (dmesg), then run apply again" ;;
        esac
        echo "$program: $stage: ${item_key[i]} could not be $what: $why; the stage is as it was${mend:+: $mend}" >&2
        return 71
    done
}

# Whether the command of this kind was only printed, below --root.
not_run() {
    [ -n "$root" ] && [[ " mount module swap " == *" $1 "* ]]
}

roll_back() {
    local k
    for k in "${!done_items[@]}"; do
        i=${done_items[k]}
        "get_${item_kind[i]}" "${item_key[i]}"
        [ "$got" = "${done_before[k]}" ] || "set_${item_kind[i]}" "${item_key[i]}" "${done_before[k]}" ||
            echo "    not put back: ${item_key[i]}: $reason"
    done
    i=${done_items[0]}
}

restore_undo() {
    undo_kind=("${old_kind[@]}") undo_key=("${old_key[@]}") undo_before=("${old_before[@]}")
    undo_wanted=("${old_wanted[@]}") undo_flags=("${old_flags[@]}")
    if [ "$old_present" = yes ]; then undo_save "$1"; else undo_remove "$1"; fi
}

run_hooks() {
    local at ran=no
    for at in "${!undo_key[@]}"; do
        [[ ${undo_kind[at]}:${undo_key[at]} == memo:after=* ]] || continue
        run_hook "${undo_key[at]#after=}" || return 71
        undo_drop "$at"
        ran=yes
    done
    [ $ran = no ] || undo_save "$1"
}

run_hook() {
    case $1 in
    grub) hook_command update-grub ;;
    irqbalance) hook_command systemctl daemon-reload && hook_command systemctl try-restart irqbalance.service ;;
    udev) hook_command udevadm control --reload ;;
    esac
}

hook_command() {
    if [ -z "$root" ] && ! command -v "$1" >/dev/null; then
        echo "    + $*    (not run: there is no $1 here)"
        return 0
    fi
    run "$@" && return 0
    echo "$program: '$*' failed: $reason; mend that and run apply again" >&2
    return 1
}

# ---- revert ---------------------------------------------------------------------------------------------------------

revert_stage() {
    local at k word places status=0 hooks=()
    echo "$1: $(stage_title "$1")"
    undo_load "$1"
    if [ "$undo_present" = no ]; then
        echo "  nothing to put back"
        return 0
    fi
    say_forgotten
    places=("${!undo_key[@]}")
    for ((k = ${#places[@]} - 1; k >= 0; k--)); do
        at=${places[k]}
        for word in ${undo_flags[at]}; do
            [[ $word != after=* ]] || [[ " ${hooks[*]} " == *" $word "* ]] || hooks+=("$word")
        done
        if put_back; then undo_drop "$at"; else status=71; fi
    done
    for word in "${hooks[@]}"; do run_hook "${word#after=}" || status=71; done
    if [ $status -eq 0 ]; then undo_remove "$1"; else undo_save "$1"; fi
    return $status
}

# Puts back line `at`. Returns 1 when that failed.
put_back() {
    local kind=${undo_kind[at]} key=${undo_key[at]} before=${undo_before[at]} k_now
    [ "$kind" != memo ] || return 0
    if ! "get_$kind" "$key"; then
        echo "  gone   $key: $got"
        return 0
    fi
    k_now=$got
    short "$before"
    if [ "$k_now" = "$before" ]; then
        echo "  is     $key = $REPLY"
        return 0
    fi
    if [ "$k_now" != "${undo_wanted[at]}" ]; then
        short "$k_now"
        echo "  note   $key is $REPLY: somebody has changed it since"
    fi
    if "set_$kind" "$key" "$before"; then
        "get_$kind" "$key"
        if [ "$got" = "$before" ] || not_run "$kind"; then return 0; fi
        reason="it is ${got:-empty} after that"
    fi
    if has_flag "${undo_flags[at]}" soft; then
        echo "    kept   $key: the kernel does not let it go ($reason)"
        return 0
    fi
    echo "$program: $key could not be put back to ${before%%$'\n'*}: $reason; run revert again" >&2
    return 1
}
