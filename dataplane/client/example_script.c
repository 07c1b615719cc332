// SPDX-License-Identifier: Apache-2.0
// A client that is told what to do, a line each on standard input, and prints whatever the venue says, the day's
// messages so far included.
//   example_script HOST PORT USER PASSWORD < lines
//
//   enter REF SIDE QUANTITY SYMBOL PRICE [NAME=VALUE ..]     PRICE in 1/10,000
//   replace ORIG REF QUANTITY PRICE [NAME=VALUE ..]
//   cancel REF QUANTITY
//   wait MS                                                  receives for so long
//   end                                                      leaves at once
//   # anything
//
// Begins when all that was told before is there; behind the last line, leaves when the venue has answered all that was
// sent.
// NAME: tif display id (ClOrdID) min floor random peg (P R M m) offset discretion post expire aiq group stop trail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/crosswire_client.h"

#define MS UINT64_C(1000000)
#define PATIENCE (5000 * MS)

static unsigned answered; // account queries

static void print_answer(void *context, uint64_t sequence, const uint8_t *bytes, size_t size)
{
    struct xw_ouch m;
    (void)context;
    if (!xw_ouch_decode(bytes, size, &m))
        return;
    if (m.type == 'Q') {
        answered++;
        return;
    }
    printf("%lu %c", (unsigned long)sequence, m.type);
    if (m.type != 'S')
        printf(" %u", m.user_ref);
    if (m.type == 'A' || m.type == 'U')
        printf(" %c %u %s %lu display=%c tif=%c ref=%lu", m.side, m.quantity, m.symbol, (unsigned long)m.price,
               m.display, m.tif, (unsigned long)m.order_ref);
    if (m.stop_price != 0)
        printf(" stop=%lu", (unsigned long)m.stop_price);
    if (m.trail_amount != 0)
        printf(" trail=%lu", (unsigned long)m.trail_amount);
    if (m.type == 'E')
        printf(" %u %lu %c match=%lu", m.quantity, (unsigned long)m.price, m.liquidity, (unsigned long)m.match);
    if (m.type == 'C' || m.type == 'D')
        printf(" %u %c", m.quantity, m.reason);
    if (m.type == 'B')
        printf(" %c %s match=%lu", m.reason, m.cl_ord_id, (unsigned long)m.match);
    if (m.type == 'R')
        printf(" %c shows=%u ref=%lu", m.reason, m.display_quantity, (unsigned long)m.order_ref);
    if (m.type == 'T')
        printf(" %lu ref=%lu", (unsigned long)m.price, (unsigned long)m.order_ref);
    if (m.type == 'M')
        printf(" %u", m.quantity);
    if (m.type == 'J')
        printf(" %s", xw_ouch_reject_text(m.reject));
    if (m.type == 'S')
        printf(" %c", m.reason);
    putchar('\n');
}

// Receives and sends until `until_ns`.
static void pump(struct xw_session *session, int socket, uint64_t until_ns)
{
    uint8_t datagram[XW_DATAGRAM_MAX];
    for (uint64_t now = xw_now_ns(); now < until_ns; now = xw_now_ns()) {
        for (size_t size; (size = xw_session_poll(session, now, datagram)) > 0;)
            xw_udp_send(socket, datagram, size);
        ssize_t got = xw_udp_receive(socket, 5 * MS, datagram, sizeof datagram);
        if (got > 0)
            xw_session_receive(session, xw_now_ns(), datagram, (size_t)got);
    }
}

// Receives and sends until all that the venue is known to have told is there. False: it never was.
static bool catch_up(struct xw_session *session, int socket)
{
    for (uint64_t end = xw_now_ns() + PATIENCE; xw_now_ns() < end; pump(session, socket, xw_now_ns() + MS))
        if (xw_session_state(session) == XW_SESSION_ON && xw_session_missing(session) == 0)
            return true;
    return false;
}

// The answer to an account query stands behind those to all that was sent before it.
static void await_answers(struct xw_session *session, int socket)
{
    uint8_t message[XW_OUCH_REQUEST_MAX];
    const unsigned before = answered;
    size_t size = xw_ouch_query(message, NULL);
    if (!xw_session_send(session, message, size))
        return;
    for (uint64_t end = xw_now_ns() + PATIENCE; answered == before && xw_now_ns() < end;)
        pump(session, socket, xw_now_ns() + MS);
}

// What NAME=VALUE means for the fixed fields and the options. False when it means nothing.
static bool take_word(char *word, char *tif, char *display, const char **id, struct xw_options *options)
{
    static const struct {
        const char *name;
        uint8_t tag, width; // 1: a character
    } names[] = {
        {"min", TAG_MIN_QTY, 4},          {"floor", TAG_MAX_FLOOR, 4},        {"random", TAG_RANDOM_RESERVES, 4},
        {"peg", TAG_PRICE_TYPE, 1},       {"offset", TAG_PEG_OFFSET, 4},      {"discretion", TAG_DISCRETION_PRICE, 8},
        {"post", TAG_POST_ONLY, 1},       {"expire", TAG_EXPIRE_TIME, 4},     {"aiq", TAG_AIQ_STRATEGY, 1},
        {"stop", WIRE_TAG_STOP_PRICE, 8}, {"trail", WIRE_TAG_TRAIL_AMOUNT, 8}};
    char *value = strchr(word, '=');
    if (value == NULL)
        return false;
    *value++ = '\0';
    if (strcmp(word, "tif") == 0)
        *tif = *value;
    else if (strcmp(word, "display") == 0)
        *display = *value;
    else if (strcmp(word, "id") == 0)
        *id = value;
    else if (strcmp(word, "group") == 0)
        xw_option_text(options, TAG_AIQ_GROUP, value, 2);
    else
        for (size_t i = 0;; i++) {
            if (i == sizeof names / sizeof names[0])
                return false;
            if (strcmp(word, names[i].name) != 0)
                continue;
            if (names[i].width == 1)
                xw_option_char(options, names[i].tag, *value);
            else if (names[i].width == 4)
                xw_option_u32(options, names[i].tag, (uint32_t)strtol(value, NULL, 10));
            else
                xw_option_u64(options, names[i].tag, strtoull(value, NULL, 10));
            break;
        }
    return true;
}

// Turns a line of words into a message; 0 when it is not understood.
static size_t encode(char **words, unsigned count, uint8_t *out)
{
    struct xw_options options = {0};
    char tif = 0, display = 0;
    const char *id = NULL;
    unsigned fixed = strcmp(words[0], "enter") == 0 ? 6 : strcmp(words[0], "replace") == 0 ? 5 : 3;
    if (count < fixed)
        return 0;
    for (unsigned i = fixed; i < count; i++)
        if (!take_word(words[i], &tif, &display, &id, &options))
            return 0;
    uint32_t number[6] = {0};
    for (unsigned i = 1; i < fixed; i++)
        number[i] = (uint32_t)strtoul(words[i], NULL, 10);
    if (fixed == 6) {
        struct xw_enter order = {.user_ref = number[1],
                                 .side = words[2][0],
                                 .quantity = number[3],
                                 .symbol = words[4],
                                 .price = number[5],
                                 .cl_ord_id = id,
                                 .tif = tif,
                                 .display = display};
        return xw_ouch_enter(out, &order, &options);
    }
    if (fixed == 5) {
        struct xw_replace order = {.orig_user_ref = number[1],
                                   .user_ref = number[2],
                                   .quantity = number[3],
                                   .price = number[4],
                                   .cl_ord_id = id,
                                   .tif = tif,
                                   .display = display};
        return xw_ouch_replace(out, &order, &options);
    }
    return strcmp(words[0], "cancel") == 0 ? xw_ouch_cancel(out, number[1], number[2], NULL) : 0;
}

static bool run_line(struct xw_session *session, int socket, char *line)
{
    uint8_t message[XW_OUCH_REQUEST_MAX];
    char *words[32];
    unsigned count = 0;
    for (char *word = strtok(line, " \t\n"); word != NULL && count < 32; word = strtok(NULL, " \t\n"))
        words[count++] = word;
    if (count == 0 || words[0][0] == '#')
        return true;
    if (strcmp(words[0], "wait") == 0 && count == 2) {
        pump(session, socket, xw_now_ns() + strtoul(words[1], NULL, 10) * MS);
        return true;
    }
    size_t size = encode(words, count, message);
    if (size == 0 || !xw_session_send(session, message, size))
        return false;
    pump(session, socket, xw_now_ns() + 20 * MS);
    return true;
}

int main(int argc, char **argv)
{
    char line[512];
    if (argc != 5)
        return fprintf(stderr, "usage: example_script HOST PORT USER PASSWORD < lines\n"), 64;
    int socket = xw_udp_open(argv[1], (uint16_t)atoi(argv[2]));
    struct xw_session_config config = {
        .user = argv[3], .password = argv[4], .login_ns = 100 * MS, .on_message = print_answer};
    struct xw_session *session = xw_session_open(&config);
    if (socket < 0 || session == NULL)
        return fprintf(stderr, "example_script: cannot reach %s\n", argv[1]), 69;
    xw_session_login(session);
    if (!catch_up(session, socket))
        return fprintf(stderr, "example_script: not logged in\n"), 77;
    bool ends = false;
    while (!ends && fgets(line, sizeof line, stdin) != NULL) {
        ends = strcmp(line, "end\n") == 0;
        if (!ends && !run_line(session, socket, line))
            return fprintf(stderr, "example_script: not understood, or not sent: %s\n", line), 65;
    }
    if (!ends)
        await_answers(session, socket);
    xw_session_logoff(session);
    pump(session, socket, xw_now_ns() + 20 * MS);
    xw_session_close(session);
    return close(socket);
}
