// SPDX-License-Identifier: Apache-2.0
// xwctl journal export --format pcap: what clients asked and what they were told, as UFO datagrams that xwreplay plays
// and Wireshark opens. Sessions get made-up addresses, because a journal knows none: session N sends from
// 10.100.(N / 256).(N % 256), the gateway is 10.0.0.1:4000. Requests that the gateway had refused are written as far as
// they were understood.
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "client/ouch.h"
#include "contract/log.h"
#include "contract/ouch_out.h"
#include "contract/ufo.h"
#include "control/ctl/export.h"
#include "control/recovery/fan_out.h"

enum { IP_HEADER = 20, UDP_HEADER = 8, GATEWAY_PORT = 4000, CLIENT_PORT = 40000 };
#define GATEWAY_IP 0x0A000001u
#define CLIENTS_IP 0x0A640000u

struct capture {
    struct ctl_walk *walk;
    pcap_t *format;
    pcap_dumper_t *file;
    uint64_t midnight_s;     // Unix time of the trading date's midnight
    uint32_t *next_sequence; // by session
    uint8_t *cores;          // by session: its matching core, FAN_OUT_CLOSED when it is not open
    uint64_t told_ns;        // time of the event that is being told
};

// ---- datagrams ------------------------------------------------------------------------------------------------------

static uint16_t ip_checksum(const uint8_t *header)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < IP_HEADER; i += 2)
        sum += get_be16(header + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

// IPv4 and UDP around a payload; a UDP checksum of 0 says that there is none (RFC 768).
static void write_datagram(struct capture *capture, uint64_t time_ns, uint32_t from, uint16_t from_port, uint32_t to,
                           uint16_t to_port, const uint8_t *payload, size_t size)
{
    uint8_t packet[IP_HEADER + UDP_HEADER + UFO_DATAGRAM_MAX] = {0x45};
    put_be16(packet + 2, (uint16_t)(IP_HEADER + UDP_HEADER + size));
    put_be16(packet + 6, 0x4000); // not to be fragmented
    packet[8] = 64;
    packet[9] = 17; // UDP
    put_be32(packet + 12, from);
    put_be32(packet + 16, to);
    put_be16(packet + 10, ip_checksum(packet));
    put_be16(packet + IP_HEADER, from_port);
    put_be16(packet + IP_HEADER + 2, to_port);
    put_be16(packet + IP_HEADER + 4, (uint16_t)(UDP_HEADER + size));
    memcpy(packet + IP_HEADER + UDP_HEADER, payload, size);
    bpf_u_int32 length = (bpf_u_int32)(IP_HEADER + UDP_HEADER + size);
    struct pcap_pkthdr header = {.caplen = length, .len = length};
    header.ts.tv_sec = (time_t)(capture->midnight_s + time_ns / 1000000000);
    header.ts.tv_usec = (suseconds_t)(time_ns % 1000000000); // nanoseconds, as the file says
    pcap_dump((u_char *)capture->file, &header, packet);
}

// ---- what was asked -------------------------------------------------------------------------------------------------

static void copy_text(char *to, const char *from, size_t size)
{
    memcpy(to, from, size);
    to[size] = '\0';
}

static void add_CHAR(struct xw_options *options, uint8_t tag, char value)
{
    xw_option_char(options, tag, value);
}

static void add_U8(struct xw_options *options, uint8_t tag, uint8_t value)
{
    xw_option_u8(options, tag, value);
}

static void add_U16(struct xw_options *options, uint8_t tag, uint16_t value)
{
    xw_option_u16(options, tag, value);
}

static void add_U32(struct xw_options *options, uint8_t tag, uint32_t value)
{
    xw_option_u32(options, tag, value);
}

static void add_PRICE(struct xw_options *options, uint8_t tag, uint32_t value)
{
    if (tag == TAG_STOP_PRICE)
        xw_option_stop_price(options, value);
    else if (tag == TAG_TRAIL_AMOUNT)
        xw_option_trail_amount(options, value);
    else
        xw_option_u64(options, tag, value);
}

#define add_ALPHA(options, tag, value) xw_option_raw(options, tag, value, sizeof(value))

static void options_of(struct xw_options *options, const struct command *c)
{
    *options = (struct xw_options){0};
#define OUCH_OPTION(tag, name, kind, size, field, ...) \
    if (c->options & OPTION(tag))                      \
        add_##kind(options, tag, c->field);
#define OUCH_OPTION_OUT(...)
#include "contract/ouch_options.def"
#undef OUCH_OPTION
#undef OUCH_OPTION_OUT
}

size_t ctl_request_of(const struct command *c, uint8_t *out)
{
    char symbol[9], cl_ord_id[15], firm[5];
    struct xw_options options;
    options_of(&options, c);
    const struct xw_options *optional = options.size ? &options : NULL;
    copy_text(symbol, c->symbol, sizeof c->symbol);
    copy_text(cl_ord_id, c->cl_ord_id, sizeof c->cl_ord_id);
    copy_text(firm, c->firm, sizeof c->firm);
    switch (c->type) {
    case CMD_ENTER:
        return xw_ouch_enter(out,
                             &(struct xw_enter){.user_ref = c->user_ref,
                                                .quantity = c->quantity,
                                                .price = c->price,
                                                .symbol = symbol,
                                                .cl_ord_id = cl_ord_id,
                                                .side = c->side,
                                                .tif = c->tif,
                                                .display = c->display,
                                                .capacity = c->capacity,
                                                .iso = c->iso,
                                                .cross = c->cross},
                             optional);
    case CMD_REPLACE:
        return xw_ouch_replace(out,
                               &(struct xw_replace){.orig_user_ref = c->orig_user_ref,
                                                    .user_ref = c->user_ref,
                                                    .quantity = c->quantity,
                                                    .price = c->price,
                                                    .cl_ord_id = cl_ord_id,
                                                    .tif = c->tif,
                                                    .display = c->display,
                                                    .iso = c->iso},
                               optional);
    case CMD_CANCEL:
        return xw_ouch_cancel(out, c->user_ref, c->quantity, optional);
    case CMD_MODIFY:
        return xw_ouch_modify(out, c->user_ref, c->side, c->quantity, optional);
    case CMD_MASS_CANCEL:
        return xw_ouch_mass_cancel(out, c->user_ref, firm, symbol, optional);
    case CMD_DISABLE:
        return xw_ouch_disable(out, c->user_ref, firm, optional);
    case CMD_ENABLE:
        return xw_ouch_enable(out, c->user_ref, firm, optional);
    case CMD_QUERY:
        return xw_ouch_query(out, optional);
    default:
        return 0;
    }
}

static void write_request(void *context, const struct command *record)
{
    struct capture *capture = context;
    uint8_t payload[3 + XW_OUCH_REQUEST_MAX];
    if (record->type == CMD_OPEN_SESSION)
        capture->cores[record->session] = (uint8_t)journal_core(record);
    size_t size = ctl_request_of(record, payload + 3);
    if (size == 0 || record->session == SESSION_NONE)
        return;
    put_be16(payload, (uint16_t)(size + 1));
    payload[2] = 'U';
    write_datagram(capture, record->time_ns, CLIENTS_IP + record->session, CLIENT_PORT, GATEWAY_IP, GATEWAY_PORT,
                   payload, 3 + size);
}

// ---- what was told --------------------------------------------------------------------------------------------------

static void write_message(void *context, uint16_t session, const uint8_t *message, size_t size)
{
    struct capture *capture = context;
    uint8_t payload[UFO_SEQUENCED_HEADER + 2 + OUCH_OUT_MAX];
    payload[0] = 'S';
    put_be32(payload + 1, ++capture->next_sequence[session]);
    put_be16(payload + 5, 1);
    put_be16(payload + UFO_SEQUENCED_HEADER, (uint16_t)size);
    memcpy(payload + UFO_SEQUENCED_HEADER + 2, message, size);
    write_datagram(capture, capture->told_ns, GATEWAY_IP, GATEWAY_PORT, CLIENTS_IP + session, CLIENT_PORT, payload,
                   UFO_SEQUENCED_HEADER + 2 + size);
}

static void write_event(void *context, unsigned core, const struct event *event)
{
    struct capture *capture = context;
    const struct fan_out sessions = {SESSION_NONE, capture->cores};
    capture->told_ns = event->time_ns;
    fan_out(&sessions, core, event, write_message, capture);
}

// ---- the file -------------------------------------------------------------------------------------------------------

static uint64_t midnight_of(uint32_t date)
{
    struct tm day = {
        .tm_year = (int)(date / 10000) - 1900, .tm_mon = (int)(date / 100 % 100) - 1, .tm_mday = (int)(date % 100)};
    return (uint64_t)timegm(&day);
}

void ctl_export_capture(struct ctl_walk *walk, const char *path)
{
    char temporary[4200];
    static struct capture capture;
    capture = (struct capture){.walk = walk, .midnight_s = midnight_of(walk->identity->date)};
    capture.next_sequence = calloc(SESSION_NONE, sizeof *capture.next_sequence);
    capture.cores = malloc(SESSION_NONE);
    capture.format = pcap_open_dead_with_tstamp_precision(DLT_RAW, 65535, PCAP_TSTAMP_PRECISION_NANO);
    if (!capture.next_sequence || !capture.cores || !capture.format)
        fail_with(EX_OSERR, "no memory");
    memset(capture.cores, FAN_OUT_CLOSED, SESSION_NONE);
    snprintf(temporary, sizeof temporary, "%s.part", path);
    capture.file = pcap_dump_open(capture.format, temporary);
    if (!capture.file)
        fail_with(EX_CANTCREAT, "%s", pcap_geterr(capture.format));
    walk->on_record = write_request;
    walk->on_event = write_event;
    walk->context = &capture;
    ctl_walk(walk);
    bool written = pcap_dump_flush(capture.file) == 0;
    pcap_dump_close(capture.file);
    pcap_close(capture.format);
    free(capture.next_sequence);
    free(capture.cores);
    if (!written || rename(temporary, path) != 0) {
        unlink(temporary);
        fail_with(EX_IOERR, "%s cannot be written: is the disk full?", path);
    }
}
