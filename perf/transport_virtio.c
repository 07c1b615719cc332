// SPDX-License-Identifier: Apache-2.0
// A virtio_user port: the client's end of the appliance's vhost socket. One queue; frames are built and checked by
// io/packet.h, ARP is asked and answered here.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "contract/assert.h"
#include "contract/wire.h"
#include "io/packet.h"
#include "perf/transport.h"

#define QUEUE_SIZE 1024
#define POOL_SIZE 4095
#define DEVICE_ARGUMENTS "queue_size=1024,packed_vq=1,in_order=1,mrg_rxbuf=0"
#define TEND_NS UINT64_C(20000000)
#define RESOLVE_NS UINT64_C(100000000)
#define CONNECT_NS UINT64_C(100000000)

struct virtio_transport {
    struct transport base;
    char name[32];
    char path[108];
    struct rte_mempool *pool;
    bool open;     // the device exists and is started
    bool resolved; // every channel's MAC is known
    bool assumed;  // or need not be
    uint16_t port; // DPDK's
    uint64_t tended_ns, asked_ns, connected_ns;
    struct endpoint us;
    unsigned count;
    struct channel_address channels[CHANNELS_MAX];
    struct peer peers[CHANNELS_MAX];
    bool known[CHANNELS_MAX]; // the peer's MAC is known
    struct rte_mbuf *queued[TRANSPORT_BURST];
    unsigned queued_count;
    struct rte_mbuf *taken[TRANSPORT_BURST];
    unsigned taken_count;
};

static unsigned devices; // names of ports are never used again, so that a late event of an old one finds nothing

int transport_virtio_start(const char *program, int core, char *error, size_t error_size)
{
    char name[64], cores[24], prefix[80];
    snprintf(name, sizeof name, "%s", program);
    snprintf(cores, sizeof cores, "%d", core);
    // Not one of its own for every process: it has no files, and EAL leaves a directory behind for each prefix.
    snprintf(prefix, sizeof prefix, "--file-prefix=%s", program);
    char *arguments[24];
    int count = 0;
    arguments[count++] = name;
    arguments[count++] = prefix;
    const char *fixed[] = {"--no-huge",      "--no-shconf",      "-m", "64", "--no-pci", "--iova-mode=va",
                           "--no-telemetry", "--log-level=alert"};
    for (unsigned i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        arguments[count++] = (char *)(uintptr_t)fixed[i];
    if (core >= 0) {
        arguments[count++] = (char *)(uintptr_t) "-l";
        arguments[count++] = cores;
    }
    if (rte_eal_init(count, arguments) < 0) {
        snprintf(error, error_size, "DPDK did not start: %s", rte_strerror(rte_errno));
        return -1;
    }
    return 0;
}

// ---- the device -----------------------------------------------------------------------------------------------------

static void drop_queued(struct virtio_transport *virtio)
{
    if (virtio->queued_count)
        rte_pktmbuf_free_bulk(virtio->queued, virtio->queued_count);
    virtio->queued_count = 0;
}

static void close_device(struct virtio_transport *virtio)
{
    if (!virtio->open)
        return;
    drop_queued(virtio);
    rte_eth_dev_stop(virtio->port);
    rte_eal_hotplug_remove("vdev", virtio->name);
    virtio->open = false;
}

static int start_device(struct virtio_transport *virtio)
{
    struct rte_eth_conf configuration = {0};
    if (rte_eth_dev_get_port_by_name(virtio->name, &virtio->port) != 0)
        return -1;
    if (rte_eth_dev_configure(virtio->port, 1, 1, &configuration) != 0 ||
        rte_eth_rx_queue_setup(virtio->port, 0, QUEUE_SIZE, SOCKET_ID_ANY, NULL, virtio->pool) != 0 ||
        rte_eth_tx_queue_setup(virtio->port, 0, QUEUE_SIZE, SOCKET_ID_ANY, NULL) != 0)
        return -1;
    return rte_eth_dev_start(virtio->port);
}

static bool connect_device(struct virtio_transport *virtio)
{
    char arguments[256];
    struct stat status;
    if (stat(virtio->path, &status) != 0)
        return false;
    snprintf(virtio->name, sizeof virtio->name, "virtio_user%u", devices);
    const uint8_t *mac = virtio->us.mac;
    snprintf(arguments, sizeof arguments, "path=%s,mac=%02x:%02x:%02x:%02x:%02x:%02x," DEVICE_ARGUMENTS, virtio->path,
             mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    if (rte_eal_hotplug_add("vdev", virtio->name, arguments) != 0)
        return false;
    devices++;
    if (start_device(virtio) != 0) {
        rte_eal_hotplug_remove("vdev", virtio->name);
        return false;
    }
    virtio->open = true;
    virtio->resolved = virtio->assumed;
    memset(virtio->known, 0, sizeof virtio->known);
    virtio->asked_ns = 0;
    return true;
}

// ---- ARP ------------------------------------------------------------------------------------------------------------

enum { ARP_SIZE = 60, ARP_REQUEST = 1, ARP_REPLY = 2 };

static void ask_mac(struct virtio_transport *virtio, uint32_t ip)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(virtio->pool);
    if (!mbuf)
        return;
    uint8_t *at = rte_pktmbuf_mtod(mbuf, uint8_t *);
    mbuf->data_len = mbuf->pkt_len = ARP_SIZE;
    memset(at, 0, ARP_SIZE);
    memset(at, 0xff, 6);
    memcpy(at + 6, virtio->us.mac, 6);
    put_be16(at + 12, 0x0806);
    put_be16(at + 14, 1);      // Ethernet
    put_be16(at + 16, 0x0800); // IPv4
    at[18] = 6;
    at[19] = 4;
    put_be16(at + 20, ARP_REQUEST);
    memcpy(at + 22, virtio->us.mac, 6);
    put_be32(at + 28, virtio->us.ip);
    put_be32(at + 38, ip);
    if (virtio->base.capture)
        capture_frame(virtio->base.capture, at, ARP_SIZE);
    if (rte_eth_tx_burst(virtio->port, 0, &mbuf, 1) != 1)
        rte_pktmbuf_free(mbuf);
}

static void learn_mac(struct virtio_transport *virtio, const uint8_t *at, size_t size)
{
    if (size < 42 || get_be16(at + 12) != 0x0806 || get_be16(at + 20) != ARP_REPLY)
        return;
    bool all = true;
    for (unsigned i = 0; i < virtio->count; i++) {
        if (virtio->channels[i].remote_ip == get_be32(at + 28)) {
            memcpy(virtio->peers[i].mac, at + 22, 6);
            virtio->known[i] = true;
        }
        all = all && virtio->known[i];
    }
    virtio->resolved = all;
}

static void resolve(struct virtio_transport *virtio, uint64_t now_ns)
{
    if (virtio->asked_ns && now_ns - virtio->asked_ns < RESOLVE_NS)
        return;
    virtio->asked_ns = now_ns;
    for (unsigned i = 0; i < virtio->count; i++)
        if (!virtio->known[i])
            ask_mac(virtio, virtio->channels[i].remote_ip);
}

// ---- operations -----------------------------------------------------------------------------------------------------

static void virtio_flush(struct transport *transport)
{
    struct virtio_transport *virtio = (struct virtio_transport *)transport;
    if (virtio->queued_count == 0)
        return;
    unsigned sent = rte_eth_tx_burst(virtio->port, 0, virtio->queued, (uint16_t)virtio->queued_count);
    virtio->queued_count -= sent;
    // What the device did not take stays queued, in order.
    if (virtio->queued_count) {
        memmove(virtio->queued, virtio->queued + sent, virtio->queued_count * sizeof virtio->queued[0]);
        transport->send_refused++;
    }
}

static bool virtio_send(struct transport *transport, unsigned channel, const void *payload, size_t size)
{
    struct virtio_transport *virtio = (struct virtio_transport *)transport;
    if (!virtio->resolved)
        return false;
    if (virtio->queued_count == TRANSPORT_BURST) {
        virtio_flush(transport);
        if (virtio->queued_count == TRANSPORT_BURST)
            return false;
    }
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(virtio->pool);
    if (!mbuf)
        return false;
    struct frame frame = {.data = rte_pktmbuf_mtod(mbuf, uint8_t *)};
    memcpy(packet_udp_payload(&virtio->us, &frame), payload, size);
    packet_finish_udp(&virtio->us, &virtio->peers[channel], virtio->channels[channel].local_port, size, &frame);
    mbuf->data_len = (uint16_t)frame.length;
    mbuf->pkt_len = frame.length;
    if (transport->capture)
        capture_frame(transport->capture, frame.data, frame.length);
    virtio->queued[virtio->queued_count++] = mbuf;
    transport->sent++;
    return true;
}

static int channel_of(const struct virtio_transport *virtio, const struct packet *packet)
{
    // Local ports are usually consecutive, so the first guess is right.
    unsigned guess = (unsigned)(packet->to_port - virtio->channels[0].local_port);
    if (guess < virtio->count && virtio->channels[guess].local_port == packet->to_port)
        return (int)guess;
    for (unsigned i = 0; i < virtio->count; i++)
        if (virtio->channels[i].local_port == packet->to_port)
            return (int)i;
    return -1;
}

// Handles one received frame; true when it is a datagram of a channel, whose frame must stay until done.
static bool take_frame(struct virtio_transport *virtio, struct rte_mbuf *mbuf, struct datagram *datagram)
{
    struct frame frame = {.data = rte_pktmbuf_mtod(mbuf, uint8_t *), .length = mbuf->data_len};
    struct packet packet;
    if (virtio->base.capture)
        capture_frame(virtio->base.capture, frame.data, frame.length);
    if (!virtio->resolved)
        learn_mac(virtio, frame.data, frame.length);
    packet_parse(&virtio->us, &frame, &packet);
    if (packet.kind == PACKET_UDP) {
        int channel = channel_of(virtio, &packet);
        if (channel >= 0) {
            *datagram = (struct datagram){packet.payload, (uint32_t)packet.size, (uint32_t)channel};
            return true;
        }
    }
    if (packet.kind == PACKET_REPLY) {
        mbuf->data_len = (uint16_t)frame.length;
        mbuf->pkt_len = frame.length;
        if (virtio->base.capture)
            capture_frame(virtio->base.capture, frame.data, frame.length);
        if (rte_eth_tx_burst(virtio->port, 0, &mbuf, 1) == 1)
            return false;
    }
    rte_pktmbuf_free(mbuf);
    return false;
}

static unsigned virtio_receive(struct transport *transport, struct datagram *datagrams, unsigned most)
{
    struct virtio_transport *virtio = (struct virtio_transport *)transport;
    struct rte_mbuf *mbufs[TRANSPORT_BURST];
    xw_assert(most <= TRANSPORT_BURST && virtio->taken_count == 0);
    if (!virtio->open)
        return 0;
    unsigned got = rte_eth_rx_burst(virtio->port, 0, mbufs, (uint16_t)most);
    unsigned count = 0;
    for (unsigned i = 0; i < got; i++)
        if (take_frame(virtio, mbufs[i], &datagrams[count]))
            virtio->taken[count++] = mbufs[i];
    virtio->taken_count = count;
    transport->received += count;
    return count;
}

static void virtio_done(struct transport *transport)
{
    struct virtio_transport *virtio = (struct virtio_transport *)transport;
    if (virtio->taken_count)
        rte_pktmbuf_free_bulk(virtio->taken, virtio->taken_count);
    virtio->taken_count = 0;
}

static bool virtio_tend(struct transport *transport, uint64_t now_ns)
{
    struct virtio_transport *virtio = (struct virtio_transport *)transport;
    if (virtio->tended_ns && now_ns - virtio->tended_ns < TEND_NS)
        return virtio->resolved;
    virtio->tended_ns = now_ns;
    if (virtio->open) {
        // The port learns from its socket that the peer is gone.
        struct rte_eth_link link;
        if (rte_eth_link_get_nowait(virtio->port, &link) == 0 && link.link_status == RTE_ETH_LINK_DOWN) {
            virtio->resolved = false;
            close_device(virtio);
        }
    } else if (now_ns - virtio->connected_ns >= CONNECT_NS) {
        virtio->connected_ns = now_ns;
        connect_device(virtio);
    }
    if (virtio->open && !virtio->resolved)
        resolve(virtio, now_ns);
    return virtio->resolved;
}

static void virtio_close(struct transport *transport)
{
    struct virtio_transport *virtio = (struct virtio_transport *)transport;
    virtio_done(transport);
    close_device(virtio);
    rte_mempool_free(virtio->pool);
    free(virtio);
}

void transport_virtio_assume(struct transport *transport)
{
    struct virtio_transport *virtio = (struct virtio_transport *)transport;
    virtio->assumed = true;
    for (unsigned i = 0; i < virtio->count; i++)
        memcpy(virtio->peers[i].mac, "\x02XWRFL", 6);
}

static const struct transport_operations virtio_operations = {virtio_send, virtio_flush, virtio_receive,
                                                              virtio_done, virtio_tend,  virtio_close};

struct transport *transport_virtio_open(const char *path, const struct channel_address *channels, unsigned count,
                                        struct capture *capture, char *error, size_t error_size)
{
    static unsigned opened;
    char pool[32];
    struct virtio_transport *virtio = calloc(1, sizeof *virtio);
    if (!virtio || strlen(path) >= sizeof virtio->path) {
        snprintf(error, error_size, "%s: %s", path,
                 virtio ? "the path of a socket has at most 107 bytes" : "no memory");
        free(virtio);
        return NULL;
    }
    virtio->base = (struct transport){.operations = &virtio_operations, .capture = capture};
    snprintf(virtio->path, sizeof virtio->path, "%s", path);
    snprintf(pool, sizeof pool, "replay%u", opened);
    virtio->us.ip = channels[0].local_ip;
    virtio->us.mac[0] = 0x02; // locally administered, the address in the rest
    put_be32(virtio->us.mac + 2, virtio->us.ip);
    virtio->count = count;
    for (unsigned i = 0; i < count; i++) {
        virtio->channels[i] = channels[i];
        virtio->peers[i] = (struct peer){.ip = channels[i].remote_ip, .port = channels[i].remote_port};
    }
    opened++;
    virtio->pool = rte_pktmbuf_pool_create(pool, POOL_SIZE, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (!virtio->pool) {
        snprintf(error, error_size, "%s: no memory for frames: %s", path, rte_strerror(rte_errno));
        free(virtio);
        return NULL;
    }
    return &virtio->base;
}
