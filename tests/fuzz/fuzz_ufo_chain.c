// SPDX-License-Identifier: Apache-2.0
// Any bytes as a client's datagram: the chain's walk stays inside, accounts for every byte, and each block's OUCH
// message can be decoded next to its neighbours.
#include <stdlib.h>
#include <string.h>

#include "contract/assert.h"
#include "contract/ouch_in.h"
#include "contract/ufo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > UFO_DATAGRAM_MAX)
        return 0;
    struct ufo_chain chain = {data, data + size};
    const uint8_t *message;
    size_t length, walked = 0;
    enum ufo_next next;
    while ((next = ufo_chain_next(&chain, &message, &length)) == UFO_NEXT_BLOCK) {
        xw_assert(length > 0 && message == data + walked + 2 && walked + 2 + length <= size);
        xw_assert(get_be16(message - 2) == length);
        walked += 2 + length;
        if (message[0] == 'U') {
            struct command command;
            ouch_in_decode(message + 1, length - 1, &command);
        }
    }
    xw_assert((next == UFO_NEXT_END) == (walked == size));
    xw_assert(ufo_chain_next(&chain, &message, &length) == next); // it stays where it ended
    return 0;
}
