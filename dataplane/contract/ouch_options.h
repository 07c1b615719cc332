// SPDX-License-Identifier: Apache-2.0
// Names for the columns of ouch_options.def.
#ifndef CROSSWIRE_CONTRACT_OUCH_OPTIONS_H
#define CROSSWIRE_CONTRACT_OUCH_OPTIONS_H

enum ouch_option_kind { KIND_NONE, KIND_CHAR, KIND_ALPHA, KIND_U8, KIND_U16, KIND_U32, KIND_U64, KIND_PRICE };

#define OUCH_TAG_MAX 30 // highest tag assigned

// Inbound messages by type; EN is the inbound E (enable order entry).
enum {
    IN_O = 1 << 0,
    IN_U = 1 << 1,
    IN_X = 1 << 2,
    IN_M = 1 << 3,
    IN_C = 1 << 4,
    IN_D = 1 << 5,
    IN_EN = 1 << 6,
    IN_Q = 1 << 7,
    IN_ANY = 0xFF,
};

// Outbound messages that can carry more than UserRefIdx.
enum { OUT_A = 1 << 0, OUT_U = 1 << 1, OUT_M = 1 << 2, OUT_R = 1 << 3, OUT_X = 1 << 4, OUT_ANY = 0xFF };

#endif
