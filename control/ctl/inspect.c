// SPDX-License-Identifier: Apache-2.0
// xwctl journal inspect: what is in which segment of a day.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl/export.h"

struct segment {
    uint32_t number;
    uint64_t epoch, records;
    uint64_t first_ns, last_ns;
    uint64_t first_seq[JOURNAL_CORES], last_seq[JOURNAL_CORES];
};

// Bytes of a segment's file with this ending, -1 when there is none.
static int64_t file_size(const struct journal_identity *identity, uint32_t number, const char *ending)
{
    char path[4200];
    struct stat file;
    snprintf(path, sizeof path, "%s/%08u/%06u%s", identity->directory, identity->date, number, ending);
    return stat(path, &file) == 0 ? (int64_t)file.st_size : -1;
}

static void note(struct segment *segment, const struct journal_report *report, const struct command *record)
{
    unsigned core = journal_core(record);
    if (segment->records++ == 0)
        segment->first_ns = record->time_ns;
    segment->number = report->last_segment;
    segment->epoch = report->epoch;
    segment->last_ns = record->time_ns;
    segment->last_seq[core] = journal_sequence(record);
    if (segment->first_seq[core] == 0)
        segment->first_seq[core] = segment->last_seq[core];
}

static void print_hour(uint64_t time_ns)
{
    uint64_t s = time_ns / 1000000000;
    printf("%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%03" PRIu64, s / 3600, s / 60 % 60, s % 60,
           time_ns / 1000000 % 1000);
}

static void print_text(const struct journal_identity *identity, const struct segment *segment)
{
    int64_t plain = file_size(identity, segment->number, JOURNAL_SUFFIX);
    int64_t packed = file_size(identity, segment->number, JOURNAL_SUFFIX ".zst");
    printf("segment %06u epoch %" PRIu64 ": %" PRIu64 " records from ", segment->number, segment->epoch,
           segment->records);
    print_hour(segment->first_ns);
    fputs(" to ", stdout);
    print_hour(segment->last_ns);
    for (unsigned core = 0; core < JOURNAL_CORES; core++) {
        if (segment->first_seq[core])
            printf(", core %u %" PRIu64 " to %" PRIu64, core, segment->first_seq[core], segment->last_seq[core]);
    }
    printf(", %" PRId64 " bytes%s%s\n", plain >= 0 ? plain : packed, plain < 0 ? " compressed" : "",
           file_size(identity, segment->number, ".xws") >= 0 ? ", sealed" : "");
}

static void print_json(const struct journal_identity *identity, const struct segment *segment)
{
    json_t *cores = json_object();
    int64_t plain = file_size(identity, segment->number, JOURNAL_SUFFIX);
    int64_t packed = file_size(identity, segment->number, JOURNAL_SUFFIX ".zst");
    char name[8];
    for (unsigned core = 0; core < JOURNAL_CORES; core++) {
        snprintf(name, sizeof name, "%u", core);
        if (segment->first_seq[core])
            json_object_set_new(cores, name,
                                json_pack("{s:I, s:I}", "first", (json_int_t)segment->first_seq[core], "last",
                                          (json_int_t)segment->last_seq[core]));
    }
    json_t *root = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:o}", "segment", (json_int_t)segment->number,
                             "epoch", (json_int_t)segment->epoch, "records", (json_int_t)segment->records, "first_ns",
                             (json_int_t)segment->first_ns, "last_ns", (json_int_t)segment->last_ns, "bytes",
                             (json_int_t)(plain >= 0 ? plain : packed), "compressed", plain < 0, "sealed",
                             file_size(identity, segment->number, ".xws") >= 0, "cores", cores);
    json_dumpf(root, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(root);
}

static void print_end(const struct journal_report *report, bool as_json)
{
    printf(as_json ? "{\"records\":%" PRIu64 ",\"segments\":%u,\"epochs\":%u,\"closed\":%s,\"torn\":%s}\n"
                   : "%" PRIu64 " records, %u segments, %u epochs, closed in order: %s, torn tail: %s\n",
           report->records, report->segments, report->epochs, report->closed ? "true" : "false",
           report->torn ? "true" : "false");
}

// Goes through the whole day with all checks, so that what it shows is what a recovery would see.
int ctl_journal_inspect(const struct ctl *ctl, int argc, char **argv)
{
    static struct segment segment;
    struct journal_identity identity;
    struct journal_reader *reader;
    struct journal_report report;
    const struct command *record;
    ctl_find_journal(ctl, argc ? argv[0] : NULL, &identity);
    enum journal_result result = journal_reader_open(&reader, &identity, &report);
    if (result != JOURNAL_OK)
        fail_with(result == JOURNAL_ABSENT ? EX_NOINPUT : journal_exit_code(result), "%s", report.text);
    const struct journal_report *now = journal_reader_report(reader);
    while ((result = journal_reader_next(reader, &record)) == JOURNAL_OK) {
        if (segment.records && segment.number != now->last_segment) {
            (ctl->json ? print_json : print_text)(&identity, &segment);
            segment = (struct segment){0};
        }
        note(&segment, now, record);
    }
    if (segment.records)
        (ctl->json ? print_json : print_text)(&identity, &segment);
    fflush(stdout);
    if (result != JOURNAL_END)
        fail_with(journal_exit_code(result), "%s", now->text);
    print_end(now, ctl->json);
    journal_reader_close(reader);
    return EX_OK;
}
