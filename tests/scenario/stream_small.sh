#!/bin/bash
# The small streams of one hot symbol, a deep book and 64 symbols give exactly the trades that are known
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
base=$XW_HOME
XW_ACK=matched # the disk's latency, for every window that waits, is not what is tested
for stream in s1hot s1 s64; do
    xw_stream $stream
    [ "$(stat -c %s "$XW_STREAM")" -lt 20000000 ] || xw_skip "$stream is a full stream: make.sh OUT small makes the small ones"
    echo "--- $stream"
    XW_HOME=$base/$stream
    xw_stream_symbols
    xw_begin
    xw_configure
    xw_start
    xw_play 120 "${XW_CLIENT_ONE[@]}" --input "$XW_STREAM" --compare "$XW_EXPECTED" --window 256
    xw_identity
    xw_stop
    xw_clean
done
