#!/bin/bash
# The engine takes no more instructions a command than it did when it was last measured
set -u
streams=${XW_STREAMS:-}
[ -n "$streams" ] && [ -f "$streams/s1hot.bin" ] || { echo "no order streams"; exit 77; }
command -v valgrind >/dev/null || { echo "valgrind is missing"; exit 77; }
# Counted by callgrind in the timed loop alone, so that the verdict is the same on every machine.
bound=304
out=$XW_TMP/callgrind.out
valgrind --tool=callgrind --toggle-collect='time_batch*' --callgrind-out-file="$out" \
    "$XW_BIN/bench_engine" "$streams/s1hot.bin" 1 >"$XW_TMP/bench.txt" 2>"$XW_TMP/valgrind.txt" || { cat "$XW_TMP/valgrind.txt"; exit 1; }
instructions=$(sed -n 's/^\(summary\|totals\): //p' "$out" | tail -n 1)
messages=$(od -An -tu8 -j16 -N16 "$streams/s1hot.bin" | awk '{ print $1 - $2 }')
[ "${instructions:-0}" -gt 0 ] && [ "${messages:-0}" -gt 0 ] || { echo "nothing was counted"; exit 1; }
echo "$((instructions / messages)) instructions a command, bound $bound"
[ $((instructions / messages)) -le $bound ] || exit 1
# A compiler that takes hints for nothing takes them away: then this is a handful.
for function in engine_look_ahead:10 look_at_risk:6 order_match:5; do
    hints=$(objdump -d --disassemble="${function%:*}" "$XW_BIN/bench_engine" | grep -c prefetch)
    echo "$hints hints in ${function%:*}, at least ${function#*:} are there"
    [ "$hints" -ge "${function#*:}" ] || exit 1
done
