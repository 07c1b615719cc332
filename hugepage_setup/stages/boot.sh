# shellcheck shell=bash
# Boot parameters: CPUs of the roles apart from the scheduler, huge pages while memory is whole, the IOMMU
# SPDX-License-Identifier: Apache-2.0
stage_boot() {
    local parameters missing=() word running=''
    parameters=$(boot_parameters)
    IFS= read -r running 2>/dev/null <"$root/proc/cmdline"
    for word in $parameters; do
        has_flag "$running" "$word" || missing+=("$word")
    done
    if [ -z "$parameters" ]; then
        fact good 'no boot parameter is wanted: no configuration is given, or it needs none'
        return
    fi
    if [ ${#missing[@]} -eq 0 ]; then
        fact good 'the running kernel was started with all of them'
    elif [ -e "$root/etc/default/grub" ]; then
        fact bad "the running kernel was started without ${missing[*]}" 'apply boot, then reboot at a time of your choice'
    else
        fact bad "the running kernel was started without ${missing[*]}" "there is no GRUB here: add them to the boot loader's command line and reboot"
        return
    fi
    # The recovery entry boots without them: they stand in the default line.
    want_file /etc/default/grub.d/60-crosswire.cfg "# Made by Crosswire's host preparation; host revert boot removes it.
GRUB_CMDLINE_LINUX_DEFAULT=\"\$GRUB_CMDLINE_LINUX_DEFAULT $parameters\"
" 'isolcpus, nohz_full, rcu_nocbs: no task, timer tick or RCU callback of the kernel runs on role CPUs; irqaffinity: nor new interrupts; hugepages: taken before memory is in pieces; iommu: VFIO needs it' \
        'stays reboot after=grub'
}

boot_parameters() {
    local words=() i
    if [ -n "$role_lcores" ]; then
        words+=("isolcpus=managed_irq,domain,$role_lcores" "nohz_full=$role_lcores" "rcu_nocbs=$role_lcores"
            "irqaffinity=$(housekeeping_cpus)")
    fi
    for i in "${!page_sizes[@]}"; do words+=("$(boot_pages "$i")"); done
    if [[ " ${device_drivers[*]} " == *" vfio-pci "* ]]; then
        if grep -qs GenuineIntel "$root/proc/cpuinfo"; then words+=(intel_iommu=on); fi
        words+=(iommu=pt)
    fi
    echo "${words[*]}"
}

# hugepagesz=2M hugepages=512; by node where there are several. All nodes of a size come with its first entry.
boot_pages() {
    local size=${page_sizes[$1]} i counts=''
    for i in "${!page_sizes[@]}"; do
        [ "${page_sizes[i]}" = "$size" ] || continue
        [ "$i" -ge "$1" ] || return
        counts+="${counts:+,}${page_nodes[i]}:${page_counts[i]}"
    done
    if [[ $counts == 0:* && $counts != *,* ]]; then counts=${counts#0:}; fi
    case $size in
    1048576) echo "hugepagesz=1G hugepages=$counts" ;;
    *) echo "hugepagesz=$((size / 1024))M hugepages=$counts" ;;
    esac
}
