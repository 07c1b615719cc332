// SPDX-License-Identifier: Apache-2.0
// Order books built from ITCH 5.0. Grows with what it is fed; memory that runs out stops the program.
#ifndef CROSSWIRE_CLIENT_BOOK_H
#define CROSSWIRE_CLIENT_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "client/itch.h"

struct xw_level {
    uint32_t price;
    uint32_t orders;
    uint64_t shares;
};

struct xw_book_order {
    uint64_t ref; // 0: none
    uint32_t shares;
    uint32_t price;
    uint16_t locate;
    char side; // B or S
};

struct xw_book; // all symbols of one stream

struct xw_book *xw_book_open(void); // NULL: no memory
void xw_book_close(struct xw_book *book);

// Takes one message. False when it contradicts the book: an unknown or repeated reference, more shares than there are.
// The message is then left out, except that of an execution or a cancel for too many, which removes the order.
bool xw_book_apply(struct xw_book *book, const struct xw_itch *message);

// The `depth` best levels of a side ('B' or 'S'), best first. Returns how many there are.
unsigned xw_book_levels(const struct xw_book *book, uint16_t locate, char side, struct xw_level *levels,
                        unsigned depth);

// One order; ref 0 in the result when there is none.
struct xw_book_order xw_book_find(const struct xw_book *book, uint64_t ref);

uint16_t xw_book_locate(const struct xw_book *book, const char *symbol);      // 0: never seen
const char *xw_book_symbol(const struct xw_book *book, uint16_t locate);      // "": never seen
char xw_book_trading_state(const struct xw_book *book, uint16_t locate);      // of the last H, 0 before
const char *xw_book_halt_reason(const struct xw_book *book, uint16_t locate); // of the last H, "": none
char xw_book_short_sale(const struct xw_book *book, uint16_t locate); // of the last Y: 0 1 2 as characters; 0 before
struct xw_bands {
    uint32_t reference, lower, upper; // 0: no J so far
};
struct xw_bands xw_book_bands(const struct xw_book *book, uint16_t locate); // of the last J
char xw_book_breached(const struct xw_book *book);                          // level of the last W, 0 before
uint64_t xw_book_volume(const struct xw_book *book, uint16_t locate);       // executed shares that count
uint32_t xw_book_last_price(const struct xw_book *book, uint16_t locate);   // of the last execution, 0 before
uint64_t xw_book_orders(const struct xw_book *book);                        // live, all symbols
uint16_t xw_book_highest_locate(const struct xw_book *book);                // 0 when nothing was seen
bool xw_book_crossed(const struct xw_book *book, uint16_t locate);          // best bid at or above best offer

#endif
