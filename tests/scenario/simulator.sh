#!/bin/bash
# Dozens of simulated days of lost packets, failing disks, kills and crashes keep every promise, and each replays exactly
set -u
exec "$XW_BIN"/sim/simulator --seed 1 --seeds "${XW_SIM_SEEDS:-50}" --jobs "$(nproc)" --twice 20
