// SPDX-License-Identifier: Apache-2.0
#include "needs.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "contract/assert.h"
#include "contract/nic_device.h"
#include "contract/nic_profile.h"
#include "io/eal.h"
#include "memory.h"

#define HUGE_KIB (MEMORY_HUGE_BYTES >> 10)

// The NUMA node of a CPU; 0 where the kernel tells none.
static unsigned node_of(uint32_t cpu)
{
    int node = nic_cpu_node("/sys", cpu);
    return node < 0 || node >= NEEDS_NODES_MAX ? 0 : (unsigned)node;
}

static size_t pages_of(uint64_t bytes, size_t page)
{
    return (size_t)((bytes + page - 1) / page);
}

static void count_roles(const struct config *config, const struct topology *topology,
                        const struct role_descriptor *const *descriptors, struct needs *needs)
{
    struct memory_need rests[NEEDS_NODES_MAX] = {{0}};
    for (unsigned i = 0; i < topology->role_count; i++) {
        const struct topology_role *at = &topology->roles[i];
        struct memory_need *need = &rests[node_of(at->lcore)];
        size_t sizes[ROLE_TAKES_MAX];
        unsigned takes = descriptors[at->role]->takes(config, at->index, sizes);
        xw_assert(takes <= ROLE_TAKES_MAX);
        memory_need_add(need, sizeof(struct role_context));
        for (unsigned k = 0; k < takes; k++)
            memory_need_add(need, sizes[k]);
    }
    for (unsigned node = 0; node < NEEDS_NODES_MAX; node++)
        needs->nodes[node].role_pages = rests[node].pages;
}

// As EAL does it with -m: by the share of lcores, whole pages.
static void count_eal(const struct config *config, struct needs *needs)
{
    uint32_t lcores[EAL_LCORES_MAX];
    unsigned on_node[NEEDS_NODES_MAX] = {0};
    unsigned count = eal_lcores(config, lcores, EAL_LCORES_MAX);
    for (unsigned i = 0; i < count; i++)
        on_node[node_of(lcores[i])]++;
    for (unsigned node = 0; node < NEEDS_NODES_MAX; node++) {
        uint64_t bytes = ((uint64_t)config->dataplane.memory_mb << 20) * on_node[node] / count;
        needs->nodes[node].eal_pages = pages_of(bytes, MEMORY_HUGE_BYTES);
    }
}

void needs_count(const struct config *config, const struct topology *topology,
                 const struct role_descriptor *const *descriptors, struct needs *needs)
{
    static struct region_plan plan;
    *needs = (struct needs){.region_bytes = 0};
    count_roles(config, topology, descriptors, needs);
    count_eal(config, needs);
    topology_plan(topology, &plan);
    needs->region_bytes = region_plan_bytes(&plan, config->run_directory, &needs->region_page);
    if (!needs->region_bytes) // not there yet
        needs->region_bytes = region_plan_bytes(&plan, "/", &needs->region_page);
    needs->locked_bytes = needs->region_bytes;
    for (unsigned node = 0; node < NEEDS_NODES_MAX; node++)
        needs->locked_bytes +=
            (uint64_t)(needs->nodes[node].role_pages + needs->nodes[node].eal_pages) * MEMORY_HUGE_BYTES;
}

// ---- printed --------------------------------------------------------------------------------------------------------

static void print_lcores(const struct config *config, FILE *to)
{
    uint32_t lcores[EAL_LCORES_MAX];
    unsigned count = eal_lcores(config, lcores, EAL_LCORES_MAX);
    fprintf(to, "main_lcore %u\nrole_lcores ", lcores[0]);
    for (unsigned i = 1; i < count; i++)
        fprintf(to, "%s%u", i > 1 ? "," : "", lcores[i]);
    fputc('\n', to);
}

static void print_pages(const struct config *config, const struct needs *needs, FILE *to)
{
    size_t region_kib = needs->region_page >> 10, region_pages = 0;
    unsigned main_node = node_of(config->dataplane.main_lcore);
    if (needs->region_page)
        region_pages = pages_of(needs->region_bytes, needs->region_page);
    for (unsigned node = 0; node < NEEDS_NODES_MAX; node++) {
        size_t pages = 0;
        if (config->dataplane.huge_pages)
            pages = needs->nodes[node].role_pages + needs->nodes[node].eal_pages;
        if (region_kib == HUGE_KIB && node == main_node)
            pages += region_pages;
        if (pages)
            fprintf(to, "pages %u %zu %zu\n", node, HUGE_KIB, pages);
    }
    if (region_pages && region_kib != HUGE_KIB)
        fprintf(to, "pages %u %zu %zu\n", main_node, region_kib, region_pages);
}

static void print_devices(const struct config *config, FILE *to)
{
    char error[512];
    for (uint32_t i = 0; i < config->ports_count; i++) {
        static struct nic_profile profile;
        const struct config_port *port = &config->ports[i];
        if (nic_profile_load_port(config->profile_directory, port->profile, &profile, error, sizeof error) != 0)
            continue; // the data plane, and doctor, say what is wrong with it
        if (profile.kind == NIC_PCI && profile.binding == NIC_BINDING_VFIO)
            fprintf(to, "device %s vfio-pci %s\n", port->device, port->name);
        else if (profile.kind == NIC_PCI && profile.kernel_driver[0])
            fprintf(to, "device %s %s %s\n", port->device, profile.kernel_driver, port->name);
    }
}

void needs_print(const struct config *config, const struct topology *topology, const struct needs *needs, FILE *to)
{
    xw_assert(topology->role_count > 0);
    fprintf(to, "instance %s\nrun_directory %s\n", config->instance, config->run_directory);
    print_lcores(config, to);
    fprintf(to, "huge_pages %s\n", config->dataplane.huge_pages ? "yes" : "no");
    print_pages(config, needs, to);
    fprintf(to, "region_bytes %zu\nlocked_bytes %" PRIu64 "\n", needs->region_bytes, needs->locked_bytes);
    print_devices(config, to);
}

// ---- checked --------------------------------------------------------------------------------------------------------

// A count of the kernel's pool of pages of `kib` KiB; 0 when there is no such pool.
static uint64_t pool(const char *root, size_t kib, const char *what)
{
    char path[512];
    uint64_t pages = 0;
    snprintf(path, sizeof path, "%s/sys/kernel/mm/hugepages/hugepages-%zukB/%s", root, kib, what);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    if (fscanf(file, "%" SCNu64, &pages) != 1)
        pages = 0;
    fclose(file);
    return pages;
}

// Pages that are free and not promised to somebody.
static uint64_t free_pages(const char *root, size_t kib)
{
    uint64_t unused = pool(root, kib, "free_hugepages"), promised = pool(root, kib, "resv_hugepages");
    return unused > promised ? unused - promised : 0;
}

static int check_pages(const struct config *config, const struct needs *needs, const char *root, char *error,
                       size_t error_size)
{
    uint64_t roles = 0, eal = 0, region = 0;
    for (unsigned node = 0; node < NEEDS_NODES_MAX && config->dataplane.huge_pages; node++) {
        roles += needs->nodes[node].role_pages;
        eal += needs->nodes[node].eal_pages;
    }
    if (needs->region_page == MEMORY_HUGE_BYTES)
        region = pages_of(needs->region_bytes, MEMORY_HUGE_BYTES);
    uint64_t have = free_pages(root, HUGE_KIB), want = roles + region;
    // EAL takes pages of any size, the rest those of 2 MB alone.
    uint64_t for_eal = (have > want ? have - want : 0) + free_pages(root, 1u << 20) * 512;
    if (have >= want && for_eal >= eal)
        return 0;
    uint64_t all = want + eal;
    snprintf(error, error_size,
             "%" PRIu64 " huge pages of 2 MB wanted (roles %" PRIu64 ", packet pools %" PRIu64 ", region %" PRIu64
             "), %" PRIu64 " are free: hugepage_setup/host apply hugepages --config CONFIG (or sysctl -w "
             "vm.nr_hugepages=%" PRIu64 "), or set dataplane.huge_pages: false",
             all, roles, eal, region, have, pool(root, HUGE_KIB, "nr_hugepages") + all - have);
    return EX_UNAVAILABLE;
}

// Only whether somebody has it: that it is not there, or bound otherwise, its port says.
static int check_devices(const struct config *config, const char *root, char *error, size_t error_size)
{
    char sysfs[512], dev[512], text[512];
    snprintf(sysfs, sizeof sysfs, "%s/sys", root);
    snprintf(dev, sizeof dev, "%s/dev", root);
    for (uint32_t i = 0; i < config->ports_count; i++) {
        static struct nic_profile profile;
        struct nic_device device;
        const struct config_port *port = &config->ports[i];
        if (nic_profile_load_port(config->profile_directory, port->profile, &profile, text, sizeof text) != 0 ||
            profile.kind != NIC_PCI || profile.binding != NIC_BINDING_VFIO ||
            !nic_device_read(sysfs, port->device, &device) || !device.iommu_group[0] ||
            nic_group_try(dev, &device) != EBUSY)
            continue;
        snprintf(error, error_size,
                 "port %s (%s %s): IOMMU group %s is in use by another process: stop the one that fuser -v "
                 "/dev/vfio/%s names, or give the port another device",
                 port->name, port->profile, port->device, device.iommu_group, device.iommu_group);
        return EX_UNAVAILABLE;
    }
    return 0;
}

int needs_check(const struct config *config, const struct needs *needs, const char *root, char *error,
                size_t error_size)
{
    int result = check_pages(config, needs, root, error, error_size);
    return result ? result : check_devices(config, root, error, error_size);
}
