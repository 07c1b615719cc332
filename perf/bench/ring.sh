# Rings between two cores, against a bounced cache line and rte_ring.
# SPDX-License-Identifier: Apache-2.0
note "ring: $rounds rounds"
"$XW_BIN/bench_ring" --json "$rounds" | jq -c '.[]' >>"$results"
