// SPDX-License-Identifier: Apache-2.0
#include "control/risk/second.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/log.h"

enum { LEFT_MOST = LIMITS_PENDING, AUTHORS = 16 };

#define OF_THE_FILE ", of the file " // and its digest

struct second {
    struct limits_desk *limits;
    struct audit *audit;
    struct command left[LEFT_MOST]; // notes of what was asked for and, as far as is read, not decided; number 0: free
    struct {
        uint32_t digest;
        char by[17];
    } authors[AUTHORS]; // who asked for what files raise, a ring
    unsigned authors_count;
};

static enum note note_of(enum limits_step step)
{
    static const enum note notes[] = {NOTE_SECOND_ASKED,  NOTE_SECOND_AGREED,     NOTE_SECOND_REFUSED,
                                      NOTE_SECOND_LAPSED, NOTE_SECOND_SUPERSEDED, NOTE_SECOND_STOOD_FOR};
    return notes[step];
}

static void note_step(void *context, enum limits_step step, const struct limits_pending *pending, const char *by,
                      uint64_t present)
{
    const struct second *second = context;
    const struct limits_rule *first = &pending->wants.list[0];
    const struct config *config = limits_desk_venue(second->limits)->config;
    const enum scope scope = limits_scope(first->key);
    const struct config_symbol *symbol = &config->symbols[limits_symbol(first->key)];
    char why[96], more[32] = "", file[32] = "", of[16] = "";
    if (scope == SCOPE_POSITION && !pending->file) // whose digest has to fit
        snprintf(of, sizeof of, " of %.8s", symbol->name);
    if (pending->wants.count > 1)
        snprintf(more, sizeof more, " and %zu more", pending->wants.count - 1);
    if (pending->file)
        snprintf(file, sizeof file, OF_THE_FILE "%08x", pending->digest);
    snprintf(why, sizeof why, "%s%s%s%s", limits_what(first->key), of, more, file);
    audit_note(second->audit, &(struct audit_entry){.what = note_of(step),
                                                    .scope = scope,
                                                    .core = scope == SCOPE_SYMBOL ? (uint8_t)symbol->matcher : 0,
                                                    .index = scope == SCOPE_SYMBOL ? (uint16_t)symbol->locate
                                                                                   : limits_index(first->key),
                                                    .number = pending->id,
                                                    .before = present,
                                                    .after = first->value,
                                                    .by = by[0] ? by : pending->by,
                                                    .why = why});
}

// ---- the journal of earlier controls --------------------------------------------------------------------------------

// Who has asked for what a file raises, or stands for it.
static void read_author(struct second *second, const struct command *record)
{
    char by[sizeof record->note.by + 1] = "", why[sizeof record->note.why + 1] = "";
    memcpy(by, record->note.by, sizeof record->note.by);
    memcpy(why, record->note.why, sizeof record->note.why);
    const char *file = strstr(why, OF_THE_FILE);
    if (!file || strcmp(by, LIMITS_FILE) == 0)
        return;
    const unsigned place = second->authors_count++ % AUTHORS;
    second->authors[place].digest = (uint32_t)strtoul(file + strlen(OF_THE_FILE), NULL, 16);
    memcpy(second->authors[place].by, by, sizeof by);
}

// "" for nobody.
static const char *author_of(const struct second *second, uint32_t digest)
{
    for (unsigned i = second->authors_count; i-- > 0 && second->authors_count - i <= AUTHORS;)
        if (second->authors[i % AUTHORS].digest == digest)
            return second->authors[i % AUTHORS].by;
    return "";
}

static void read_note(void *context, const struct command *record)
{
    struct second *second = context;
    const unsigned what = record->type == CMD_NOTE ? record->note.what : 0;
    struct command *place = NULL;
    if (what == NOTE_SECOND_ASKED || what == NOTE_SECOND_STOOD_FOR)
        read_author(second, record);
    if (what != NOTE_SECOND_ASKED && what != NOTE_SECOND_AGREED && what != NOTE_SECOND_REFUSED &&
        what != NOTE_SECOND_LAPSED && what != NOTE_SECOND_SUPERSEDED)
        return;
    for (unsigned i = 0; i < LEFT_MOST; i++) {
        if (second->left[i].note.number == record->note.number)
            second->left[i].note.number = 0;
        if (second->left[i].note.number == 0)
            place = &second->left[i];
    }
    if (what == NOTE_SECOND_ASKED && place)
        *place = *record;
}

static bool still_waits(const struct second *second, uint32_t id)
{
    for (unsigned i = 0; i < LIMITS_PENDING; i++)
        if (limits_desk_pending(second->limits, i)->id == id)
            return true;
    return false;
}

static void end_reading(void *context, uint64_t now_ns)
{
    struct second *second = context;
    const uint32_t digest = limits_desk_file(second->limits)->digest;
    (void)now_ns;
    limits_desk_author(second->limits, digest, author_of(second, digest));
    for (unsigned i = 0; i < LEFT_MOST; i++) {
        const struct command *left = &second->left[i];
        char by[sizeof left->note.by + 1] = "", why[sizeof left->note.why + 1] = "";
        if (left->note.number == 0 || still_waits(second, left->note.number))
            continue;
        memcpy(by, left->note.by, sizeof left->note.by);
        memcpy(why, left->note.why, sizeof left->note.why);
        log_event(LOG_XW2042, "\"request\":%u,\"what\":\"lapsed with the control that had it\",\"by\":%s,\"first\":%s",
                  left->note.number, log_quote(by), log_quote(why));
        audit_note(second->audit, &(struct audit_entry){.what = NOTE_SECOND_LAPSED,
                                                        .scope = (enum scope)left->note.scope,
                                                        .core = (uint8_t)journal_core(left),
                                                        .index = left->note.index,
                                                        .number = left->note.number,
                                                        .before = left->note.before,
                                                        .after = left->note.after,
                                                        .by = by,
                                                        .why = why});
    }
}

struct second *second_new(struct limits_desk *limits, struct history *history, struct audit *audit)
{
    struct second *second = calloc(1, sizeof *second);
    if (!second)
        return NULL;
    second->limits = limits;
    second->audit = audit;
    limits_desk_watch(limits, note_step, second);
    limits_desk_await_author(limits);
    history_register(history, read_note, end_reading, second);
    return second;
}

void second_free(struct second *second)
{
    free(second);
}
