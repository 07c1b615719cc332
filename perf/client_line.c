// SPDX-License-Identifier: Apache-2.0
#include "perf/client_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ouch.h"
#include "contract/assert.h"
#include "contract/wire.h"

#define SYNC_PATIENCE_NS UINT64_C(1000000000)
#define LOGIN_NS UINT64_C(200000000)
#define HEARTBEAT_NS UINT64_C(500000000)
#define RETRANSMIT_NS UINT64_C(20000000)

// ---- recording ------------------------------------------------------------------------------------------------------

// Every sequenced message as it came, those that came twice too: the session layer would hide them.
static void record_datagram(struct line *line, const uint8_t *datagram, size_t size)
{
    const char *name = xw_session_name(line->session);
    if (size < 9 || datagram[0] != 'S' || strlen(name) != 10)
        return;
    uint32_t sequence = get_be32(datagram + 1);
    unsigned count = get_be16(datagram + 5);
    size_t at = 7;
    for (unsigned i = 0; i < count && at + 2 <= size; i++) {
        size_t length = get_be16(datagram + at);
        if (length > size - at - 2)
            break;
        record_append(line->plan.record, line->user, name, sequence + i, datagram + at + 2, length);
        at += 2 + length;
    }
}

// ---- what comes in --------------------------------------------------------------------------------------------------

static void start(struct line *line, uint32_t next_ref)
{
    line->first_ref = line->next_ref = next_ref;
    if (orders_init(&line->orders, next_ref + line->plan.orders + 1024, line->plan.outstanding) != 0) {
        fprintf(stderr, "xwreplay: %s: no memory for %u orders\n", line->user, line->plan.orders);
        abort();
    }
    // A capture brings its own numbers: they may be lower, the venue drops those as duplicates.
    line->orders.first_ref = line->plan.ref_of ? next_ref : 0;
    line->started = true;
    line->state = LINE_READY;
    line->query_ns = 0;
}

static void on_message(void *context, uint64_t sequence, const uint8_t *message, size_t size)
{
    struct line *line = context;
    (void)sequence;
    line->progress_ns = line->now_ns;
    if (line->rereading)
        return;
    if (line->started) {
        orders_take(&line->orders, message, size, line->now_ns);
        return;
    }
    // What an earlier run of the day left in the stream is only recorded. The answer to our first query begins the run.
    struct xw_ouch query;
    if (line->state == LINE_SYNC && size && message[0] == 'Q' && xw_ouch_decode(message, size, &query))
        start(line, query.user_ref);
}

static void on_query(void *context, uint8_t index)
{
    struct line *line = context;
    if (index != line->query_index)
        return; // an earlier one
    line->query_ns = 0;
    line->holding = false;
    if (line->state == LINE_SYNC) {
        line->state = LINE_READY;
        line->recoveries++;
    }
}

static void on_lost(void *context, const struct request *request)
{
    struct line *line = context;
    if (line->again_next == line->again_count)
        line->again_next = line->again_count = 0;
    if (line->again_count == line->again_room) {
        uint32_t room = line->again_room ? 2 * line->again_room : 256;
        struct request *bigger = realloc(line->again, room * sizeof *bigger);
        if (!bigger)
            return; // it stays unanswered, and is reported so
        line->again = bigger;
        line->again_room = room;
    }
    line->again[line->again_count++] = *request;
}

static void fill_to_plan(void *context, const struct fill *fill)
{
    struct line *line = context;
    if (line->plan.fill)
        line->plan.fill(line->plan.fill_context, fill);
}

static int open_session(struct line *line)
{
    struct xw_session_config config = {.user = line->plan.user,
                                       .password = line->plan.password,
                                       .login_ns = LOGIN_NS,
                                       .heartbeat_ns = HEARTBEAT_NS,
                                       .timeout_ns = line->plan.timeout_ns,
                                       .retransmit_ns = RETRANSMIT_NS,
                                       .relogin_after_end = true,
                                       .from_now = line->plan.from_now,
                                       .context = line,
                                       .on_message = on_message};
    line->session = xw_session_open(&config);
    if (!line->session)
        return -1;
    xw_session_login(line->session);
    return 0;
}

int line_open(struct line *line, const struct line_plan *plan)
{
    memset(line, 0, sizeof *line);
    line->plan = *plan;
    snprintf(line->user, sizeof line->user, "%-6.6s", plan->user);
    line->orders.user = line->user;
    line->orders.latency = plan->latency;
    line->orders.hooks = (struct orders_hooks){line, fill_to_plan, on_lost, on_query};
    return open_session(line);
}

int line_reread(struct line *line)
{
    line->reread_end = xw_session_next_sequence(line->session);
    line->rereading = true;
    line->datagram_size = 0;
    xw_session_close(line->session);
    return open_session(line);
}

bool line_reread_done(const struct line *line)
{
    return xw_session_state(line->session) == XW_SESSION_ON &&
           xw_session_next_sequence(line->session) >= line->reread_end && xw_session_missing(line->session) == 0;
}

void line_logoff(struct line *line, uint64_t now_ns)
{
    xw_session_logoff(line->session);
    line_poll(line, now_ns);
}

void line_close(struct line *line)
{
    if (line->session)
        xw_session_close(line->session);
    orders_free(&line->orders);
    free(line->again);
    memset(line, 0, sizeof *line);
}

void line_receive(struct line *line, uint64_t now_ns, const uint8_t *datagram, size_t size)
{
    line->now_ns = now_ns;
    xw_session_receive(line->session, now_ns, datagram, size);
    if (line->plan.record)
        record_datagram(line, datagram, size);
}

// ---- what goes out --------------------------------------------------------------------------------------------------

bool line_poll(struct line *line, uint64_t now_ns)
{
    const struct transport_operations *operations = line->plan.transport->operations;
    for (;;) {
        if (line->datagram_size == 0) {
            line->datagram_size = xw_session_poll(line->session, now_ns, line->datagram);
            line->queued = 0;
        }
        if (line->datagram_size == 0)
            return true;
        if (!operations->send(line->plan.transport, line->plan.channel, line->datagram, line->datagram_size))
            return false;
        line->datagram_size = 0;
    }
}

bool line_ready(const struct line *line)
{
    return line->state == LINE_READY && !line->holding && line->again_next == line->again_count &&
           line->datagram_size == 0 && orders_ready(&line->orders) && xw_session_state(line->session) == XW_SESSION_ON;
}

bool line_send(struct line *line, const struct request *request, bool again)
{
    if (!orders_ready(&line->orders) || !xw_session_send(line->session, request->message, request->size))
        return false;
    line->queued++;
    if (request->due_ns > line->progress_ns)
        line->progress_ns = request->due_ns;
    orders_sent(&line->orders, request, again);
    return true;
}

void line_query(struct line *line, uint64_t now_ns, uint64_t patience_ns)
{
    if (line->query_ns && now_ns - line->query_ns < patience_ns)
        return;
    struct request query = {.due_ns = now_ns, .kind = INTENT_RAW, .expects = 'Q', .times = 2};
    if (!line->started) {
        query.size = (uint16_t)xw_ouch_query(query.message, NULL);
        if (xw_session_send(line->session, query.message, query.size))
            line->query_ns = now_ns;
    } else {
        struct xw_options options = {0};
        query.index = line->query_index == UINT8_MAX ? 1 : line->query_index + 1;
        xw_option_u8(&options, TAG_USER_REF_IDX, query.index);
        query.size = (uint16_t)xw_ouch_query(query.message, &options);
        line->query_index = query.index;
        if (line_send(line, &query, true))
            line->query_ns = now_ns;
    }
    line_poll(line, now_ns);
}

void line_ask(struct line *line, uint64_t now_ns, uint64_t patience_ns)
{
    line_query(line, now_ns, patience_ns);
    line->holding = line->query_ns != 0;
}

// The venue drops a UserRefNum at or below the last that it has taken, so an order that was lost in the middle needs a
// new one.
static void renumber(struct line *line, struct request *request)
{
    struct order *old = orders_find(&line->orders, request->ref);
    if (!old || request->ref > line->orders.highest || line->next_ref >= line->orders.room)
        return;
    uint32_t ref = line->next_ref++;
    struct order copy = *old;
    *old = (struct order){0};
    orders_enter(&line->orders, ref, copy.id, copy.side, copy.symbol, copy.price, copy.open);
    put_be32(request->message + (request->kind == INTENT_REPLACE ? 5 : 1), ref);
    request->ref = ref;
    if (line->plan.ref_of)
        line->plan.ref_of[copy.id] = ref;
}

static void send_again(struct line *line, uint64_t now_ns)
{
    while (line->again_next < line->again_count) {
        struct request *request = &line->again[line->again_next];
        const struct order *made = orders_find(&line->orders, request->ref);
        if (made && made->state != ORDER_SENT) { // it was not lost: its answer has come meanwhile
            line->again_next++;
            continue;
        }
        renumber(line, request);
        request->times++;
        if (!line_send(line, request, true))
            break;
        line->resent++;
        line->again_next++;
        if (!line_poll(line, now_ns))
            break;
    }
}

void line_tend(struct line *line, uint64_t now_ns, bool linked)
{
    enum xw_session_state state = xw_session_state(line->session);
    if (!linked && state == XW_SESSION_ON) {
        line->datagram_size = 0; // addressed to who is no more
        line->queued = 0;        // of what lay behind it: the login waits for nobody
        xw_session_login(line->session);
        state = xw_session_state(line->session);
    }
    if (line->rereading) {
        line_poll(line, now_ns);
        return;
    }
    if (state != XW_SESSION_ON) {
        line->state = LINE_LOGIN;
        line->query_ns = 0;
        line->holding = false;
    } else if (line->state == LINE_LOGIN && xw_session_missing(line->session) == 0) {
        line->state = LINE_SYNC;
        line->query_ns = 0;
    }
    if (line->state == LINE_SYNC)
        line_query(line, now_ns, SYNC_PATIENCE_NS);
    else if (line->state == LINE_READY && line->again_next < line->again_count)
        send_again(line, now_ns);
    if (line->datagram_size || line->queued == 0)
        line_poll(line, now_ns);
}

bool line_quiet(const struct line *line)
{
    return line->started && line->orders.outstanding == 0 && line->again_next == line->again_count;
}
