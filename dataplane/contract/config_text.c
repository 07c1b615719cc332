// SPDX-License-Identifier: Apache-2.0
#include "contract/config_text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "contract/command.h"

bool text_only(const char *text, const char *extra)
{
    for (; *text; text++)
        if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9') ||
              strchr(extra, *text)))
            return false;
    return true;
}

bool text_visible(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

void text_pad(char *wire, size_t size, const char *text, bool upper)
{
    memset(wire, ' ', size);
    for (size_t i = 0; i < size && text[i]; i++)
        wire[i] = upper ? (char)toupper((unsigned char)text[i]) : text[i];
}

bool parse_ip(const char *text, uint32_t *ip)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1)
        return false;
    *ip = ntohl(address.s_addr);
    return *ip != 0;
}

bool parse_mac(const char *text, uint8_t mac[6])
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(text) != 17)
        return false;
    for (int i = 0; i < 6; i++) {
        const char *high = strchr(digits, tolower((unsigned char)text[3 * i]));
        const char *low = strchr(digits, tolower((unsigned char)text[3 * i + 1]));
        if (!high || !low || (i < 5 && text[3 * i + 2] != ':'))
            return false;
        mac[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return (mac[0] & 1) == 0; // a multicast address is nobody's own
}

bool parse_price(const char *text, uint32_t *price)
{
    uint64_t value = 0;
    int places = -1, count = 0;
    for (; *text; text++) {
        if (*text == '.' && places < 0 && count > 0) {
            places = 0;
            continue;
        }
        if (*text < '0' || *text > '9' || places == 4 || ++count > 12)
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
        places += places >= 0;
    }
    if (count == 0 || places == 0)
        return false;
    for (places = places < 0 ? 0 : places; places < 4; places++)
        value *= 10;
    *price = (uint32_t)value;
    return value > 0 && value <= PRICE_MAX;
}

bool parse_date(const char *text, uint32_t *date)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (strlen(text) != 10)
        return false;
    for (int i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    const unsigned year = (unsigned)strtoul(text, NULL, 10), month = (unsigned)strtoul(text + 5, NULL, 10),
                   day = (unsigned)strtoul(text + 8, NULL, 10);
    if (year < 2000 || year > 2099 || month < 1 || month > 12 || day < 1)
        return false;
    // Within 2000 to 2099 every fourth year is a leap year.
    if (day > days[month - 1] + (month == 2 && year % 4 == 0))
        return false;
    *date = year * 10000 + month * 100 + day;
    return true;
}

bool parse_hour(const char *text, uint32_t *seconds)
{
    if (strlen(text) != 8)
        return false;
    for (int i = 0; i < 8; i++)
        if (i == 2 || i == 5 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
            return false;
    const uint32_t hour = (uint32_t)strtoul(text, NULL, 10), minute = (uint32_t)strtoul(text + 3, NULL, 10),
                   second = (uint32_t)strtoul(text + 6, NULL, 10);
    *seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second < 60;
}

uint32_t date_today(void)
{
    struct tm utc;
    time_t now = time(NULL);
    gmtime_r(&now, &utc);
    return (uint32_t)(utc.tm_year + 1900) * 10000 + (uint32_t)(utc.tm_mon + 1) * 100 + (uint32_t)utc.tm_mday;
}
