# SPDX-License-Identifier: Apache-2.0
# Sourced by scenarios that need a booted systemd: boots one in namespaces of its own, on an overlay of this root file system,
# so that whatever is installed, made or changed there is gone with it. Nothing of the machine can be written through it:
# /sys and what can be written in /proc are read-only, and no unit runs that knows of devices, networks or clocks.
#   xw_boot              boots, or skips with the reason
#   xw_in COMMAND..      runs a command there, as root

xw_boot_pid= xw_unshare=

xw_boot_end() {
    [ -n "$xw_unshare" ] && kill -KILL "$xw_unshare" 2>/dev/null && wait "$xw_unshare" 2>/dev/null
    xw_unshare=
}

xw_boot() {
    local tool end=$((SECONDS + 60)) root=$XW_HOME/root
    [ "$(id -u)" -eq 0 ] || xw_skip "namespaces and an overlay need root"
    for tool in unshare nsenter setpriv systemctl; do
        command -v $tool >/dev/null || xw_skip "there is no $tool"
    done
    [ -x /lib/systemd/systemd ] || xw_skip "there is no systemd"
    mkdir -p "$root"
    cat >"$XW_HOME/boot" <<-'END'
	set -e
	root=$1
	mount --make-rprivate /
	mount -t tmpfs -o size=4g tmpfs "$root"
	cd "$root"
	mkdir upper work m
	mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" m
	cd m
	mount -t proc proc proc
	for place in sys irq fs bus sysrq-trigger; do
	    [ -e proc/$place ] || continue
	    mount --bind proc/$place proc/$place
	    mount -o remount,ro,bind proc/$place
	done
	mount -t sysfs -o ro sysfs sys
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	mount -t tmpfs tmpfs run
	mount -t tmpfs tmpfs dev
	for node in null zero full random urandom tty; do
	    : >dev/$node
	    mount --bind /dev/$node dev/$node
	done
	mkdir dev/pts dev/shm dev/mqueue dev/hugepages
	mount -t tmpfs tmpfs dev/shm
	mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	: >etc/fstab
	for unit in systemd-udevd systemd-udev-trigger systemd-timesyncd systemd-sysctl systemd-logind systemd-networkd \
	    systemd-random-seed systemd-update-utmp e2scrub_reap; do
	    ln -sf /dev/null etc/systemd/system/$unit.service
	done
	rm -rf var/log/journal
	mkdir -p mnt
	pivot_root . mnt
	cd /
	umount -l /mnt
	mount --make-rshared /
	exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=basic.target
	END
    # The outer setpriv: whatever kills this shell takes the whole namespace along.
    setpriv --pdeathsig KILL unshare --mount --pid --cgroup --ipc --uts --net --fork --kill-child bash "$XW_HOME/boot" "$root" \
        </dev/null >"$XW_HOME/boot.log" 2>&1 &
    xw_unshare=$!
    trap 'xw_boot_end; xw_clean' EXIT
    until [ -n "$xw_boot_pid" ] && [[ $(xw_in systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]; do
        kill -0 "$xw_unshare" 2>/dev/null || xw_skip "no systemd can be booted in a namespace here: $(tail -n 1 "$XW_HOME/boot.log")"
        [ $SECONDS -lt $end ] || xw_skip "systemd was not up within 60 s: $(xw_in systemctl list-jobs 2>&1 | tail -n 3)"
        xw_boot_pid=$(pgrep -P "$xw_unshare" | head -n 1)
        sleep 0.2
    done
}

xw_in() { nsenter --target "$xw_boot_pid" --all --root --wd "$@"; }
