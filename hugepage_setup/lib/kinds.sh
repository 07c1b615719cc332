# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The kinds of things that stages change. For each KIND:
#   get_KIND KEY          sets `got` to its value now; returns 1 when this host has no such thing (got says why)
#   set_KIND KEY VALUE    changes it; returns 1 with a reason in `reason`
#   say_KIND KEY VALUE    prints the command that set_KIND runs
# Items are declared by stages: want KIND KEY VALUE WHY [FLAGS]. Flags: soft (the kernel may refuse it: managed
# interrupts), stays (outlives a reboot), reboot (is in force after a reboot only), after=COMMAND (after a change).

items_clear() {
    item_kind=() item_key=() item_value=() item_why=() item_flags=()
    fact_state=() fact_text=() fact_mend=()
    refusal='' refused_mend=''
}

want() {
    item_kind+=("$1") item_key+=("$2") item_value+=("$3") item_why+=("$4") item_flags+=("${5:-}")
}

# want_file PATH TEXT WHY FLAGS: a file, and whatever directories are missing above it
want_file() {
    local directory=${1%/*} missing=()
    while [ -n "$directory" ] && { [ ! -d "$root$directory" ] || made_by_us "$directory"; }; do
        missing=("$directory" "${missing[@]}")
        directory=${directory%/*}
    done
    for directory in "${missing[@]}"; do want directory "$directory" present "for ${1##*/}" 'stays soft'; done
    want file "$@"
}

# fact good|bad TEXT [MEND]: something that a stage only looks at
fact() {
    fact_state+=("$1") fact_text+=("$2") fact_mend+=("${3:-}")
}

# refuse WORDS..: the stage must not be applied on this host
refuse() {
    refusal=${refusal:-$*}
}

has_flag() { [[ " $1 " == *" $2 "* ]]; }

# Prints the command and runs it; below --root it is only printed.
run() {
    local words
    printf -v words ' %q' "$@"
    if [ -n "$root" ]; then
        echo "    +$words    (not run: --root)"
        return 0
    fi
    echo "    +$words"
    reason=$("$@" 2>&1) || { reason=${reason%%$'\n'*} && return 1; }
}

# ---- value: a file of /sys or /proc that holds one line ----------------------------------------------------------------

get_value() {
    got=
    [ -e "$root$1" ] || { got='not on this host' && return 1; }
    IFS= read -r got 2>/dev/null <"$root$1" || [ -n "$got" ] || { [ -s "$root$1" ] && got='can not be read' && return 1; }
    # Of a choice, as "always [madvise] never", the one that is chosen.
    if [[ $got =~ \[([^]]+)\] ]]; then got=${BASH_REMATCH[1]}; fi
    got=${got%"${got##*[![:space:]]}"}
}

set_value() {
    say_value "$1" "$2"
    reason=$({ printf '%s\n' "$2" >"$root$1"; } 2>&1) && return 0
    reason=${reason##*: }
    return 1
}

say_value() { printf '    + echo %s > %s\n' "$2" "$root$1"; }

# ---- file: a whole file below /etc; "" stands for none -----------------------------------------------------------------

get_file() {
    got=
    [ ! -e "$root$1" ] || IFS= read -rd '' got <"$root$1" || true
}

set_file() {
    local path=$root$1
    say_file "$1" "$2"
    if [ -z "$2" ]; then
        reason=$(rm -f "$path" 2>&1)
        return
    fi
    reason=$({ mkdir -p "${path%/*}" && printf '%s' "$2" >"$path.new" && sync "$path.new" && mv "$path.new" "$path"; } 2>&1) && return 0
    rm -f "$path.new" 2>/dev/null
    reason=${reason%%$'\n'*}
    reason=${reason##*: }
    return 1
}

say_file() {
    if [ -z "$2" ]; then
        echo "    + rm $root$1"
    else
        echo "    + cat > $root$1"
        printf '%s' "$2" | sed 's/^/      | /'
    fi
}

# ---- directory: present or absent ------------------------------------------------------------------------------------

get_directory() {
    got=absent
    [ ! -d "$root$1" ] || got=present
}

set_directory() {
    say_directory "$1" "$2"
    if [ "$2" = present ]; then
        reason=$(mkdir -p "$root$1" 2>&1)
    else
        reason=$(rmdir "$root$1" 2>&1)
    fi
}

say_directory() {
    if [ "$2" = present ]; then echo "    + mkdir -p $root$1"; else echo "    + rmdir $root$1"; fi
}

# ---- mount: hugetlbfs at a directory; its options, or absent -----------------------------------------------------------

get_mount() {
    local device at type options rest
    got=absent
    while read -r device at type options rest; do
        [ "$at" = "$1" ] || continue
        if [ "$type" = hugetlbfs ]; then got=$(mount_options "$options"); else got="a $type of ${device:-?}${rest:+}"; fi
    done <"$root/proc/mounts"
}

# The options that we set, in one order.
mount_options() {
    local size mode gid
    [[ ,$1, =~ ,pagesize=([0-9]+[KMG]), ]] && size=${BASH_REMATCH[1]}
    [[ ,$1, =~ ,mode=0*([0-7]+), ]] && mode=${BASH_REMATCH[1]}
    [[ ,$1, =~ ,gid=([0-9]+), ]] && gid=${BASH_REMATCH[1]}
    echo "pagesize=${size:-2M},mode=${mode:-755},gid=${gid:-0}"
}

set_mount() {
    if [ "$2" = absent ]; then
        run umount "$1"
    else
        run mount -t hugetlbfs -o "$2" crosswire "$1"
    fi
}

say_mount() {
    if [ "$2" = absent ]; then echo "    + umount $1"; else echo "    + mount -t hugetlbfs -o $2 crosswire $1"; fi
}

# ---- module: a kernel module, loaded or absent -------------------------------------------------------------------------

get_module() {
    got=absent
    [ ! -d "$root/sys/module/${1//-/_}" ] || got=loaded
}

set_module() {
    if [ "$2" = loaded ]; then run modprobe "$1"; else run modprobe -r "$1"; fi
}

say_module() {
    if [ "$2" = loaded ]; then echo "    + modprobe $1"; else echo "    + modprobe -r $1"; fi
}

# ---- driver: of a PCI device, with the override that chose it: "DRIVER OVERRIDE", none and (null) where there is none --

get_driver() {
    local device=$root/sys/bus/pci/devices/$1 override
    [ -d "$device" ] || { got='not on this host' && return 1; }
    got=none
    [ ! -e "$device/driver" ] || got=$(basename "$(readlink "$device/driver")")
    IFS= read -r override 2>/dev/null <"$device/driver_override" || override=
    got="$got ${override:-(null)}"
}

# Waits until the device has the driver: some are bound and let go behind the write's back.
await_driver() {
    local try
    for ((try = 0; try < 600; try++)); do
        get_driver "$1"
        [ "${got% *}" != "$2" ] || return 0
        sleep 0.05
    done
    reason="its driver is ${got% *} all the same"
    return 1
}

# Whether a program has the device open through VFIO: the kernel would wait for it, for ever.
vfio_is_open() {
    local group
    group=$(readlink -f "$root/sys/bus/pci/devices/$1/iommu_group") || return 1
    group=$root/dev/vfio/${group##*/}
    [ -e "$group" ] && ! : 2>/dev/null <>"$group"
}

set_driver() {
    local driver=${2% *} override=${2#* } device=/sys/bus/pci/devices/$1
    [ "$override" != '(null)' ] || override=
    get_driver "$1"
    if [ "${got% *}" = vfio-pci ] && vfio_is_open "$1"; then
        reason='a program has it open: stop the appliance that uses it (systemctl stop crosswire.target)'
        return 1
    fi
    set_value "$device/driver_override" "$override" || return 1
    get_driver "$1"
    if [ "${got% *}" != none ] && [ "${got% *}" != "$driver" ]; then
        set_value "$device/driver/unbind" "$1" && await_driver "$1" none || return 1
    fi
    get_driver "$1"
    if [ "${got% *}" = none ] && [ "$driver" != none ]; then set_value /sys/bus/pci/drivers_probe "$1" || return 1; fi
    await_driver "$1" "$driver"
}

say_driver() {
    local device=/sys/bus/pci/devices/$1 override=${2#* }
    [ "$override" != '(null)' ] || override="''"
    say_value "$device/driver_override" "$override"
    say_value "$device/driver/unbind" "$1"
    [ "${2% *}" = none ] || say_value /sys/bus/pci/drivers_probe "$1"
}

# ---- swap: an area of /proc/swaps, "on PRIORITY" or off ----------------------------------------------------------------

get_swap() {
    local area rest
    got=off
    while read -r area rest; do
        [ "$(printf '%b' "$area")" != "$1" ] || got="on ${rest##*[[:space:]]}"
    done <"$root/proc/swaps"
}

set_swap() {
    case $2 in
    off) run swapoff "$1" ;;
    "on -"*) run swapon "$1" ;; # the kernel counts these down itself
    *) run swapon -p "${2#on }" "$1" ;;
    esac
}

say_swap() {
    if [ "$2" = off ]; then echo "    + swapoff $1"; else echo "    + swapon $1"; fi
}

# ---- memo: a number that a later apply has to know; nothing of the host ------------------------------------------------

get_memo() { got=; }
set_memo() { :; }
say_memo() { :; }
