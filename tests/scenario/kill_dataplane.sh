#!/bin/bash
# A dataplane killed in the middle of a real day loses nothing, durable and matched
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_stream es_real
base=$XW_HOME
for XW_ACK in durable matched; do
    XW_HOME=$base/$XW_ACK
    echo "--- ack: $XW_ACK"
    xw_kill_in_the_middle dataplane
    xw_clean
done
