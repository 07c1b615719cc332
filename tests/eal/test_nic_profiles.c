// SPDX-License-Identifier: Apache-2.0
// Every profile of the repository against the DPDK that is installed, as far as that goes without the device: its
// plugin is there and holds its driver, its PCI ids are in the plugin's table, every device argument is one that the
// plugin knows and that EAL parses, its offloads and descriptors are ones that a device can have. What a plugin says of
// itself stands in it as text for dpdk-pmdinfo (RTE_PMD_REGISTER_PCI_TABLE, RTE_PMD_REGISTER_PARAM_STRING).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <rte_build_config.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>
#include <rte_kvargs.h>
#include <unistd.h>

#include "contract/nic_profile.h"
#include "io/eal.h"
#include "io/port.h"
#include "tests/eal/eal_stage.h"

static char directory[] = "/tmp/xw-profiles-XXXXXX";

// ---- what a plugin says of itself -----------------------------------------------------------------------------------

struct plugin {
    char *bytes;
    size_t size;
};

static bool plugin_open(const char *name, struct plugin *plugin)
{
    char path[256];
    *plugin = (struct plugin){0};
    snprintf(path, sizeof path, "%s/librte_%s.so", RTE_EAL_PMD_PATH, name);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    fseek(file, 0, SEEK_END);
    plugin->size = (size_t)ftell(file);
    plugin->bytes = malloc(plugin->size + 1);
    rewind(file);
    assert_int_equal(fread(plugin->bytes, 1, plugin->size, file), plugin->size);
    plugin->bytes[plugin->size] = '\0';
    fclose(file);
    return true;
}

static void plugin_close(struct plugin *plugin)
{
    free(plugin->bytes);
}

// Whether the text stands in the plugin as a string of its own.
static bool has_string(const struct plugin *plugin, const char *text)
{
    size_t length = strlen(text) + 1;
    for (const char *at = plugin->bytes, *end = at + plugin->size; at + length <= end; at++) {
        at = memmem(at, (size_t)(end - at), text, length);
        if (!at)
            return false;
        if (at > plugin->bytes && at[-1] == '\0')
            return true;
    }
    return false;
}

// The `number`th description in the plugin, NULL when there are no more. json_decref it.
static json_t *description(const struct plugin *plugin, unsigned number)
{
    static const char mark[] = "PMD_INFO_STRING= ";
    const char *end = plugin->bytes + plugin->size, *at = plugin->bytes;
    for (unsigned i = 0; (at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)) != NULL; i++) {
        at += sizeof mark - 1;
        if (i == number)
            return json_loads(at, 0, NULL);
    }
    return NULL;
}

static bool has_id(const struct plugin *plugin, struct nic_pci_id id)
{
    bool found = false;
    json_t *about;
    for (unsigned number = 0; !found && (about = description(plugin, number)); number++) {
        const json_t *ids = json_object_get(about, "pci_ids");
        for (size_t i = 0; i < json_array_size(ids); i++) {
            const json_t *entry = json_array_get(ids, i);
            found = found || (json_integer_value(json_array_get(entry, 0)) == id.vendor &&
                              json_integer_value(json_array_get(entry, 1)) == id.device);
        }
        json_decref(about);
    }
    return found;
}

// Whether a description names the argument: KEY= with nothing of a word before it (values run into the next key).
static bool describes_argument(const struct plugin *plugin, const char *key)
{
    bool found = false;
    json_t *about;
    char wanted[80];
    snprintf(wanted, sizeof wanted, "%s=", key);
    for (unsigned number = 0; !found && (about = description(plugin, number)); number++) {
        const char *params = json_string_value(json_object_get(about, "params"));
        for (const char *at = params; at && (at = strstr(at, wanted)); at++)
            found = found || at == params || !strchr("abcdefghijklmnopqrstuvwxyz_-", at[-1]);
        json_decref(about);
    }
    return found;
}

// The plugin itself and the one that its family shares, such as common_mlx5.
static bool knows_argument(const char *name, const char *key)
{
    struct plugin plugin, common;
    char shared[64];
    assert_true(plugin_open(name, &plugin));
    bool known = describes_argument(&plugin, key) || has_string(&plugin, key);
    snprintf(shared, sizeof shared, "common_%s", strncmp(name, "net_", 4) == 0 ? name + 4 : name);
    if (plugin_open(shared, &common)) {
        known = known || has_string(&common, key);
        plugin_close(&common);
    }
    plugin_close(&plugin);
    return known;
}

static bool holds_driver(const char *name, const char *driver)
{
    struct plugin plugin, common;
    char shared[64];
    assert_true(plugin_open(name, &plugin));
    bool holds = has_string(&plugin, driver);
    snprintf(shared, sizeof shared, "common_%s", strncmp(name, "net_", 4) == 0 ? name + 4 : name);
    if (plugin_open(shared, &common)) {
        holds = holds || has_string(&common, driver);
        plugin_close(&common);
    }
    plugin_close(&plugin);
    return holds;
}

// ---- every profile --------------------------------------------------------------------------------------------------

// A name that a device of this profile could have.
static const char *device_for(const struct nic_profile *profile)
{
    switch (profile->device_is) {
    case NIC_DEVICE_PCI:
        return "0000:3b:00.0";
    case NIC_DEVICE_VMBUS:
        return "4e7f4b1c-53b8-4c52-8f44-5c1a3f0b9a11";
    case NIC_DEVICE_INTERFACE:
        return "eth1";
    default:
        return "/run/crosswire/wire.sock";
    }
}

static void each_profile(void (*check)(const struct nic_profile *profile))
{
    char names[64][NIC_NAME_MOST + 1];
    int count = nic_profile_names("nic_profiles", names, 64);
    unsigned checked = 0;
    assert_in_range(count, 20, 64);
    for (int i = 0; i < count; i++) {
        struct nic_profile profile;
        char error[512] = "";
        int result = nic_profile_load("nic_profiles", names[i], &profile, error, sizeof error);
        if (result != 0)
            print_message("%s\n", error);
        assert_int_equal(result, 0);
        if (profile.base)
            continue;
        check(&profile);
        checked++;
    }
    assert_in_range(checked, 18, 64);
}

static void check_words(const struct nic_profile *profile)
{
    const enum nic_key_index wanted[] = {NIC_KEY_family,   NIC_KEY_binding,    NIC_KEY_tested, NIC_KEY_link,
                                         NIC_KEY_steering, NIC_KEY_timestamps, NIC_KEY_needs,  NIC_KEY_firmware};
    for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (profile->from[wanted[i]] < 0)
            print_message("%s does not say %s\n", profile->name, nic_keys[wanted[i]].name);
        assert_true(profile->from[wanted[i]] >= 0);
    }
    assert_true(profile->kind == NIC_VDEV || profile->host_count > 0);
    assert_true(profile->binding != NIC_BINDING_BIFURCATED || profile->kernel_driver[0]);
    assert_true(profile->kind == NIC_VDEV || strcmp(profile->tested, "not tested on hardware") == 0);
}

static void every_profile_says_what_an_engineer_needs(void **state)
{
    (void)state;
    each_profile(check_words);
}

static void check_plugin(const struct nic_profile *profile)
{
    struct plugin plugin;
    if (!profile->plugin[0]) { // physical: whatever fits
        assert_int_equal(profile->pci_ids_count, 0);
        return;
    }
    if (!plugin_open(profile->plugin, &plugin)) {
        print_message("%s: there is no librte_%s.so in %s\n", profile->name, profile->plugin, RTE_EAL_PMD_PATH);
        fail();
    }
    if (!holds_driver(profile->plugin, profile->driver)) {
        print_message("%s: librte_%s.so knows no driver %s\n", profile->name, profile->plugin, profile->driver);
        fail();
    }
    for (unsigned i = 0; i < profile->pci_ids_count; i++) {
        if (!has_id(&plugin, profile->pci_ids[i])) {
            print_message("%s: librte_%s.so does not take %04x:%04x\n", profile->name, profile->plugin,
                          profile->pci_ids[i].vendor, profile->pci_ids[i].device);
            fail();
        }
    }
    assert_true(profile->kind != NIC_PCI || profile->pci_ids_count > 0);
    plugin_close(&plugin);
}

static void every_profile_names_a_plugin_that_drives_its_devices(void **state)
{
    (void)state;
    each_profile(check_plugin);
}

static void check_arguments(const struct nic_profile *profile)
{
    struct rte_devargs parsed = {0};
    char args[512], whole[640];
    const char *device = device_for(profile);
    assert_true(nic_profile_arguments(profile, device, 2, "02:00:00:00:00:01", args, sizeof args));
    assert_null(strchr(args, '{'));
    snprintf(whole, sizeof whole, "%s%s%s", profile->kind == NIC_VDEV ? profile->driver : device, args[0] ? "," : "",
             args);
    if (rte_devargs_parse(&parsed, whole) != 0) {
        print_message("%s: EAL does not parse %s\n", profile->name, whole);
        fail();
    }
    free(parsed.data); // rte_devargs_reset is not of the stable ABI yet
    struct rte_kvargs *pairs = rte_kvargs_parse(args, NULL);
    assert_non_null(pairs);
    for (unsigned i = 0; i < pairs->count; i++) {
        if (!knows_argument(profile->plugin, pairs->pairs[i].key)) {
            print_message("%s: librte_%s.so knows no argument %s\n", profile->name, profile->plugin,
                          pairs->pairs[i].key);
            fail();
        }
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(pairs->pairs[i].key, pairs->pairs[k].key);
    }
    rte_kvargs_free(pairs);
}

static void every_device_argument_is_one_that_its_driver_knows(void **state)
{
    (void)state;
    each_profile(check_arguments);
}

static void check_numbers(const struct nic_profile *profile)
{
    // DPDK's vector receive paths want a power of two, and every driver in question a multiple of 32.
    assert_int_equal(profile->rx_descriptors & (profile->rx_descriptors - 1), 0);
    assert_int_equal(profile->tx_descriptors & (profile->tx_descriptors - 1), 0);
    assert_true(profile->rx_descriptors >= 64 && profile->rx_descriptors <= 4096);
    assert_true(profile->tx_descriptors >= 64 && profile->tx_descriptors <= 4096);
    assert_true(profile->buffers >= 512); // a mempool's cache of 256 frames, and as many again
    assert_true(profile->burst <= 8);     // the burst of a publisher that receives
}

static void descriptors_buffers_and_bursts_are_ones_that_drivers_take(void **state)
{
    (void)state;
    each_profile(check_numbers);
}

static void offloads_are_called_as_dpdk_calls_them(void **state)
{
    (void)state;
    static const uint64_t rx[] = {RTE_ETH_RX_OFFLOAD_IPV4_CKSUM, RTE_ETH_RX_OFFLOAD_UDP_CKSUM};
    static const uint64_t tx[] = {RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE};
    unsigned count = 0;
    for (; nic_keys[NIC_KEY_rx_offloads].words[count]; count++)
        assert_string_equal(nic_keys[NIC_KEY_rx_offloads].words[count], rte_eth_dev_rx_offload_name(rx[count]));
    assert_int_equal(count, sizeof rx / sizeof rx[0]);
    for (count = 0; nic_keys[NIC_KEY_tx_offloads].words[count]; count++)
        assert_string_equal(nic_keys[NIC_KEY_tx_offloads].words[count], rte_eth_dev_tx_offload_name(tx[count]));
    assert_int_equal(count, sizeof tx / sizeof tx[0]);
}

static void no_two_profiles_name_the_same_device(void **state)
{
    (void)state;
    static struct nic_profile profiles[64];
    char names[64][NIC_NAME_MOST + 1], error[512];
    int count = nic_profile_names("nic_profiles", names, 64);
    for (int i = 0; i < count; i++) {
        assert_int_equal(nic_profile_load("nic_profiles", names[i], &profiles[i], error, sizeof error), 0);
        for (unsigned id = 0; id < profiles[i].pci_ids_count; id++)
            for (int k = 0; k < i; k++)
                if (nic_profile_fits(&profiles[k], profiles[i].pci_ids[id].vendor, profiles[i].pci_ids[id].device)) {
                    print_message("%s and %s both name %04x:%04x\n", names[i], names[k], profiles[i].pci_ids[id].vendor,
                                  profiles[i].pci_ids[id].device);
                    fail();
                }
    }
}

// These checks see what is wrong.
static void an_argument_a_driver_or_an_id_that_no_plugin_has_is_noticed(void **state)
{
    (void)state;
    struct plugin ice;
    assert_true(knows_argument("net_ice", "rx_low_latency"));
    assert_true(knows_argument("net_ice", "proto_xtr"));     // run together with the one before it
    assert_false(knows_argument("net_ice", "ddp_pkg_file")); // of later releases
    assert_false(knows_argument("net_ice", "low_latency"));
    assert_false(knows_argument("net_ice", "latency"));
    assert_true(knows_argument("net_mlx5", "rxq_cqe_comp_en"));
    assert_true(knows_argument("net_mlx5", "sq_db_nc")); // of common_mlx5
    assert_false(knows_argument("net_mlx5", "rxq_cqe_comp"));
    assert_false(knows_argument("net_ena", "control_poll_interval"));
    assert_false(holds_driver("net_ice", "net_i40e"));
    assert_false(plugin_open("net_nothing", &ice));
    assert_true(plugin_open("net_ice", &ice));
    assert_true(has_id(&ice, (struct nic_pci_id){0x8086, 0x1592}));
    assert_false(has_id(&ice, (struct nic_pci_id){0x8086, 0x1572}));
    plugin_close(&ice);
}

static void memif_opens_and_leaves_no_socket(void **state)
{
    (void)state;
    char path[96], error[512] = "";
    snprintf(path, sizeof path, "%s/memif.sock", directory);
    struct config_port port = {.name = "wire", .profile = "memif", .device = path};
    struct config config = {.profile_directory = "nic_profiles", .ports = &port, .ports_count = 1};
    int result = ports_open(&config, error, sizeof error);
    if (result != 0)
        print_message("%s\n", error);
    assert_int_equal(result, 0);
    assert_int_equal(access(path, F_OK), 0);
    ports_close();
    assert_int_not_equal(access(path, F_OK), 0);
}

static int start(void **state)
{
    (void)state;
    struct config_port port = {.name = "wire", .profile = "pcap", .device = "none"};
    struct config config = {.instance = "test",
                            .profile_directory = "nic_profiles",
                            .ports = &port,
                            .ports_count = 1,
                            .dataplane = {.memory_mb = 64}};
    return stage_start(&config, directory);
}

static int stop(void **state)
{
    (void)state;
    return stage_stop(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_profile_says_what_an_engineer_needs),
        cmocka_unit_test(every_profile_names_a_plugin_that_drives_its_devices),
        cmocka_unit_test(every_device_argument_is_one_that_its_driver_knows),
        cmocka_unit_test(descriptors_buffers_and_bursts_are_ones_that_drivers_take),
        cmocka_unit_test(offloads_are_called_as_dpdk_calls_them),
        cmocka_unit_test(no_two_profiles_name_the_same_device),
        cmocka_unit_test(an_argument_a_driver_or_an_id_that_no_plugin_has_is_noticed),
        cmocka_unit_test(memif_opens_and_leaves_no_socket),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
