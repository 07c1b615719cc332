// SPDX-License-Identifier: Apache-2.0
// The transmit side of a role: datagrams are written into the port's frames one by one and given to the port in bursts.
#ifndef CROSSWIRE_CORES_SENDER_H
#define CROSSWIRE_CORES_SENDER_H

#include <stdint.h>

#include "io/packet.h"
#include "io/port.h"

struct sender {
    struct port_queue *queue;
    struct endpoint us;
    uint32_t count;                            // frames that wait
    uint64_t sent_frames, sent_bytes, dropped; // since start
    struct frame frames[PORT_BURST_MAX];
};

// Gives what waits to the port.
void sender_flush(struct sender *sender);

// Where to write the payload of the next datagram, up to 1472 bytes; NULL when the pool is empty: counted as dropped.
// Call sender_end before the next one.
static inline uint8_t *sender_begin(struct sender *sender)
{
    if (sender->count == PORT_BURST_MAX)
        sender_flush(sender);
    struct frame *frame = &sender->frames[sender->count];
    if (__builtin_expect(!port_new_frame(sender->queue, frame), 0)) {
        sender->dropped++;
        return NULL;
    }
    return packet_udp_payload(&sender->us, frame);
}

// The payload is written: puts the headers around it.
static inline void sender_end(struct sender *sender, const struct peer *to, uint16_t from_port, uint32_t size)
{
    packet_finish_udp(&sender->us, to, from_port, size, &sender->frames[sender->count++]);
}

// Sends a received frame that was turned into its own answer.
static inline void sender_return(struct sender *sender, const struct frame *frame)
{
    if (sender->count == PORT_BURST_MAX)
        sender_flush(sender);
    sender->frames[sender->count++] = *frame;
}

#endif
