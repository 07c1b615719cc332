// SPDX-License-Identifier: Apache-2.0
#include "control/journal/verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "control/journal/files.h"
#include "control/journal/pack.h"
#include "control/journal/walk.h"

struct verifier {
    const struct journal_identity *identity;
    const uint8_t (*keys)[JOURNAL_KEY_BYTES];
    unsigned keys_count;
    const struct journal_seal_file *before; // seal of the segment before, NULL: not known
    struct journal_verdict *verdict;
    int day;
    enum journal_result result;
    struct journal_seal_file seal; // of the segment that is walked
    bool sealed;                   // it has one
    uint32_t segment;              // 0: none is walked yet
    uint32_t sealed_to;            // segments behind are not looked for a seal
    struct journal_seal_file anchor;
    struct journal_measure measure;
};

__attribute__((format(printf, 3, 4))) static void fault(struct verifier *verifier, enum journal_result result,
                                                        const char *format, ...)
{
    char *text = verifier->verdict->text;
    size_t size = sizeof verifier->verdict->text;
    int used = snprintf(text, size, "journal %s/%08u: ", verifier->identity->directory, verifier->identity->date);
    va_list list;
    va_start(list, format);
    if (used > 0 && (size_t)used < size)
        vsnprintf(text + used, size - (size_t)used, format, list);
    va_end(list);
    verifier->result = result;
}

// The signature of the seal in hand.
static bool check_signature(struct verifier *verifier)
{
    const struct journal_seal_file *seal = &verifier->seal;
    bool is_signed = (seal->head.flags & SEAL_SIGNED) != 0;
    if (verifier->keys ? !journal_seal_signed_by(seal, verifier->keys, verifier->keys_count)
                       : is_signed && !journal_seal_signed_by(seal, &seal->head.key, 1)) {
        fault(verifier, JOURNAL_CORRUPT, "seal %06u" JOURNAL_SEAL_SUFFIX " %s", seal->head.segment,
              is_signed ? "is not signed by the key: it was altered, or made with another one" : "is not signed");
        return false;
    }
    verifier->verdict->seals_signed += is_signed;
    return true;
}

// The seal of the segment that begins, and what it must follow.
static void begin_segment(struct verifier *verifier, uint32_t segment)
{
    char text[256];
    enum journal_result result = JOURNAL_ABSENT;
    if (segment <= verifier->sealed_to)
        result = journal_seal_read(verifier->identity, verifier->day, segment, &verifier->seal, text, sizeof text);
    verifier->segment = segment;
    verifier->sealed = result == JOURNAL_OK;
    if (result == JOURNAL_ABSENT) {
        if (!verifier->verdict->unsealed)
            verifier->verdict->unsealed = segment;
        return;
    }
    if (result) {
        fault(verifier, result, "%s", text);
        return;
    }
    if (verifier->verdict->unsealed) {
        fault(verifier, JOURNAL_MISSING,
              "seal %06u" JOURNAL_SEAL_SUFFIX " is missing, and that of segment %u stands: "
              "restore it from a copy",
              verifier->verdict->unsealed, segment);
        return;
    }
    if (!verifier->before && verifier->seal.head.prev_date) { // what stands before is taken on trust
        verifier->anchor.head.date = verifier->seal.head.prev_date;
        verifier->anchor.head.segment = verifier->seal.head.prev_segment;
        memcpy(verifier->anchor.head.hash, verifier->seal.head.prev_hash, JOURNAL_HASH_BYTES);
        verifier->before = &verifier->anchor;
    }
    journal_measure_begin(&verifier->measure, verifier->identity, verifier->before);
}

// The segment in hand is complete: is it what its seal says?
static void end_segment(struct verifier *verifier)
{
    if (!verifier->segment || !verifier->sealed || verifier->result)
        return;
    const char *differs = journal_seal_differs(&verifier->measure, &verifier->seal);
    if (differs) {
        fault(verifier, JOURNAL_CORRUPT,
              "seal %06u" JOURNAL_SEAL_SUFFIX " %s: segment or seal were altered, restore both from a copy",
              verifier->segment, differs);
        return;
    }
    if (!check_signature(verifier))
        return;
    if (verifier->verdict->seals++ == 0)
        verifier->verdict->first = verifier->seal;
    verifier->verdict->last = verifier->seal;
    verifier->before = &verifier->verdict->last;
}

static void take_block(void *context, const struct journal_block *block)
{
    struct verifier *verifier = context;
    if (verifier->result)
        return;
    if (block->block == 0) {
        end_segment(verifier);
        if (!verifier->result)
            begin_segment(verifier, block->segment);
    }
    if (!verifier->result && verifier->sealed)
        journal_measure_block(&verifier->measure, block);
}

static void walk(struct verifier *verifier)
{
    struct journal_reader *reader;
    struct journal_report *report = &verifier->verdict->report;
    const struct command *record;
    const struct journal_reach reach = journal_reach_of_seals(verifier->identity);
    // A keeper may seal on while this walks: a segment's seal may then stand where the one before had none yet.
    verifier->sealed_to = reach.segment;
    enum journal_result result = journal_reader_open(&reader, verifier->identity, report);
    if (result == JOURNAL_OK) {
        journal_reader_watch(reader, take_block, verifier);
        while (!verifier->result && (result = journal_reader_next(reader, &record)) == JOURNAL_OK) {
            if (verifier->verdict->tell)
                verifier->verdict->tell(verifier->verdict->context, journal_reader_report(reader));
        }
        *report = *journal_reader_report(reader);
        journal_reader_close(reader);
    }
    if (verifier->result)
        return;
    if (result != JOURNAL_END && !(result == JOURNAL_ABSENT && reach.segment)) {
        snprintf(verifier->verdict->text, sizeof verifier->verdict->text, "%s", report->text);
        verifier->result = result;
        return;
    }
    verifier->result =
        journal_reaches(&reach, verifier->identity, report, verifier->verdict->text, sizeof verifier->verdict->text);
    end_segment(verifier);
}

enum journal_result journal_verify(const struct journal_identity *identity, const uint8_t (*keys)[JOURNAL_KEY_BYTES],
                                   unsigned count, const struct journal_seal_file *before,
                                   struct journal_verdict *verdict)
{
    struct verifier *verifier = calloc(1, sizeof *verifier);
    const struct journal_disk *disk = journal_disk_of(identity);
    xw_assert(verifier);
    *verdict = (struct journal_verdict){.tell = verdict->tell, .context = verdict->context};
    verifier->identity = identity;
    verifier->keys = keys;
    verifier->keys_count = count;
    verifier->before = before;
    verifier->verdict = verdict;
    verifier->day = disk->open_day(disk, identity->directory, identity->date, false);
    if (verifier->day < 0) {
        fault(verifier, errno == ENOENT ? JOURNAL_ABSENT : JOURNAL_SYSTEM, "%s", strerror(errno));
    } else {
        walk(verifier);
        disk->close(disk, verifier->day);
    }
    enum journal_result result = verifier->result;
    free(verifier);
    return result;
}

struct journal_reach journal_reach_of_seals(const struct journal_identity *identity)
{
    const struct journal_disk *disk = journal_disk_of(identity);
    struct journal_reach reach = {0};
    struct journal_seal_file seal;
    char text[256];
    unsigned count = 0;
    int day = disk->open_day(disk, identity->directory, identity->date, false);
    uint32_t *numbers = day < 0 ? NULL : journal_list_seals(disk, day, &count);
    if (numbers && count)
        reach.segment = numbers[count - 1];
    if (reach.segment && journal_seal_read(identity, day, reach.segment, &seal, text, sizeof text) == JOURNAL_OK)
        reach.blocks = seal.head.blocks;
    free(numbers);
    if (day >= 0)
        disk->close(disk, day);
    return reach;
}

enum journal_result journal_reaches(const struct journal_reach *reach, const struct journal_identity *identity,
                                    const struct journal_report *report, char *text, size_t text_size)
{
    if (reach->segment > report->last_segment) {
        snprintf(text, text_size,
                 "journal %s/%08u: segment %06u is missing: its seal stands, restore the segment from a copy",
                 identity->directory, identity->date, report->last_segment + 1);
        return JOURNAL_MISSING;
    }
    if (reach->segment == report->last_segment && reach->blocks > report->last_blocks) {
        snprintf(text, text_size,
                 "journal %s/%08u/%06u" JOURNAL_SUFFIX ", block %u: is missing: the segment's seal has %u blocks, "
                 "restore it from a copy",
                 identity->directory, identity->date, reach->segment, report->last_blocks, reach->blocks);
        return JOURNAL_MISSING;
    }
    return JOURNAL_OK;
}

bool journal_look(const struct journal_identity *identity, struct journal_overview *overview)
{
    const struct journal_disk *disk = journal_disk_of(identity);
    struct statvfs room;
    unsigned plain = 0, packed = 0, seals = 0;
    int day = disk->open_day(disk, identity->directory, identity->date, false);
    if (day < 0)
        return false;
    uint32_t *lists[] = {journal_list_segments(disk, day, &plain),
                         journal_list_files(disk, day, JOURNAL_PACKED_SUFFIX, &packed),
                         journal_list_seals(disk, day, &seals)};
    bool good = lists[0] && lists[1] && lists[2] && statvfs(identity->directory, &room) == 0;
    for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++)
        free(lists[i]);
    struct journal_source source;
    uint64_t blocks = 0;
    good = journal_source_open_day(&source, disk, day) && good;
    for (unsigned i = 0; i < source.count; i++)
        blocks += journal_source_blocks(&source, i);
    journal_source_close(&source);
    if (good)
        *overview = (struct journal_overview){plain + packed, seals, blocks, (uint64_t)room.f_bavail * room.f_frsize};
    return good;
}
