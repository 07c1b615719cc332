// SPDX-License-Identifier: Apache-2.0
// The region's generations: made whole or not at all, found, refused, locked and removed.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract/command.h"
#include "contract/event.h"
#include "contract/region.h"

#define NAME "venue"

static char folder[128];
static struct region_plan plan;

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/crosswire-region-XXXXXX");
    memset(&plan, 0, sizeof plan);
    region_plan_add(&plan, OBJECT_CORE, ROLE_MATCHER, 0, 0);
    region_plan_add(&plan, OBJECT_MATCHER, 0, 0, 0);
    region_plan_add(&plan, OBJECT_COMMANDS, 0, 0, 64);
    region_plan_add(&plan, OBJECT_EVENTS, 0, 1, 128);
    region_plan_add(&plan, OBJECT_REQUESTS, 0, 1, 64);
    region_plan_add(&plan, OBJECT_REPLIES, 0, 1, 64);
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static char *file(const char *suffix)
{
    static char path[4][256];
    static unsigned next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s.%s", folder, NAME, suffix);
    return out;
}

static void make(struct region *region)
{
    assert_int_equal(region_create(region, folder, NAME, &plan, 99), REGION_OK);
}

// Changes bytes of a generation that nobody lives in.
static void patch(uint64_t generation, size_t offset, const void *bytes, size_t size)
{
    char suffix[32];
    snprintf(suffix, sizeof suffix, "g%06" PRIu64, generation);
    int fd = open(file(suffix), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, (off_t)offset), (ssize_t)size);
    close(fd);
}

static enum region_result try_join(uint64_t generation)
{
    struct region region;
    enum region_result result = region_join(&region, folder, NAME, generation, true);
    if (result == REGION_OK)
        region_leave(&region);
    return result;
}

// ---- making ---------------------------------------------------------------------------------------------------------

static void a_new_region_holds_every_object_on_lines_of_its_own(void **state)
{
    (void)state;
    struct region region;
    make(&region);
    assert_int_equal(region.size % (2u << 20), 0);
    assert_int_equal(region.header->layout_hash, region_layout_hash());
    assert_int_equal(region.header->config_hash, 99);
    assert_int_equal(region.header->generation, 1);
    assert_int_equal(region.header->object_count, plan.count);
    const char *end = (const char *)region.header + sizeof *region.header;
    for (unsigned i = 0; i < plan.count; i++) {
        const struct region_object *object = &plan.objects[i];
        const char *at = region_find(&region, (enum object_kind)object->kind, object->a, object->b);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % CACHE_PAIR, 0);
        assert_true(at >= end);
        end = at + object->size;
        assert_true(end <= (const char *)region.header + region.size);
    }
    assert_null(region_find(&region, OBJECT_EVENTS, 1, 1));
    assert_null(region_find(&region, OBJECT_JOURNAL, 0, 0));
    region_leave(&region);
}

static void its_rings_are_empty_and_have_the_cells_of_their_kind(void **state)
{
    (void)state;
    struct region region;
    make(&region);
    const struct {
        enum object_kind kind;
        unsigned b;
        uint32_t cell, depth;
    } rings[] = {{OBJECT_COMMANDS, 0, sizeof(struct command), 64},
                 {OBJECT_EVENTS, 1, sizeof(struct event), 128},
                 {OBJECT_REQUESTS, 1, sizeof(struct gateway_request), 64},
                 {OBJECT_REPLIES, 1, sizeof(struct gateway_reply), 64}};
    for (unsigned i = 0; i < sizeof rings / sizeof rings[0]; i++) {
        struct ring *ring = region_find(&region, rings[i].kind, 0, rings[i].b);
        assert_non_null(ring);
        assert_int_equal(ring->cell_size, rings[i].cell);
        assert_int_equal(ring->depth, rings[i].depth);
        assert_int_equal(ring->consumed, 0);
        assert_null(ring_peek(ring, 0));
        assert_int_equal(ring_room(ring, 1), rings[i].depth);
    }
    region_leave(&region);
}

static void others_may_open_the_file_as_far_as_the_umask_lets_the_group(void **state)
{
    (void)state;
    struct region region;
    struct stat status;
    mode_t before = umask(0077);
    make(&region);
    assert_int_equal(stat(region.path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_string_equal(region.path, file("g000001"));
    region_leave(&region);
    umask(0007); // control has a user of its own, and the group
    make(&region);
    umask(before);
    assert_int_equal(stat(region.path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0660);
    region_leave(&region);
}

static void a_number_is_never_used_twice(void **state)
{
    (void)state;
    struct region region;
    for (uint64_t generation = 1; generation <= 3; generation++) {
        make(&region);
        assert_int_equal(region.header->generation, generation);
        region_leave(&region);
        assert_int_equal(region_remove(folder, NAME, generation), 0);
    }
    uint64_t list[4];
    assert_int_equal(region_list(folder, NAME, list, 4), 0);
    make(&region);
    assert_int_equal(region.header->generation, 4);
    region_leave(&region);
}

static void older_generations_stay_until_they_are_removed(void **state)
{
    (void)state;
    struct region region;
    for (int i = 0; i < 3; i++) {
        make(&region);
        region_leave(&region);
    }
    uint64_t list[2];
    assert_int_equal(region_list(folder, NAME, list, 2), 3); // as many as there are, not as fit
    assert_int_equal(region_remove(folder, NAME, 2), 0);
    assert_int_equal(region_list(folder, NAME, list, 2), 2);
    assert_int_equal(list[0], 1);
    assert_int_equal(list[1], 3);
    assert_int_equal(region_remove(folder, NAME, 2), -1);
    assert_int_equal(errno, ENOENT);
}

static void a_lock_that_can_not_be_asked_about_counts_as_held(void **state)
{
    (void)state;
    const struct region closed = {.fd = -1, .lock_fd = -1};
    assert_true(region_alive(&closed));
}

static void a_list_that_is_too_short_holds_the_oldest(void **state)
{
    (void)state;
    char name[16];
    for (unsigned i = 200; i > 0; i--) {
        snprintf(name, sizeof name, "g%06u", i);
        close(open(file(name), O_CREAT | O_RDWR, 0600));
    }
    uint64_t list[64];
    assert_int_equal(region_list(folder, NAME, list, 64), 200);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(list[i], i + 1);
    assert_int_equal(region_list(folder, NAME, list, 0), 200);
}

static void a_list_ignores_files_that_are_no_generations(void **state)
{
    (void)state;
    const char *const others[] = {"lock", "g12", "g000012.making", "g0000x1", "x000001", "g000001.old"};
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        close(open(file(others[i]), O_CREAT | O_RDWR, 0600));
    char longer[256];
    snprintf(longer, sizeof longer, "%s/%sx.g000001", folder, NAME);
    close(open(longer, O_CREAT | O_RDWR, 0600));
    uint64_t list[4];
    assert_int_equal(region_list(folder, NAME, list, 4), 0);
}

static void an_absent_folder_is_a_system_error(void **state)
{
    (void)state;
    struct region region;
    uint64_t list[1];
    assert_int_equal(region_create(&region, "/nonexistent/folder", NAME, &plan, 0), REGION_SYSTEM);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(region_list("/nonexistent/folder", NAME, list, 1), -1);
    assert_int_equal(errno, ENOENT);
}

static void a_path_that_is_too_long_is_a_system_error(void **state)
{
    (void)state;
    struct region region;
    char name[240];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(region_create(&region, folder, name, &plan, 0), REGION_SYSTEM);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(region_join(&region, folder, name, 1, false), REGION_SYSTEM);
    assert_int_equal(errno, ENAMETOOLONG);
}

static void a_lack_of_space_is_an_error_at_start_and_leaves_nothing(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct region region;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 20, 1 << 20});
        enum region_result result = region_create(&region, folder, NAME, &plan, 0);
        _exit(result == REGION_SYSTEM && errno == EFBIG ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(access(file("g000001"), F_OK), -1);
    assert_int_equal(access(file("g000001.making"), F_OK), -1);
}

// ---- joining --------------------------------------------------------------------------------------------------------

static void what_was_published_is_there_after_both_sides_left(void **state)
{
    (void)state;
    struct region region;
    make(&region);
    struct ring *ring = region_find(&region, OBJECT_COMMANDS, 0, 0);
    ((struct command *)ring_slot(ring, 0))->type = CMD_CLOCK;
    ring_publish(ring, 1);
    region_leave(&region);

    assert_int_equal(region_join(&region, folder, NAME, 1, true), REGION_OK);
    ring = region_find(&region, OBJECT_COMMANDS, 0, 0);
    const struct command *command = ring_peek(ring, 0);
    assert_non_null(command);
    assert_int_equal(command->type, CMD_CLOCK);
    ring_release(ring, 1);
    region_leave(&region);

    assert_int_equal(region_join(&region, folder, NAME, 1, false), REGION_OK);
    ring = region_find(&region, OBJECT_COMMANDS, 0, 0);
    assert_int_equal(ring->consumed, 1);
    region_leave(&region);
}

static void a_tool_that_joins_to_read_can_not_write(void **state)
{
    (void)state;
    struct region region;
    make(&region);
    region_leave(&region);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        if (region_join(&region, folder, NAME, 1, false) != REGION_OK)
            _exit(1);
        // Through the kernel, so that sanitizers do not speak up: a read-only page refuses with EFAULT.
        int zero = open("/dev/zero", O_RDONLY);
        _exit(read(zero, region.header, 8) == -1 && errno == EFAULT ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void an_absent_generation_is_absent(void **state)
{
    (void)state;
    assert_int_equal(try_join(1), REGION_ABSENT);
}

static void a_region_of_another_build_is_refused(void **state)
{
    (void)state;
    struct region region;
    make(&region);
    region_leave(&region);
    const uint64_t other = region_layout_hash() + 1, own = region_layout_hash();
    patch(1, offsetof(struct region_header, layout_hash), &other, sizeof other);
    assert_int_equal(try_join(1), REGION_LAYOUT);
    patch(1, offsetof(struct region_header, layout_hash), &own, sizeof own);
    assert_int_equal(try_join(1), REGION_OK);
    const uint32_t version = REGION_VERSION + 1;
    patch(1, offsetof(struct region_header, version), &version, sizeof version);
    assert_int_equal(try_join(1), REGION_LAYOUT);
}

static void a_table_that_leads_out_of_the_file_is_refused(void **state)
{
    (void)state;
    struct region region;
    make(&region);
    const struct region_object good = region.header->objects[2];
    const size_t size = region.size;
    region_leave(&region);
    const size_t at = offsetof(struct region_header, objects) + 2 * sizeof good;
    struct region_object bad[4] = {good, good, good, good};
    bad[0].offset = size - CACHE_PAIR;
    bad[1].size = UINT64_MAX;
    bad[2].offset = 0;
    bad[3].size = sizeof(struct ring); // smaller than the ring says that it is
    for (unsigned i = 0; i < 4; i++) {
        patch(1, at, &bad[i], sizeof bad[i]);
        assert_int_equal(try_join(1), REGION_LAYOUT);
    }
    patch(1, at, &good, sizeof good);
    assert_int_equal(try_join(1), REGION_OK);
    const uint32_t count = REGION_OBJECTS_MAX + 1;
    patch(1, offsetof(struct region_header, object_count), &count, sizeof count);
    assert_int_equal(try_join(1), REGION_LAYOUT);
}

static void a_table_whose_blocks_are_too_short_or_of_no_role_is_refused(void **state)
{
    (void)state;
    struct region region;
    make(&region);
    const struct region_object core = region.header->objects[0], port = region.header->objects[1];
    const size_t size = region.size, at = offsetof(struct region_header, objects);
    region_leave(&region);
    struct region_object bad[4] = {core, core, port, core};
    bad[0].size = 0; // who reads it there leaves the file
    bad[0].offset = size;
    bad[1].a = ROLE_COUNT;
    bad[2].size = CACHE_PAIR;
    bad[3].kind = OBJECT_BOARD + 1;
    for (unsigned i = 0; i < 4; i++) {
        const bool second = i == 2;
        patch(1, at + second * sizeof core, &bad[i], sizeof bad[i]);
        assert_int_equal(try_join(1), REGION_LAYOUT);
        patch(1, at + second * sizeof core, second ? &port : &core, sizeof core);
        assert_int_equal(try_join(1), REGION_OK);
    }
}

static void a_ring_of_another_shape_is_refused(void **state)
{
    (void)state;
    struct region region;
    make(&region);
    const size_t at = region.header->objects[2].offset;
    region_leave(&region);
    const uint32_t depth = 48, own = 64, cell = 64;
    patch(1, at + offsetof(struct ring, depth), &depth, sizeof depth);
    assert_int_equal(try_join(1), REGION_LAYOUT);
    patch(1, at + offsetof(struct ring, depth), &own, sizeof own);
    assert_int_equal(try_join(1), REGION_OK);
    patch(1, at + offsetof(struct ring, cell_size), &cell, sizeof cell);
    assert_int_equal(try_join(1), REGION_LAYOUT);
}

static void a_file_that_was_cut_is_refused(void **state)
{
    (void)state;
    struct region region;
    make(&region);
    region_leave(&region);
    assert_int_equal(truncate(file("g000001"), 65536), 0);
    assert_int_equal(try_join(1), REGION_LAYOUT);
    assert_int_equal(truncate(file("g000001"), 100), 0);
    assert_int_equal(try_join(1), REGION_UNREADY);
    assert_int_equal(truncate(file("g000001"), 0), 0);
    assert_int_equal(try_join(1), REGION_UNREADY);
}

// ---- half made ------------------------------------------------------------------------------------------------------

static void what_a_killed_start_leaves_is_removed_by_the_next(void **state)
{
    (void)state;
    int fd = open(file("g000001.making"), O_CREAT | O_RDWR, 0600);
    assert_int_equal(ftruncate(fd, 2 << 20), 0);
    close(fd);
    uint64_t list[2];
    assert_int_equal(region_list(folder, NAME, list, 2), 0);
    struct region region;
    make(&region);
    assert_int_equal(access(file("g000001.making"), F_OK), -1);
    region_leave(&region);
}

static void a_region_without_magic_is_not_joined_and_removed_by_the_next_start(void **state)
{
    (void)state;
    struct region region;
    make(&region);
    region_leave(&region);
    const uint64_t none = 0;
    patch(1, offsetof(struct region_header, magic), &none, sizeof none);
    assert_int_equal(try_join(1), REGION_UNREADY);
    make(&region);
    assert_int_equal(region.header->generation, 2);
    region_leave(&region);
    assert_int_equal(try_join(1), REGION_ABSENT);
    assert_int_equal(try_join(2), REGION_OK);
}

// Whatever the moment, what can be listed can be joined, and the next start gets through.
static void a_start_killed_at_any_moment_leaves_only_whole_regions(void **state)
{
    (void)state;
    struct region region;
    for (unsigned moment = 0; moment < 100; moment++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            region_create(&region, folder, NAME, &plan, 0);
            pause();
        }
        usleep(moment * 25);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        uint64_t list[128];
        int count = region_list(folder, NAME, list, 128);
        assert_in_range(count, 0, 1);
        for (int i = 0; i < count; i++)
            assert_int_equal(try_join(list[i]), REGION_OK);
        make(&region);
        const uint64_t own = region.header->generation;
        region_leave(&region);
        assert_int_equal(access(file("g000001.making"), F_OK), -1);
        for (int i = 0; i < count; i++) {
            assert_true(list[i] < own);
            assert_int_equal(region_remove(folder, NAME, list[i]), 0);
        }
        assert_int_equal(region_remove(folder, NAME, own), 0);
    }
}

// ---- the lock -------------------------------------------------------------------------------------------------------

static void a_second_dataplane_of_the_instance_is_refused_while_the_first_lives(void **state)
{
    (void)state;
    struct region first, second;
    make(&first);
    assert_int_equal(region_create(&second, folder, NAME, &plan, 0), REGION_BUSY);
    assert_int_equal(region_create(&second, folder, "other", &plan, 0), REGION_OK);
    region_leave(&second);
    assert_int_equal(region_create(&second, folder, NAME, &plan, 0),
                     REGION_BUSY); // also after another one came and went
    uint64_t list[4];
    assert_int_equal(region_list(folder, NAME, list, 4), 1);
    region_leave(&first);
    make(&second);
    assert_int_equal(second.header->generation, 2);
    region_leave(&second);
}

static void the_lock_of_the_region_alone_is_enough_to_refuse(void **state)
{
    (void)state;
    struct region first, second;
    make(&first);
    assert_int_equal(unlink(file("lock")), 0);
    assert_int_equal(region_create(&second, folder, NAME, &plan, 0), REGION_BUSY);
    region_leave(&first);
}

static void joiners_see_the_dataplane_live_and_die(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct region region;
        bool good = region_create(&region, folder, NAME, &plan, 0) == REGION_OK && region_alive(&region);
        if (write(ready[1], good ? "y" : "n", 1) == 1)
            pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    struct region reader, writer;
    assert_int_equal(region_join(&reader, folder, NAME, 1, false), REGION_OK);
    assert_int_equal(region_join(&writer, folder, NAME, 1, true), REGION_OK);
    assert_true(region_alive(&reader));
    assert_true(region_alive(&writer));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(region_alive(&reader));
    assert_false(region_alive(&writer));
    region_leave(&reader);
    assert_false(region_alive(&writer));
    region_leave(&writer);
    close(ready[0]);
    close(ready[1]);
}

// ---- huge pages -----------------------------------------------------------------------------------------------------

// A mounted hugetlbfs of 2 MB pages with a free one; false with the reason printed.
static bool find_huge_folder(char *path, size_t size)
{
    char line[512], where[96], type[64];
    unsigned long free_pages = 0;
    FILE *pages = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
    if (!pages || fscanf(pages, "%lu", &free_pages) != 1 || free_pages == 0) {
        if (pages)
            fclose(pages);
        printf("# skipped because no 2 MB huge page is free: write nr_hugepages\n");
        return false;
    }
    fclose(pages);
    FILE *mounts = fopen("/proc/mounts", "r");
    bool found = false;
    while (mounts && !found && fgets(line, sizeof line, mounts))
        found = sscanf(line, "%*s %95s %63s", where, type) == 2 && strcmp(type, "hugetlbfs") == 0 &&
                access(where, W_OK) == 0;
    if (mounts)
        fclose(mounts);
    if (!found)
        printf("# skipped because no hugetlbfs is mounted that this user may write\n");
    else
        snprintf(path, size, "%s/crosswire-XXXXXX", where);
    return found;
}

static void a_region_on_huge_pages_behaves_the_same(void **state)
{
    char huge[sizeof folder];
    if (!find_huge_folder(huge, sizeof huge))
        skip();
    assert_non_null(mkdtemp(huge));
    drop_folder(state);
    strcpy(folder, huge);
    what_was_published_is_there_after_both_sides_left(state);
    assert_int_equal(region_remove(folder, NAME, 1), 0);
    struct region region, second;
    make(&region);
    assert_int_equal(region.header->generation, 2);
    assert_int_equal(region_create(&second, folder, NAME, &plan, 0), REGION_BUSY);
    region_leave(&region);
    make(&region); // the sweep reads the magic of the one before
    assert_int_equal(region.header->generation, 3);
    region_leave(&region);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)
    const struct CMUnitTest tests[] = {
        TEST(a_new_region_holds_every_object_on_lines_of_its_own),
        TEST(its_rings_are_empty_and_have_the_cells_of_their_kind),
        TEST(others_may_open_the_file_as_far_as_the_umask_lets_the_group),
        TEST(a_number_is_never_used_twice),
        TEST(older_generations_stay_until_they_are_removed),
        TEST(a_lock_that_can_not_be_asked_about_counts_as_held),
        TEST(a_list_that_is_too_short_holds_the_oldest),
        TEST(a_list_ignores_files_that_are_no_generations),
        TEST(an_absent_folder_is_a_system_error),
        TEST(a_path_that_is_too_long_is_a_system_error),
        TEST(a_lack_of_space_is_an_error_at_start_and_leaves_nothing),
        TEST(what_was_published_is_there_after_both_sides_left),
        TEST(a_tool_that_joins_to_read_can_not_write),
        TEST(an_absent_generation_is_absent),
        TEST(a_region_of_another_build_is_refused),
        TEST(a_table_that_leads_out_of_the_file_is_refused),
        TEST(a_table_whose_blocks_are_too_short_or_of_no_role_is_refused),
        TEST(a_ring_of_another_shape_is_refused),
        TEST(a_file_that_was_cut_is_refused),
        TEST(what_a_killed_start_leaves_is_removed_by_the_next),
        TEST(a_region_without_magic_is_not_joined_and_removed_by_the_next_start),
        TEST(a_start_killed_at_any_moment_leaves_only_whole_regions),
        TEST(a_second_dataplane_of_the_instance_is_refused_while_the_first_lives),
        TEST(the_lock_of_the_region_alone_is_enough_to_refuse),
        TEST(joiners_see_the_dataplane_live_and_die),
        TEST(a_region_on_huge_pages_behaves_the_same),
    };
    return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}
