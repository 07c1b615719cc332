# shellcheck shell=bash
# io_uring: allowed, for the journal
# SPDX-License-Identifier: Apache-2.0
stage_iouring() {
    want value /proc/sys/kernel/io_uring_disabled 0 'the journal is written through io_uring, by a user that is not root'
}
