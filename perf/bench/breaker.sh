# A breaker that is closed, and its shared guard alone and with a second thread at it.
# SPDX-License-Identifier: Apache-2.0
note "breaker: $rounds rounds"
"$XW_BIN/bench_breaker" --json "$rounds" >>"$results"
