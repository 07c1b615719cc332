# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by scenario tests of hugepage_setup: a made-up copy of /sys, /proc and /etc of a host with two nodes of four CPUs, two
# NICs in an IOMMU group each, GRUB, irqbalance, frequency scaling and idle states.

# put DIR PATH TEXT
put() {
    mkdir -p "$(dirname "$1$2")"
    printf '%s\n' "$3" >"$1$2"
}

# host_tree DIR: makes it.
host_tree() {
    local t=$1 cpu irq device node number
    rm -rf "$t"
    put "$t" /proc/sys/kernel/random/boot_id 11111111-2222-3333-4444-555555555555
    put "$t" /etc/machine-id 0123456789abcdef0123456789abcdef
    put "$t" /proc/cmdline 'BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet'
    put "$t" /proc/cpuinfo 'vendor_id : GenuineIntel'
    put "$t" /proc/mounts 'proc /proc proc rw 0 0'
    put "$t" /proc/filesystems 'nodev	hugetlbfs'
    printf 'Filename\tType\tSize\tUsed\tPriority\n/dev/sda2  partition  999  0  -2\n' >"$t/proc/swaps"
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT \
        ens1 00000000 010A0A0A 0003 0 0 0 00000000 0 0 0 ens1 000A0A0A 00000000 0001 0 0 0 00FFFFFF 0 0 0 \
        ens2 0000A8C0 00000000 0001 0 0 0 0000FFFF 0 0 0 >"$t/proc/net_route"
    mkdir -p "$t/proc/net" && mv "$t/proc/net_route" "$t/proc/net/route"
    put "$t" /etc/group $'root:x:0:\ncrosswire:x:998:'
    put "$t" /etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT=quiet'
    put "$t" /lib/systemd/system/irqbalance.service '[Service]'
    put "$t" /sys/devices/system/cpu/online 0-7
    for node in 0 1; do
        for number in 2048 1048576; do
            put "$t" /sys/devices/system/node/node$node/hugepages/hugepages-${number}kB/nr_hugepages 10
            put "$t" /sys/devices/system/node/node$node/hugepages/hugepages-${number}kB/free_hugepages 7
        done
    done
    for cpu in 0 1 2 3 4 5 6 7; do
        put "$t" /sys/devices/system/cpu/cpu$cpu/cpufreq/scaling_governor powersave
        put "$t" /sys/devices/system/cpu/cpu$cpu/cpufreq/energy_performance_preference balance_performance
        for number in '0 0' '1 2' '2 3' '3 133'; do
            put "$t" "/sys/devices/system/cpu/cpu$cpu/cpuidle/state${number% *}/latency" "${number#* }"
            put "$t" "/sys/devices/system/cpu/cpu$cpu/cpuidle/state${number% *}/disable" 0
        done
    done
    put "$t" /proc/irq/default_smp_affinity ff
    for irq in '1 0-7' '16 2-3' '17 0,4' '30 5-7'; do put "$t" "/proc/irq/${irq% *}/smp_affinity_list" "${irq#* }"; done
    put "$t" /sys/devices/virtual/workqueue/cpumask ff
    put "$t" /proc/sys/kernel/numa_balancing 1
    put "$t" /proc/sys/vm/stat_interval 1
    put "$t" /proc/sys/kernel/nmi_watchdog 1
    put "$t" /proc/sys/kernel/sched_rt_runtime_us 950000
    put "$t" /proc/sys/kernel/sched_autogroup_enabled 1
    put "$t" /sys/kernel/mm/transparent_hugepage/enabled 'always [madvise] never'
    put "$t" /sys/kernel/mm/transparent_hugepage/defrag 'always defer defer+madvise [madvise] never'
    put "$t" /sys/kernel/mm/transparent_hugepage/khugepaged/defrag 1
    put "$t" /proc/sys/vm/swappiness 60
    put "$t" /sys/devices/system/clocksource/clocksource0/available_clocksource 'tsc hpet acpi_pm'
    put "$t" /sys/devices/system/clocksource/clocksource0/current_clocksource hpet
    put "$t" /proc/sys/kernel/io_uring_disabled 2
    put "$t" /proc/4711/comm chronyd
    mkdir -p "$t"/sys/bus/pci/drivers/{ice,vfio-pci} "$t/sys/class/net"
    number=7
    for device in 0000:3b:00.0=ens1 0000:5e:00.0=ens2; do
        put "$t" "/sys/bus/pci/devices/${device%=*}/class" 0x020000
        put "$t" "/sys/bus/pci/devices/${device%=*}/driver_override" '(null)'
        mkdir -p "$t/sys/bus/pci/devices/${device%=*}/net/${device#*=}" "$t/sys/class/net/${device#*=}" \
            "$t/sys/kernel/iommu_groups/$number/devices"
        ln -s ../../drivers/ice "$t/sys/bus/pci/devices/${device%=*}/driver"
        ln -s "../../../../kernel/iommu_groups/$number" "$t/sys/bus/pci/devices/${device%=*}/iommu_group"
        ln -s "../../../../bus/pci/devices/${device%=*}" "$t/sys/kernel/iommu_groups/$number/devices/${device%=*}"
        number=$((number + 1))
    done
    mkdir -p "$t/dev"
    mkfifo "$t/sys/bus/pci/drivers_probe" "$t/sys/bus/pci/drivers/ice/unbind" "$t/sys/bus/pci/drivers/vfio-pci/unbind"
}

# The kernel's part in binding: what is written to unbind and drivers_probe changes the device's link, after the seconds in
# var/delay. Sets host_kernel, processes to be killed.
host_tree_kernel() {
    local bus=$1/sys/bus/pci file
    host_kernel=()
    for file in drivers/ice/unbind drivers/vfio-pci/unbind; do
        while read -r address; do rm -f "$bus/devices/$address/driver"; done <>"$bus/$file" &
        host_kernel+=($!)
    done
    while read -r address; do
        [ ! -e "$bus/devices/$address/driver" ] || continue
        [ ! -e "$1/var/delay" ] || sleep "$(cat "$1/var/delay")"
        read -r override <"$bus/devices/$address/driver_override"
        case $override in '' | '(null)') override=ice ;; esac
        ln -s "../../drivers/$override" "$bus/devices/$address/driver"
    done <>"$bus/drivers_probe" &
    host_kernel+=($!)
}

# What can be compared: the text of every file, every link, pipe and directory; a choice as the word that is chosen, and without
# what the stages keep for themselves.
host_state() {
    (
        cd "$1" || exit 1
        find . -path ./var -prune -o -printf '%y %p %l\n' | sort
        find . -path ./var -prune -o -type f -print | sort | while read -r file; do
            echo "== $file"
            sed -E 's/^.*\[(.*)\].*$/\1/; s/^\(null\)$//' "$file"
        done
    )
}
