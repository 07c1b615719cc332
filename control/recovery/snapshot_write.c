// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "contract/assert.h"
#include "contract/fault.h"
#include "contract/monotonic.h"
#include "control/journal/crc32c.h"
#include "control/recovery/snapshot_file.h"

#define TEMPORARY ".tmp"

struct snapshot_writer {
    int directory, file;
    struct journal_identity identity;
    struct snapshot_facts facts;
    uint64_t id;
    uint64_t records;
    uint64_t written;              // bytes
    uint32_t number;               // of the block that is being filled
    uint32_t filled;               // blocks of the buffer
    uint64_t digest;               // of the engine's records, as the last one says
    const struct journal_key *key; // NULL: not signed
    struct snapshot_hash *hash;    // with a key
    bool sealed;
    char name[SNAPSHOT_NAME_BYTES];
    char temporary[SNAPSHOT_NAME_BYTES + 8];
    char *buffer;
};

static struct snapshot_block *block_at(struct snapshot_writer *writer)
{
    return (struct snapshot_block *)(writer->buffer + (size_t)writer->filled * SNAPSHOT_BLOCK);
}

static bool flush(struct snapshot_writer *writer)
{
    size_t size = (size_t)writer->filled * SNAPSHOT_BLOCK;
    for (size_t done = 0; done < size;) {
        ssize_t wrote = pwrite(writer->file, writer->buffer + done, size - done, (off_t)(writer->written + done));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote == 0)
            errno = ENOSPC;
        if (wrote <= 0)
            return false;
        done += (size_t)wrote;
    }
    memset(writer->buffer, 0, size);
    writer->written += size;
    writer->filled = 0;
    return true;
}

// The block in hand is complete.
static bool finish_block(struct snapshot_writer *writer, enum snapshot_kind kind)
{
    struct snapshot_block *block = block_at(writer);
    block->magic = SNAPSHOT_MAGIC;
    block->version = SNAPSHOT_VERSION;
    block->id = writer->id;
    block->number = writer->number++;
    block->kind = (uint16_t)kind;
    block->records = writer->records - block->count;
    block->crc = crc32c(0, (const char *)block + 12, SNAPSHOT_BLOCK - 12);
    if (writer->hash && kind != SNAPSHOT_END)
        snapshot_hash_block(writer->hash, block);
    return ++writer->filled < SNAPSHOT_CHUNK / SNAPSHOT_BLOCK || flush(writer);
}

static bool open_file(struct snapshot_writer *writer)
{
    writer->file = -1;
    writer->directory = snapshot_directory(&writer->identity);
    if (writer->directory < 0)
        return false;
    snapshot_name(writer->name, writer->facts.core, writer->facts.covered);
    snprintf(writer->temporary, sizeof writer->temporary, "%s" TEMPORARY, writer->name);
    writer->file = openat(writer->directory, writer->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return writer->file >= 0;
}

struct snapshot_writer *snapshot_create(const struct journal_identity *identity, const struct snapshot_facts *facts)
{
    struct snapshot_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return NULL;
    writer->identity = *identity;
    writer->facts = *facts;
    writer->key = identity->key;
    writer->hash = writer->key ? snapshot_hash_new() : NULL;
    writer->facts.date = identity->date;
    writer->facts.wall_ns = unix_ns();
    memset(writer->facts.instance, 0, sizeof writer->facts.instance);
    memcpy(writer->facts.instance, identity->instance, strnlen(identity->instance, 31));
    randombytes_buf(&writer->id, sizeof writer->id);
    writer->buffer = calloc(1, SNAPSHOT_CHUNK);
    if (!open_file(writer) || !writer->buffer || (writer->key && !writer->hash)) {
        snapshot_abandon(writer);
        return NULL;
    }
    memcpy(block_at(writer) + 1, &writer->facts, sizeof writer->facts);
    if (finish_block(writer, SNAPSHOT_HEADER))
        return writer;
    snapshot_abandon(writer);
    return NULL;
}

bool snapshot_put(struct snapshot_writer *writer, const struct command *record)
{
    struct snapshot_block *block = block_at(writer);
    memcpy((char *)block + sizeof *block + block->count * sizeof *record, record, sizeof *record);
    writer->records++;
    if (record->type == CMD_RESTORE_END)
        writer->digest = record->restore_end.digest;
    return ++block->count < SNAPSHOT_RECORDS_MAX || finish_block(writer, SNAPSHOT_RECORDS);
}

uint64_t snapshot_bytes(const struct snapshot_writer *writer)
{
    return writer->written + (uint64_t)writer->filled * SNAPSHOT_BLOCK;
}

static void sign(struct snapshot_writer *writer, struct snapshot_end *end)
{
    uint8_t hash[SNAPSHOT_HASH_BYTES];
    snapshot_hash_end(writer->hash, end, hash);
    crypto_sign_detached(end->signature, NULL, hash, sizeof hash, writer->key->secret);
}

bool snapshot_seal(struct snapshot_writer *writer)
{
    if (block_at(writer)->count && !finish_block(writer, SNAPSHOT_RECORDS))
        return false;
    struct snapshot_end end = {.records = writer->records, .covered = writer->facts.covered, .digest = writer->digest};
    if (writer->hash)
        sign(writer, &end);
    memcpy(block_at(writer) + 1, &end, sizeof end);
    if (!finish_block(writer, SNAPSHOT_END) || !flush(writer) ||
        (!FAULT(snapshot_not_synced) && fsync(writer->file) != 0))
        return false;
    writer->sealed = true;
    return true;
}

static void let_go(struct snapshot_writer *writer)
{
    int error = errno;
    if (writer->file >= 0)
        close(writer->file);
    if (writer->directory >= 0)
        close(writer->directory);
    free(writer->buffer);
    free(writer->hash);
    free(writer);
    errno = error;
}

static void remove_old(const struct snapshot_writer *writer, unsigned keep)
{
    uint64_t covered[256];
    int count = snapshot_list(&writer->identity, writer->facts.core, covered, 256);
    for (int i = (int)keep; i < count && i < 256; i++) {
        char name[SNAPSHOT_NAME_BYTES];
        snapshot_name(name, writer->facts.core, covered[i]);
        unlinkat(writer->directory, name, 0);
    }
}

bool snapshot_publish(struct snapshot_writer *writer, unsigned keep)
{
    xw_assert(writer->sealed && keep > 0);
    if (renameat(writer->directory, writer->temporary, writer->directory, writer->name) != 0 ||
        fsync(writer->directory) != 0) {
        snapshot_abandon(writer);
        return false;
    }
    remove_old(writer, keep);
    let_go(writer);
    return true;
}

void snapshot_abandon(struct snapshot_writer *writer)
{
    int error = errno;
    if (writer->file >= 0)
        unlinkat(writer->directory, writer->temporary, 0);
    errno = error;
    let_go(writer);
}
