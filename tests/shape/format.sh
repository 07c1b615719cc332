#!/bin/bash
# Every source file is laid out as .clang-format has it
set -u
cd "$(dirname "$0")/../.." || exit 1
command -v clang-format >/dev/null || { echo "skipped because there is no clang-format (make deps)"; exit 77; }
git ls-files --cached --others --exclude-standard '*.c' '*.h' | while read -r file; do [ -e "$file" ] && echo "$file"; done |
    xargs clang-format --dry-run -Werror 2>&1 | grep -E '^[^ ]+: error:' | cut -d: -f1 | sort | uniq -c |
    awk '{print $2 ": differs in " $1 " places: make format"; bad = 1} END {exit bad}'
