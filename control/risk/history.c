// SPDX-License-Identifier: Apache-2.0
#include "control/risk/history.h"

#include <stdlib.h>

#include "contract/assert.h"
#include "contract/log.h"

enum { READERS = 4, BURST = 4096 };

struct history {
    const struct journal_identity *identity;
    const struct journal_writer *writer;
    struct journal_reader *reader;
    bool begun, complete;
    struct {
        history_record *record;
        history_end *end;
        void *context;
    } readers[READERS];
    unsigned count;
};

struct history *history_new(const struct journal_identity *identity, const struct journal_writer *writer)
{
    struct history *history = calloc(1, sizeof *history);
    if (!history)
        return NULL;
    history->identity = identity;
    history->writer = writer;
    return history;
}

void history_free(struct history *history)
{
    if (history && history->reader)
        journal_reader_close(history->reader);
    free(history);
}

void history_register(struct history *history, history_record *record, history_end *end, void *context)
{
    xw_assert(history->count < READERS && !history->begun);
    history->readers[history->count].record = record;
    history->readers[history->count].end = end;
    history->readers[history->count++].context = context;
}

// `text`: why it could not be read, NULL when it was.
static void end_reading(struct history *history, const char *text, uint64_t now_ns)
{
    if (text)
        log_event(LOG_XW2037, "\"text\":%s", log_quote(text));
    if (history->reader)
        journal_reader_close(history->reader);
    history->reader = NULL;
    history->complete = true;
    for (unsigned i = 0; i < history->count; i++)
        history->readers[i].end(history->readers[i].context, now_ns);
}

static void begin_reading(struct history *history, uint64_t now_ns)
{
    struct journal_report report;
    history->begun = true;
    enum journal_result result = journal_reader_open(&history->reader, history->identity, &report);
    if (result == JOURNAL_OK)
        journal_reader_until(history->reader, journal_writer_position(history->writer));
    else
        end_reading(history, result == JOURNAL_ABSENT ? NULL : report.text, now_ns);
}

unsigned history_poll(struct history *history, uint64_t now_ns)
{
    if (history->complete)
        return 0;
    if (!history->begun) {
        begin_reading(history, now_ns);
        return 1;
    }
    for (unsigned i = 0; i < BURST; i++) {
        const struct command *record;
        enum journal_result result = journal_reader_next(history->reader, &record);
        if (result != JOURNAL_OK) {
            end_reading(history, result == JOURNAL_END ? NULL : journal_reader_report(history->reader)->text, now_ns);
            break;
        }
        for (unsigned r = 0; r < history->count; r++)
            history->readers[r].record(history->readers[r].context, record);
    }
    return 1;
}

bool history_complete(const struct history *history)
{
    return history->complete;
}
