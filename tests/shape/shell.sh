#!/bin/bash
# shellcheck finds nothing in the scripts that change a host
set -u
cd "$(dirname "$0")/../.." || exit 1
command -v shellcheck >/dev/null || { echo "skipped because there is no shellcheck (make deps)"; exit 77; }
shellcheck -x hugepage_setup/host hugepage_setup/*/*.sh &&
    shellcheck -x -e SC1091,SC2012,SC2015,SC2016,SC2154 tests/scenario/host*.sh tests/scenario/hugepage_setup.sh
