// SPDX-License-Identifier: Apache-2.0
// The clients of the bench in cores_rig.h: they send raw frames and keep all that comes back, and what they got is
// compared with what the rig's own engine says.
#ifndef CROSSWIRE_TESTS_CORES_CLIENTS_H
#define CROSSWIRE_TESTS_CORES_CLIENTS_H

#include "engine/snapshot.h"
#include "tests/eal/cores_rig.h"

struct rig_client {
    unsigned port, session;
    uint32_t ip;
    uint16_t udp_port;
};

RIG_UNUSED struct rig_client rig_client(struct rig *rig, unsigned session)
{
    unsigned gateway = config_stream(&rig->config, session).gateway;
    return (struct rig_client){rig->gateways[gateway].port_index, session, 0x0A000064u + session, 5000};
}

RIG_UNUSED struct rte_mbuf *rig_frame(struct rig *rig, const struct rig_client *client, uint16_t to_port,
                                      const void *payload, size_t size)
{
    struct rte_mbuf *buffer = rte_pktmbuf_alloc(rig_pool);
    assert_non_null(buffer);
    struct frame frame = {.data = rte_pktmbuf_mtod(buffer, uint8_t *)};
    struct endpoint from = {.ip = client->ip, .mac = {2, 0, 0, 0, 1, (uint8_t)client->session}};
    struct peer to = {.ip = rig->ports[client->port].ip, .port = to_port};
    memcpy(to.mac, port_mac(port_queue(client->port, 0)), 6);
    if (size)
        memcpy(packet_udp_payload(&from, &frame), payload, size);
    packet_finish_udp(&from, &to, client->udp_port, size, &frame);
    buffer->data_len = (uint16_t)frame.length;
    buffer->pkt_len = frame.length;
    return buffer;
}

RIG_UNUSED void rig_send_frame(struct rig *rig, unsigned port, struct rte_mbuf *buffer)
{
    assert_int_equal(rte_ring_enqueue(rig->to_port[port], buffer), 0);
}

RIG_UNUSED void rig_send(struct rig *rig, const struct rig_client *client, const void *payload, size_t size)
{
    uint16_t to_port = (uint16_t)rig->gateways[config_stream(&rig->config, client->session).gateway].udp_port;
    rig_send_frame(rig, client->port, rig_frame(rig, client, to_port, payload, size));
}

// Blocks, appended to a datagram of `at` bytes; the new size is returned.
RIG_UNUSED size_t rig_block(uint8_t *datagram, size_t at, const void *message, size_t size)
{
    put_be16(datagram + at, (uint16_t)size);
    memcpy(datagram + at + 2, message, size);
    return at + 2 + size;
}

RIG_UNUSED size_t rig_login_block(uint8_t *datagram, size_t at, const char user[6], const char *password,
                                  const char *session)
{
    uint8_t message[UFO_LOGIN_SIZE];
    memset(message, ' ', sizeof message);
    message[0] = 'L';
    memcpy(message + 1, user, 6);
    memcpy(message + 7, password, strlen(password));
    memcpy(message + 17, session, strlen(session));
    return rig_block(datagram, at, message, sizeof message);
}

RIG_UNUSED size_t rig_enter_block(uint8_t *datagram, size_t at, uint32_t user_ref, char side, uint32_t quantity,
                                  const char symbol[8], uint32_t price)
{
    uint8_t message[48];
    memset(message, ' ', sizeof message);
    message[0] = 'U';
    message[1] = 'O';
    put_be32(message + 2, user_ref);
    message[6] = (uint8_t)side;
    put_be32(message + 7, quantity);
    memcpy(message + 11, symbol, 8);
    put_be64(message + 19, price);
    memcpy(message + 27, "0YPNN", 5);
    snprintf((char *)message + 32, 14, "C%-11u", user_ref);
    message[44] = message[45] = ' ';
    put_be16(message + 46, 0);
    return rig_block(datagram, at, message, sizeof message);
}

RIG_UNUSED size_t rig_retransmit_block(uint8_t *datagram, size_t at, uint32_t first, uint16_t count)
{
    uint8_t message[UFO_RETRANSMIT_SIZE] = {'T'};
    put_be32(message + 1, first);
    put_be16(message + 5, count);
    return rig_block(datagram, at, message, sizeof message);
}

RIG_UNUSED void rig_login(struct rig *rig, const struct rig_client *client, const char *password)
{
    uint8_t datagram[64];
    rig_send(rig, client, datagram,
             rig_login_block(datagram, 0, config_stream(&rig->config, client->session).wire_user, password, ""));
    rig_rounds(rig, 3);
}

RIG_UNUSED void rig_enter(struct rig *rig, const struct rig_client *client, uint32_t user_ref, char side,
                          uint32_t quantity, uint32_t price)
{
    uint8_t datagram[64];
    const char *symbol = rig->symbols[2 * config_stream(&rig->config, client->session).matcher].wire_name;
    rig_send(rig, client, datagram, rig_enter_block(datagram, 0, user_ref, side, quantity, symbol, price));
}

// Takes every frame that the ports sent; each must be whole, with right checksums.
RIG_UNUSED void rig_collect(struct rig *rig)
{
    struct rte_mbuf *buffer;
    for (unsigned port = 0; port < rig->config.ports_count; port++) {
        while (rte_ring_dequeue(rig->from_port[port], (void **)&buffer) == 0) {
            struct frame frame = {.data = rte_pktmbuf_mtod(buffer, uint8_t *), .length = buffer->pkt_len};
            struct endpoint to = {.ip = get_be32(frame.data + 30)};
            struct packet packet;
            memcpy(to.mac, frame.data, 6);
            if (get_be16(frame.data + 12) == 0x0800 && frame.data[23] == 17) {
                // A datagram to a group is looked at as if it were to a host: checks and all.
                packet_parse(&to, &frame, &packet);
                bool group = to.ip >= 0xE0000000u;
                if (!group)
                    assert_int_equal(packet.kind, PACKET_UDP);
                else
                    packet =
                        (struct packet){.kind = PACKET_UDP,
                                        .from = {.ip = get_be32(frame.data + 26), .port = get_be16(frame.data + 34)},
                                        .to_port = get_be16(frame.data + 36),
                                        .payload = frame.data + 42,
                                        .size = get_be16(frame.data + 38) - 8u};
                if (rig->inbox_count == rig->inbox_room) {
                    rig->inbox_room = rig->inbox_room ? rig->inbox_room * 2 : 256;
                    rig->inbox = realloc(rig->inbox, rig->inbox_room * sizeof *rig->inbox);
                    assert_non_null(rig->inbox);
                }
                struct rig_packet *kept = &rig->inbox[rig->inbox_count++];
                *kept = (struct rig_packet){.port = port,
                                            .from_ip = packet.from.ip,
                                            .to_ip = to.ip,
                                            .from_port = packet.from.port,
                                            .to_port = packet.to_port,
                                            .size = (uint16_t)packet.size};
                memcpy(kept->bytes, packet.payload, packet.size);
            }
            rte_pktmbuf_free(buffer);
        }
    }
}

RIG_UNUSED bool rig_is_for(const struct rig_client *client, const struct rig_packet *packet)
{
    return packet->to_ip == client->ip && packet->to_port == client->udp_port && packet->port == client->port;
}

// The newest packet of `type` to the client since the inbox was emptied, or NULL.
RIG_UNUSED const struct rig_packet *rig_last(struct rig *rig, const struct rig_client *client, char type)
{
    for (size_t i = rig->inbox_count; i-- > 0;) {
        if (rig_is_for(client, &rig->inbox[i]) && rig->inbox[i].bytes[0] == (uint8_t)type)
            return &rig->inbox[i];
    }
    return NULL;
}

RIG_UNUSED unsigned rig_packets(struct rig *rig, const struct rig_client *client, char type)
{
    unsigned count = 0;
    for (size_t i = 0; i < rig->inbox_count; i++)
        count += rig_is_for(client, &rig->inbox[i]) && (type == 0 || rig->inbox[i].bytes[0] == (uint8_t)type);
    return count;
}

RIG_UNUSED void rig_forget(struct rig *rig)
{
    rig->inbox_count = 0;
}

// Checks every message of an S packet against what the session's stream must hold; returns how many there are.
RIG_UNUSED unsigned rig_check_packet(struct rig *rig, unsigned session, const struct rig_packet *packet)
{
    uint32_t first = get_be32(packet->bytes + 1);
    unsigned count = get_be16(packet->bytes + 5);
    size_t at = UFO_SEQUENCED_HEADER;
    for (unsigned i = 0; i < count; i++) {
        assert_true(first + i >= 1 && first + i <= rig->expected[session].count);
        const struct rig_message *message = &rig->expected[session].list[first + i - 1];
        assert_int_equal(get_be16(packet->bytes + at), message->size);
        assert_memory_equal(packet->bytes + at + 2, message->bytes, message->size);
        at += 2u + message->size;
    }
    assert_int_equal(at, packet->size);
    return count;
}

// How many sequenced messages the client got in all, each checked.
RIG_UNUSED unsigned rig_messages(struct rig *rig, const struct rig_client *client)
{
    unsigned count = 0;
    for (size_t i = 0; i < rig->inbox_count; i++) {
        if (rig_is_for(client, &rig->inbox[i]) && rig->inbox[i].bytes[0] == 'S')
            count += rig_check_packet(rig, client->session, &rig->inbox[i]);
    }
    return count;
}

RIG_UNUSED uint32_t rig_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

// Random orders around one price from all sessions of `clients`, numbered from `first` on.
RIG_UNUSED void rig_flow(struct rig *rig, struct rig_client *clients, unsigned count, uint32_t first, unsigned orders,
                         uint64_t seed)
{
    for (unsigned i = 0; i < orders; i++) {
        for (unsigned c = 0; c < count; c++) {
            uint32_t random = rig_random(&seed);
            rig_enter(rig, &clients[c], first + i, random & 1 ? 'B' : 'S', 100 + random % 7 * 100,
                      100000 + (random >> 8) % 11 * 100);
        }
        if (i % 4 == 3)
            rig_round(rig);
    }
    rig_rounds(rig, 6);
}

// Asks for the whole stream of a session, packet by packet, and compares.
RIG_UNUSED void rig_check_window(struct rig *rig, struct rig_client *client)
{
    uint8_t datagram[64];
    uint32_t next = 1;
    size_t total = rig->expected[client->session].count;
    while (next <= total) {
        rig_forget(rig);
        rig_send(rig, client, datagram, rig_retransmit_block(datagram, 0, next, 65535));
        rig_rounds(rig, 3);
        const struct rig_packet *packet = rig_last(rig, client, 'S');
        assert_non_null(packet);
        assert_int_equal(get_be32(packet->bytes + 1), next);
        next += rig_check_packet(rig, client->session, packet);
    }
    assert_int_equal(next, total + 1);
}

// One command at a time, so that rings never fill.
RIG_UNUSED void rig_give_command(struct rig *rig, const struct command *command)
{
    rig_command(rig, 0, command);
    rig_rounds(rig, 1);
}

RIG_UNUSED void rig_give_stream(struct rig *rig, uint16_t session, uint64_t next)
{
    struct command stream = {.type = CMD_RESTORE_STREAM, .session = session, .restore_stream.next = next};
    rig_give_command(rig, &stream);
}

// What a snapshot of the rig's own engine gives, but the record `without`.
RIG_UNUSED void rig_give_engine(struct rig *rig, uint64_t without)
{
    struct snapshot_walk walk;
    struct command record;
    snapshot_begin(&walk, rig->engine[0]);
    while (snapshot_next(&walk, &record)) {
        if (walk.records - 1 != without)
            rig_give_command(rig, &record);
    }
}

// The end of a recovery: as control ends it.
RIG_UNUSED void rig_give_restart(struct rig *rig)
{
    struct command command = {.type = DIRECTIVE_RECOVERED, .recovered.seq = rig->history_count[0]};
    struct opening opening;
    assert_true(opening_init(&opening, &rig->config, 0));
    opening_restored(&opening, PHASE_REGULAR, false, 0);
    opening_restart(&opening);
    rig_give_command(rig, &command);
    while (opening_next(&opening, (int64_t)(9 * 3600) * 1000000000, &command)) {
        rig_give_command(rig, &command);
        opening_note(&opening, &command);
    }
    opening_free(&opening);
    rig_rounds(rig, 8);
}

// What must hold at any time (all gateways' received, all matchers' taken).
RIG_UNUSED void rig_check_identity(struct rig *rig)
{
    uint64_t forwarded = 0, messages = 0;
    for (unsigned i = 0; i < rig->config.gateways_count; i++) {
        uint64_t reasons = 0, discarded = rig_count(rig, ROLE_GATEWAY, i, COUNT_GATEWAY_discarded);
        for (unsigned r = 0; r < DISCARD_COUNT; r++)
            reasons += rig_count(rig, ROLE_GATEWAY, i, COUNT_GATEWAY_discard_first + r);
        assert_int_equal(reasons, discarded);
        assert_int_equal(rig_count(rig, ROLE_GATEWAY, i, COUNT_GATEWAY_received),
                         rig_count(rig, ROLE_GATEWAY, i, COUNT_GATEWAY_session_messages) +
                             rig_count(rig, ROLE_GATEWAY, i, COUNT_GATEWAY_forwarded) + discarded);
        forwarded += rig_count(rig, ROLE_GATEWAY, i, COUNT_GATEWAY_forwarded);
    }
    for (unsigned i = 0; i < rig->config.matchers_count; i++) {
        uint64_t taken = rig_count(rig, ROLE_MATCHER, i, COUNT_MATCHER_messages);
        assert_int_equal(taken, rig_count(rig, ROLE_MATCHER, i, COUNT_MATCHER_accepted) +
                                    rig_count(rig, ROLE_MATCHER, i, COUNT_MATCHER_rejected) +
                                    rig_count(rig, ROLE_MATCHER, i, COUNT_MATCHER_duplicates) +
                                    rig_count(rig, ROLE_MATCHER, i, COUNT_MATCHER_no_effect));
        messages += taken;
    }
    assert_true(messages <= forwarded);
}

RIG_UNUSED uint64_t rig_discards(struct rig *rig, unsigned gateway, enum discard reason)
{
    return rig_count(rig, ROLE_GATEWAY, gateway, COUNT_GATEWAY_discard_first + reason);
}

// ---- what most tests begin and end with -----------------------------------------------------------------------------

// A day that is open, and where a wrong password is one.
RIG_UNUSED void rig_open(struct rig *rig, const struct rig_options *options)
{
    rig_new(rig, options);
    rig->verdict = LOGIN_WRONG;
    rig_boot(rig);
}

// Everything is accounted for. A cmocka teardown's result.
RIG_UNUSED int rig_close(struct rig *rig)
{
    rig_rounds(rig, 2);
    rig_check_identity(rig);
    rig_free(rig);
    return 0;
}

#endif
