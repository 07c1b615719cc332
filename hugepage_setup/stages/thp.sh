# shellcheck shell=bash
# Transparent huge pages: only where a program asks for them, nothing in the background
# SPDX-License-Identifier: Apache-2.0
stage_thp() {
    local pages=/sys/kernel/mm/transparent_hugepage
    if [ "$huge_pages" = no ]; then
        want value $pages/enabled madvise 'the data plane asks for them, because dataplane.huge_pages is false'
    else
        want value $pages/enabled never 'the data plane has huge pages of its own; no page of its is moved or merged behind its back'
    fi
    want value $pages/defrag never 'no page fault waits for memory to be made whole'
    want value $pages/khugepaged/defrag 0 'the daemon that merges pages stops them from being used while it does so'
}
