// SPDX-License-Identifier: Apache-2.0
#include "perf/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// On disk, native byte order: this head, then `size` bytes.
struct record_head {
    char user[6];
    char session[10];
    uint32_t sequence;
    uint16_t size;
    uint16_t check; // RECORD_CHECK: the file has not lost its place
};
_Static_assert(sizeof(struct record_head) == 24, "no padding");

#define RECORD_CHECK 0x5852u

struct record {
    FILE *file;
    int failed;
};

struct record *record_open(const char *path)
{
    struct record *record = calloc(1, sizeof *record);
    if (!record)
        return NULL;
    record->file = fopen(path, "ab");
    if (!record->file) {
        free(record);
        return NULL;
    }
    setvbuf(record->file, NULL, _IOFBF, 1 << 20);
    return record;
}

void record_append(struct record *record, const char user[6], const char session[10], uint32_t sequence,
                   const void *message, size_t size)
{
    struct record_head head = {.sequence = sequence, .size = (uint16_t)size, .check = RECORD_CHECK};
    memcpy(head.user, user, sizeof head.user);
    memcpy(head.session, session, sizeof head.session);
    if (fwrite(&head, sizeof head, 1, record->file) != 1 || fwrite(message, 1, size, record->file) != size)
        record->failed = 1;
}

int record_flush(struct record *record)
{
    if (fflush(record->file) != 0)
        record->failed = 1;
    return record->failed ? -1 : 0;
}

int record_close(struct record *record)
{
    int result = record_flush(record);
    if (fclose(record->file) != 0)
        result = -1;
    free(record);
    return result;
}

// ---- verifying ------------------------------------------------------------------------------------------------------

struct stored {
    uint8_t *bytes; // NULL: not seen
    uint16_t size;
};

struct stream {
    char user[6];
    char session[10];
    struct stored *messages; // by sequence
    uint32_t room, highest;
};

struct verifier {
    struct stream *streams;
    unsigned count;
    struct record_findings *findings;
    FILE *out;
};

static struct stream *stream_of(struct verifier *verifier, const struct record_head *head)
{
    for (unsigned i = 0; i < verifier->count; i++)
        if (memcmp(verifier->streams[i].user, head->user, 6) == 0 &&
            memcmp(verifier->streams[i].session, head->session, 10) == 0)
            return &verifier->streams[i];
    struct stream *bigger = realloc(verifier->streams, (verifier->count + 1) * sizeof *bigger);
    if (!bigger)
        return NULL;
    verifier->streams = bigger;
    struct stream *stream = &bigger[verifier->count++];
    memset(stream, 0, sizeof *stream);
    memcpy(stream->user, head->user, 6);
    memcpy(stream->session, head->session, 10);
    return stream;
}

static int make_room(struct stream *stream, uint32_t sequence)
{
    if (sequence < stream->room)
        return 0;
    uint32_t room = sequence < 1024 ? 2048 : 2 * sequence;
    struct stored *bigger = realloc(stream->messages, room * sizeof *bigger);
    if (!bigger)
        return -1;
    memset(bigger + stream->room, 0, (room - stream->room) * sizeof *bigger);
    stream->messages = bigger;
    stream->room = room;
    return 0;
}

static int take(struct verifier *verifier, const struct record_head *head, const uint8_t *message)
{
    struct stream *stream = stream_of(verifier, head);
    struct record_findings *findings = verifier->findings;
    if (!stream || head->sequence > UINT32_MAX / 4 || make_room(stream, head->sequence) != 0)
        return -1;
    struct stored *stored = &stream->messages[head->sequence];
    findings->messages++;
    if (head->sequence > stream->highest)
        stream->highest = head->sequence;
    if (!stored->bytes) {
        stored->bytes = malloc(head->size ? head->size : 1);
        if (!stored->bytes)
            return -1;
        memcpy(stored->bytes, message, head->size);
        stored->size = head->size;
    } else if (stored->size == head->size && memcmp(stored->bytes, message, head->size) == 0) {
        findings->repeated++;
    } else if (findings->differing++ < 10) {
        fprintf(verifier->out, "%.6s %.10s sequence %u: received twice with different bytes (%c of %u, %c of %u)\n",
                head->user, head->session, head->sequence, stored->bytes[0], stored->size, message[0], head->size);
    }
    return 0;
}

// A record cut short at the end is what a killed client leaves: it ends the file, and is no error.
static int read_file(struct verifier *verifier, const char *path, char *error, size_t error_size)
{
    struct record_head head;
    uint8_t message[UINT16_MAX];
    FILE *file = fopen(path, "rb");
    if (!file) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        return -1;
    }
    int result = 0;
    while (result == 0 && fread(&head, sizeof head, 1, file) == 1) {
        if (head.check != RECORD_CHECK) {
            snprintf(error, error_size, "%s: not a record file, or damaged", path);
            result = -1;
        } else if (fread(message, 1, head.size, file) != head.size) {
            break;
        } else if (take(verifier, &head, message) != 0) {
            snprintf(error, error_size, "%s: no memory, or a sequence number that makes no sense", path);
            result = -1;
        }
    }
    fclose(file);
    return result;
}

int record_verify(const char *const *paths, unsigned count, struct record_findings *findings, FILE *out, char *error,
                  size_t error_size)
{
    struct verifier verifier = {.findings = findings, .out = out};
    memset(findings, 0, sizeof *findings);
    int result = 0;
    for (unsigned i = 0; i < count && result == 0; i++)
        result = read_file(&verifier, paths[i], error, error_size);
    findings->streams = verifier.count;
    for (unsigned i = 0; i < verifier.count; i++) {
        struct stream *stream = &verifier.streams[i];
        for (uint32_t sequence = 1; sequence <= stream->highest; sequence++)
            findings->missing += stream->messages[sequence].bytes == NULL;
        for (uint32_t sequence = 0; sequence < stream->room; sequence++)
            free(stream->messages[sequence].bytes);
        free(stream->messages);
    }
    free(verifier.streams);
    return result;
}
