# shellcheck shell=bash
# Time synchronisation: looked at, and what to install
# SPDX-License-Identifier: Apache-2.0
stage_time() {
    local comm name found=() hardware=no clock
    for comm in "$root"/proc/[0-9]*/comm; do
        read -r name 2>/dev/null <"$comm" || continue
        case $name in chronyd | ptp4l | phc2sys | ntpd | systemd-timesyn) found+=("$name") ;; esac
    done
    for clock in "$root"/sys/class/ptp/ptp*; do [ ! -e "$clock" ] || hardware=yes; done
    if [[ " ${found[*]} " == *" ptp4l "* && " ${found[*]} " != *" phc2sys "* && " ${found[*]} " != *" chronyd "* ]]; then
        fact bad "ptp4l keeps the NIC's clock, and nothing brings it to the system's" 'systemctl enable --now phc2sys@INTERFACE'
    elif [ ${#found[@]} -gt 0 ]; then
        fact good "the clock is kept by $(printf '%s\n' "${found[@]}" | sort -u | paste -sd ' ')"
    elif [ $hardware = yes ]; then
        fact bad 'nothing keeps the clock, and there is a NIC with a clock of its own' 'apt-get install linuxptp; systemctl enable --now ptp4l@INTERFACE phc2sys@INTERFACE (without a grandmaster: apt-get install chrony)'
    else
        fact bad 'nothing keeps the clock' 'apt-get install chrony; systemctl enable --now chrony'
    fi
}
