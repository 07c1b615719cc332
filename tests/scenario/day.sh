#!/bin/bash
# A generated day runs, adds up, stops cleanly, and a restart on the same date gives every client the same bytes again
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_configure
xw_start
xw_play 120 "${XW_CLIENT[@]}" --orders 40000 --record "$XW_HOME/first.rec" --json "$XW_HOME/first.json"
xw_identity
# Besides what is sent for the day, each of the four sessions asks its next UserRefNum before it begins.
xw_expect "messages taken by matching cores" "$(xw_json "$XW_HOME/status.json" '.messages | .accepted + .rejected + .no_effect')" \
    "$(xw_json "$XW_HOME/first.json" '.sent + .messages.Q + 4')"
xw_stop
# The clients come back as new processes: each fetches its whole stream, then goes on where the day stands.
xw_start
xw_play 120 "${XW_CLIENT[@]}" --orders 5000 --seed 2 --record "$XW_HOME/second.rec" --json "$XW_HOME/second.json"
xw_identity
xw_verify "$XW_HOME/first.rec" "$XW_HOME/second.rec" | tee "$XW_HOME/verify.txt"
repeated=$(sed -E 's/.* ([0-9]+) received again.*/\1/' "$XW_HOME/verify.txt")
[ "$repeated" -ge 40000 ] || xw_fail "only $repeated messages were fetched again"
xw_stop
