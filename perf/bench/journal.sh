# The journal alone, without a data plane: against fio's own synced writes of the size of a full commit, one at a time,
# over a file that was written before, on the same file system, by turns.
# SPDX-License-Identifier: Apache-2.0
mkdir -p "$XW_HOME/disk"
journal_floor() { # bytes/s
    taskset -c "$xw_core_rest" fio --name=floor --filename="$XW_HOME/disk/fio" --rw=write --bs=256k --size=256m --overwrite=1 --ioengine=io_uring \
        --iodepth=1 --direct=1 --sync=dsync --fixedbufs --registerfiles --output-format=json 2>>"$XW_HOME/journal.log" | jq '.jobs[0].write.bw_bytes'
}
for ((round = 1; round <= rounds; round++)); do
    note "journal: round $round of $rounds"
    before=$(journal_floor)
    timeout -k 5 90 "$XW_BIN/bench_journal" "$XW_HOME/disk" "${idle[@]}" >"$XW_HOME/journal.jsonl" 2>>"$XW_HOME/journal.log" ||
        xw_fail "bench_journal: exit $?: $(tail -n 1 "$XW_HOME/journal.log")"
    after=$(journal_floor)
    jq -c 'select(.name | test("bytes_per_s$") | not)' "$XW_HOME/journal.jsonl" >>"$samples"
    sample journal.bytes_over_fio "$(jq 'select(.name == "journal.bytes_per_s") | .value' "$XW_HOME/journal.jsonl")" $(((before + after) / 2))
done
rm -rf "$XW_HOME/disk"
