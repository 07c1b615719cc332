// SPDX-License-Identifier: Apache-2.0
// Stream files as a flow of one session.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/flow.h"
#include "perf/stream_file.h"

static int intent_from(struct intent *intent, const struct stream_record *record)
{
    *intent = (struct intent){
        .side = record->side == 0 ? 'B' : 'S',
        .tif = record->type == STREAM_IOC ? '3' : '0',
        .symbol = record->symbol,
        .quantity = record->quantity,
        .price = record->price * STREAM_TICK,
    };
    switch (record->type) {
    case STREAM_ADD:
    case STREAM_CROSS:
    case STREAM_IOC:
        intent->kind = INTENT_ENTER;
        intent->id = (uint32_t)record->id;
        return 0;
    case STREAM_REPLACE:
        intent->kind = INTENT_REPLACE;
        intent->id = (uint32_t)record->new_id;
        intent->target = (uint32_t)record->id;
        return 0;
    case STREAM_CANCEL:
        intent->kind = INTENT_CANCEL;
        intent->target = (uint32_t)record->id;
        return 0;
    default:
        return -1;
    }
}

// Ids are what the file says, so they are checked before anything is indexed by them.
static int read_records(FILE *file, const struct stream_header *header, struct flow *flow)
{
    struct stream_record records[1024];
    uint64_t done = 0;
    while (done < header->records) {
        size_t want = header->records - done < 1024 ? (size_t)(header->records - done) : 1024;
        if (fread(records, sizeof records[0], want, file) != want)
            return -1;
        for (size_t i = 0; i < want; i++) {
            const struct stream_record *record = &records[i];
            if (record->id == 0 || record->id > header->max_id || record->new_id > header->max_id ||
                record->symbol >= header->symbols || record->price > UINT32_MAX / STREAM_TICK)
                return -1;
            if (intent_from(&flow->intents[done + i], record) != 0)
                return -1;
        }
        done += want;
    }
    flow->count = done;
    return 0;
}

int flow_read_stream(struct flow *flow, const char *path, char *error, size_t error_size)
{
    struct stream_header header;
    memset(flow, 0, sizeof *flow);
    FILE *file = fopen(path, "rb");
    if (!file) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        return -1;
    }
    int result = -1;
    if (fread(&header, sizeof header, 1, file) != 1 || header.magic != STREAM_MAGIC || header.version != 1 ||
        header.record_size != sizeof(struct stream_record) || header.max_id > UINT32_MAX - 1 ||
        header.records > UINT32_MAX || header.symbols == 0 || header.symbols > UINT16_MAX) {
        snprintf(error, error_size, "%s: not a stream file of version 1", path);
    } else if (!(flow->intents = calloc(header.records ? header.records : 1, sizeof *flow->intents))) {
        snprintf(error, error_size, "%s: no memory for %llu records", path, (unsigned long long)header.records);
    } else if (read_records(file, &header, flow) != 0) {
        snprintf(error, error_size, "%s: cut short, or a record makes no sense", path);
        flow_free(flow);
    } else {
        flow->orders = (uint32_t)header.max_id;
        flow->symbols = header.symbols;
        flow->sessions = 1;
        flow->exact = true;
        result = 0;
    }
    fclose(file);
    return result;
}

bool flow_is_stream(const char *path)
{
    uint64_t magic = 0;
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    bool is = fread(&magic, sizeof magic, 1, file) == 1 && magic == STREAM_MAGIC;
    fclose(file);
    return is;
}

void flow_free(struct flow *flow)
{
    free(flow->intents);
    free(flow->raw);
    memset(flow, 0, sizeof *flow);
}
