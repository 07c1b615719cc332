# shellcheck shell=bash
# Huge pages, now: memory of the roles, packet pools and the region, on the NUMA node of whoever uses it
# SPDX-License-Identifier: Apache-2.0
stage_hugepages() {
    local i node size count pool others
    refused_mend='memory is in pieces, or too small: take them at boot (host apply boot, then reboot)'
    if [ ${#page_sizes[@]} -eq 0 ]; then
        case $huge_pages in
        no) fact good 'none is wanted: dataplane.huge_pages is false' ;;
        *) fact good 'none is wanted: give --config FILE, or --pages NODE:KIB:COUNT' ;;
        esac
        return
    fi
    for i in "${!page_sizes[@]}"; do
        node=${page_nodes[i]} size=${page_sizes[i]} count=${page_counts[i]}
        pool=/sys/devices/system/node/node$node/hugepages/hugepages-${size}kB
        if [ ! -d "$root$pool" ]; then
            refuse "node $node has no huge pages of $size KiB: choose among $(cd "$root/sys/devices/system/node" 2>/dev/null && echo node*/hugepages/*)"
            continue
        fi
        others=$(pages_of_others "$pool")
        get_value "$pool/nr_hugepages"
        want memo "others:$pool" "$others" ''
        [ "$got" -ge $((others + count)) ] && count=$((got - others))
        want value "$pool/nr_hugepages" $((others + count)) \
            "${page_counts[i]} pages for this appliance (crosswire-dataplane CONFIG --needs), $others are in use by others"
    done
}

# Pages in use by somebody else: counted at the first apply, because later ones are ours too.
pages_of_others() {
    local at all free
    if undo_find memo "others:$1"; then
        echo "${undo_wanted[at]}"
        return
    fi
    get_value "$1/nr_hugepages" && all=$got
    get_value "$1/free_hugepages" && free=$got
    echo $((${all:-0} - ${free:-0}))
}
