// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/net.h"

#include <stdlib.h>
#include <string.h>

#include "contract/ufo.h"
#include "io/dpdk_version.h"
#include "io/eal.h"
#include "io/port.h"
#include "tests/sim/posix.h"
#include "tests/sim/world.h"

enum { PORTS = 4, INBOX = 512, BUFFERS = 1024, LCORES = 16 };

struct port_queue {
    unsigned number;
    uint8_t mac[6];
    uint8_t *inbox[INBOX]; // {4 length, bytes}
    unsigned head, tail;
};

struct net net;
static struct port_queue queues[PORTS];
static uint8_t pool[BUFFERS][FRAME_MAX + 128];
static unsigned pool_free[BUFFERS], pool_count;
static unsigned under_way;
static uint64_t received;
static uint64_t trouble_ns;
static uint64_t heard_ns[256]; // by the last byte of a client's address

void net_open(void)
{
    net = (struct net){
        .least_ns = 3 * SIM_US, .late_ns = 2 * SIM_MS, .buffers = (unsigned)random_between(&sim.net, 128, 256)};
    for (unsigned i = 0; i < PORTS; i++)
        queues[i] = (struct port_queue){.number = i, .mac = {2, 0, 0, 0, 0, (uint8_t)(1 + i)}};
}

static void fill_pool(void)
{
    for (pool_count = 0; pool_count < net.buffers && pool_count < BUFFERS; pool_count++)
        pool_free[pool_count] = pool_count;
}

void net_drop_dataplane(void)
{
    for (unsigned i = 0; i < PORTS; i++) {
        for (; queues[i].head != queues[i].tail; queues[i].head++)
            free(queues[i].inbox[queues[i].head % INBOX]);
    }
    received = 0;
    memset(net.delivered, 0, sizeof net.delivered);
}

unsigned net_on_its_way(void)
{
    unsigned count = under_way;
    for (unsigned i = 0; i < PORTS; i++)
        count += queues[i].tail - queues[i].head;
    return count;
}

uint64_t net_received(void)
{
    return received;
}

uint64_t net_trouble_ns(void)
{
    return trouble_ns;
}

uint64_t net_heard_ns(uint32_t ip)
{
    return heard_ns[ip & 0xFF];
}

// ---- the wire -------------------------------------------------------------------------------------------------------

static uint8_t *new_frame(const uint8_t *bytes, size_t size)
{
    uint8_t *frame = malloc(4 + size);
    uint32_t length = (uint32_t)size;
    memcpy(frame, &length, 4);
    memcpy(frame + 4, bytes, size);
    return frame;
}

static uint32_t length_of(const uint8_t *frame)
{
    uint32_t length;
    memcpy(&length, frame, 4);
    return length;
}

static void reach_port(void *context, uint64_t port)
{
    struct port_queue *queue = &queues[port];
    under_way--;
    if (!sim_processes[SIM_DATAPLANE].alive || queue->tail - queue->head == INBOX) {
        trouble_ns = sim.now_ns;
        free(context);
        return;
    }
    sim_is_active();
    queue->inbox[queue->tail++ % INBOX] = context;
}

static void reach_client(void *context, uint64_t port)
{
    uint8_t *frame = context;
    world_frame_arrives((unsigned)port, frame + 4, length_of(frame));
    free(frame);
}

static void corrupt(uint8_t *frame)
{
    unsigned flips = (unsigned)random_between(&sim.net, 1, 6);
    for (unsigned i = 0; i < flips; i++)
        frame[4 + random_below(&sim.net, length_of(frame))] ^= (uint8_t)(1u << random_below(&sim.net, 8));
    if (random_chance(&sim.net, 100000)) { // or cut short
        uint32_t length = 1 + (uint32_t)random_below(&sim.net, length_of(frame));
        memcpy(frame, &length, 4);
    }
}

// Whether a damaged frame still looks whole to who gets it: the frame check sequence, which is not simulated, has it.
static bool passes(uint8_t *frame, const struct endpoint *to)
{
    static uint8_t copy[FRAME_MAX + 64];
    struct frame as = {.data = copy, .length = length_of(frame)};
    struct packet packet;
    memcpy(copy, frame + 4, as.length);
    packet_parse(to, &as, &packet);
    return packet.kind == PACKET_UDP;
}

// Starts a frame on its way, as many times as it arrives.
static void carry(const uint8_t *bytes, size_t size, sim_event *reach, unsigned port, const struct endpoint *to)
{
    unsigned times = random_chance(&sim.net, net.lost) || net.cut ? 0 : random_chance(&sim.net, net.doubled) ? 2 : 1;
    if (times == 0 || net.spread_ns || net.late)
        trouble_ns = sim.now_ns + net.least_ns + net.spread_ns + net.late_ns;
    for (unsigned i = 0; i < times; i++) {
        uint8_t *frame = new_frame(bytes, size);
        uint64_t delay = net.least_ns + random_below(&sim.net, net.spread_ns + 1);
        if (random_chance(&sim.net, net.late))
            delay += random_below(&sim.net, net.late_ns);
        if (random_chance(&sim.net, net.corrupted)) {
            corrupt(frame);
            trouble_ns = sim.now_ns;
            if (!to || passes(frame, to)) {
                free(frame);
                continue;
            }
        }
        if (reach == reach_port)
            under_way++;
        sim_after(delay, reach, frame, port);
    }
}

void net_to_port(unsigned port, const uint8_t *bytes, size_t size)
{
    struct endpoint to = world_endpoint(port);
    carry(bytes, size, reach_port, port, &to);
}

// ---- io/port.h ------------------------------------------------------------------------------------------------------

int ports_open(const struct config *config, char *error, size_t error_size)
{
    (void)config, (void)error, (void)error_size;
    fill_pool();
    return 0;
}

void ports_close(void)
{
}

struct port_queue *port_queue(uint32_t port, uint32_t queue)
{
    return port < PORTS && queue == 0 ? &queues[port] : NULL;
}

const uint8_t *port_mac(const struct port_queue *queue)
{
    return queue->mac;
}

bool port_new_frame(struct port_queue *queue, struct frame *frame)
{
    (void)queue;
    if (pool_count == 0)
        return false;
    unsigned number = pool_free[--pool_count];
    *frame = (struct frame){.data = pool[number], .handle = (void *)(uintptr_t)(number + 1)};
    return true;
}

static void give_back(const struct frame *frame)
{
    pool_free[pool_count++] = (unsigned)(uintptr_t)frame->handle - 1;
}

// The blocks of a datagram, as the gateway must count them.
static uint64_t count_messages(unsigned port, const struct frame *frame)
{
    static uint8_t copy[FRAME_MAX + 64];
    struct frame as = {.data = copy, .length = frame->length};
    struct endpoint us = world_endpoint(port);
    struct packet packet;
    memcpy(copy, frame->data, frame->length);
    packet_parse(&us, &as, &packet);
    if (packet.kind == PACKET_REPLY)
        return 0;
    if (packet.kind != PACKET_UDP || packet.to_port < 4000 || packet.to_port >= 4064)
        return packet.kind == PACKET_UDP && packet.to_port >= 5000 && packet.to_port < 5064 ? 0 : 1;
    return world_count_blocks(packet.payload, packet.size);
}

static void note_heard(const struct frame *frame)
{
    static const uint8_t clients[3] = {10, 1, 0};
    if (frame->length >= 42 && memcmp(frame->data + 26, clients, sizeof clients) == 0)
        heard_ns[frame->data[29]] = sim.now_ns;
}

unsigned port_receive(struct port_queue *queue, struct frame *frames, unsigned most)
{
    unsigned count = 0;
    for (; count < most && queue->head != queue->tail && port_new_frame(queue, &frames[count]); count++) {
        uint8_t *frame = queue->inbox[queue->head++ % INBOX];
        frames[count].length = length_of(frame);
        memcpy(frames[count].data, frame + 4, frames[count].length);
        sim_note_bytes(frame, 4 + frames[count].length);
        received += count_messages(queue->number, &frames[count]);
        note_heard(&frames[count]);
        free(frame);
    }
    if (count)
        sim_is_active();
    return count;
}

void port_release(struct port_queue *queue, struct frame *frames, unsigned count)
{
    (void)queue;
    for (unsigned i = 0; i < count; i++)
        give_back(&frames[i]);
}

unsigned port_send(struct port_queue *queue, struct frame *frames, unsigned count)
{
    sim_is_active();
    for (unsigned i = 0; i < count; i++) {
        sim_note_bytes(frames[i].data, frames[i].length);
        world_frame_sent(queue->number, frames[i].data, frames[i].length);
        struct endpoint to;
        carry(frames[i].data, frames[i].length, reach_client, queue->number,
              world_receiver(frames[i].data, frames[i].length, &to) ? &to : NULL);
        give_back(&frames[i]);
    }
    return count;
}

// ---- io/eal.h -------------------------------------------------------------------------------------------------------

struct lcore {
    struct sim_fiber *fiber;
    int (*run)(void *argument);
    void *argument;
    int result;
};

static struct lcore lcores[LCORES];

static void *lcore_main(void *argument)
{
    struct lcore *lcore = argument;
    lcore->result = lcore->run(lcore->argument);
    return NULL;
}

// Of the simulated machine: one CPU for all roles is as good as several.
unsigned eal_lcores(const struct config *config, uint32_t *out, unsigned most)
{
    (void)most;
    out[0] = config->dataplane.main_lcore;
    out[1] = config->gateways[0].lcore;
    return 2;
}

const char *dpdk_version_built(void)
{
    return "simulated";
}

const char *dpdk_version_running(void)
{
    return "simulated";
}

int eal_start(const struct config *config, char *error, size_t error_size)
{
    (void)config, (void)error, (void)error_size;
    return 0;
}

void eal_stop(void)
{
}

bool eal_launch(uint32_t lcore, int (*run)(void *argument), void *argument)
{
    lcores[lcore] = (struct lcore){.run = run, .argument = argument};
    lcores[lcore].fiber = sim_fiber_start(sim_process_self(), lcore_main, &lcores[lcore]);
    return lcores[lcore].fiber != NULL;
}

int eal_join(uint32_t lcore)
{
    while (!sim_fiber_done(lcores[lcore].fiber))
        sim_wait(lcores[lcore].fiber, SIM_NEVER);
    sim_fiber_free(lcores[lcore].fiber);
    return lcores[lcore].result;
}

uint64_t eal_tsc_hz(void)
{
    return SIM_TSC_HZ;
}

uint64_t eal_heap_bytes(void)
{
    return 0;
}
