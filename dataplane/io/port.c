// SPDX-License-Identifier: Apache-2.0
#include "io/port.h"

#include <errno.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/assert.h"
#include "contract/log.h"
#include "contract/nic_device.h"
#include "contract/nic_profile.h"
#include "io/steering.h"

#define PORTS_MOST 16
#define QUEUES_MOST STEERING_QUEUES_MOST
#define POOL_CACHE 256 // frames kept hot on the lcore

// Received frames that were given back are kept for sending: an answer is written into the frame that has just brought
// its question, and neither goes through the pool.
#define SPARE_MOST PORT_BURST_MAX

// A look where nothing has come must be short, since the next frame waits for its end; and a driver may take, and give
// back, a buffer for each frame that it is asked for (vhost of DPDK 22.11 does). So a queue asks for twice as many as
// came last, and for these at least: receive paths of NICs in vector code give nothing to who asks for less than 4 or
// 8.
#define ASK_VIRTUAL 1
#define ASK_PHYSICAL 8

struct port_queue {
    struct rte_mempool *pool;
    uint16_t id; // of the DPDK port
    uint16_t queue;
    uint8_t mac[6];
    uint16_t ask_least;
    uint16_t ask; // of the next look
    unsigned spare_count;
    struct rte_mbuf *spare[SPARE_MOST];
};

struct port {
    struct port_queue queues[QUEUES_MOST];
    uint32_t count; // queues
    uint16_t id;
    bool attached;
    bool started;
    struct steering steering;
    char vdev[96];    // name of the virtual device, empty for a physical one
    char socket[108]; // socket file that the device makes
};

static struct {
    struct port list[PORTS_MOST];
    uint32_t count;
} ports;

// What setting up one port needs.
struct setup {
    const struct config_port *config;
    struct nic_profile profile;
    struct port *port;
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct setup *setup, int code, const char *format, ...)
{
    char text[320];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    snprintf(setup->error, setup->error_size, "port %s (%s %s): %s", setup->config->name, setup->profile.name,
             setup->config->device, text);
    return code;
}

static uint32_t queues_wanted(const struct config *config, uint32_t port)
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < config->gateways_count; i++) {
        if (config->gateways[i].port_index == port && config->gateways[i].queue >= count)
            count = config->gateways[i].queue + 1;
    }
    for (uint32_t i = 0; i < config->publishers_count; i++) {
        if (config->publishers[i].port_index == port && config->publishers[i].queue >= count)
            count = config->publishers[i].queue + 1;
    }
    return count;
}

// A socket file that nobody listens at is a leftover of a killed process and would keep the device from binding.
static int clear_socket(const struct setup *setup)
{
    const char *path = setup->config->device;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat file;
    if (strlen(path) >= sizeof address.sun_path)
        return refuse(setup, EX_CONFIG, "the socket's path is longer than %zu bytes: shorten it",
                      sizeof address.sun_path - 1);
    if (lstat(path, &file) != 0)
        return 0;
    if (!S_ISSOCK(file.st_mode))
        return refuse(setup, EX_CONFIG, "a file that is no socket stands there: name another path");
    memcpy(address.sun_path, path, strlen(path));
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return refuse(setup, EX_OSERR, "socket: %s: raise the limit of open files", strerror(errno));
    int result = connect(probe, (struct sockaddr *)&address, sizeof address);
    int reason = errno;
    close(probe);
    if (result == 0 || reason == EAGAIN)
        return refuse(setup, EX_UNAVAILABLE, "another live process holds this socket: stop it, or name another path");
    if (reason != ECONNREFUSED)
        return refuse(setup, EX_NOPERM, "%s: run as the socket's owner", strerror(reason));
    if (unlink(path) != 0)
        return refuse(setup, EX_NOPERM, "leftover socket: %s: remove it", strerror(errno));
    return 0;
}

static int attach_virtual(const struct setup *setup, uint32_t index)
{
    struct port *port = setup->port;
    char args[512];
    if (!nic_profile_arguments(&setup->profile, setup->config->device, port->count,
                               setup->config->has_mac ? setup->config->mac : NULL, args, sizeof args))
        return refuse(setup, EX_CONFIG, "device arguments too long: shorten the device's name");
    snprintf(port->vdev, sizeof port->vdev, "%s%u", setup->profile.driver, index);
    if (rte_eal_hotplug_add("vdev", port->vdev, args) != 0)
        return refuse(setup, EX_UNAVAILABLE, "the device does not open: %s", setup->profile.needs);
    if (rte_eth_dev_get_port_by_name(port->vdev, &port->id) == 0)
        return 0;
    rte_eal_hotplug_remove("vdev", port->vdev);
    return refuse(setup, EX_SOFTWARE, "driver %s made no port: correct the profile's driver", setup->profile.driver);
}

static int attach(const struct setup *setup, uint32_t index)
{
    int result = 0;
    if (setup->profile.device_is == NIC_DEVICE_SOCKET_MADE)
        result = clear_socket(setup);
    if (result == 0 && setup->profile.kind == NIC_VDEV)
        result = attach_virtual(setup, index);
    else if (result == 0 && rte_eth_dev_get_port_by_name(setup->config->device, &setup->port->id) != 0)
        result = refuse(setup, EX_UNAVAILABLE, "no such device: %s", setup->profile.needs);
    setup->port->attached = result == 0;
    if (result == 0 && setup->profile.device_is == NIC_DEVICE_SOCKET_MADE)
        snprintf(setup->port->socket, sizeof setup->port->socket, "%s", setup->config->device);
    return result;
}

// Only what the profile names and the device reports is asked for; frames carry what it did, and software does the
// rest.
static void choose_offloads(const struct setup *setup, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf)
{
    const struct nic_profile *profile = &setup->profile;
    if (profile->rx_offloads & NIC_RX_IPV4_CKSUM)
        conf->rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
    if (profile->rx_offloads & NIC_RX_UDP_CKSUM)
        conf->rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
    // One pool a queue and no shared frames: a device may free what it sent in one go.
    if ((profile->tx_offloads & NIC_TX_MBUF_FAST_FREE) &&
        (setup->port->count == 1 || profile->steering == NIC_STEERING_FLOW))
        conf->txmode.offloads |= info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
}

// Room for the frames that wait for another queue.
static unsigned waiting_most(const struct setup *setup, uint16_t rx)
{
    return (setup->port->count - 1) * rx;
}

static int open_queue(const struct setup *setup, uint16_t queue, uint16_t rx, uint16_t tx)
{
    struct port *port = setup->port;
    struct port_queue *to = &port->queues[queue];
    char name[RTE_MEMPOOL_NAMESIZE];
    int node = rte_eth_dev_socket_id(port->id);
    unsigned frames = (unsigned)rx + tx + setup->profile.buffers + waiting_most(setup, rx);
    snprintf(name, sizeof name, "frames%u.%u", port->id, queue);
    to->id = port->id;
    to->queue = queue;
    to->ask = to->ask_least = setup->profile.kind == NIC_VDEV ? ASK_VIRTUAL : ASK_PHYSICAL;
    to->pool = rte_pktmbuf_pool_create(name, frames, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, node);
    if (!to->pool)
        return refuse(setup, EX_OSERR, "no memory for %u frames: raise dataplane.memory_mb", frames);
    if (rte_eth_rx_queue_setup(port->id, queue, rx, (unsigned)node, NULL, to->pool) != 0)
        return refuse(setup, EX_UNAVAILABLE, "receive queue %u with %u descriptors refused: lower rx_descriptors",
                      queue, rx);
    if (rte_eth_tx_queue_setup(port->id, queue, tx, (unsigned)node, NULL) != 0)
        return refuse(setup, EX_UNAVAILABLE, "transmit queue %u with %u descriptors refused: lower tx_descriptors",
                      queue, tx);
    return 0;
}

// A virtual device has no filter of its own worth asking: it hands over every frame, and packet_parse looks at the
// address.
static int address(const struct setup *setup)
{
    struct port *port = setup->port;
    struct rte_ether_addr mac = {{0}};
    rte_eth_macaddr_get(port->id, &mac);
    if (setup->config->has_mac) {
        memcpy(mac.addr_bytes, setup->config->mac_bytes, sizeof mac.addr_bytes);
        if (setup->profile.kind == NIC_PCI && rte_eth_dev_default_mac_addr_set(port->id, &mac) != 0 &&
            rte_eth_promiscuous_enable(port->id) != 0)
            return refuse(setup, EX_CONFIG, "the device does not take the MAC address: leave the port's mac out");
    }
    if (setup->profile.kind == NIC_VDEV && setup->profile.device_is == NIC_DEVICE_INTERFACE)
        rte_eth_promiscuous_enable(port->id);
    for (uint32_t queue = 0; queue < port->count; queue++)
        memcpy(port->queues[queue].mac, mac.addr_bytes, sizeof mac.addr_bytes);
    return 0;
}

// With several queues: every datagram finds the queue of the role that it is for.
static int steer(const struct setup *setup, uint16_t rx)
{
    struct port *port = setup->port;
    char reason[128] = "";
    if (port->count == 1)
        return 0;
    if (setup->profile.steering == NIC_STEERING_FLOW) {
        if (steering_in_device(&port->steering, port->id, setup->config, reason, sizeof reason))
            return 0;
        log_event(LOG_XW1011, "\"port\":%s,\"reason\":%s", log_quote(setup->config->name), log_quote(reason));
    }
    if (!steering_in_software(&port->steering, port->id, rx))
        return refuse(setup, EX_OSERR, "no memory for rings between its queues: raise dataplane.memory_mb");
    return 0;
}

static int configure(const struct setup *setup)
{
    struct port *port = setup->port;
    struct rte_eth_dev_info info;
    struct rte_eth_conf conf = {.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE};
    uint16_t rx = (uint16_t)setup->profile.rx_descriptors, tx = (uint16_t)setup->profile.tx_descriptors;
    if (rte_eth_dev_info_get(port->id, &info) != 0)
        return refuse(setup, EX_UNAVAILABLE, "the device does not answer: %s", setup->profile.needs);
    if (port->count > info.max_rx_queues || port->count > info.max_tx_queues)
        return refuse(setup, EX_CONFIG, "%u queues wanted, the device has %u: let roles share queues", port->count,
                      info.max_rx_queues < info.max_tx_queues ? info.max_rx_queues : info.max_tx_queues);
    choose_offloads(setup, &info, &conf);
    if (rte_eth_dev_configure(port->id, (uint16_t)port->count, (uint16_t)port->count, &conf) != 0 ||
        rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx) != 0)
        return refuse(setup, EX_UNAVAILABLE, "the device does not take its settings: %s", setup->profile.needs);
    for (uint16_t queue = 0; queue < port->count; queue++) {
        int result = open_queue(setup, queue, rx, tx);
        if (result != 0)
            return result;
    }
    int started = rte_eth_dev_start(port->id);
    if (started != 0)
        return refuse(setup, EX_UNAVAILABLE, "the device does not start (%s): %s", strerror(-started),
                      setup->profile.needs);
    port->started = true;
    int result = steer(setup, rx);
    return result != 0 ? result : address(setup);
}

static void close_port(struct port *port)
{
    steering_down(&port->steering);
    if (port->started)
        rte_eth_dev_stop(port->id);
    if (port->attached)
        rte_eth_dev_close(port->id);
    if (port->attached && port->vdev[0])
        rte_eal_hotplug_remove("vdev", port->vdev);
    for (uint32_t queue = 0; queue < port->count; queue++)
        rte_mempool_free(port->queues[queue].pool);
    if (port->socket[0])
        unlink(port->socket);
    *port = (struct port){.count = 0};
}

// What the profile can not serve.
static int check(const struct setup *setup, const struct config *config, uint32_t index, uint32_t queues)
{
    const struct nic_profile *profile = &setup->profile;
    if (index >= PORTS_MOST || queues > QUEUES_MOST)
        return refuse(setup, EX_CONFIG, "at most %u ports of %u queues: use fewer", PORTS_MOST, QUEUES_MOST);
    if (queues > 1 && profile->steering == NIC_STEERING_NONE)
        return refuse(setup, EX_CONFIG, "%u queues wanted, and it has one: give its roles queue 0 and one lcore",
                      queues);
    if (config->gateways_count > 0 && config->dataplane.burst < profile->burst)
        return refuse(setup, EX_CONFIG,
                      "its driver hands over %u frames at a time or none: raise dataplane.burst to that",
                      profile->burst);
    return 0;
}

// Not wrong, only slow: said once.
static void warn_of_far_roles(const struct config *config)
{
    char line[320];
    for (unsigned role = 0; nic_far_role("/sys", config, &role, line, sizeof line);)
        log_event(LOG_XW1012, "\"mend\":%s", log_quote(line));
}

int ports_open(const struct config *config, char *error, size_t error_size)
{
    for (uint32_t i = 0; i < config->ports_count; i++) {
        struct setup setup = {.config = &config->ports[i], .error = error, .error_size = error_size};
        int result = nic_profile_load_port(config->profile_directory, config->ports[i].profile, &setup.profile, error,
                                           error_size);
        uint32_t queues = queues_wanted(config, i);
        if (result == 0)
            result = check(&setup, config, i, queues);
        if (result == 0) {
            setup.port = &ports.list[i];
            *setup.port = (struct port){.count = queues};
            steering_plan(&setup.port->steering, config, i, (uint16_t)queues);
            ports.count = i + 1;
            result = attach(&setup, i);
        }
        if (result == 0)
            result = configure(&setup);
        if (result != 0) {
            ports_close();
            return result;
        }
    }
    warn_of_far_roles(config);
    return 0;
}

void ports_close(void)
{
    while (ports.count > 0)
        close_port(&ports.list[--ports.count]);
}

struct port_queue *port_queue(uint32_t port, uint32_t queue)
{
    if (port >= ports.count || queue >= ports.list[port].count)
        return NULL;
    return &ports.list[port].queues[queue];
}

uint16_t port_device(const struct port_queue *queue)
{
    return queue->id;
}

const uint8_t *port_mac(const struct port_queue *queue)
{
    return queue->mac;
}

// GOOD and NONE both say that the contents are intact (NONE: a local peer that left the sum out).
static enum checksum found(uint64_t flags, uint64_t good, uint64_t bad, uint64_t mask)
{
    flags &= mask;
    if (flags == 0)
        return CHECKSUM_UNKNOWN;
    return flags == bad ? CHECKSUM_BAD : flags == good || flags == mask ? CHECKSUM_GOOD : CHECKSUM_UNKNOWN;
}

unsigned port_receive(struct port_queue *queue, struct frame *frames, unsigned most)
{
    struct rte_mbuf *buffers[PORT_BURST_MAX];
    unsigned ask = RTE_MIN(most, (unsigned)PORT_BURST_MAX);
    ask = RTE_MIN(ask, (unsigned)queue->ask);
    unsigned count = rte_eth_rx_burst(queue->id, queue->queue, buffers, (uint16_t)ask);
    queue->ask = (uint16_t)RTE_MAX(2 * count, queue->ask_least);
    for (unsigned i = 0; i < count; i++) {
        struct rte_mbuf *buffer = buffers[i];
        // Only the first segment is shown: a frame in several is longer than any of ours, and its headers give it away.
        frames[i].data = rte_pktmbuf_mtod(buffer, uint8_t *);
        rte_prefetch0(frames[i].data);
        frames[i].length = buffer->data_len;
        frames[i].ip_checksum = CHECKSUM_UNKNOWN;
        frames[i].udp_checksum = CHECKSUM_UNKNOWN;
        if (buffer->ol_flags & (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)) {
            frames[i].ip_checksum = (uint8_t)found(buffer->ol_flags, RTE_MBUF_F_RX_IP_CKSUM_GOOD,
                                                   RTE_MBUF_F_RX_IP_CKSUM_BAD, RTE_MBUF_F_RX_IP_CKSUM_MASK);
            frames[i].udp_checksum = (uint8_t)found(buffer->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_GOOD,
                                                    RTE_MBUF_F_RX_L4_CKSUM_BAD, RTE_MBUF_F_RX_L4_CKSUM_MASK);
        }
        frames[i].handle = buffer;
    }
    return count;
}

// Whole, of our pool, and nobody else's: what is written into it is seen by nobody but the port.
static inline bool is_plain(const struct port_queue *queue, const struct rte_mbuf *buffer)
{
    return buffer->pool == queue->pool && buffer->nb_segs == 1 && !buffer->next && RTE_MBUF_DIRECT(buffer) &&
           rte_mbuf_refcnt_read(buffer) == 1;
}

void port_release(struct port_queue *queue, struct frame *frames, unsigned count)
{
    struct rte_mbuf *rest[PORT_BURST_MAX]; // goes back to the pool as one
    unsigned spare = queue->spare_count, more = 0;
    xw_assert(count <= PORT_BURST_MAX);
    for (unsigned i = 0; i < count; i++) {
        struct rte_mbuf *buffer = frames[i].handle;
        if (!is_plain(queue, buffer))
            rte_pktmbuf_free(buffer);
        else if (spare < SPARE_MOST)
            queue->spare[spare++] = buffer;
        else
            rest[more++] = buffer;
    }
    queue->spare_count = spare;
    if (more)
        rte_mempool_put_bulk(queue->pool, (void **)rest, more);
}

bool port_new_frame(struct port_queue *queue, struct frame *frame)
{
    struct rte_mbuf *buffer;
    if (queue->spare_count) {
        buffer = queue->spare[--queue->spare_count];
        rte_pktmbuf_reset(buffer);
    } else {
        buffer = rte_pktmbuf_alloc(queue->pool);
        if (!buffer)
            return false;
    }
    frame->data = rte_pktmbuf_mtod(buffer, uint8_t *);
    frame->length = 0;
    frame->handle = buffer;
    return true;
}

unsigned port_send(struct port_queue *queue, struct frame *frames, unsigned count)
{
    unsigned sent = 0;
    for (unsigned done = 0; done < count;) {
        struct rte_mbuf *buffers[PORT_BURST_MAX];
        unsigned burst = RTE_MIN(count - done, (unsigned)PORT_BURST_MAX);
        for (unsigned i = 0; i < burst; i++) {
            struct rte_mbuf *buffer = frames[done + i].handle;
            buffer->data_len = (uint16_t)frames[done + i].length;
            buffer->pkt_len = frames[done + i].length;
            buffer->ol_flags = 0;
            buffers[i] = buffer;
        }
        unsigned taken = rte_eth_tx_burst(queue->id, queue->queue, buffers, (uint16_t)burst);
        if (taken < burst)
            rte_pktmbuf_free_bulk(buffers + taken, burst - taken);
        sent += taken;
        done += burst;
    }
    return sent;
}
