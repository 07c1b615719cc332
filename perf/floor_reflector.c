// SPDX-License-Identifier: Apache-2.0
// floor_reflector CONFIG: the floor that the data plane is measured against. Same EAL, same port settings, the first
// gateway's lcore: bursts of 32, swap MAC, IP and UDP, send back, nothing else. SIGUSR1 prints one JSON line of what
// came since the last one; SIGTERM does, too, and ends it.
#include <errno.h>
#include <rte_ethdev.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <x86intrin.h>

#include "contract/config.h"
#include "contract/log.h"
#include "io/eal.h"
#include "io/port.h"

#define BURST 32

struct floor_counts {
    uint64_t packets;
    uint64_t polls; // that found packets
    uint64_t busy_cycles;
    uint64_t dropped;
};

struct floor_loop {
    uint16_t port;
    uint16_t queue;
    struct floor_counts counts; // written by the loop, read while nothing comes
    struct floor_counts shown;
};

static _Atomic bool stop;

static void swap(void *a, void *b, size_t size)
{
    char kept[8];
    memcpy(kept, a, size);
    memcpy(a, b, size);
    memcpy(b, kept, size);
}

static void turn_round(struct rte_mbuf *buffer)
{
    char *data = rte_pktmbuf_mtod(buffer, char *);
    swap(data, data + 6, 6);
    swap(data + 26, data + 30, 4);
    swap(data + 34, data + 36, 2);
    buffer->ol_flags = 0;
}

static int reflect(void *argument)
{
    struct floor_loop *loop = argument;
    struct rte_mbuf *buffers[BURST];
    uint64_t before = __rdtsc();
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        uint16_t count = rte_eth_rx_burst(loop->port, loop->queue, buffers, BURST);
        for (uint16_t i = 0; i < count; i++)
            turn_round(buffers[i]);
        uint16_t sent = count ? rte_eth_tx_burst(loop->port, loop->queue, buffers, count) : 0;
        if (sent < count)
            rte_pktmbuf_free_bulk(buffers + sent, count - sent);
        uint64_t now = __rdtsc();
        if (count) {
            loop->counts.packets += count;
            loop->counts.dropped += (uint64_t)count - sent;
            loop->counts.polls++;
            loop->counts.busy_cycles += now - before;
        }
        before = now;
    }
    return 0;
}

static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, signals, NULL);
}

static void print(struct floor_loop *loop)
{
    struct floor_counts now = *(volatile struct floor_counts *)&loop->counts, *shown = &loop->shown;
    uint64_t packets = now.packets - shown->packets, polls = now.polls - shown->polls;
    uint64_t cycles = now.busy_cycles - shown->busy_cycles;
    printf("{\"packets\":%lu,\"dropped\":%lu,\"busy_cycles\":%lu,\"cycles_per_packet\":%.1f,\"packets_per_poll\":%.2f,"
           "\"tsc_hz\":%lu}\n",
           packets, now.dropped - shown->dropped, cycles, (double)cycles / (double)(packets ? packets : 1),
           (double)packets / (double)(polls ? polls : 1), eal_tsc_hz());
    fflush(stdout);
    *shown = now;
}

int main(int count, char **arguments)
{
    char error[512];
    sigset_t signals;
    int signal = 0;
    if (count != 2)
        fail_with(EX_USAGE, "usage: floor_reflector CONFIG");
    log_open("floor_reflector", "");
    block_signals(&signals);
    struct config *config = config_load(arguments[1], error, sizeof error);
    if (!config)
        fail_with(EX_CONFIG, "%s", error);
    if (config->gateways_count == 0)
        fail_with(EX_CONFIG, "no gateway whose port and lcore to use: add one to %s", arguments[1]);
    int result = eal_start(config, error, sizeof error);
    if (result == 0)
        result = ports_open(config, error, sizeof error);
    if (result != 0)
        fail_with(result, "%s", error);
    const struct config_gateway *gateway = &config->gateways[0];
    struct floor_loop loop = {.port = port_device(port_queue(gateway->port_index, gateway->queue)),
                              .queue = (uint16_t)gateway->queue};
    if (!eal_launch(gateway->lcore, reflect, &loop))
        fail_with(EX_CONFIG, "lcore %u is the main lcore: give gateway 0 one of its own", gateway->lcore);
    while (sigwait(&signals, &signal) == 0 && signal == SIGUSR1)
        print(&loop);
    atomic_store(&stop, true);
    eal_join(gateway->lcore);
    print(&loop);
    ports_close();
    config_free(config);
    eal_stop();
    return 0;
}
