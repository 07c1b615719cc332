// SPDX-License-Identifier: Apache-2.0
// What clients send: UFO blocks, and the OUCH messages in them, decoded straight into the matching core's ring.
#include "contract/fault.h"
#include "contract/ouch_in.h"
#include "cores/gateway.h"

#define CELLS_AHEAD 8 // between the cell that is written and the one that is fetched

void gateway_prepare(struct gateway *gateway, const struct packet *packet)
{
    uint64_t key = source_key(packet->from.ip, packet->from.port);
    __builtin_prefetch(&gateway->sources.slots[source_home(&gateway->sources, key)]);
}

void gateway_publish_orders(struct gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->cores_count; i++) {
        struct ring_writer *orders = &gateway->cores[i].orders;
        if (orders->position != orders->published)
            writer_publish(orders);
    }
}

// Whether a message takes a number from the counter of its UserRefIdx.
static bool takes_number(const struct command *command)
{
    switch (command->type) {
    case CMD_ENTER:
    case CMD_REPLACE:
    case CMD_MASS_CANCEL:
    case CMD_DISABLE:
    case CMD_ENABLE:
        return command->user_ref != 0;
    default:
        return false;
    }
}

static void lose(struct gateway *gateway, struct session *session, const uint8_t *message, size_t size)
{
    struct command command;
    if (!session->choked) {
        session->lost_ref = 0;
        session->full_tsc = gateway->now;
    }
    session->choked = true;
    if (session->lost_ref == 0 && ouch_in_decode(message, size, &command) == OUCH_IN_OK && takes_number(&command)) {
        session->lost_ref = command.user_ref;
        session->lost_idx = command.user_ref_idx;
    }
    gateway_discard(gateway, DISCARD_RING_FULL);
}

// Once an order was lost, all that follow are, so that the client sees a suffix missing and no hole: also those that
// were under way when the ring became half empty again. From then on the client must show that it knows, by asking for
// its account (which says where to go on) or by sending the first lost number again; or time must have passed.
static bool goes_on(const struct gateway *gateway, struct gateway_core *core, struct session *session,
                    const uint8_t *message, size_t size)
{
    struct command command;
    if (writer_look(&core->orders) < core->half) {
        session->full_tsc = gateway->now;
        return false;
    }
    if (gateway->now - session->full_tsc >= gateway->heartbeat_tsc)
        return true;
    if (ouch_in_decode(message, size, &command) != OUCH_IN_OK)
        return false;
    return command.type == CMD_QUERY || (takes_number(&command) && command.user_ref_idx == session->lost_idx &&
                                         command.user_ref <= session->lost_ref);
}

// Whether an order of this session can be taken.
static bool has_room(const struct gateway *gateway, struct gateway_core *core, struct session *session,
                     const uint8_t *message, size_t size)
{
    if (__builtin_expect(session->choked && !FAULT(hole_after_full_ring), 0)) {
        if (!goes_on(gateway, core, session, message, size))
            return false;
        session->choked = false;
    }
    return core->orders.room > core->reserve || writer_look(&core->orders) > 0;
}

static void forward(struct gateway *gateway, struct session *session, const uint8_t *message, size_t size)
{
    struct gateway_core *core = &gateway->cores[session->matcher];
    if (__builtin_expect(core->ended || gateway->stopping || !session->up, 0)) {
        gateway_discard(gateway, session->copy ? DISCARD_READ_ONLY : DISCARD_NOT_OPEN);
        return;
    }
    if (__builtin_expect(!has_room(gateway, core, session, message, size), 0)) {
        lose(gateway, session, message, size);
        return;
    }
    struct command *command = writer_slot(&core->orders);
    writer_fetch((const char *)command, CELLS_AHEAD * sizeof *command);
    enum ouch_in_result result = ouch_in_decode(message, size, command);
    session->messages++;
    if (__builtin_expect(result != OUCH_IN_OK, 0)) {
        session->malformed++;
        gateway_discard(gateway, result == OUCH_IN_TYPE ? DISCARD_OUCH_TYPE : DISCARD_OUCH_LENGTH);
        return;
    }
    bool refused = command->refuse != 0;
    if (FAULT(reject_by_gateway) && refused)
        window_commit(&session->window, 0);
    if (__builtin_expect(core->orders.room <= core->reserve && !refused, 0)) {
        lose(gateway, session, message, size);
        return;
    }
    command->session = session->index;
    command->locate = symbol_locate(&gateway->symbols, command->symbol, session->matcher);
    writer_fill(&core->orders);
    gateway->counters[COUNT_GATEWAY_forwarded]++;
    gateway->counters[COUNT_GATEWAY_refused] += refused;
}

// A block that is no order, from the bound source. Returns the session that the following blocks belong to.
static void session_block(struct gateway *gateway, struct session *session, const uint8_t *message, size_t size)
{
    switch (message[0]) {
    case 'R':
        if (size != UFO_HEARTBEAT_SIZE)
            break;
        gateway->counters[COUNT_GATEWAY_session_messages]++;
        return;
    case 'T':
        if (size != UFO_RETRANSMIT_SIZE)
            break;
        gateway->counters[COUNT_GATEWAY_session_messages]++;
        gateway_retransmit(gateway, session, get_be32(message + 1), get_be16(message + 5));
        return;
    case 'O':
        if (size != UFO_LOGOFF_SIZE)
            break;
        gateway->counters[COUNT_GATEWAY_session_messages]++;
        gateway_disconnect(gateway, session, DOWN_LOGOFF);
        return;
    default:
        break;
    }
    gateway_discard(gateway, DISCARD_UFO_TYPE);
}

static struct session *find(const struct gateway *gateway, uint64_t key)
{
    uint32_t row = source_find(&gateway->sources, key);
    return row == SOURCE_NONE ? NULL : &gateway->sessions[row];
}

// Anything but a U from a bound source. Returns the session that the source is bound to afterwards.
static struct session *other_block(struct gateway *gateway, struct session *session, const struct packet *packet,
                                   const uint8_t *message, size_t size)
{
    if (message[0] == 'L') {
        if (size == UFO_LOGIN_SIZE)
            gateway_login(gateway, packet, message);
        else
            gateway_discard(gateway, DISCARD_UFO_TYPE);
    } else if (!session) {
        if (!FAULT(discard_not_counted))
            gateway_discard(gateway, DISCARD_NOT_LOGGED_IN);
        return NULL;
    } else {
        session_block(gateway, session, message, size);
    }
    return find(gateway, source_key(packet->from.ip, packet->from.port));
}

void gateway_datagram(struct gateway *gateway, const struct packet *packet, uint64_t now)
{
    struct session *session = find(gateway, source_key(packet->from.ip, packet->from.port));
    struct ufo_chain chain = {packet->payload, packet->payload + packet->size};
    const uint8_t *message;
    size_t size;
    gateway->now = now;
    if (__builtin_expect(session != NULL, 1)) {
        session->heard_tsc = now;
    } else if (packet->size == 0) {
        gateway->counters[COUNT_GATEWAY_received]++;
        gateway_discard(gateway, DISCARD_UFO_BLOCK);
        return;
    }
    enum ufo_next next = packet->size ? ufo_chain_next(&chain, &message, &size) : UFO_NEXT_MALFORMED;
    while (next == UFO_NEXT_BLOCK) {
        gateway->counters[COUNT_GATEWAY_received]++;
        if (__builtin_expect(session && message[0] == 'U' && size > 1, 1))
            forward(gateway, session, message + 1, size - 1);
        else
            session = other_block(gateway, session, packet, message, size);
        next = ufo_chain_next(&chain, &message, &size);
    }
    if (__builtin_expect(next == UFO_NEXT_MALFORMED, 0)) {
        gateway->counters[COUNT_GATEWAY_received]++;
        gateway_discard(gateway, DISCARD_UFO_BLOCK);
    }
}
