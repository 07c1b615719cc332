// SPDX-License-Identifier: Apache-2.0
// OUCH 5.0 from the client's side: requests to bytes, answers to a struct. Prices are integers in 1/10,000 of the
// currency.
#ifndef CROSSWIRE_CLIENT_OUCH_H
#define CROSSWIRE_CLIENT_OUCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/command.h" // TAG_ numbers, PRICE_MARKET, QUANTITY_MAX

#define XW_OPTIONS_MAX 256
#define XW_OUCH_REQUEST_MAX (47 + XW_OPTIONS_MAX) // no request is longer

// Options of a request: start from zero ({0}), then add. Nothing is checked against OUCH's tables, so that a test can
// send what a venue must refuse; an option that does not fit in XW_OPTIONS_MAX stops the program.
struct xw_options {
    uint16_t size;
    uint8_t bytes[XW_OPTIONS_MAX];
};

void xw_option_char(struct xw_options *options, uint8_t tag, char value);
void xw_option_u8(struct xw_options *options, uint8_t tag, uint8_t value);
void xw_option_u16(struct xw_options *options, uint8_t tag, uint16_t value);
void xw_option_u32(struct xw_options *options, uint8_t tag, uint32_t value);                  // signed offsets: cast
void xw_option_u64(struct xw_options *options, uint8_t tag, uint64_t value);                  // also 8-byte prices
void xw_option_text(struct xw_options *options, uint8_t tag, const char *text, size_t width); // padded with spaces
void xw_option_raw(struct xw_options *options, uint8_t tag, const void *value, size_t size);

// Crosswire's own: an order with one of them waits until the stop price is reached; with a market price it is a stop
// market order. A trail amount keeps the stop price that far from the best trade.
void xw_option_stop_price(struct xw_options *options, uint64_t price);
void xw_option_trail_amount(struct xw_options *options, uint64_t amount);

// Enter Order. Texts end with NUL and are padded (NULL: blank). A character field left 0 gets the value in brackets.
struct xw_enter {
    uint32_t user_ref;
    uint32_t quantity;
    uint64_t price;
    const char *symbol;    // up to 8
    const char *cl_ord_id; // up to 14
    char side;             // B buy, S sell, T sell short, E sell short exempt [B]
    char tif;              // 0 day, 3 IOC, 5 GTX, 6 GTT, E after hours [0]
    char display;          // Y visible, N hidden, A attributable [Y]
    char capacity;         // A agency, P principal, R riskless, O other [P]
    char iso;              // [N]
    char cross;            // [N continuous]
};

// Replace: `quantity` is for the whole chain, what has been executed included.
struct xw_replace {
    uint32_t orig_user_ref;
    uint32_t user_ref;
    uint32_t quantity;
    uint64_t price;
    const char *cl_ord_id;
    char tif, display, iso;
};

// Each writes one message to `out` (room for XW_OUCH_REQUEST_MAX) and returns its size. `options` may be NULL; then
// messages whose appendage is optional (X, M, Q) go without it.
size_t xw_ouch_enter(uint8_t *out, const struct xw_enter *order, const struct xw_options *options);
size_t xw_ouch_replace(uint8_t *out, const struct xw_replace *order, const struct xw_options *options);
size_t xw_ouch_cancel(uint8_t *out, uint32_t user_ref, uint32_t quantity, const struct xw_options *options);
size_t xw_ouch_modify(uint8_t *out, uint32_t user_ref, char side, uint32_t quantity, const struct xw_options *options);
size_t xw_ouch_mass_cancel(uint8_t *out, uint32_t user_ref, const char *firm, const char *symbol,
                           const struct xw_options *options);
size_t xw_ouch_disable(uint8_t *out, uint32_t user_ref, const char *firm, const struct xw_options *options);
size_t xw_ouch_enable(uint8_t *out, uint32_t user_ref, const char *firm, const struct xw_options *options);
size_t xw_ouch_query(uint8_t *out, const struct xw_options *options);

// Any message of the venue. Fields that its type does not have are 0. Texts end with NUL, trailing spaces cut.
struct xw_ouch {
    char type; // S A U C D E B J P I T M R X G K Q
    char side;
    char tif, display, capacity, iso, cross;
    char state;           // A, U: L live, D dead
    char reason;          // S: event code; C, D, B, R: reason
    char liquidity;       // E, D: A displayed maker, J hidden maker, k midpoint maker, R taker, m taker at a midpoint
    char aiq_strategy;    // D
    uint8_t user_ref_idx; // channel, 0 when none is named
    uint16_t reject;      // J: reason code
    uint16_t options_size;
    uint32_t user_ref;      // Q: next usable
    uint32_t orig_user_ref; // U
    uint32_t quantity;      // A, U: exposed; C, E: this time; D: decrement; M: outstanding
    uint32_t prevented;     // D
    uint64_t time_ns;
    uint64_t price;
    uint64_t order_ref; // A, U, T; R: the new one, 0 when it is not told
    uint64_t match;
    uint64_t stop_price, trail_amount; // A, U: echoed, 0: none
    uint32_t display_quantity;         // R: what is displayed from now on
    const uint8_t *options;            // elements, in the caller's message
    char symbol[9];
    char cl_ord_id[15];
    char firm[5];
};

// Reads one message; false when type, size or appendage are not OUCH's. Keeps a pointer into `message`.
bool xw_ouch_decode(const uint8_t *message, size_t size, struct xw_ouch *out);

// The value of option `tag`: its bytes, NULL when it is absent; `size` (may be NULL) gets their number.
const uint8_t *xw_ouch_option(const struct xw_ouch *message, uint8_t tag, size_t *size);

// A reject code in words.
const char *xw_ouch_reject_text(uint16_t code);

#endif
