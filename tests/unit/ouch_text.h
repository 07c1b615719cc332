// SPDX-License-Identifier: Apache-2.0
// OUCH 5.0 as its text says it, written by hand and shared by the tests of both ends, so that no codec vouches for
// itself.
#ifndef CROSSWIRE_TESTS_UNIT_OUCH_TEXT_H
#define CROSSWIRE_TESTS_UNIT_OUCH_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Inbound messages without options. `fixed` is what comes before the appendage length.
struct in_text {
    char type;
    bool optional; // the appendage, its length included, may be left out
    unsigned fixed;
    const char *text; // of the fixed part
};

static const struct in_text in_texts[] = {
    {'O', false, 45, "'O' 00000007 'B' 00000064 'ABC     ' 00000000000186A0 '0' 'Y' 'P' 'N' 'N' 'MY-ORDER-00001'"},
    {'U', false, 38, "'U' 00000007 00000008 000000C8 00000000000186A1 '3' 'N' 'N' 'MY-ORDER-00002'"},
    {'X', true, 9, "'X' 00000007 00000032"},
    {'M', true, 10, "'M' 00000007 'T' 00000064"},
    {'C', false, 17, "'C' 00000009 'FIRM' 'ABC     '"},
    {'D', false, 9, "'D' 0000000A 'FIRM'"},
    {'E', false, 9, "'E' 0000000B 'FIRM'"},
    {'Q', true, 1, "'Q'"},
};
#define IN_TEXTS (sizeof in_texts / sizeof in_texts[0])

// Option tags: inbound messages that may carry it, one good value.
struct tag_text {
    uint8_t tag;
    const char *in;    // of "OUXMCDEQ"
    const char *value; // on the wire
};

static const struct tag_text tag_texts[] = {
    {1, "", "0000000000000042"}, // SecondaryOrdRefNum
    {2, "O", "'FIRM'"},          // Firm
    {3, "OU", "00000064"},       // MinQty
    {4, "O", "'R'"},             // CustomerType
    {5, "OU", "00000032"},       // MaxFloor
    {6, "OU", "'M'"},            // PriceType
    {7, "OU", "FFFFFF9C"},       // PegOffset, -100
    {9, "OU", "00000000000186A2"},
    {10, "OU", "'P'"},
    {11, "OU", "00000064"},
    {12, "OU", "'P'"},      // PostOnly
    {13, "OU", "0000000A"}, // RandomReserves
    {14, "", "'RTE1'"},     // Route: outbound only since R1.04
    {15, "OU", "0000003C"}, // ExpireTime
    {16, "OU", "'Y'"},      // TradeNow
    {17, "OU", "'I'"},      // HandleInst
    {18, "", "'2'"},        // BBO weight
    {22, "", "00000064"},   // DisplayQuantity
    {23, "", "00000000000186A0"},
    {24, "OC", "0102"},              // GroupID
    {25, "OUM", "'Y'"},              // SharesLocated
    {26, "OUM", "'BRKR'"},           // LocateBroker
    {27, "UC", "'S'"},               // Side
    {28, "OUXMCDEQ", "05"},          // UserRefIdx
    {29, "OU", "'Y'"},               // AIQ strategy
    {30, "OU", "'G1'"},              // AIQ group
    {200, "OU", "00000000000186A3"}, // StopPrice, Crosswire's own
    {201, "OU", "0000000000000064"}, // TrailAmount, Crosswire's own
};
#define TAG_TEXTS (sizeof tag_texts / sizeof tag_texts[0])

// The bit of the options word for a tag: Crosswire's own stand where OUCH has none.
static inline uint32_t tag_bit(unsigned tag)
{
    return 1u << (tag == 200 ? 19 : tag == 201 ? 20 : tag);
}

// Outbound messages a nanosecond after 09:30, without options.
struct out_text {
    char type;
    char appendage; // A always there, O only with a channel, N never
    const char *text;
};

#define AT_0930 "00001F1ACED9F001 "
#define TIME_0930 UINT64_C(34200000000001)

static const struct out_text out_texts[] = {
    {'S', 'N', "'S' " AT_0930 "'S'"},
    {'A', 'A',
     "'A' " AT_0930 "00000007 'B' 00000064 'ABC     ' 00000000000186A0 '0' 'Y' 0000000000000042 'P' 'N' 'N' 'L' "
     "'MY-ORDER-00001'"},
    {'U', 'A',
     "'U' " AT_0930
     "00000007 00000008 'S' 000000C8 'ABC     ' 00000000000186A1 '3' 'N' 0000000000000043 'A' 'Y' 'O' 'L' "
     "'MY-ORDER-00002'"},
    {'C', 'O', "'C' " AT_0930 "00000007 00000032 'U'"},
    {'D', 'O', "'D' " AT_0930 "00000007 00000032 'Q' 00000033 00000000000186A0 'R' 'Y'"},
    {'E', 'A', "'E' " AT_0930 "00000007 00000014 00000000000186A0 'R' 0000000000000099"},
    {'B', 'O', "'B' " AT_0930 "00000007 0000000000000099 'E' 'MY-ORDER-00001'"},
    {'J', 'O', "'J' " AT_0930 "00000007 0017 'MY-ORDER-00001'"},
    {'P', 'O', "'P' " AT_0930 "00000007"},
    {'I', 'O', "'I' " AT_0930 "00000007"},
    {'T', 'O', "'T' " AT_0930 "00000007 00000000000186A0 'Y' 0000000000000044"},
    {'M', 'O', "'M' " AT_0930 "00000007 'T' 00000064"},
    {'R', 'A', "'R' " AT_0930 "00000007 'R'"},
    {'X', 'A', "'X' " AT_0930 "00000009 'FIRM' 'ABC     '"},
    {'G', 'A', "'G' " AT_0930 "0000000A 'FIRM'"},
    {'K', 'A', "'K' " AT_0930 "0000000B 'FIRM'"},
    {'Q', 'O', "'Q' " AT_0930 "0000000C"},
};
#define OUT_TEXTS (sizeof out_texts / sizeof out_texts[0])

#endif
