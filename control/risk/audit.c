// SPDX-License-Identifier: Apache-2.0
#include "control/risk/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/log.h"

#define WAITING 256u

struct audit {
    struct command notes[WAITING]; // a ring
    uint8_t cores[WAITING];        // whom each goes to
    uint64_t first, next;
};

const char *note_text(unsigned what)
{
    switch (what) {
#define NOTE(name, number, text) \
    case number:                 \
        return text;
#include "control/risk/audit.def"
#undef NOTE
    default:
        return NULL;
    }
}

struct audit *audit_new(void)
{
    return calloc(1, sizeof(struct audit));
}

void audit_free(struct audit *audit)
{
    free(audit);
}

static void forget_oldest(struct audit *audit)
{
    const struct command *note = &audit->notes[audit->first++ % WAITING];
    char text[sizeof note->note.by + sizeof note->note.why + 3];
    snprintf(text, sizeof text, "%.16s: %.56s", note->note.by, note->note.why);
    log_event(
        LOG_XW2035, "\"what\":%u,\"scope\":%u,\"index\":%u,\"before\":%" PRIu64 ",\"after\":%" PRIu64 ",\"text\":%s",
        note->note.what, note->note.scope, note->note.index, note->note.before, note->note.after, log_quote(text));
}

void audit_note(struct audit *audit, const struct audit_entry *entry)
{
    if (audit->next - audit->first == WAITING)
        forget_oldest(audit);
    audit->cores[audit->next % WAITING] = entry->core;
    struct command *note = &audit->notes[audit->next++ % WAITING];
    *note = (struct command){.type = CMD_NOTE, .session = SESSION_NONE};
    note->note.what = (uint8_t)entry->what;
    note->note.scope = (uint8_t)entry->scope;
    note->note.index = entry->index;
    note->note.number = entry->number;
    note->note.before = entry->before;
    note->note.after = entry->after;
    if (entry->by)
        memcpy(note->note.by, entry->by, strnlen(entry->by, sizeof note->note.by));
    if (entry->why)
        memcpy(note->note.why, entry->why, strnlen(entry->why, sizeof note->note.why));
}

unsigned audit_room(const struct audit *audit)
{
    return WAITING - (unsigned)(audit->next - audit->first);
}

unsigned audit_poll(struct audit *audit, struct recovery *recovery)
{
    unsigned done = 0;
    while (recovery && audit->first < audit->next &&
           recovery_give(recovery, audit->cores[audit->first % WAITING], &audit->notes[audit->first % WAITING])) {
        audit->first++;
        done++;
    }
    return done;
}
