// SPDX-License-Identifier: Apache-2.0
#include "control/requests.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "contract/ufo.h"
#include "contract/wire.h"
#include "control/recovery/ring_adopt.h"

enum request_state { ASK_NEW, ASK_VERIFYING, ASK_DONE };

struct lane {
    struct ring *requests;
    struct ring *replies;
    uint32_t taken;                 // cells after the cursor that were looked at
    uint8_t state[REQUESTS_WINDOW]; // by position
};

struct requests {
    const struct region *region;
    const struct config *config;
    struct auth *auth;
    struct outbound *outbound;
    const struct journal_writer *writer;
    struct logins *logins;
    bool *forget;     // sessions whose gateway is still to be told
    uint32_t forgets; // how many
    unsigned lanes_count;
    struct lane lanes[];
};

struct requests *requests_new(const struct region *region, const struct config *config, struct auth *auth,
                              struct outbound *outbound, const struct journal_writer *writer, struct logins *logins)
{
    struct requests *requests = calloc(1, sizeof *requests + config->gateways_count * sizeof requests->lanes[0]);
    if (!requests)
        return NULL;
    requests->region = region;
    requests->config = config;
    requests->auth = auth;
    requests->outbound = outbound;
    requests->writer = writer;
    requests->logins = logins;
    requests->lanes_count = config->gateways_count;
    requests->forget = calloc(config_streams(config) + 1, sizeof *requests->forget);
    if (!requests->forget) {
        free(requests);
        return NULL;
    }
    for (uint32_t i = 0; i < config_streams(config); i++)
        requests_forget(requests, i);
    for (unsigned i = 0; i < requests->lanes_count; i++) {
        struct lane *lane = &requests->lanes[i];
        lane->requests = region_find(region, OBJECT_REQUESTS, 0, i);
        lane->replies = region_find(region, OBJECT_REPLIES, 0, i);
        if (lane->replies)
            ring_adopt(lane->replies);
    }
    return requests;
}

void requests_free(struct requests *requests)
{
    if (requests)
        free(requests->forget);
    free(requests);
}

void requests_forget(struct requests *requests, uint32_t session)
{
    requests->forgets += !requests->forget[session];
    requests->forget[session] = true;
}

// The index-th reply cell from now, blank but for what every reply says.
static struct gateway_reply *reply_slot(struct ring *ring, uint32_t index, const struct gateway_request *request)
{
    struct gateway_reply *reply = ring_slot(ring, index);
    memset((char *)reply + sizeof reply->word, 0, sizeof *reply - sizeof reply->word);
    reply->id = request->id;
    reply->kind = request->kind;
    reply->session = request->session;
    return reply;
}

// Tells gateways what to forget, as far as there is room; before any verdict, which may be over the new password.
// Returns whether all is told.
static bool tell_forgotten(struct requests *requests)
{
    for (uint32_t i = 0; requests->forgets > 0 && i < config_streams(requests->config); i++) {
        struct ring *replies = requests->lanes[config_stream(requests->config, i).gateway].replies;
        if (!requests->forget[i])
            continue;
        if (replies && ring_room(replies, 1) == 0)
            return false;
        if (replies) {
            const struct gateway_request of = {.kind = REPLY_FORGET, .session = (uint16_t)i};
            reply_slot(replies, 0, &of);
            ring_publish(replies, 1);
        }
        requests->forget[i] = false;
        requests->forgets--;
    }
    return true;
}

static uint64_t position_of(const struct lane *lane, uint32_t index)
{
    return atomic_load_explicit(&lane->requests->consumed, memory_order_relaxed) + index;
}

// ---- logins ---------------------------------------------------------------------------------------------------------

static bool start_login(struct requests *requests, unsigned gateway, uint64_t position,
                        const struct gateway_request *request, uint64_t now_ns)
{
    struct auth_ask ask = {
        .generation = requests->region->header->generation,
        .position = position,
        .gateway = (uint16_t)gateway,
        .session = request->session,
        .source_ip = request->source_ip,
        .source_port = request->source_port,
    };
    memcpy(ask.user, request->user, sizeof ask.user);
    memcpy(ask.password, request->password, sizeof ask.password);
    bool taken = auth_submit(requests->auth, &ask, now_ns);
    sodium_memzero(ask.password, sizeof ask.password);
    return taken;
}

static void note_refused(const struct requests *requests, const struct auth_answer *answer)
{
    struct login_refusal refusal = {.session = answer->session,
                                    .why = answer->why,
                                    .ip = answer->source_ip,
                                    .port = answer->source_port,
                                    .count = 1};
    memcpy(refusal.user, answer->user, sizeof refusal.user);
    logins_refused(requests->logins, &refusal);
}

// What a gateway has refused without asking.
static void take_report(const struct requests *requests, const struct gateway_request *request)
{
    struct login_refusal refusal = {.session = request->session,
                                    .why = (enum login_why)request->first,
                                    .ip = request->source_ip,
                                    .port = request->source_port,
                                    .count = request->count};
    memcpy(refusal.user, request->user, sizeof refusal.user);
    if (request->first < LOGIN_WHYS)
        logins_refused(requests->logins, &refusal);
}

static unsigned finish_logins(struct requests *requests)
{
    unsigned done = 0;
    struct auth_answer answer;
    // Room first: an answer once taken must go out.
    for (;;) {
        for (unsigned i = 0; i < requests->lanes_count; i++) {
            if (requests->lanes[i].replies && ring_room(requests->lanes[i].replies, 1) == 0)
                return done;
        }
        if (!auth_take(requests->auth, &answer))
            return done;
        if (answer.verdict != LOGIN_RIGHT)
            note_refused(requests, &answer);
        if (answer.generation != requests->region->header->generation || answer.gateway >= requests->lanes_count)
            continue; // asked by a data plane that is gone
        struct lane *lane = &requests->lanes[answer.gateway];
        struct gateway_request *request = ring_peek(lane->requests, (uint32_t)(answer.position - position_of(lane, 0)));
        reply_slot(lane->replies, 0, request)->verdict = (uint16_t)answer.verdict;
        ring_publish(lane->replies, 1);
        sodium_memzero(request->password, sizeof request->password);
        lane->state[answer.position % REQUESTS_WINDOW] = ASK_DONE;
        done++;
    }
}

// ---- messages -------------------------------------------------------------------------------------------------------

static bool serve_messages(struct requests *requests, struct lane *lane, const struct gateway_request *request,
                           uint64_t now_ns)
{
    uint8_t blocks[UFO_DATAGRAM_MAX - UFO_SEQUENCED_HEADER];
    struct journal_place until = journal_writer_position(requests->writer);
    unsigned count = request->count < REQUESTS_MESSAGES_MAX ? request->count : REQUESTS_MESSAGES_MAX;
    if (count > lane->replies->depth)
        count = lane->replies->depth;
    uint32_t room = ring_room(lane->replies, count ? count : 1);
    if (room < count || room == 0)
        return false;
    unsigned messages;
    enum outbound_result result = outbound_fetch(requests->outbound, request->session, request->first, count, &until,
                                                 now_ns, blocks, sizeof blocks, &messages);
    if (result == OUTBOUND_LATER)
        return false;
    const uint8_t *at = blocks;
    for (unsigned i = 0; i < messages; i++) {
        struct gateway_reply *reply = reply_slot(lane->replies, i, request);
        reply->verdict = (uint16_t)(messages - 1 - i);
        reply->sequence = request->first + i;
        reply->length = get_be16(at);
        memcpy(reply->message, at + 2, reply->length);
        at += 2 + reply->length;
    }
    if (messages == 0)
        reply_slot(lane->replies, 0, request)->sequence = request->first;
    ring_publish_whole(lane->replies, messages ? messages : 1);
    return true;
}

// ---- the window -----------------------------------------------------------------------------------------------------

static enum request_state look_at(struct requests *requests, unsigned gateway, uint64_t position,
                                  const struct gateway_request *request, uint64_t now_ns)
{
    switch (request->kind) {
    case REQUEST_LOGIN:
        return start_login(requests, gateway, position, request, now_ns) ? ASK_VERIFYING : ASK_NEW;
    case REQUEST_MESSAGES:
        return serve_messages(requests, &requests->lanes[gateway], request, now_ns) ? ASK_DONE : ASK_NEW;
    case REPORT_REFUSED:
        take_report(requests, request);
        return ASK_DONE;
    default:
        return ASK_DONE; // not of this build: nobody waits for an answer that we know
    }
}

static unsigned poll_lane(struct requests *requests, unsigned gateway, uint64_t now_ns)
{
    struct lane *lane = &requests->lanes[gateway];
    unsigned done = 0, index = 0;
    bool outbound_busy = false; // one request at a time makes the replica go on
    for (; index < REQUESTS_WINDOW; index++) {
        const struct gateway_request *request = ring_peek(lane->requests, index);
        if (!request)
            break;
        uint64_t position = position_of(lane, index);
        uint8_t *state = &lane->state[position % REQUESTS_WINDOW];
        if (index >= lane->taken)
            *state = ASK_NEW;
        if (*state != ASK_NEW || (outbound_busy && request->kind == REQUEST_MESSAGES))
            continue;
        *state = (uint8_t)look_at(requests, gateway, position, request, now_ns);
        outbound_busy |= request->kind == REQUEST_MESSAGES && *state == ASK_NEW;
        done++;
    }
    lane->taken = index;
    uint32_t finished = 0;
    while (finished < index && lane->state[position_of(lane, finished) % REQUESTS_WINDOW] == ASK_DONE)
        finished++;
    if (finished) {
        lane->taken -= finished;
        ring_release(lane->requests, finished);
    }
    return done;
}

unsigned requests_poll(struct requests *requests, uint64_t now_ns)
{
    if (!tell_forgotten(requests))
        return 0;
    unsigned done = finish_logins(requests);
    for (unsigned i = 0; i < requests->lanes_count; i++) {
        if (requests->lanes[i].requests && requests->lanes[i].replies)
            done += poll_lane(requests, i, now_ns);
    }
    return done;
}
