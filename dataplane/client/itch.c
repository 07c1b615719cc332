// SPDX-License-Identifier: Apache-2.0
#include "client/itch.h"

#include <string.h>

#include "contract/wire.h"

static void get_text(char *to, const uint8_t *from, size_t size)
{
    while (size > 0 && from[size - 1] == ' ')
        size--;
    memcpy(to, from, size);
    to[size] = '\0';
}

// Size of a type and where its stock stands (0: it names none); 0 for an unknown type.
static size_t layout(char type, size_t *stock)
{
    *stock = 0;
    switch (type) {
    case 'S':
    case 'W':
        return 12;
    case 'V':
    case 'U':
        return 35;
    case 'E':
        return 31;
    case 'C':
        return 36;
    case 'X':
        return 23;
    case 'D':
    case 'B':
        return 19;
    default:
        break;
    }
    *stock = 11;
    switch (type) {
    case 'R':
        return 39;
    case 'H':
        return 25;
    case 'Y':
    case 'N':
        return 20;
    case 'K':
        return 28;
    case 'J':
        return 35;
    case 'h':
        return 21;
    case 'O':
        return 48;
    case 'L':
        *stock = 15;
        return 26;
    case 'Q':
        *stock = 19;
        return 40;
    case 'A':
        *stock = 24;
        return 36;
    case 'F':
        *stock = 24;
        return 40;
    case 'P':
        *stock = 24;
        return 44;
    case 'I':
        *stock = 28;
        return 50;
    default:
        return 0;
    }
}

static void read_add(const uint8_t *m, struct xw_itch *out)
{
    out->ref = get_be64(m + 11);
    out->side = (char)m[19];
    out->shares = get_be32(m + 20);
    out->price = get_be32(m + 32);
    if (out->type == 'F')
        get_text(out->attribution, m + 36, 4);
    if (out->type == 'P')
        out->match = get_be64(m + 36);
}

static void read_execution(const uint8_t *m, struct xw_itch *out)
{
    out->ref = get_be64(m + 11);
    out->shares = get_be32(m + 19);
    out->match = get_be64(m + 23);
    if (out->type == 'C') {
        out->printable = (char)m[31];
        out->price = get_be32(m + 32);
    }
}

static void read_replace(const uint8_t *m, struct xw_itch *out)
{
    out->ref = get_be64(m + 11);
    out->new_ref = get_be64(m + 19);
    out->shares = get_be32(m + 27);
    out->price = get_be32(m + 31);
}

static void read_cross(const uint8_t *m, struct xw_itch *out)
{
    out->shares = get_be64(m + 11);
    out->price = get_be32(m + 27);
    out->match = get_be64(m + 31);
    out->code = (char)m[39];
}

static void read_fields(const uint8_t *m, struct xw_itch *out)
{
    switch (out->type) {
    case 'S':
        out->code = (char)m[11];
        break;
    case 'R':
        out->code = (char)m[19];
        out->round_lot = get_be32(m + 21);
        break;
    case 'H':
        out->code = (char)m[19];
        get_text(out->reason, m + 21, 4);
        break;
    case 'Y':
        out->code = (char)m[19];
        break;
    case 'J':
        out->price = get_be32(m + 19);
        out->upper = get_be32(m + 23);
        out->lower = get_be32(m + 27);
        break;
    case 'V':
        for (unsigned i = 0; i < 3; i++)
            out->levels[i] = get_be64(m + 11 + 8 * (size_t)i);
        break;
    case 'W':
        out->code = (char)m[11];
        break;
    case 'A':
    case 'F':
    case 'P':
        read_add(m, out);
        break;
    case 'E':
    case 'C':
        read_execution(m, out);
        break;
    case 'X':
        out->ref = get_be64(m + 11);
        out->shares = get_be32(m + 19);
        break;
    case 'D':
        out->ref = get_be64(m + 11);
        break;
    case 'U':
        read_replace(m, out);
        break;
    case 'Q':
        read_cross(m, out);
        break;
    case 'B':
        out->match = get_be64(m + 11);
        break;
    default:
        break;
    }
}

bool xw_itch_decode(const uint8_t *message, size_t size, struct xw_itch *out)
{
    memset(out, 0, sizeof *out);
    size_t stock;
    if (size == 0 || size != layout((char)message[0], &stock))
        return false;
    out->type = (char)message[0];
    out->locate = get_be16(message + 1);
    out->tracking = get_be16(message + 3);
    out->time_ns = get_be48(message + 5);
    out->message = message;
    if (stock != 0)
        get_text(out->symbol, message + stock, 8);
    read_fields(message, out);
    return true;
}
