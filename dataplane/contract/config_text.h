// SPDX-License-Identifier: Apache-2.0
// Texts of the configuration as values: addresses, prices, dates, names as they stand on the wire.
#ifndef CROSSWIRE_CONTRACT_CONFIG_TEXT_H
#define CROSSWIRE_CONTRACT_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Only ASCII letters, digits and characters of `extra`.
bool text_only(const char *text, const char *extra);

// Only printable ASCII, no blank.
bool text_visible(const char *text);

// Copies `text` left-justified and blank padded, as OUCH and ITCH hold it.
void text_pad(char *wire, size_t size, const char *text, bool upper);

// IPv4 in host order; false for 0.0.0.0 too.
bool parse_ip(const char *text, uint32_t *ip);

// aa:bb:cc:dd:ee:ff; false for a multicast address too, which is nobody's own.
bool parse_mac(const char *text, uint8_t mac[6]);

// A decimal with up to 4 places, in 1/10,000; false for anything else, for 0 and for more than a price can be.
bool parse_price(const char *text, uint32_t *price);

// YYYY-MM-DD of a day that exists, 2000 to 2099, as yyyymmdd.
bool parse_date(const char *text, uint32_t *date);

// HH:MM:SS of a day, in seconds since midnight.
bool parse_hour(const char *text, uint32_t *seconds);

// UTC's date now, as yyyymmdd.
uint32_t date_today(void);

#endif
