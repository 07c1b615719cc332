#!/bin/bash
# A script and the unit test that is started beside it have a directory each
# SPDX-License-Identifier: Apache-2.0
set -u
work=${XW_TMP:?a directory to work in} root=${XW_ROOT:?the source tree}
tree=$work/tree
mkdir -p "$tree/tests/scenario" "$tree/built/tests/unit"
cp "$root/tests/run.sh" "$tree/tests/"
cat >"$tree/tests/scenario/with_directory.sh" <<'END'
#!/bin/bash
# a script with a directory
[ -d "$XW_TMP" ] && [[ $XW_TMP = */with_directory ]]
END
cat >"$tree/built/tests/unit/test_beside" <<'END'
#!/bin/bash
echo 1..1
[ -d "$XW_TMP" ] && [[ $XW_TMP = */test_beside ]] && echo "ok 1 - its own" || echo "not ok 1 - has $XW_TMP"
END
chmod +x "$tree"/tests/scenario/*.sh "$tree"/built/tests/unit/*
env -u XW_TMP -u XW_BIN -u XW_ROOT XW_STREAMS="$tree" "$tree/tests/run.sh" "$tree/built" >"$work/output" 2>&1
cat "$work/output"
[ "$(tail -n 1 "$work/output")" = "2 passed, 0 failed, 0 skipped" ]
