#!/bin/bash
# Every header and table is included by something, and every source file is short enough to hold one subject
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
while read -r file; do
    name=$(basename "$file")
    grep -rqE "#[[:space:]]*include[[:space:]]*\"([a-z_]+/)*$name\"" --include='*.[ch]' --include='*.def' . || {
        echo "$file: nothing includes it"
        bad=1
    }
done < <(git ls-files --cached --others --exclude-standard '*.h' '*.def')
while read -r file; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 700 ] || {
        echo "$file: $lines lines, more than 700: it holds two subjects"
        bad=1
    }
done < <(git ls-files --cached --others --exclude-standard '*.c' '*.h')
while read -r file; do
    head -n 1 "$file" | grep -q 'SPDX-License-Identifier' || {
        echo "$file: the first line names no licence"
        bad=1
    }
done < <(git ls-files --cached --others --exclude-standard '*.c' '*.h' '*.def')
if git grep -nIE '\b(TODO|FIXME|XXX)\b' -- '*.c' '*.h' '*.sh' '*.md' Makefile ':!tests/shape/dead_files.sh'; then
    echo "the lines above are unfinished"
    bad=1
fi
exit $bad
