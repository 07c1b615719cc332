#!/bin/bash
# Inspect, export, diff, replay, book, order and account tell what the day was, at its end and at any moment before
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_configure
xw_start
ctl() { "$XW_BIN/xwctl" -c "$XW_CONFIG" "$@"; }
# refused CODE WORDS XWCTL-ARGUMENTS..: ends with the code, and one line that has the words
refused() {
    local code=$1 words=$2 status=0
    shift 2
    "$XW_BIN/xwctl" "$@" >"$XW_HOME/refused.out" 2>"$XW_HOME/refused.txt" || status=$?
    xw_expect "the exit code of xwctl $*" $status "$code"
    xw_expect "lines of xwctl $*" "$(wc -l <"$XW_HOME/refused.txt")" 1
    grep -q -- "$words" "$XW_HOME/refused.txt" || xw_fail "xwctl $* says: $(cat "$XW_HOME/refused.txt")"
}

xw_play 120 "${XW_CLIENT[@]}" --types plain --orders 8000 --resting 1000 --json "$XW_HOME/first.json"
ctl --json book XWIRE >"$XW_HOME/book_then.json" || xw_fail "xwctl book"
ctl --json replay >"$XW_HOME/replay_then.json" || xw_fail "xwctl replay"
sequence=$(xw_json "$XW_HOME/book_then.json" .sequence) time_ns=$(xw_json "$XW_HOME/book_then.json" .time_ns)
xw_play 120 "${XW_CLIENT[@]}" --types plain --orders 8000 --resting 1000 --seed 2 --trades "$XW_HOME/trades.csv" --json "$XW_HOME/second.json"
xw_identity
xw_stop
day=$(echo "$XW_HOME"/journal/2*)

# The past, by sequence and by time, is as it was shown when it was the present; also from the directory alone.
ctl --json book XWIRE --until "$sequence" | cmp - "$XW_HOME/book_then.json" || xw_fail "the book of sequence $sequence is another one now"
at=$(printf '%02d:%02d:%02d.%09d' $((time_ns / 3600000000000)) $((time_ns / 60000000000 % 60)) $((time_ns / 1000000000 % 60)) $((time_ns % 1000000000)))
"$XW_BIN/xwctl" --json book XWIRE "$day" --at "$at" | cmp - "$XW_HOME/book_then.json" || xw_fail "the book of $at is another one now"
ctl --json book XWIRE | cmp -s - "$XW_HOME/book_then.json" && xw_fail "the book has not changed since"
ctl --json replay --until "$(xw_json "$XW_HOME/replay_then.json" '.cores[0].sequence')" >"$XW_HOME/replay_again.json"
for file in then again; do jq -cS 'del(.seconds, .records) | .cores[0] | del(.records)' "$XW_HOME/replay_$file.json" >"$XW_HOME/$file.txt"; done
cmp "$XW_HOME/then.txt" "$XW_HOME/again.txt" || xw_fail "the replay of the first half differs"

# What the clients were told in all is what the replay comes to.
ctl --json replay >"$XW_HOME/replay.json" || xw_fail "xwctl replay"
total() { echo $(($(xw_json "$XW_HOME/first.json" "$1") + $(xw_json "$XW_HOME/second.json" "$1"))); }
xw_expect "accepted" "$(xw_json "$XW_HOME/replay.json" '.cores[0].accepted')" "$(total '.messages.A + .messages.U')"
xw_expect "rejected" "$(xw_json "$XW_HOME/replay.json" '.cores[0].rejected')" "$(total '.messages.J // 0')"
xw_expect "executions" "$(xw_json "$XW_HOME/replay.json" '.cores[0].trades * 2')" "$(total '.messages.E')"

# Accounts: what one bought another sold, and all of it was traded.
for account in NORTH SOUTH; do ctl --json account $account >"$XW_HOME/$account.json" || xw_fail "xwctl account $account"; done
sum() { jq -s "[.[].positions[].$1] | add" "$XW_HOME/NORTH.json" "$XW_HOME/SOUTH.json"; }
xw_expect "shares bought" "$(sum bought)" "$(xw_json "$XW_HOME/replay.json" '.cores[0].shares')"
xw_expect "shares sold" "$(sum sold)" "$(sum bought)"
xw_expect "what was paid" "$(sum bought_value)" "$(sum sold_value)"
xw_expect "positions together" "$(sum position)" 0
ctl account north | grep -q '^XWIRE ' || xw_fail "xwctl account does not show XWIRE"

# One order's life: the first that was replaced. All numbers that it went by tell the same life.
ctl --json journal dump >"$XW_HOME/dump.json" || xw_fail "xwctl journal dump"
read -r user from to < <(jq -r 'select(.type == "replace") | "\(.user) \(.orig_user_ref) \(.user_ref)"' "$XW_HOME/dump.json" | head -n 1)
ctl --json order "$user" "$from" >"$XW_HOME/order.json" || xw_fail "xwctl order $user $from"
ctl --json order "$user" "$to" | cmp - "$XW_HOME/order.json" || xw_fail "the order tells another life by its number $to"
xw_expect "the life's beginning" "$(jq -r .type "$XW_HOME/order.json" | head -n 2 | paste -sd' ')" "enter accepted"
jq -es "any(.type == \"replaced\" and .user_ref == $to or .type == \"canceled\" and .user_ref == $from)" "$XW_HOME/order.json" >/dev/null ||
    xw_fail "nothing became of the replace: $(cat "$XW_HOME/order.json")"

# Exports: every record once, in each form.
records=$(xw_json "$XW_HOME/replay.json" .records)
ctl journal export --format json --out "$XW_HOME/day.json" 2>/dev/null || xw_fail "export to JSON"
cmp "$XW_HOME/day.json" "$XW_HOME/dump.json" || xw_fail "export and dump differ"
xw_expect "lines of JSON" "$(jq -c .seq "$XW_HOME/day.json" | sort -nu | wc -l)" "$records"
ctl journal export --format csv --out "$XW_HOME/day.csv" 2>/dev/null || xw_fail "export to CSV"
xw_expect "lines of CSV" "$(wc -l <"$XW_HOME/day.csv")" $((records + 1))
xw_expect "numbers of fields in CSV" "$(awk -F, '{print NF}' "$XW_HOME/day.csv" | sort -u | wc -l)" 1
ctl journal inspect >"$XW_HOME/inspect.txt" || xw_fail "xwctl journal inspect"
tail -n 1 "$XW_HOME/inspect.txt" | grep -q "^$records records, .*closed in order: true" || xw_fail "inspect says $(cat "$XW_HOME/inspect.txt")"
ctl journal export --format pcap --out "$XW_HOME/day.pcap" 2>/dev/null || xw_fail "export to a capture"
[ -e "$XW_HOME/day.pcap.part" ] && xw_fail "half a file was left"
if command -v tshark >/dev/null; then
    xw_expect "malformed packets" "$(tshark -n -r "$XW_HOME/day.pcap" -d udp.port==4000,data -o ip.check_checksum:TRUE \
        -Y '_ws.malformed || ip.checksum.status == 0' 2>/dev/null | wc -l)" 0
fi

# Two journals: equal to itself; the other day is not, and the first record that differs is shown.
"$XW_BIN/xwctl" journal diff "$day" "$day" | grep -q "^equal: $records records" || xw_fail "a journal differs from itself"

# What if: nothing differs under the same configuration; with room for fewer orders some would have been refused.
ctl --json replay --with "$XW_CONFIG" >"$XW_HOME/same.json" || xw_fail "xwctl replay --with"
xw_expect "records that differ under the same configuration" "$(xw_json "$XW_HOME/same.json" .records_that_differ.now)" 0
sed 's/^  max_orders:.*/  max_orders: 1024/' "$XW_CONFIG" >"$XW_HOME/small.yaml"
ctl --json --depth 1 replay --with "$XW_HOME/small.yaml" >"$XW_HOME/small.json" || xw_fail "xwctl replay --with fewer orders"
tail -n 1 "$XW_HOME/small.json" | jq -e '.rejected.now > .rejected.then and .records_that_differ.now > 0' >/dev/null ||
    xw_fail "a smaller engine refuses nothing: $(cat "$XW_HOME/small.json")"
xw_expect "what the first order beyond got" "$(jq -rs '.[0:-1] | "\(.[0].type) \(.[1].when) \(.[1].type) \(.[-1].when) \(.[-1].type)"' \
    "$XW_HOME/small.json")" "enter then accepted now rejected"
sed 's/name: ALPHA/name: OMEGA/' "$XW_CONFIG" >"$XW_HOME/other.yaml"
refused 78 'change settings only' -c "$XW_CONFIG" replay --with "$XW_HOME/other.yaml"

# What cannot be answered says so.
refused 66 'no symbol' -c "$XW_CONFIG" book NOSUCH
refused 66 'no session of user' -c "$XW_CONFIG" order NOBODY 1
refused 66 'has entered no order' -c "$XW_CONFIG" order "$user" 4000000000
refused 66 'no account' -c "$XW_CONFIG" account NOBODY
refused 64 'HH:MM:SS' -c "$XW_CONFIG" replay --at noon
refused 64 'give a number' -c "$XW_CONFIG" replay --until later
refused 64 'YYYY-MM-DD' -c "$XW_CONFIG" replay --date today
refused 66 'No such file' -c "$XW_CONFIG" replay --date 2001-02-03
refused 64 'json (lines), csv or pcap' -c "$XW_CONFIG" journal export --format xml
refused 64 'give --out FILE' -c "$XW_CONFIG" journal export --format pcap
refused 73 'No such file' -c "$XW_CONFIG" journal export --out "$XW_HOME/no/such/day.json"
refused 64 'JOURNALDIR/YYYYMMDD' replay "$XW_HOME"
xw_clean

# The capture plays again: the same orders on a fresh day, one at a time, make the same trades.
trades=$(xw_json "$XW_HOME/replay.json" '.cores[0].trades') first=$day
capture=$XW_HOME/day.pcap
XW_HOME=$XW_HOME/again XW_ACK=matched # the disk's latency, once for each order, is not what is tested
mkdir -p "$XW_HOME"
xw_begin
xw_configure
xw_start
xw_play 120 "${XW_CLIENT[@]}" --input "$capture" --window 1 --json "$XW_HOME/summary.json"
xw_identity
ctl --json replay >"$XW_HOME/replay.json" || xw_fail "xwctl replay"
xw_expect "trades of the day that was played again" "$(xw_json "$XW_HOME/replay.json" '.cores[0].trades')" "$trades"
xw_stop
status=0
"$XW_BIN/xwctl" journal diff "$first" "$XW_HOME"/journal/2* >"$XW_HOME/diff.txt" || status=$?
xw_expect "the exit code of a difference" $status 1
xw_expect "records shown" "$(cut -c1 "$XW_HOME/diff.txt" | paste -sd' ')" "< >"
