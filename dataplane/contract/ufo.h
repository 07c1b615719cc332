// SPDX-License-Identifier: Apache-2.0
// UFO 1.0 ("UDP for Orders", Nasdaq, 3 July 2008): constants and the block chain.
#ifndef CROSSWIRE_CONTRACT_UFO_H
#define CROSSWIRE_CONTRACT_UFO_H

#include <stddef.h>
#include <stdint.h>

#include "contract/wire.h"

#define UFO_DATAGRAM_MAX 1472 // UDP payload at MTU 1500
#define UFO_SEQUENCED_HEADER 7
#define UFO_MESSAGE_MAX 1463 // 1472 - 7 - 2: the text's 1465 forgets the block's own length
#define UFO_SESSION 10
#define UFO_USER 6
#define UFO_PASSWORD 10

enum { UFO_LOGIN_ACCEPT_SIZE = 15, UFO_LOGIN_REJECT_SIZE = 2, UFO_END_SIZE = 5 };
enum { UFO_LOGIN_SIZE = 27, UFO_RETRANSMIT_SIZE = 7, UFO_HEARTBEAT_SIZE = 1, UFO_LOGOFF_SIZE = 1 };

// A walk over the client's blocks: {2 length, message} repeated to the exact end of the datagram.
struct ufo_chain {
    const uint8_t *at;
    const uint8_t *end;
};

enum ufo_next { UFO_NEXT_BLOCK, UFO_NEXT_END, UFO_NEXT_MALFORMED };

// Takes the next block: its message (without length) and size. MALFORMED: a zero length or one that runs past the end;
// what came before stands.
static inline enum ufo_next ufo_chain_next(struct ufo_chain *chain, const uint8_t **message, size_t *size)
{
    size_t left = (size_t)(chain->end - chain->at);
    if (left == 0)
        return UFO_NEXT_END;
    if (left < 3)
        return UFO_NEXT_MALFORMED;
    size_t length = get_be16(chain->at);
    if (length == 0 || length > left - 2)
        return UFO_NEXT_MALFORMED;
    *message = chain->at + 2;
    *size = length;
    chain->at += 2 + length;
    return UFO_NEXT_BLOCK;
}

#endif
