// SPDX-License-Identifier: Apache-2.0
#include "cores/sender.h"

void sender_flush(struct sender *sender)
{
    uint32_t lengths[PORT_BURST_MAX];
    if (sender->count == 0)
        return;
    for (uint32_t i = 0; i < sender->count; i++)
        lengths[i] = sender->frames[i].length;
    unsigned taken = port_send(sender->queue, sender->frames, sender->count);
    for (uint32_t i = 0; i < taken; i++)
        sender->sent_bytes += lengths[i];
    sender->sent_frames += taken;
    sender->dropped += sender->count - taken;
    sender->count = 0;
}
