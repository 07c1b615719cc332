#!/bin/bash
# A hundred simulated days of lost packets, failing disks, kills and crashes keep every promise, and each replays exactly
set -u
exec "$XW_BIN"/sim/simulator --seed 1 --seeds "${XW_SIM_SEEDS:-100}" --jobs "$(nproc)" --twice 20
