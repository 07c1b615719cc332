#!/bin/bash
# cppcheck finds nothing to warn of
set -u
cd "$(dirname "$0")/../.." || exit 1
command -v cppcheck >/dev/null || { echo "skipped because there is no cppcheck (make deps)"; exit 77; }
# It reads no system headers; formats are the compiler's to check. What it found in unchanged files is kept in build/.
mkdir -p build/cppcheck
exec cppcheck --quiet --cppcheck-build-dir=build/cppcheck --enable=warning,portability --inline-suppr --error-exitcode=1 \
    --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=wrongPrintfScanfArgNum --suppress=invalidPrintfArgType_uint \
    --std=c11 --library=gnu -D_GNU_SOURCE -D__x86_64__ '-D_Noreturn=__attribute__((noreturn))' \
    -Idataplane -I. dataplane control perf
