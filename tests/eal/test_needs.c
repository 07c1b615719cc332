// SPDX-License-Identifier: Apache-2.0
// What a configuration needs of its host, and whether it is there: at, below and above. EAL is not started.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/memory.h"
#include "dataplane/needs.h"
#include "tests/support/made_up_tree.h"

#define POOL "/sys/kernel/mm/hugepages/hugepages-"

static char error[512];
static struct config config;
static struct needs needs;

static int fresh(void **state)
{
    (void)state;
    config = (struct config){.profile_directory = "nic_profiles", .dataplane.huge_pages = true};
    needs = (struct needs){.nodes[0] = {.role_pages = 60, .eal_pages = 32}, .region_bytes = 6 << 20};
    return tree_make();
}

static int remove_all(void **state)
{
    (void)state;
    return tree_remove();
}

static void pages(unsigned unused, unsigned promised, unsigned giant)
{
    tree_put(POOL "2048kB/nr_hugepages", "200");
    tree_put(POOL "2048kB/free_hugepages", "%u", unused);
    tree_put(POOL "2048kB/resv_hugepages", "%u", promised);
    tree_put(POOL "1048576kB/free_hugepages", "%u", giant);
}

static void refused(const char *words)
{
    error[0] = '\0';
    assert_int_equal(needs_check(&config, &needs, tree_root, error, sizeof error), EX_UNAVAILABLE);
    if (!strstr(error, words) || strchr(error, '\n'))
        fail_msg("'%s' does not say '%s'", error, words);
}

static void enough(void)
{
    if (needs_check(&config, &needs, tree_root, error, sizeof error) != 0)
        fail_msg("%s", error);
}

static void pages_are_counted_as_memory_is_taken(void **state)
{
    (void)state;
    struct memory_need need = {0};
    memory_need_add(&need, 1);
    assert_int_equal(need.pages, 1);
    memory_need_add(&need, MEMORY_HUGE_BYTES - 4096); // fills the page
    assert_int_equal(need.pages, 1);
    memory_need_add(&need, 1);
    assert_int_equal(need.pages, 2);
    memory_need_add(&need, MEMORY_HUGE_BYTES); // the rest of the last page is too small, and stays unused
    assert_int_equal(need.pages, 3);
    memory_need_add(&need, 2 * MEMORY_HUGE_BYTES + 1);
    assert_int_equal(need.pages, 6);
    memory_need_add(&need, MEMORY_HUGE_BYTES - 4096);
    assert_int_equal(need.pages, 6);
}

static void one_page_too_few_is_refused_with_the_number_that_mends_it(void **state)
{
    (void)state;
    refused("92 huge pages of 2 MB wanted (roles 60, packet pools 32, region 0), 0 are free");
    pages(91, 0, 0);
    refused("vm.nr_hugepages=201");
    pages(92, 0, 0);
    enough();
    pages(93, 0, 0);
    enough();
    pages(100, 9, 0); // promised to others
    refused("91 are free");
    config.dataplane.huge_pages = false;
    enough();
}

static void giant_pages_serve_packet_pools_alone(void **state)
{
    (void)state;
    pages(60, 0, 1);
    enough();
    pages(59, 0, 100);
    refused("59 are free");
}

static void a_region_on_hugetlbfs_takes_its_pages_too(void **state)
{
    (void)state;
    needs.region_page = MEMORY_HUGE_BYTES;
    pages(94, 0, 0);
    refused("region 3");
    pages(95, 0, 0);
    enough();
    config.dataplane.huge_pages = false;
    pages(2, 0, 0);
    refused("3 huge pages");
    pages(3, 0, 0);
    enough();
}

// A terminal that somebody has for himself alone stands for a VFIO group in use: both are EBUSY, though not for
// tree_root.
static void a_vfio_group_in_use_is_refused(void **state)
{
    (void)state;
    struct config_port port = {.name = "wire", .profile = "physical", .device = "0000:5e:00.0"};
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    config.dataplane.huge_pages = false;
    config.ports = &port;
    config.ports_count = 1;
    enough(); // no such device: the port says so
    tree_put("/sys/bus/pci/devices/0000:5e:00.0/vendor", "1");
    tree_put("/sys/bus/pci/devices/0000:5e:00.0/device", "1");
    tree_put("/sys/kernel/iommu_groups/8/type", "1");
    tree_link("/sys/bus/pci/devices/0000:5e:00.0/iommu_group", "../../../../kernel/iommu_groups/8");
    tree_put("/dev/vfio/8", "1");
    enough();
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        print_message("skipped because there is no terminal to make\n");
        skip();
    }
    unlink(tree_at("/dev/vfio/8"));
    tree_link("/dev/vfio/8", ptsname(master));
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_int_equal(ioctl(slave, TIOCEXCL), 0);
    bool is_root = geteuid() == 0;
    if (is_root) {
        assert_int_equal(chmod(tree_root, 0755) | fchown(slave, 65534, (gid_t)-1) | seteuid(65534), 0);
        if (access("nic_profiles/physical.yaml", R_OK) != 0) {
            assert_int_equal(seteuid(0), 0);
            print_message("skipped because others can not read this source tree\n");
            skip();
        }
    }
    refused("port wire (physical 0000:5e:00.0): IOMMU group 8 is in use by another process: stop");
    assert_int_equal(is_root ? seteuid(0) : 0, 0);
    close(slave);
    close(master);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, remove_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_are_counted_as_memory_is_taken), TEST(one_page_too_few_is_refused_with_the_number_that_mends_it),
        TEST(giant_pages_serve_packet_pools_alone), TEST(a_region_on_hugetlbfs_takes_its_pages_too),
        TEST(a_vfio_group_in_use_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
