// SPDX-License-Identifier: Apache-2.0
// xwctl audit: every decision of the day that refused, tripped, reset or changed something, from the journal alone: the
// commands that say who and why, control's notes, and what the engines told when they are fed the day again.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "contract/breaker.h"
#include "contract/log.h"
#include "contract/reject.h"
#include "control/ctl/walk.h"
#include "control/limits/table.h"
#include "control/risk/alerts.h"
#include "control/risk/audit.h"

struct listing {
    const struct ctl *ctl;
    const struct ctl_walk *walk;
    uint64_t since_ns;
    uint64_t lines;
};

// ---- names ----------------------------------------------------------------------------------------------------------

static const char *limit_key(uint64_t limit)
{
    static const char *const keys[] = {
#define LIMIT(name, key, scopes, unit, reject, help) key,
#include "contract/limits.def"
#undef LIMIT
    };
    return limit < LIMITS ? keys[limit] : "";
}

static const char *symbol_of(const struct listing *listing, unsigned core, uint16_t locate)
{
    const struct ctl_day *day = &listing->walk->day;
    for (unsigned i = 0; i < day->symbols_count; i++)
        if (day->symbols[i].core == core && day->symbols[i].locate == locate)
            return day->symbols[i].name;
    return "";
}

static void put_scope(json_t *line, const struct listing *listing, unsigned core, enum scope scope, uint16_t index)
{
    const struct ctl_day *day = &listing->walk->day;
    char text[40];
    const char *word = alerts_scope_word(scope), *name = "";
    if (!word)
        return;
    if (scope == SCOPE_SESSION)
        name = day->users[index];
    else if (scope == SCOPE_SYMBOL)
        name = symbol_of(listing, core, index);
    else if (scope != SCOPE_VENUE)
        name = day->accounts[index];
    snprintf(text, sizeof text, "%s%s%s", scope == SCOPE_FIRM ? "firm of" : word, *name ? " " : "", name);
    json_object_set_new(line, "scope", json_string(text));
}

// Text of a fixed size, without what pads it.
static void put_text(json_t *line, const char *key, const char *text, size_t size)
{
    char copy[64];
    size_t length = strnlen(text, size < sizeof copy ? size : sizeof copy);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    for (size_t i = 0; i < length; i++)
        copy[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
    if (length)
        json_object_set_new(line, key, json_stringn(copy, length));
}

static void put_number(json_t *line, const char *key, uint64_t value)
{
    if (value == LIMIT_UNSET)
        json_object_set_new(line, key, json_string("none"));
    else
        json_object_set_new(line, key, json_integer((json_int_t)value));
}

// A limit's value or use: for people as the limits file has it, for programs the number. Alerts of some per cent are
// money.
static void put_value(json_t *line, const struct listing *listing, const char *key, uint64_t limit, uint64_t value)
{
    char text[LIMIT_TEXT];
    if (listing->ctl->json || limit >= LIMITS) {
        put_number(line, key, value);
        return;
    }
    limit_format((enum limit)limit, value, text);
    json_object_set_new(line, key, json_string(text));
}

// What the limit's figures are read as. `value`: they are what is set; else what is used, money for these per cent.
static uint64_t read_as(uint64_t limit, bool value)
{
    const bool money = limit == LIMIT_DRAWDOWN || limit == LIMIT_POSITION_SHARE || limit == LIMIT_CORRELATION;
    return money && !value ? LIMIT_LOSS : limit;
}

static bool is_of_limit(char alert)
{
    return alert == ALERT_LEVEL || alert == ALERT_SLOWED || alert == ALERT_EASED || alert == ALERT_KILLED ||
           alert == ALERT_CHANGED;
}

// ---- lines ----------------------------------------------------------------------------------------------------------

static json_t *line_of(uint64_t time_ns, unsigned core, uint64_t sequence, const char *what)
{
    char time[32];
    uint64_t second = time_ns / 1000000000;
    snprintf(time, sizeof time, "%02u:%02u:%02u.%09u", (unsigned)(second / 3600), (unsigned)(second / 60 % 60),
             (unsigned)(second % 60), (unsigned)(time_ns % 1000000000));
    return json_pack("{s:s, s:i, s:I, s:s}", "time", time, "core", (int)core, "sequence", (json_int_t)sequence, "what",
                     what);
}

static void print_value(const char *key, const json_t *value)
{
    if (json_is_string(value))
        printf(" %s=%s", key, json_string_value(value));
    else
        printf(" %s=%" JSON_INTEGER_FORMAT, key, json_integer_value(value));
}

static void print_line(struct listing *listing, json_t *line, uint64_t time_ns)
{
    const char *key;
    json_t *value;
    if (time_ns >= listing->since_ns) {
        listing->lines++;
        if (listing->ctl->json) {
            json_dumpf(line, stdout, JSON_COMPACT);
        } else {
            printf("%s %s", json_string_value(json_object_get(line, "time")),
                   json_string_value(json_object_get(line, "what")));
            json_object_foreach(line, key, value)
            {
                if (strcmp(key, "time") != 0 && strcmp(key, "what") != 0)
                    print_value(key, value);
            }
        }
        putchar('\n');
    }
    json_decref(line);
}

// ---- what the journal says ------------------------------------------------------------------------------------------

static void put_kill(json_t *line, const struct listing *listing, unsigned core, const struct command *c)
{
    put_scope(line, listing, core, (enum scope)c->kill.scope, c->kill.index);
    put_text(line, "side", &c->kill.side, 1);
    if (c->type == CMD_KILL)
        json_object_set_new(line, "actions",
                            json_string(c->kill.actions == KILL_BLOCK    ? "block"
                                        : c->kill.actions == KILL_CANCEL ? "cancel"
                                                                         : "block and cancel"));
    put_number(line, "id", c->kill.id);
    put_text(line, "by", c->kill.by, sizeof c->kill.by);
    put_text(line, "why", c->kill.why, sizeof c->kill.why);
}

// The limit that a note is about, LIMITS for none.
static uint64_t limit_of_note(const struct command *c)
{
    const char *key = c->note.what == NOTE_KILL_BY_LIMIT ? c->note.by : c->note.why;
    const bool asked = c->note.what == NOTE_SECOND_ASKED || c->note.what == NOTE_SECOND_AGREED ||
                       c->note.what == NOTE_SECOND_REFUSED || c->note.what == NOTE_SECOND_LAPSED ||
                       c->note.what == NOTE_SECOND_SUPERSEDED || c->note.what == NOTE_SECOND_STOOD_FOR;
    size_t length = 0;
    while (length < (asked ? sizeof c->note.why : sizeof c->note.by) && key[length] > ' ' && key[length] != ',')
        length++;
    return asked || c->note.what == NOTE_KILL_BY_LIMIT ? read_as(limit_by_key(key, length), asked) : LIMITS;
}

static void put_note(json_t *line, const struct listing *listing, unsigned core, const struct command *c)
{
    const char *text = note_text(c->note.what);
    json_object_set_new(line, "note", json_string(text ? text : "of another build"));
    put_scope(line, listing, core, (enum scope)c->note.scope, c->note.index);
    if (c->note.number)
        put_number(line, "number", c->note.number);
    if (c->note.what == NOTE_BREAKER_MOVED && c->note.before <= BREAKER_HALF_OPEN &&
        c->note.after <= BREAKER_HALF_OPEN) {
        json_object_set_new(line, "before", json_string(breaker_state_name((enum breaker_state)c->note.before)));
        json_object_set_new(line, "after", json_string(breaker_state_name((enum breaker_state)c->note.after)));
    } else if (c->note.what == NOTE_REQUEST_REFUSED && !listing->ctl->json) {
        put_number(line, "exit", c->note.after);
    } else {
        const uint64_t limit = limit_of_note(c);
        put_value(line, listing, "before", limit, c->note.before);
        put_value(line, listing, "after", limit, c->note.after);
    }
    put_text(line, "by", c->note.by, sizeof c->note.by);
    put_text(line, "why", c->note.why, sizeof c->note.why);
}

// Fills in what the record says; false: it is no decision.
static bool put_record(json_t *line, const struct listing *listing, unsigned core, const struct command *c)
{
    switch (c->type) {
    case CMD_START:
    case CMD_END_DAY:
        return true;
    case CMD_PHASE:
        put_text(line, "phase", &c->phase.phase, 1);
        put_text(line, "by", c->phase.by[0] ? c->phase.by : "schedule", sizeof c->phase.by);
        return true;
    case CMD_BREAK:
    case CMD_ADJUST:
        put_number(line, "match", c->trade.match);
        put_text(line, "why", &c->trade.reason, 1);
        put_text(line, "by", c->trade.by, sizeof c->trade.by);
        return true;
    case CMD_LIMIT:
        put_scope(line, listing, core, (enum scope)c->limit.scope, c->limit.index);
        put_text(line, "limit", limit_key(c->limit.limit), 40);
        put_value(line, listing, "after", c->limit.limit, c->limit.value);
        put_text(line, "by", c->limit.by, sizeof c->limit.by);
        put_text(line, "second", c->limit.second, sizeof c->limit.second);
        return true;
    case CMD_REFERENCE:
        put_text(line, "symbol", symbol_of(listing, core, c->reference.locate), 8);
        put_number(line, "after", c->reference.reference);
        put_text(line, "by", c->reference.by, sizeof c->reference.by);
        return true;
    case CMD_HALT:
        put_text(line, "symbol", c->halt.locate ? symbol_of(listing, core, c->halt.locate) : "all", 8);
        put_text(line, "state", &c->halt.state, 1);
        put_text(line, "reason", c->halt.reason, sizeof c->halt.reason);
        put_text(line, "by", c->halt.by, sizeof c->halt.by);
        put_text(line, "why", c->halt.why, sizeof c->halt.why);
        return true;
    case CMD_INDEX:
        put_number(line, "level", c->index.level);
        put_number(line, "breached", c->index.breached);
        return true;
    case CMD_KILL:
    case CMD_RESET:
        put_kill(line, listing, core, c);
        return true;
    case CMD_MODE:
        put_text(line, "mode", c->mode.name, sizeof c->mode.name);
        put_number(line, "after", c->mode.on);
        put_text(line, "by", c->mode.by, sizeof c->mode.by);
        return true;
    case CMD_BANDS:
        put_text(line, "symbol", symbol_of(listing, core, c->bands.locate), 8);
        put_number(line, "after", c->bands.percent);
        put_text(line, "by", c->bands.by, sizeof c->bands.by);
        return true;
    case CMD_POSITION:
        put_scope(line, listing, core, SCOPE_ACCOUNT, c->position.account);
        put_text(line, "symbol", symbol_of(listing, core, c->position.locate), 8);
        json_object_set_new(line, "after", json_integer(c->position.quantity));
        put_text(line, "by", c->position.by, sizeof c->position.by);
        return true;
    case CMD_NOTE:
        put_note(line, listing, core, c);
        return true;
    default:
        return false;
    }
}

static void note_record(void *context, const struct command *record)
{
    struct listing *listing = context;
    const char *name = ctl_command_name(record->type);
    json_t *line = line_of(record->time_ns, journal_core(record), journal_sequence(record), name ? name : "");
    if (name && put_record(line, listing, journal_core(record), record))
        print_line(listing, line, record->time_ns);
    else
        json_decref(line);
}

// ---- what the engines tell ------------------------------------------------------------------------------------------

static const char *alert_word(char kind)
{
    switch ((enum alert_kind)kind) {
    case ALERT_LEVEL:
        return "alert: a limit's level is reached";
    case ALERT_SLOWED:
        return "alert: orders are slowed";
    case ALERT_EASED:
        return "alert: below the level again";
    case ALERT_KILLED:
        return "killed";
    case ALERT_ZERO:
        return "no order rests";
    case ALERT_RESET:
        return "blocks lifted";
    case ALERT_STATE:
        return "trading state";
    case ALERT_LIMIT_STATE:
        return "limit state";
    case ALERT_MMP:
        return "quotes canceled by market-maker protection";
    case ALERT_CHANGED:
        return "limit changed";
    case ALERT_MODE:
        return "mode";
    }
    return "alert";
}

// What an alert says was so before and after; for people by what it is.
static void put_change(json_t *line, const struct listing *listing, const struct event *event)
{
    const char kind = (char)event->reason;
    const char letters[] = {(char)event->alert_before, (char)event->alert_after};
    const bool of_kill =
        kind == ALERT_ZERO || kind == ALERT_RESET || (kind == ALERT_KILLED && event->quantity == LIMITS);
    const uint64_t limit = is_of_limit(kind) ? read_as(event->quantity, kind == ALERT_CHANGED) : (uint64_t)LIMITS;
    if (!listing->ctl->json && of_kill) {
        put_number(line, "id", event->alert_before);
        if (kind == ALERT_ZERO)
            put_number(line, "canceled", event->alert_after);
    } else if (!listing->ctl->json && (kind == ALERT_STATE || kind == ALERT_LIMIT_STATE)) {
        put_text(line, "before", letters, event->alert_before != 0);
        put_text(line, "after", letters + 1, event->alert_after != 0);
    } else {
        put_value(line, listing, "before", limit, event->alert_before);
        put_value(line, listing, "after", limit, event->alert_after);
    }
}

static void note_event(void *context, unsigned core, const struct event *event)
{
    struct listing *listing = context;
    json_t *line;
    if (event->type == EV_ALERT) {
        line = line_of(event->time_ns, core, event->cmd_seq, alert_word(event->reason));
        put_scope(line, listing, core, (enum scope)event->alert_scope, (uint16_t)event->price);
        if (event->locate)
            put_text(line, "symbol", symbol_of(listing, core, event->locate), 8);
        put_text(line, "limit", limit_key(event->quantity), 40);
        put_text(line, "reason", &event->alert_reason, 1);
        put_change(line, listing, event);
    } else if (event->type == EV_REJECTED && listing->ctl->all) {
        const char *text = reject_text((uint8_t)event->reason);
        line = line_of(event->time_ns, core, event->cmd_seq, "order rejected");
        put_scope(line, listing, core, SCOPE_SESSION, event->session);
        put_number(line, "user_ref", event->user_ref);
        put_text(line, "why", text ? text : "?", 60);
    } else {
        return;
    }
    print_line(listing, line, event->time_ns);
}

int ctl_audit(const struct ctl *ctl, int argc, char **argv)
{
    struct journal_identity identity;
    if (argc > 1)
        fail_with(EX_USAGE, "usage: xwctl [-c CONFIG] audit [JOURNALDIR/YYYYMMDD] [--since HH:MM:SS] [--all]");
    ctl_find_journal(ctl, argc == 1 ? argv[0] : NULL, &identity);
    struct ctl_walk walk = ctl_walk_of(ctl, &identity);
    struct listing listing = {
        .ctl = ctl, .walk = &walk, .since_ns = ctl->since ? ctl_read_time("--since", ctl->since) : 0};
    walk.on_record = note_record;
    walk.on_event = note_event;
    walk.context = &listing;
    ctl_walk(&walk);
    if (!ctl->json && listing.lines == 0)
        puts("nothing was decided");
    ctl_walk_free(&walk);
    return EX_OK;
}
