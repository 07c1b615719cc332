# shellcheck shell=bash
# Interrupts: away from the roles' CPUs
# SPDX-License-Identifier: Apache-2.0
stage_irq() {
    local file path left
    if [ -z "$role_lcores" ]; then
        fact good "nothing is wanted: give --config FILE, or --lcores LIST"
        return
    fi
    if [ -e "$root/lib/systemd/system/irqbalance.service" ] || [ -e "$root/usr/lib/systemd/system/irqbalance.service" ]; then
        want_file /etc/systemd/system/irqbalance.service.d/60-crosswire.conf "# Made by Crosswire's host preparation; host revert irq removes it.
[Service]
Environment=IRQBALANCE_BANNED_CPULIST=$role_lcores
" 'irqbalance would move interrupts back to the CPUs that look idle to it' 'stays after=irqbalance'
    fi
    get_value /proc/irq/default_smp_affinity &&
        want value /proc/irq/default_smp_affinity "$(cpu_mask "$(housekeeping_cpus)" "$got")" 'where interrupts of devices that appear later go'
    for file in "$root"/proc/irq/*/smp_affinity_list; do
        path=${file#"$root"}
        get_value "$path" || continue
        [ -n "$(cpus_both "$got" "$role_lcores")" ] || continue
        left=$(cpus_without "$got" "$role_lcores")
        want value "$path" "${left:-$(housekeeping_cpus)}" 'an interrupt on a polling CPU costs microseconds and cache' soft
    done
}
