# The journal alone, without a data plane.
# SPDX-License-Identifier: Apache-2.0
note "journal: $rounds rounds"
mkdir -p "$XW_HOME/disk"
timeout -k 5 300 "$XW_BIN/bench_journal" "$XW_HOME/disk" "$rounds" --json | jq -c '.[]' >>"$results"
rm -rf "$XW_HOME/disk"
