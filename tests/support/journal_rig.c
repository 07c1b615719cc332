// SPDX-License-Identifier: Apache-2.0
#include "tests/support/journal_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

void *rig_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

static void remove_all(const char *directory)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    assert_int_equal(system(command), 0);
}

void rig_set_up_in(struct rig *rig, const char *parent)
{
    memset(rig, 0, sizeof *rig);
    snprintf(rig->directory, sizeof rig->directory, "%s/xwj.XXXXXX", parent);
    assert_non_null(mkdtemp(rig->directory));
    rig->identity =
        (struct journal_identity){.directory = rig->directory, .instance = "test", .date = RIG_DATE, .config_hash = 77};
    rig->ports = rig_shared(RIG_CORES * sizeof *rig->ports);
    for (unsigned i = 0; i < RIG_CORES; i++) {
        rig->rings[i] = ring_new(rig_shared(ring_footprint(RIG_DEPTH, 128)), RIG_DEPTH, 128, 0);
        rig->lanes[i] = (struct journal_lane){i, rig->rings[i], &rig->ports[i]};
    }
}

void rig_set_up(struct rig *rig)
{
    const char *parent = getenv("XW_TMP");
    rig_set_up_in(rig, parent && strlen(parent) < sizeof rig->directory - 12 ? parent : "/tmp");
}

void rig_tear_down(struct rig *rig)
{
    remove_all(rig->directory);
    for (unsigned i = 0; i < RIG_CORES; i++)
        munmap(rig->rings[i], ring_footprint(RIG_DEPTH, 128));
    munmap(rig->ports, RIG_CORES * sizeof *rig->ports);
}

void rig_fill(struct command *command, unsigned core, uint64_t sequence)
{
    memset((char *)command + 8, 0, sizeof *command - 8);
    command->type = CMD_ENTER;
    command->time_ns = sequence * 3 + core;
    command->user_ref = (uint32_t)(sequence * 2654435761u) ^ core;
    command->group_id = (uint16_t)sequence;
}

bool rig_produce(struct ring *ring, unsigned core, unsigned count)
{
    if (ring_room(ring, count) < count)
        return false;
    uint64_t next = atomic_load(&ring->produced) + 1;
    for (unsigned i = 0; i < count; i++)
        rig_fill(ring_slot(ring, i), core, next + i);
    ring_publish(ring, count);
    return true;
}

struct journal_writer *rig_open_writer(const struct rig *rig, struct journal_report *report, uint32_t segment_mb)
{
    struct journal_writer *writer;
    char text[256] = "";
    const struct journal_writer_options options = {.segment_mb = segment_mb, .commit_kb = 64};
    enum journal_result result = journal_scan(&rig->identity, report);
    if (result)
        fail_msg("%s", report->text);
    result = journal_writer_open(&writer, &rig->identity, &options, report, text, sizeof text);
    if (result)
        fail_msg("%s", text);
    return writer;
}

void rig_write(struct rig *rig, struct journal_writer *writer, unsigned count)
{
    for (unsigned part; count; count -= part) {
        part = count < RIG_DEPTH ? count : RIG_DEPTH;
        assert_true(rig_produce(rig->rings[0], 0, part));
        assert_int_equal(journal_drain(writer, rig->lanes, RIG_CORES), JOURNAL_OK);
    }
}

enum journal_result rig_check_walk(struct journal_reader *reader)
{
    const struct command *record;
    enum journal_result result;
    while ((result = journal_reader_next(reader, &record)) == JOURNAL_OK) {
        struct command want;
        rig_fill(&want, journal_core(record), journal_sequence(record));
        assert_memory_equal((const char *)record + 8, (const char *)&want + 8, sizeof want - 8);
    }
    return result;
}

struct journal_report rig_read_and_check(const struct rig *rig, const uint64_t *last)
{
    struct journal_reader *reader;
    struct journal_report report;
    enum journal_result result = journal_reader_open(&reader, &rig->identity, &report);
    if (result)
        fail_msg("%s", report.text);
    result = rig_check_walk(reader);
    report = *journal_reader_report(reader);
    if (result != JOURNAL_END)
        fail_msg("%s", report.text);
    for (unsigned core = 0; core < RIG_CORES; core++)
        assert_int_equal(report.last_seq[core], last[core]);
    journal_reader_close(reader);
    return report;
}
