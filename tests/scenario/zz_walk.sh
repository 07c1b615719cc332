#!/bin/bash
# An operator at three in the morning
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_link jq
xw_configure
for option in "${XW_CLIENT[@]}"; do
    case $option in TRADE1:*) password1=${option#*:} && password1=${password1%%@*} ;; 
    TRADE3:*) password3=${option#*:} && password3=${password3%%@*} ;; esac
done
client() { local password=password$1
    "${xw_inside[@]}" timeout 20 "$XW_BIN/example_script" 10.0.0.1 4000 TRADE$1 "${!password}" >"$XW_HOME/told.log"; echo "--- client $1"; cat "$XW_HOME/told.log"; }
exec >/tmp/gg_walk.out 2>&1
ctl() { echo; echo "\$ xwctl $*"; "$XW_BIN/xwctl" -c "$XW_CONFIG" "$@"; echo "[exit $?]"; }
limits=$XW_HOME/limits.yaml
xw_set risk limits "$limits"
xw_set risk second_person true
cat >"$limits" <<'LINES'
venue: {alert_percent: 80}
accounts:
  - {account: NORTH, max_quantity: 1000, gross_notional: 100000.00, working_orders: 7, loss: 500.00, capital: 10000.00}
symbols:
  - {symbol: XWIRE, reference: 10.00, adv: 1000000}
LINES
xw_start 30
xw_await control XW2004 1 10
ctl status
ctl limits list
ctl limits show
ctl limits set account NORTH max_quantity 500 --by ALICE
ctl limits set account NORTH max_quantity 5000 --by ALICE
ctl limits pending
ctl limits approve 1 --by BOB
ctl limits set account NORTH nonsense 5000 --by ALICE
client 1 <<'LINES'
enter 1 B 400 XWIRE 100000
enter 2 B 600 XWIRE 100000
LINES
client 3 <<'LINES'
enter 1 S 400 XWIRE 100000
enter 2 S 100 XWIRE 80000
enter 3 B 100 XWIRE 80000
LINES
sleep 1.2
ctl limits show account NORTH
ctl kills
ctl status
ctl breakers
client 1 <<'LINES'
enter 3 B 400 XWIRE 100000
LINES
ctl reset account NORTH --by ALICE --why 'looked into'
ctl kills
ctl limits set account NORTH loss 100000 --by ALICE
ctl kill session TRADE3 --by ALICE --why 'runaway'
ctl kill side B --by ALICE --why 'no buys'
ctl kills
ctl reset venue --by ALICE --why 'all good'
ctl halt XWIRE --reason T1 --by ALICE
ctl breaker reset loss --by ALICE
ctl breaker reset nothing --by ALICE
ctl audit
ctl audit --all
ctl counters
xw_stop
