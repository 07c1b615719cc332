// SPDX-License-Identifier: Apache-2.0
// Any bytes as datagrams from a venue that is broken or hostile: {kind, size, bytes} repeated. The sessions deliver
// each sequence once and in order, what they send is well formed, decoders and books stand anything.
#include <stdlib.h>
#include <string.h>

#include "client/crosswire_client.h"
#include "contract/assert.h"
#include "contract/ufo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reader {
    struct xw_book *book;
    uint64_t last;
};

static void read_ouch(void *context, uint64_t sequence, const uint8_t *message, size_t size)
{
    struct reader *reader = context;
    struct xw_ouch out;
    struct xw_drop_copy copy;
    char line[48];
    xw_assert(sequence == reader->last + 1 || sequence == 1); // 1: another day
    reader->last = sequence;
    if (xw_drop_copy_decode(message, size, &copy)) {
        xw_assert(copy.message > message && copy.message + copy.size == message + size);
        xw_assert(xw_drop_copy_print(&copy, line, sizeof line) == strlen(line));
        message = copy.message;
        size = copy.size;
    }
    if (!xw_ouch_decode(message, size, &out))
        return;
    size_t value_size;
    for (unsigned tag = 0; tag < 256; tag++) {
        const uint8_t *value = xw_ouch_option(&out, (uint8_t)tag, &value_size);
        xw_assert(value == NULL || (value > message && value + value_size <= message + size));
    }
}

static void read_itch(void *context, uint64_t sequence, const uint8_t *message, size_t size)
{
    struct reader *reader = context;
    struct xw_itch out;
    (void)sequence;
    if (!xw_itch_decode(message, size, &out))
        return;
    xw_book_apply(reader->book, &out);
    struct xw_level levels[4];
    for (const char *side = "BS"; *side != '\0'; side++) {
        unsigned count = xw_book_levels(reader->book, out.locate, *side, levels, 4);
        for (unsigned i = 0; i < count; i++) {
            xw_assert(levels[i].orders > 0 && levels[i].shares >= levels[i].orders);
            xw_assert(i == 0 || (*side == 'B') == (levels[i].price < levels[i - 1].price));
        }
    }
}

static void check_sent(const uint8_t *datagram, size_t size)
{
    struct ufo_chain chain = {datagram, datagram + size};
    const uint8_t *message;
    size_t length;
    enum ufo_next next;
    xw_assert(size <= XW_DATAGRAM_MAX);
    while ((next = ufo_chain_next(&chain, &message, &length)) == UFO_NEXT_BLOCK) {
        xw_assert(memchr("LTURO", message[0], 5) != NULL);
        xw_assert(message[0] != 'T' || (get_be32(message + 1) > 0 && get_be16(message + 5) > 0));
    }
    xw_assert(next == UFO_NEXT_END);
}

static void step(struct xw_session *session, struct xw_mold *mold, uint64_t now, uint8_t kind, const uint8_t *bytes,
                 size_t size)
{
    uint8_t out[XW_DATAGRAM_MAX];
    if (kind % 8 == 0)
        xw_session_login(session);
    else if (kind % 8 == 1)
        xw_session_logoff(session);
    else if (kind % 8 == 2)
        xw_session_send(session, bytes, size);
    else if (kind % 8 == 3)
        xw_mold_skip(mold);
    else if (kind % 8 < 6)
        xw_session_receive(session, now, bytes, size);
    else
        xw_mold_receive(mold, now, bytes, size);
    unsigned sent = 0;
    for (size_t length; (length = xw_session_poll(session, now, out)) > 0; sent++)
        check_sent(out, length);
    xw_assert(sent <= 3);
    if (xw_mold_poll(mold, now, out) > 0)
        xw_assert(get_be16(out + 18) > 0 && get_be16(out + 18) < 0xFFFF);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader ouch_reader = {0}, itch_reader = {.book = xw_book_open()};
    struct xw_session_config config = {.user = "A", .password = "B", .context = &ouch_reader, .on_message = read_ouch};
    struct xw_mold_config mold_config = {.context = &itch_reader, .on_message = read_itch};
    config.relogin_after_end = size > 0 && (data[0] & 0x80) != 0;
    struct xw_session *session = xw_session_open(&config);
    struct xw_mold *mold = xw_mold_open(&mold_config);
    xw_assert(session != NULL && mold != NULL && itch_reader.book != NULL);
    xw_session_login(session);
    uint64_t now = 0;
    for (size_t at = 0; at + 2 <= size;) {
        uint8_t kind = data[at], length = data[at + 1];
        at += 2;
        size_t take = length < size - at ? length : size - at;
        now += (uint64_t)(kind >> 3) * 50000000;
        step(session, mold, now, kind, data + at, take);
        at += take;
    }
    xw_session_close(session);
    xw_mold_close(mold);
    xw_book_close(itch_reader.book);
    return 0;
}
