#!/bin/bash
# Every folder includes only the folders that its place in the structure allows
set -u
cd "$(dirname "$0")/../.." || exit 1
# FOLDER: the folders that it may include. rte_ stands for DPDK's own headers; tests/* for the folders of tests not named.
arrows='
dataplane/contract: contract
dataplane/engine: engine contract
dataplane/io: io contract rte_
dataplane/cores: cores engine io contract
dataplane/client: client contract
dataplane: dataplane cores io contract
control/journal: journal contract
control/limits: limits contract
control/recovery: recovery limits journal engine contract
control/doctor: doctor contract
control/breaker: breaker risk recovery limits journal contract
control/risk: risk recovery limits journal engine contract
control/ctl: ctl doctor risk recovery limits journal control client engine contract
control/operator: operator breaker risk recovery limits journal engine contract
control: control operator breaker risk recovery limits journal engine contract
perf: perf client engine contract io control recovery journal rte_
tests/eal: tests cores engine io contract client control ctl doctor operator breaker risk recovery limits journal perf rte_ dataplane
tests/*: tests cores engine io contract client control ctl doctor operator breaker risk recovery limits journal perf dataplane
'
# One line an include: FOLDER FILE INCLUDED. A header of the system has no place in the structure, but for DPDK's.
git ls-files --cached --others --exclude-standard '*.c' '*.h' '*.def' | xargs grep -E '^[[:space:]]*#[[:space:]]*include' /dev/null |
    sed -nE 's|^(([^:]*)/([^:/]*)):[^"<]*"([^"]+)".*|\2 \1 \4|p; s|^(([^:]*)/([^:/]*)):[^"<]*<(rte_[^>]+)>.*|\2 \1 \4|p' |
    awk -v arrows="$arrows" '
        BEGIN {
            for (count = split(arrows, lines, "\n"); count > 0; count--) {
                at = index(lines[count], ":")
                if (at) allowed[substr(lines[count], 1, at - 1)] = substr(lines[count], at + 1) " "
            }
        }
        {
            folder = $1
            if (!(folder in allowed) && folder ~ /^tests\//) folder = "tests/*"
            target = $3
            if (target ~ /^control\/.*\//) sub(/^control\//, "", target)
            if (target ~ /^rte_/) target = "rte_"
            else if (!sub(/\/.*/, "", target)) { target = $1; sub(/.*\//, "", target) } # a neighbour named without its folder
            if (!(folder in allowed)) { print $2 ": nothing says what " $1 " may include"; bad = 1 }
            else if (!index(allowed[folder], " " target " ")) {
                print $2 " includes " $3 ": " $1 " may include only:" allowed[folder]; bad = 1
            }
        }
        END { if (NR < 100) { print NR " includes found: this test sees nothing"; bad = 1 }; exit bad }'
