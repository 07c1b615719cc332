# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What is known before a stage is declared: what the configuration needs, which CPUs there are, lists of CPUs.
# Sets: role_lcores (a list as 2-5,8, empty when none is known), huge_pages (yes, no or unknown), page_nodes,
# page_sizes, page_counts (arrays), devices, device_drivers (arrays).

role_lcores='' huge_pages=unknown
page_nodes=() page_sizes=() page_counts=()
devices=() device_drivers=()

# cpus_of LIST: one number a line
cpus_of() {
    local part first last
    for part in ${1//,/ }; do
        first=${part%%-*} last=${part##*-}
        for ((; first <= last; first++)); do echo "$first"; done
    done
}

# cpu_list: numbers on standard input as a list, 2-5,8
cpu_list() {
    sort -nu | awk 'NF { if (open && $1 == last + 1) last = $1
                         else { if (open) printf "%s%s", comma, first == last ? first : first "-" last
                                comma = open ? "," : ""; first = last = $1; open = 1 } }
                    END { if (open) printf "%s%s", comma, first == last ? first : first "-" last }'
}

# cpus_without LIST OTHER: those of LIST that are not in OTHER, as a list
cpus_without() { comm -23 <(cpus_of "$1" | sort) <(cpus_of "$2" | sort) | cpu_list; }

# cpus_both LIST OTHER
cpus_both() { comm -12 <(cpus_of "$1" | sort) <(cpus_of "$2" | sort) | cpu_list; }

# cpu_mask LIST LIKE: as the kernel writes masks, hexadecimal words of 32 bits, as wide as LIKE
cpu_mask() {
    local cpu words=() word text='' last
    for cpu in $(cpus_of "$1"); do words[cpu / 32]=$((${words[cpu / 32]:-0} | 1 << cpu % 32)); done
    last=$(tr -cd , <<<"$2" | wc -c)
    for ((word = last; word >= 0; word--)); do
        if [ "$word" -eq "$last" ]; then
            cpu=${2%%,*}
            printf -v text "%0${#cpu}x" "${words[word]:-0}"
        else
            printf -v text '%s,%08x' "$text" "${words[word]:-0}"
        fi
    done
    echo "$text"
}

valid_list() { [[ $1 =~ ^[0-9]{1,4}(-[0-9]{1,4})?(,[0-9]{1,4}(-[0-9]{1,4})?)*$ ]]; }

online_cpus() {
    local online=0
    [ ! -r "$root/sys/devices/system/cpu/online" ] || read -r online <"$root/sys/devices/system/cpu/online"
    echo "$online"
}

# The CPUs that are left for everything else.
housekeeping_cpus() { cpus_without "$(online_cpus)" "$role_lcores"; }

# The data plane's program: beside an installed host, in the source tree's build, or in the path.
dataplane_program() {
    local at
    for at in "${XW_BIN:-/nonexistent}" "$here/../../../sbin" "$here/../build"; do
        [ -x "$at/crosswire-dataplane" ] && echo "$at/crosswire-dataplane" && return
    done
    command -v crosswire-dataplane
}

add_pages() { # NODE KIB COUNT: counts of the same node and size are summed
    local i
    [[ "$1:$2:$3" =~ ^[0-9]{1,3}:[0-9]{1,8}:[0-9]{1,9}$ ]] || fail 64 "huge pages $1:$2:$3: write NODE:KIB:COUNT, as 0:2048:512"
    for i in "${!page_nodes[@]}"; do
        if [ "${page_nodes[i]}:${page_sizes[i]}" = "$1:$2" ]; then
            page_counts[i]=$((page_counts[i] + $3))
            return
        fi
    done
    page_nodes+=("$1") page_sizes+=("$2") page_counts+=("$3")
}

add_device() { # PCI DRIVER
    [[ $1 =~ ^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$ && $2 =~ ^[A-Za-z0-9_-]+$ ]] ||
        fail 64 "device $1=$2: write PCI=DRIVER, as 0000:3b:00.0=vfio-pci"
    [[ " ${devices[*]} " != *" $1 "* ]] || fail 69 "device $1 is given twice: give each port its own"
    devices+=("$1") device_drivers+=("$2")
}

load_config() {
    local file=$1 program_path needs key a b c code=0
    program_path=$(dataplane_program) || fail 69 "no crosswire-dataplane beside this script or in PATH: build it, or give --lcores and --pages"
    needs=$("$program_path" "$file" --needs 2>&1) || code=$?
    [ $code -eq 0 ] || fail $code "${needs#crosswire-dataplane: }"
    while read -r key a b c; do
        case $key in
        role_lcores) role_lcores=$(cpus_of "$role_lcores,$a" | cpu_list) ;;
        huge_pages) [ "$huge_pages" = yes ] || huge_pages=$a ;;
        pages) [ ${#option_pages[@]} -gt 0 ] || add_pages "$a" "$b" "$c" ;;
        device) add_device "$a" "$b" ;;
        esac
    done <<<"$needs"
}

facts_load() {
    local file pages device a b c
    for file in "${configs[@]}"; do load_config "$file"; done
    if [ -n "$option_lcores" ]; then
        valid_list "$option_lcores" || fail 64 "--lcores $option_lcores: write a list of CPUs, as 2-5,8"
        role_lcores=$(cpus_of "$option_lcores" | cpu_list)
    fi
    for pages in "${option_pages[@]}"; do
        IFS=: read -r a b c <<<"$pages" && add_pages "$a" "$b" "${c:-}"
        huge_pages=yes
    done
    for device in "${option_devices[@]}"; do add_device "${device%%=*}" "${device#*=}"; done
    [ -z "$role_lcores" ] || check_lcores
}

# A core that is not there, or no core left for the rest, is refused before anything changes.
check_lcores() {
    local online missing
    online=$(online_cpus)
    missing=$(cpus_without "$role_lcores" "$online")
    [ -z "$missing" ] || fail 69 "lcore $missing is not there, online are $online: change the roles' lcore in the configuration"
    [ -n "$(housekeeping_cpus)" ] || fail 69 "lcores $role_lcores are all CPUs that there are: leave one for everything else"
}
