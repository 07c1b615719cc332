// SPDX-License-Identifier: Apache-2.0
#include "control/journal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/journal/crc32c.h"
#include "control/journal/files.h"
#include "control/journal/walk.h"

// What the CRC covers begins here, to the file's end; what signature and hash cover as well, to the head's end and to
// the hash.
enum { COVERED_FROM = offsetof(struct journal_seal, version), HASHED_TO = offsetof(struct journal_seal, hash) };
_Static_assert(COVERED_FROM == 12, "behind magic and CRC");

static size_t cores_size(const struct journal_seal *head)
{
    return head->cores * sizeof(struct journal_seal_core);
}

static size_t file_size(const struct journal_seal *head)
{
    return sizeof *head + cores_size(head) + JOURNAL_SIGNATURE_BYTES;
}

// The file's bytes, CRC as it stands in the head; what is signed ends before the signature.
static size_t put_bytes(const struct journal_seal_file *seal, uint8_t bytes[JOURNAL_SEAL_MAX])
{
    size_t cores = cores_size(&seal->head);
    memcpy(bytes, &seal->head, sizeof seal->head);
    memcpy(bytes + sizeof seal->head, seal->cores, cores);
    memcpy(bytes + sizeof seal->head + cores, seal->signature, JOURNAL_SIGNATURE_BYTES);
    return file_size(&seal->head);
}

// ---- reading --------------------------------------------------------------------------------------------------------

__attribute__((format(printf, 5, 6))) static enum journal_result
refuse(enum journal_result result, uint32_t segment, char *text, size_t text_size, const char *format, ...)
{
    int used = snprintf(text, text_size, "seal %06u" JOURNAL_SEAL_SUFFIX ": ", segment);
    va_list list;
    va_start(list, format);
    if (used > 0 && (size_t)used < text_size)
        vsnprintf(text + used, text_size - (size_t)used, format, list);
    va_end(list);
    return result;
}

static bool cores_ascend(const struct journal_seal_file *seal)
{
    for (uint32_t i = 0; i < seal->head.cores; i++) {
        const struct journal_seal_core *core = &seal->cores[i];
        if (core->core >= JOURNAL_CORES || (i > 0 && core->core <= core[-1].core) || core->first > core->last)
            return false;
    }
    return true;
}

enum journal_result journal_seal_parse(const void *bytes, size_t size, const struct journal_identity *identity,
                                       uint32_t segment, struct journal_seal_file *seal, char *text, size_t text_size)
{
    struct journal_seal *head = &seal->head;
    memset(seal, 0, sizeof *seal);
    if (size < sizeof *head)
        return refuse(JOURNAL_CORRUPT, segment, text, text_size, "is cut short, %zu bytes: restore it from a copy",
                      size);
    memcpy(head, bytes, sizeof *head);
    bool whole = head->magic == JOURNAL_SEAL_MAGIC && head->cores <= JOURNAL_CORES && size == file_size(head) &&
                 head->crc == crc32c(0, (const char *)bytes + COVERED_FROM, size - COVERED_FROM);
    if (!whole)
        return refuse(JOURNAL_CORRUPT, segment, text, text_size, "is damaged: restore it from a copy");
    if (head->version != JOURNAL_SEAL_VERSION)
        return refuse(JOURNAL_FORMAT, segment, text, text_size,
                      "format version %u, this build reads %u: use the build that wrote it", head->version,
                      JOURNAL_SEAL_VERSION);
    memcpy(seal->cores, (const char *)bytes + sizeof *head, cores_size(head));
    memcpy(seal->signature, (const char *)bytes + size - JOURNAL_SIGNATURE_BYTES, JOURNAL_SIGNATURE_BYTES);
    if (strncmp(head->instance, identity->instance, sizeof head->instance) != 0)
        return refuse(JOURNAL_INSTANCE, segment, text, text_size, "made by instance %.31s, not %s", head->instance,
                      identity->instance);
    if (head->date != identity->date)
        return refuse(JOURNAL_DATE, segment, text, text_size, "of trading date %u, not %u: move it to its own day",
                      head->date, identity->date);
    if (head->segment != segment)
        return refuse(JOURNAL_CORRUPT, segment, text, text_size,
                      "is that of segment %u: files were swapped or doubled, restore them", head->segment);
    if (!cores_ascend(seal))
        return refuse(JOURNAL_CORRUPT, segment, text, text_size, "names sequences that can not be: restore it");
    return JOURNAL_OK;
}

enum journal_result journal_seal_read(const struct journal_identity *identity, int day, uint32_t segment,
                                      struct journal_seal_file *seal, char *text, size_t text_size)
{
    const struct journal_disk *disk = journal_disk_of(identity);
    uint8_t bytes[JOURNAL_SEAL_MAX + 1]; // one more than there may be
    char name[JOURNAL_NAME_BYTES];
    journal_file_name(name, segment, JOURNAL_SEAL_SUFFIX);
    int fd = disk->open(disk, day, name, O_RDONLY);
    if (fd < 0)
        return refuse(errno == ENOENT ? JOURNAL_ABSENT : JOURNAL_SYSTEM, segment, text, text_size, "%s",
                      strerror(errno));
    size_t size = 0;
    ssize_t got;
    while ((got = disk->read(disk, fd, bytes + size, sizeof bytes - size, size)) > 0)
        size += (size_t)got;
    disk->close(disk, fd);
    if (got < 0)
        return refuse(JOURNAL_SYSTEM, segment, text, text_size, "can not be read: %s", strerror(errno));
    return journal_seal_parse(bytes, size, identity, segment, seal, text, text_size);
}

bool journal_seal_signed_by(const struct journal_seal_file *seal, const uint8_t (*keys)[JOURNAL_KEY_BYTES],
                            unsigned count)
{
    uint8_t bytes[JOURNAL_SEAL_MAX];
    size_t size = put_bytes(seal, bytes) - JOURNAL_SIGNATURE_BYTES;
    if (!(seal->head.flags & SEAL_SIGNED))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (memcmp(keys[i], seal->head.key, JOURNAL_KEY_BYTES) == 0)
            return crypto_sign_verify_detached(seal->signature, bytes + COVERED_FROM, size - COVERED_FROM, keys[i]) ==
                   0;
    }
    return false;
}

// ---- measuring ------------------------------------------------------------------------------------------------------

void journal_measure_begin(struct journal_measure *measure, const struct journal_identity *identity,
                           const struct journal_seal_file *before)
{
    struct journal_seal *head = &measure->seal.head;
    xw_assert(sodium_init() >= 0); // picks the quick ways of this CPU
    memset(&measure->seal, 0, sizeof measure->seal);
    *head = (struct journal_seal){.magic = JOURNAL_SEAL_MAGIC, .version = JOURNAL_SEAL_VERSION, .date = identity->date};
    snprintf(head->instance, sizeof head->instance, "%s", identity->instance);
    if (before) {
        head->prev_date = before->head.date;
        head->prev_segment = before->head.segment;
        memcpy(head->prev_hash, before->head.hash, sizeof head->prev_hash);
    }
    // Within a date, what a core has come to goes on.
    if (before && before->head.date == identity->date) {
        head->cores = before->head.cores;
        memcpy(measure->seal.cores, before->cores, cores_size(head));
        for (uint32_t i = 0; i < head->cores; i++)
            measure->seal.cores[i].first = 0;
    }
    crypto_generichash_init(&measure->state, NULL, 0, JOURNAL_HASH_BYTES);
    crypto_generichash_update(&measure->state, head->prev_hash, sizeof head->prev_hash);
}

// The entry of a core, made in its place when it is the core's first.
static struct journal_seal_core *entry_of(struct journal_seal_file *seal, unsigned core)
{
    uint32_t i = 0;
    while (i < seal->head.cores && seal->cores[i].core < core)
        i++;
    if (i < seal->head.cores && seal->cores[i].core == core)
        return &seal->cores[i];
    memmove(&seal->cores[i + 1], &seal->cores[i], (seal->head.cores - i) * sizeof seal->cores[0]);
    seal->head.cores++;
    seal->cores[i] = (struct journal_seal_core){.core = (uint16_t)core};
    return &seal->cores[i];
}

static void take_record(struct journal_seal_file *seal, const struct command *record)
{
    struct journal_seal_core *entry = entry_of(seal, journal_core(record));
    uint64_t sequence = journal_sequence(record);
    if (sequence <= entry->last)
        return; // stands twice
    if (entry->first == 0)
        entry->first = sequence;
    entry->last = sequence;
    entry->event_hash = record->prev_hash;
    if (record->type == CMD_TICK) {
        entry->tick_seq = sequence;
        entry->tick_hash = record->tick.event_hash;
    }
    if (record->type == CMD_END_DAY)
        entry->ended = 1;
}

void journal_measure_block(void *context, const struct journal_block *block)
{
    struct journal_measure *measure = context;
    struct journal_seal *head = &measure->seal.head;
    if (block->block == 0) {
        head->segment = block->segment;
        head->engine_version = block->engine_version;
        head->epoch = block->epoch;
        head->config_hash = block->config_hash;
        head->records_before = block->records;
    }
    head->blocks = block->block + 1;
    head->last_crc = block->crc;
    head->records += block->count;
    head->flags = block->kind == JOURNAL_CLOSED ? SEAL_CLOSED : 0;
    const struct command *record = (const struct command *)(block + 1);
    for (unsigned i = 0; i < block->count; i++)
        take_record(&measure->seal, &record[i]);
    crypto_generichash_update(&measure->state, (const uint8_t *)block, JOURNAL_BLOCK);
    if (measure->pace)
        measure->pace(measure->pace_context, head->blocks);
}

enum journal_result journal_measure_segment(struct journal_measure *measure, const struct journal_identity *identity,
                                            uint32_t segment, char *text, size_t text_size)
{
    struct journal_report report;
    struct journal_reader *reader;
    const struct command *record;
    enum journal_result result =
        journal_reader_open_at(&reader, identity, (struct journal_place){.segment = segment}, &report);
    if (result) {
        snprintf(text, text_size, "%s", report.text);
        return result;
    }
    // A last one's next may be begun while it is measured: by who adds to a date what rings still held.
    journal_reader_until(reader, (struct journal_place){.segment = segment + 1});
    journal_reader_watch(reader, journal_measure_block, measure);
    while ((result = journal_reader_next(reader, &record)) == JOURNAL_OK)
        ;
    if (result != JOURNAL_END)
        snprintf(text, text_size, "%s", journal_reader_report(reader)->text);
    journal_reader_close(reader);
    if (result == JOURNAL_END && measure->seal.head.segment != segment) {
        snprintf(text, text_size, "journal %s/%08u: segment %06u has no block that stands", identity->directory,
                 identity->date, segment);
        return JOURNAL_CORRUPT;
    }
    return result == JOURNAL_END ? JOURNAL_OK : result;
}

// ---- completing -----------------------------------------------------------------------------------------------------

static void put_hash(const struct journal_measure *measure, struct journal_seal_file *seal)
{
    crypto_generichash_state state = measure->state;
    const uint8_t *head = (const uint8_t *)&seal->head;
    crypto_generichash_update(&state, head + COVERED_FROM, HASHED_TO - COVERED_FROM);
    crypto_generichash_update(&state, (const uint8_t *)seal->cores, cores_size(&seal->head));
    crypto_generichash_final(&state, seal->head.hash, sizeof seal->head.hash);
}

static bool all_ended(const struct journal_seal_file *seal)
{
    for (uint32_t i = 0; i < seal->head.cores; i++) {
        if (!seal->cores[i].ended)
            return false;
    }
    return seal->head.cores > 0;
}

size_t journal_seal_complete(struct journal_measure *measure, uint32_t flags, const struct journal_key *key,
                             uint8_t bytes[JOURNAL_SEAL_MAX])
{
    struct journal_seal_file *seal = &measure->seal;
    seal->head.flags |= flags | (key ? SEAL_SIGNED : 0) | (all_ended(seal) ? SEAL_ENDED : 0);
    put_hash(measure, seal);
    if (key)
        memcpy(seal->head.key, key->public, sizeof seal->head.key);
    size_t size = put_bytes(seal, bytes), before = size - JOURNAL_SIGNATURE_BYTES;
    if (key)
        crypto_sign_detached(seal->signature, NULL, bytes + COVERED_FROM, before - COVERED_FROM, key->secret);
    put_bytes(seal, bytes);
    seal->head.crc = crc32c(0, bytes + COVERED_FROM, size - COVERED_FROM);
    return put_bytes(seal, bytes);
}

const char *journal_seal_differs(const struct journal_measure *measure, const struct journal_seal_file *seal)
{
    struct journal_seal_file wanted = measure->seal;
    const struct journal_seal *head = &seal->head;
    bool ended = (head->flags & SEAL_ENDED) != 0, closed = (head->flags & SEAL_CLOSED) != 0;
    if (head->prev_date != wanted.head.prev_date || head->prev_segment != wanted.head.prev_segment ||
        memcmp(head->prev_hash, wanted.head.prev_hash, sizeof head->prev_hash) != 0)
        return "does not follow the seal before it";
    if (head->blocks != wanted.head.blocks || head->last_crc != wanted.head.last_crc)
        return "is of a segment that ends elsewhere";
    if (head->records != wanted.head.records || head->records_before != wanted.head.records_before ||
        head->cores != wanted.head.cores || memcmp(seal->cores, wanted.cores, cores_size(head)) != 0)
        return "is of a segment with other records";
    if (ended != all_ended(&wanted) || closed != ((wanted.head.flags & SEAL_CLOSED) != 0))
        return "tells of another end";
    wanted.head.flags = head->flags;
    wanted.head.wall_ns = head->wall_ns;
    put_hash(measure, &wanted);
    if (memcmp(head->hash, wanted.head.hash, sizeof head->hash) != 0)
        return "is of a segment with other bytes";
    return NULL;
}

uint32_t *journal_list_seals(const struct journal_disk *disk, int day, unsigned *count)
{
    return journal_list_files(disk, day, JOURNAL_SEAL_SUFFIX, count);
}
