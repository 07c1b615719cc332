// SPDX-License-Identifier: Apache-2.0
#include "client/drop_copy.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client/ouch.h"
#include "contract/drop_copy.h"

_Static_assert(XW_DROP_COPY_TYPE == DROP_COPY_TYPE, "one letter");

// Text without what pads it.
static void cut(char *out, const uint8_t *text, size_t size)
{
    while (size > 0 && text[size - 1] == ' ')
        size--;
    memcpy(out, text, size);
    out[size] = '\0';
}

bool xw_drop_copy_decode(const uint8_t *bytes, size_t size, struct xw_drop_copy *out)
{
    if (size <= DROP_COPY_HEADER || bytes[0] != DROP_COPY_TYPE)
        return false;
    cut(out->user, bytes + DROP_COPY_NAMES_AT, DROP_COPY_USER);
    cut(out->account, bytes + DROP_COPY_NAMES_AT + DROP_COPY_USER, DROP_COPY_ACCOUNT);
    out->sequence = get_be32(bytes + DROP_COPY_SEQUENCE_AT);
    out->message = bytes + DROP_COPY_HEADER;
    out->size = size - DROP_COPY_HEADER;
    return out->sequence != 0;
}

// Where a line grows.
struct text {
    char *at;
    size_t room;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const int length = vsnprintf(text->at, text->room, format, values);
    va_end(values);
    const size_t used = length < 0 ? 0 : (size_t)length < text->room ? (size_t)length : text->room - 1;
    text->at += used;
    text->room -= used;
}

static void say_price(struct text *text, uint64_t price)
{
    say(text, " %" PRIu64 ".%04u", price / 10000, (unsigned)(price % 10000));
}

static void say_message(struct text *text, const struct xw_ouch *m)
{
    say(text, " %c", m->type);
    if (m->type != 'S')
        say(text, " %u", m->user_ref);
    switch (m->type) {
    case 'A':
    case 'U':
        say(text, " %c %u %s", m->side, m->quantity, m->symbol);
        say_price(text, m->price);
        break;
    case 'E':
        say(text, " %u", m->quantity);
        say_price(text, m->price);
        say(text, " liquidity=%c match=%" PRIu64, m->liquidity, m->match);
        break;
    case 'C':
    case 'D':
        say(text, " %u reason=%c", m->quantity, m->reason);
        break;
    case 'B':
        say(text, " reason=%c match=%" PRIu64, m->reason, m->match);
        break;
    case 'J':
        say(text, " reject=%u %s", m->reject, xw_ouch_reject_text(m->reject));
        break;
    case 'S':
        say(text, " %c", m->reason);
        break;
    default:
        break;
    }
}

size_t xw_drop_copy_print(const struct xw_drop_copy *copy, char *out, size_t room)
{
    struct text text = {out, room};
    struct xw_ouch message;
    if (room == 0)
        return 0;
    say(&text, "%s %s %u", copy->user, copy->account, copy->sequence);
    if (xw_ouch_decode(copy->message, copy->size, &message))
        say_message(&text, &message);
    else
        say(&text, " ? %zu bytes", copy->size);
    return room - text.room;
}
