// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/journal/crc32c.h"
#include "control/recovery/snapshot_file.h"

struct snapshot_reader {
    int file;
    uint64_t blocks; // of the file
    uint64_t id;
    uint64_t next;   // block to be read into the buffer
    uint32_t filled; // blocks in the buffer
    uint32_t at;     // the one in hand
    uint32_t record; // next of it
    uint64_t records;
    uint64_t given;
    struct snapshot_facts facts;
    struct snapshot_end end;
    const struct journal_key *key; // whose signature it must have; NULL: none
    struct snapshot_hash *hash;    // with a key
    char text[256];
    char *buffer;
};

void snapshot_name(char name[SNAPSHOT_NAME_BYTES], unsigned core, uint64_t covered)
{
    snprintf(name, SNAPSHOT_NAME_BYTES, "%02u-%016" PRIu64 ".xwn", core, covered);
}

int snapshot_directory(const struct journal_identity *identity)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/%08u", identity->directory, identity->date) >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// ---- what is signed -------------------------------------------------------------------------------------------------

struct snapshot_hash {
    crypto_generichash_state state;
};

struct snapshot_hash *snapshot_hash_new(void)
{
    static const uint8_t domain[] = "crosswire snapshot 1";
    struct snapshot_hash *hash = aligned_alloc(64, (sizeof *hash + 63) / 64 * 64);
    if (hash)
        crypto_generichash_init(&hash->state, domain, sizeof domain, SNAPSHOT_HASH_BYTES);
    return hash;
}

void snapshot_hash_block(struct snapshot_hash *hash, const void *block)
{
    crypto_generichash_update(&hash->state, block, SNAPSHOT_BLOCK);
}

void snapshot_hash_end(struct snapshot_hash *hash, const struct snapshot_end *end, uint8_t out[SNAPSHOT_HASH_BYTES])
{
    crypto_generichash_update(&hash->state, (const uint8_t *)end, offsetof(struct snapshot_end, signature));
    crypto_generichash_final(&hash->state, out, SNAPSHOT_HASH_BYTES);
}

// ---- which there are ------------------------------------------------------------------------------------------------

static bool parse_name(const char *text, unsigned *core, uint64_t *covered)
{
    char name[SNAPSHOT_NAME_BYTES];
    if (sscanf(text, "%3u-%16" SCNu64, core, covered) != 2)
        return false;
    snapshot_name(name, *core, *covered);
    return strcmp(text, name) == 0;
}

static void insert_newest_first(uint64_t *list, int count, uint64_t covered)
{
    int at = count;
    for (; at > 0 && list[at - 1] < covered; at--)
        list[at] = list[at - 1];
    list[at] = covered;
}

// Of more than `most` the oldest are left out.
int snapshot_list(const struct journal_identity *identity, unsigned core, uint64_t *list, int most)
{
    int directory = snapshot_directory(identity), count = 0, kept = 0;
    DIR *entries = directory < 0 ? NULL : fdopendir(directory);
    if (!entries) {
        if (directory >= 0)
            close(directory);
        return errno == ENOENT ? 0 : -1;
    }
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        unsigned of;
        uint64_t covered;
        if (!parse_name(entry->d_name, &of, &covered) || of != core)
            continue;
        count++;
        if (kept == most && (most == 0 || list[most - 1] >= covered))
            continue;
        if (kept == most)
            kept--;
        insert_newest_first(list, kept++, covered);
    }
    closedir(entries);
    return count;
}

void snapshot_clean(const struct journal_identity *identity)
{
    int directory = snapshot_directory(identity);
    DIR *entries = directory < 0 ? NULL : fdopendir(directory);
    if (!entries) {
        if (directory >= 0)
            close(directory);
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length > 8 && strcmp(entry->d_name + length - 8, ".xwn.tmp") == 0)
            unlinkat(directory, entry->d_name, 0);
    }
    closedir(entries);
}

// ---- one of them ----------------------------------------------------------------------------------------------------

static bool wrong(struct snapshot_reader *reader, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->text, sizeof reader->text, format, arguments);
    va_end(arguments);
    return false;
}

static bool read_blocks(struct snapshot_reader *reader, uint64_t from, uint32_t count)
{
    size_t size = (size_t)count * SNAPSHOT_BLOCK;
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(reader->file, reader->buffer + done, size - done, (off_t)(from * SNAPSHOT_BLOCK + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return wrong(reader, "block %" PRIu64 " can not be read: %s", from + done / SNAPSHOT_BLOCK,
                         got ? strerror(errno) : "it ends before");
        done += (size_t)got;
    }
    return true;
}

static const struct snapshot_block *block_in(const struct snapshot_reader *reader, uint32_t index)
{
    return (const struct snapshot_block *)(reader->buffer + (size_t)index * SNAPSHOT_BLOCK);
}

static bool check_block(struct snapshot_reader *reader, const struct snapshot_block *block, uint64_t number,
                        enum snapshot_kind kind)
{
    if (block->magic != SNAPSHOT_MAGIC)
        return wrong(reader, "block %" PRIu64 " is none of a snapshot", number);
    if (block->version != SNAPSHOT_VERSION)
        return wrong(reader, "format version %u, this build reads %u", block->version, SNAPSHOT_VERSION);
    if (block->crc != crc32c(0, (const char *)block + 12, SNAPSHOT_BLOCK - 12))
        return wrong(reader, "block %" PRIu64 " is damaged", number);
    if (block->number != number || block->kind != kind || (number && block->id != reader->id) ||
        block->count > SNAPSHOT_RECORDS_MAX)
        return wrong(reader, "block %" PRIu64 " does not belong there", number);
    return true;
}

static bool read_first(struct snapshot_reader *reader)
{
    if (!read_blocks(reader, 0, 1) || !check_block(reader, block_in(reader, 0), 0, SNAPSHOT_HEADER))
        return false;
    reader->id = block_in(reader, 0)->id;
    if (reader->hash)
        snapshot_hash_block(reader->hash, block_in(reader, 0));
    memcpy(&reader->facts, block_in(reader, 0) + 1, sizeof reader->facts);
    return true;
}

static bool read_last(struct snapshot_reader *reader)
{
    uint64_t last = reader->blocks - 1;
    if (!read_blocks(reader, last, 1) || !check_block(reader, block_in(reader, 0), last, SNAPSHOT_END))
        return false;
    memcpy(&reader->end, block_in(reader, 0) + 1, sizeof reader->end);
    if (snapshot_blocks_of(reader->end.records) != reader->blocks || reader->end.covered != reader->facts.covered)
        return wrong(reader, "its end is another one's");
    reader->records = reader->end.records;
    return true;
}

static bool check_facts(struct snapshot_reader *reader, const struct journal_identity *identity, unsigned core,
                        uint64_t covered)
{
    const struct snapshot_facts *facts = &reader->facts;
    if (strncmp(facts->instance, identity->instance, sizeof facts->instance) != 0)
        return wrong(reader, "of instance %.31s", facts->instance);
    if (facts->date != identity->date)
        return wrong(reader, "of trading date %u", facts->date);
    if (facts->core != core || facts->covered != covered)
        return wrong(reader, "of core %u, covering %" PRIu64 ": not what its name says", facts->core, facts->covered);
    return true;
}

static bool open_file(struct snapshot_reader *reader, const struct journal_identity *identity, unsigned core,
                      uint64_t covered)
{
    char name[SNAPSHOT_NAME_BYTES];
    struct stat status;
    snapshot_name(name, core, covered);
    int directory = snapshot_directory(identity);
    reader->file = directory < 0 ? -1 : openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int error = errno;
    if (directory >= 0)
        close(directory);
    if (reader->file < 0)
        return wrong(reader, "%s", strerror(error));
    if (fstat(reader->file, &status) != 0)
        return wrong(reader, "%s", strerror(errno));
    reader->blocks = (uint64_t)status.st_size / SNAPSHOT_BLOCK;
    if (reader->blocks < 2 || status.st_size % SNAPSHOT_BLOCK != 0)
        return wrong(reader, "%lld bytes are no whole snapshot", (long long)status.st_size);
    return true;
}

struct snapshot_reader *snapshot_open(const struct journal_identity *identity, unsigned core, uint64_t covered,
                                      char *text, size_t text_size)
{
    struct snapshot_reader *reader = calloc(1, sizeof *reader);
    char *buffer = malloc(SNAPSHOT_CHUNK);
    if (!reader || !buffer) {
        snprintf(text, text_size, "no memory");
        free(reader);
        free(buffer);
        return NULL;
    }
    reader->buffer = buffer;
    reader->next = 1;
    reader->file = -1;
    reader->key = identity->key;
    reader->hash = reader->key ? snapshot_hash_new() : NULL;
    if (reader->key && !reader->hash)
        wrong(reader, "no memory");
    else if (open_file(reader, identity, core, covered) && read_first(reader) &&
             check_facts(reader, identity, core, covered) && read_last(reader))
        return reader;
    snprintf(text, text_size, "%s", reader->text);
    snapshot_close(reader);
    return NULL;
}

const struct snapshot_facts *snapshot_facts(const struct snapshot_reader *reader)
{
    return &reader->facts;
}

uint64_t snapshot_records(const struct snapshot_reader *reader)
{
    return reader->records;
}

const char *snapshot_text(const struct snapshot_reader *reader)
{
    return reader->text;
}

static bool fill(struct snapshot_reader *reader)
{
    uint64_t left = reader->blocks - 1 - reader->next, most = SNAPSHOT_CHUNK / SNAPSHOT_BLOCK;
    reader->filled = (uint32_t)(left < most ? left : most);
    reader->at = 0;
    if (!read_blocks(reader, reader->next, reader->filled))
        return false;
    reader->next += reader->filled;
    return true;
}

static bool next_block(struct snapshot_reader *reader)
{
    if (++reader->at >= reader->filled && !fill(reader))
        return false;
    const struct snapshot_block *block = block_in(reader, reader->at);
    uint64_t number = reader->next - reader->filled + reader->at;
    uint64_t left = reader->records - reader->given;
    if (!check_block(reader, block, number, SNAPSHOT_RECORDS))
        return false;
    if (block->records != reader->given || block->count != (left < SNAPSHOT_RECORDS_MAX ? left : SNAPSHOT_RECORDS_MAX))
        return wrong(reader, "block %" PRIu64 " does not follow the one before", number);
    if (reader->hash)
        snapshot_hash_block(reader->hash, block);
    reader->record = 0;
    return true;
}

// All of it has been read.
static bool check_signature(struct snapshot_reader *reader)
{
    uint8_t hash[SNAPSHOT_HASH_BYTES];
    if (!reader->hash)
        return true;
    snapshot_hash_end(reader->hash, &reader->end, hash);
    if (crypto_sign_verify_detached(reader->end.signature, hash, sizeof hash, reader->key->public) == 0)
        return true;
    return wrong(reader, "it is not signed by the key of the configuration");
}

enum snapshot_result snapshot_read(struct snapshot_reader *reader, const struct command **record)
{
    if (reader->text[0])
        return SNAPSHOT_BAD;
    if (reader->given == reader->records)
        return check_signature(reader) ? SNAPSHOT_OVER : SNAPSHOT_BAD;
    if ((reader->filled == 0 || reader->record == block_in(reader, reader->at)->count) && !next_block(reader))
        return SNAPSHOT_BAD;
    const struct snapshot_block *block = block_in(reader, reader->at);
    *record = (const struct command *)(block + 1) + reader->record++;
    reader->given++;
    return SNAPSHOT_OK;
}

void snapshot_close(struct snapshot_reader *reader)
{
    if (reader->file >= 0)
        close(reader->file);
    free(reader->buffer);
    free(reader->hash);
    free(reader);
}

bool snapshot_stands(const struct journal_identity *identity, unsigned core, uint64_t least)
{
    uint64_t list[256];
    char text[256];
    int count = snapshot_list(identity, core, list, 256);
    for (int i = 0; i < count && i < 256 && list[i] >= least; i++) {
        struct snapshot_reader *reader = snapshot_open(identity, core, list[i], text, sizeof text);
        if (!reader)
            continue;
        const struct command *record;
        enum snapshot_result result;
        do {
            result = snapshot_read(reader, &record);
        } while (result == SNAPSHOT_OK);
        snapshot_close(reader);
        if (result == SNAPSHOT_OVER)
            return true;
    }
    return false;
}
