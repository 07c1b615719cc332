#!/bin/bash
# Hostile datagrams at the real appliance: each is counted under its reason, answered where UFO answers, and orders go on
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
xw_begin
xw_link

xw_configure
xw_start

cat >"$XW_HOME/client.sh" <<'CLIENT'
# Sends raw datagrams; speaks up and ends with 1 when an answer is not the one expected.
answer() { timeout 60 dd bs=2048 count=1 <&"$1" 2>/dev/null | od -An -v -tx1 | tr -d ' \n'; }
send() { dd bs=2048 iflag=fullblock 2>/dev/null >&"$1"; } # one write, one datagram
login() { printf '\0\33L%-6s%-10s%-10s' "$1" "$2" "${3:-}"; }
block() { printf "\\x$(printf %02x $((${#1} / 256)))\\x$(printf %02x $((${#1} % 256)))%s" "$1"; }
retransmit() { printf '\0\7T'; printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' 0 0 0 "$1")$(printf '\\x%02x\\x%02x' $(($2 / 256)) $(($2 % 256)))"; }
junk() { printf "$(sha512sum <<<"$1" | sed 's/ .*//; s/../\\x&/g')"; }
# until FD PATTERN WHAT: the next answer but heartbeats matches.
until_answer() {
    local got tries
    for tries in 1 2 3 4; do
        got=$(answer "$1")
        [[ $got == 53????????0000 ]] || break
    done
    [[ $got == $2 ]] || { echo "$3: got '$got', expected $2"; exit 1; }
}
case $1 in
hostile)
    exec 3<>/dev/udp/10.0.0.1/4000 4<>/dev/udp/10.0.0.1/4000 5<>/dev/udp/10.0.0.1/4000 6<>/dev/udp/10.0.0.1/4999
    { block R; block O; block Z; } | send 3                         # 3 NOT_LOGGED_IN
    login NOBODY x | send 3; until_answer 3 4a41 "an unknown user"
    login TRADE1 WRONG | send 3; until_answer 3 4a41 "a wrong password"
    login TRADE1 "$2" OTHERDAY | send 3; until_answer 3 4a53 "another session"
    login trade1 "$2" | send 3; until_answer 3 '41*' "a right login"
    login trade1 "$2" | send 3; until_answer 3 '41*' "the same login again"
    { block R; block Z; block U; block R2; block R; } | send 3      # 3 UFO_TYPE
    { block R; block Uz123; block UO123; block R; } | send 3        # 1 OUCH_TYPE, 1 OUCH_LENGTH
    printf '\0\0U' | send 3                                         # 4 UFO_BLOCK
    printf '\377\377U' | send 3
    printf '\0' | send 3
    { block R; printf '\0\5U'; } | send 3
    retransmit 0 1 | send 3
    retransmit 1 0 | send 3
    retransmit 99 65535 | send 3
    retransmit 1 65535 | send 3; until_answer 3 '53000000010001000a53*53' "the day's first message"
    for i in {1..60}; do junk "$i" | send 4; done                   # 60 discards of some kind
    head -c 4000 /dev/zero | dd bs=4000 iflag=fullblock 2>/dev/null >&3  # fragments: IP_HEADER; or, where veth leaves it whole, FRAME_SHORT
    block R | send 6                                                # UNKNOWN_PORT
    login TRADE1 "$2" | send 5; until_answer 5 '41*' "a take-over"
    block R | send 3                                                # NOT_LOGGED_IN
    login TRADE2 "$3" | send 5; until_answer 5 '41*' "a second session at one address"
    retransmit 1 1 | send 5; until_answer 5 '53000000010001000a53*53' "the second session's first message"
    ;;
away) # control is dead
    exec 3<>/dev/udp/10.0.0.1/4000
    login TRADE1 WRONG | send 3
    login TRADE1 "$2" | send 3; until_answer 3 '41*' "a known login while control is away"
    retransmit 1 1 | send 3; until_answer 3 '53000000010001000a53*53' "a retransmission while control is away"
    ;;
back)
    exec 3<>/dev/udp/10.0.0.1/4000
    login TRADE3 "$2" | send 3; until_answer 3 '41*' "a login once control is back"
    ;;
esac
exit 0
CLIENT

password() {
    local option
    for option in "${XW_CLIENT[@]}"; do [[ $option == TRADE$1:* ]] && option=${option#*:} && echo "${option%%@*}"; done
}
client() { timeout 300 "${xw_inside[@]}" bash "$XW_HOME/client.sh" "$@" || xw_fail "client $1"; }
counter() { xw_json "$XW_HOME/status.json" "[.. | objects | .$1? // empty | numbers] | add"; }

client hostile "$(password 1)" "$(password 2)"
xw_identity
xw_expect NOT_OPEN "$(counter discard_NOT_OPEN)" 0
xw_expect UFO_TYPE "$(counter discard_UFO_TYPE)" 3
xw_expect OUCH_TYPE "$(counter discard_OUCH_TYPE)" 1
xw_expect OUCH_LENGTH "$(counter discard_OUCH_LENGTH)" 1
[ $(($(counter discard_IP_HEADER) + $(counter discard_FRAME_SHORT))) -ge 1 ] || xw_fail "a datagram of 4,000 bytes was not counted"
xw_expect UNKNOWN_PORT "$(counter discard_UNKNOWN_PORT)" 1
xw_expect "UFO_BLOCK and NOT_LOGGED_IN" $(($(counter discard_UFO_BLOCK) + $(counter discard_NOT_LOGGED_IN))) $((4 + 4 + 60))
xw_expect "retransmissions unanswered" "$(counter retransmit_unanswered)" 3

xw_kill control
client away "$(password 1)"
xw_start_control
client back "$(password 3)"
xw_identity
xw_stop
