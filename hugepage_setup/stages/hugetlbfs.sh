# shellcheck shell=bash
# A hugetlbfs mount of the appliance's own, for the region: set run_directory to it
# SPDX-License-Identifier: Apache-2.0
stage_hugetlbfs() {
    local gid wanted
    if [ "$huge_pages" = no ]; then
        fact good 'none is wanted: dataplane.huge_pages is false'
        return
    fi
    gid=$(awk -F : -v name="$group" '$1 == name {print $3; exit}' "$root/etc/group" 2>/dev/null)
    if [ -z "$gid" ]; then
        refuse "there is no group $group: groupadd --system $group (make install with systemd-sysusers makes it), or give --group"
        return
    fi
    grep -qsw hugetlbfs "$root/proc/filesystems" || {
        refuse 'this kernel has no hugetlbfs: set dataplane.huge_pages: false'
        return
    }
    wanted="pagesize=2M,mode=770,gid=$gid"
    get_mount "$mount_at"
    if [ "$got" != absent ] && [ "$got" != "$wanted" ]; then
        refuse "$mount_at is a mount already ($got, wanted is $wanted): umount $mount_at, or give --mount DIR"
        return
    fi
    want directory "$mount_at" present 'where the file system is mounted; /dev is new at each boot'
    want mount "$mount_at" "$wanted" "the region of rings on huge pages; only members of $group may use it"
}
