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
#include "control/ctl/audit_before.h"
#include "control/ctl/walk.h"
#include "control/limits/table.h"
#include "control/risk/alerts.h"
#include "control/risk/audit.h"

struct listing {
    const struct ctl *ctl;
    const struct ctl_walk *walk;
    uint64_t since_ns;
    uint64_t lines;
    struct audit_before before;
    // A decision that is shown when it is known what came of it: its line, and how many orders it has canceled.
    json_t *held;
    uint64_t held_ns;
    unsigned held_core;
    uint8_t held_type;
    uint32_t canceled;
    bool changed;
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
    json_object_set_new(line, "source",
                        json_string(c->kill.source == 0 && c->type == CMD_RESET ? "all"
                                    : c->kill.source & KILL_BY_BREAKER          ? "breaker"
                                    : c->kill.source & KILL_BY_LIMIT            ? "limit"
                                                                                : "operator"));
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
    if (c->note.what == NOTE_BREAKER_MOVED) {
        if (c->note.scope == SCOPE_VENUE)
            put_number(line, "of", c->note.index);
        put_number(line, "measured", c->note.number);
    } else if (c->note.number) {
        put_number(line, "number", c->note.number);
    }
    if (c->note.what == NOTE_BREAKER_MOVED && c->note.before <= BREAKER_HALF_OPEN &&
        c->note.after <= BREAKER_HALF_OPEN) {
        json_object_set_new(line, "before", json_string(breaker_state_name((enum breaker_state)c->note.before)));
        json_object_set_new(line, "after", json_string(breaker_state_name((enum breaker_state)c->note.after)));
    } else if (c->note.what == NOTE_REQUEST_REFUSED && !listing->ctl->json) {
        put_number(line, "exit", c->note.after);
    } else if (c->note.what != NOTE_LIMITS_REFUSED && c->note.what != NOTE_RELOAD_REFUSED &&
               c->note.what != NOTE_RELOADED) {
        const uint64_t limit = limit_of_note(c);
        put_value(line, listing, "before", limit, c->note.before);
        put_value(line, listing, "after", limit, c->note.after);
    }
    put_text(line, "by", c->note.by, sizeof c->note.by);
    put_text(line, "why", c->note.why, sizeof c->note.why);
}

static void put_letters(json_t *line, char before, char after)
{
    put_text(line, "before", &before, before != 0);
    put_text(line, "after", &after, 1);
}

// Who: the configuration where nobody is named.
static void put_by(json_t *line, const char *by, size_t size)
{
    if (by[0])
        put_text(line, "by", by, size);
    else
        json_object_set_new(line, "by", json_string("configuration"));
}

// Of a symbol; 0: none.
static void put_price(json_t *line, const struct listing *listing, const char *key, uint64_t price)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64 ".%04u", price / 10000, (unsigned)(price % 10000));
    json_object_set_new(line, key,
                        listing->ctl->json ? json_integer((json_int_t)price) : json_string(price ? text : "none"));
}

static void put_trade(json_t *line, const char *key, uint32_t quantity, uint32_t price)
{
    char text[48];
    snprintf(text, sizeof text, "%u at %u.%04u", quantity, price / 10000, price % 10000);
    json_object_set_new(line, key, json_string(text));
}

static void put_limit(json_t *line, const struct listing *listing, unsigned core, const struct command *c)
{
    const struct replica *replica = listing->walk->replicas[core];
    put_scope(line, listing, core, (enum scope)c->limit.scope, c->limit.index);
    if (c->limit.scope == SCOPE_POSITION)
        put_text(line, "symbol", symbol_of(listing, core, c->limit.locate), 8);
    put_text(line, "limit", limit_key(c->limit.limit), 40);
    if (replica && c->limit.limit < LIMITS)
        put_value(line, listing, "before", c->limit.limit,
                  engine_limit(replica_engine(replica), (enum scope)c->limit.scope, c->limit.index, c->limit.locate,
                               (enum limit)c->limit.limit));
    put_value(line, listing, "after", c->limit.limit, c->limit.value);
    put_by(line, c->limit.by, sizeof c->limit.by);
    put_text(line, "second", c->limit.second, sizeof c->limit.second);
    put_number(line, "change", c->limit.change);
}

// What is given of a symbol, each with what it was.
static void put_reference(json_t *line, struct listing *listing, unsigned core, const struct command *c)
{
    static const char *const states[] = {"none", "intraday", "remains"};
    const struct audit_symbol *was = audit_symbol(&listing->before, core, c->reference.locate);
    put_text(line, "symbol", symbol_of(listing, core, c->reference.locate), 8);
    if (c->reference.reference) {
        put_price(line, listing, "before", was->reference);
        put_price(line, listing, "after", c->reference.reference);
    }
    if (c->reference.adv) {
        put_number(line, "adv_before", was->adv);
        put_number(line, "adv", c->reference.adv);
    }
    if (c->reference.reg_sho >= SHO_NONE && c->reference.reg_sho <= SHO_REMAINS) {
        json_object_set_new(line, "reg_sho_before", json_string(was->reg_sho ? states[was->reg_sho - '0'] : "unknown"));
        json_object_set_new(line, "reg_sho", json_string(states[c->reference.reg_sho - '0']));
    }
    if (c->reference.tier)
        put_number(line, "tier", c->reference.tier);
    put_by(line, c->reference.by, sizeof c->reference.by);
}

static void put_halt(json_t *line, struct listing *listing, unsigned core, const struct command *c)
{
    put_text(line, "symbol", c->halt.locate ? symbol_of(listing, core, c->halt.locate) : "all", 8);
    if (c->halt.locate)
        put_letters(line, audit_symbol(&listing->before, core, c->halt.locate)->state, c->halt.state);
    else
        put_text(line, "after", &c->halt.state, 1);
    put_text(line, "reason", c->halt.reason, sizeof c->halt.reason);
    put_text(line, "by", c->halt.by, sizeof c->halt.by);
    put_text(line, "why", c->halt.why, sizeof c->halt.why);
}

static void put_mode(json_t *line, const struct listing *listing, unsigned core, const struct command *c)
{
    const struct replica *replica = listing->walk->replicas[core];
    put_text(line, "mode", c->mode.name, sizeof c->mode.name);
    if (replica)
        put_number(line, "before", engine_mode_on(replica_engine(replica), c->mode.mode));
    put_number(line, "after", c->mode.on);
    if (c->mode.on) {
        put_number(line, "limits_percent", c->mode.percent);
        put_number(line, "rate", c->mode.rate);
        put_number(line, "block", c->mode.block);
    }
    put_by(line, c->mode.by, sizeof c->mode.by);
}

static const char *down_word(uint8_t reason)
{
    switch ((enum down_reason)reason) {
    case DOWN_LOGOFF:
        return "it logged off";
    case DOWN_TIMEOUT:
        return "it was not heard any more";
    case DOWN_RESTART:
        return "the data plane was started again";
    case DOWN_RELOGIN:
        return "it logged in from elsewhere";
    case DOWN_SHUTDOWN:
        return "the data plane ended";
    }
    return "?";
}

// What a client decides for its whole port: who is the session.
static void put_session(json_t *line, const struct listing *listing, unsigned core, const struct command *c)
{
    put_scope(line, listing, core, SCOPE_SESSION, c->session);
    if (c->type == CMD_SESSION_DOWN)
        json_object_set_new(line, "why", json_string(down_word(c->link.down_reason)));
    else
        put_text(line, "by", listing->walk->day.users[c->session], 6);
    if (c->type == CMD_DISABLE || c->type == CMD_ENABLE)
        json_object_set_new(line, "after", json_string(c->type == CMD_DISABLE ? "entry disabled" : "entry enabled"));
}

// Fills in what the record says; false: it is no decision.
static bool put_record(json_t *line, struct listing *listing, unsigned core, const struct command *c)
{
    switch (c->type) {
    case CMD_START:
        put_text(line, "after", c->phase.phase ? &c->phase.phase : "R", 1);
        put_by(line, c->phase.by, sizeof c->phase.by);
        return true;
    case CMD_END_DAY:
    case CMD_PHASE:
        put_letters(line, listing->before.phase[core], c->type == CMD_PHASE ? c->phase.phase : PHASE_DAY_END);
        put_text(line, "by", c->phase.by[0] ? c->phase.by : "schedule", sizeof c->phase.by);
        return true;
    case CMD_BREAK:
    case CMD_ADJUST:
        put_number(line, "match", c->trade.match);
        if (c->type == CMD_ADJUST)
            put_trade(line, "after", c->trade.quantity, c->trade.price);
        else
            json_object_set_new(line, "after", json_string("broken"));
        put_text(line, "why", &c->trade.reason, 1);
        put_text(line, "by", c->trade.by, sizeof c->trade.by);
        return true;
    case CMD_LIMIT:
        put_limit(line, listing, core, c);
        return true;
    case CMD_REFERENCE:
        put_reference(line, listing, core, c);
        return true;
    case CMD_HALT:
        put_halt(line, listing, core, c);
        return true;
    case CMD_INDEX:
        put_number(line, "level", c->index.level);
        put_number(line, "before", listing->before.level[core]);
        put_number(line, "after", c->index.breached);
        put_by(line, c->index.by[0] || !c->index.breached ? c->index.by : "index", sizeof c->index.by);
        return true;
    case CMD_KILL:
    case CMD_RESET:
        put_kill(line, listing, core, c);
        return true;
    case CMD_MODE:
        put_mode(line, listing, core, c);
        return true;
    case CMD_BANDS:
        put_text(line, "symbol", symbol_of(listing, core, c->bands.locate), 8);
        put_number(line, "before", audit_symbol(&listing->before, core, c->bands.locate)->bands);
        put_number(line, "after", c->bands.percent);
        put_by(line, c->bands.by, sizeof c->bands.by);
        return true;
    case CMD_GROUP:
        put_text(line, "symbol", symbol_of(listing, core, c->group.locate), 8);
        put_number(line, "before", audit_symbol(&listing->before, core, c->group.locate)->group);
        put_number(line, "after", c->group.group);
        put_by(line, "", 0);
        return true;
    case CMD_POSITION:
        put_scope(line, listing, core, SCOPE_ACCOUNT, c->position.account);
        put_text(line, "symbol", symbol_of(listing, core, c->position.locate), 8);
        json_object_set_new(line, "after", json_integer(c->position.quantity));
        json_object_set_new(line, "cost", json_integer(c->position.cost));
        put_by(line, c->position.by, sizeof c->position.by);
        return true;
    case CMD_MASS_CANCEL:
    case CMD_DISABLE:
    case CMD_ENABLE:
    case CMD_SESSION_DOWN:
        put_session(line, listing, core, c);
        return true;
    case CMD_NOTE:
        put_note(line, listing, core, c);
        return true;
    default:
        return false;
    }
}

// What its events say more about.
static bool is_held(uint8_t type)
{
    return type == CMD_MASS_CANCEL || type == CMD_SESSION_DOWN || type == CMD_BREAK || type == CMD_ADJUST ||
           type == CMD_LIMIT;
}

// Shows the decision that has been held back. Where a session went down with nothing, and a mass cancel that found
// nothing, nothing was changed.
static void let_go(struct listing *listing)
{
    json_t *line = listing->held;
    const bool cancels = listing->held_type == CMD_MASS_CANCEL || listing->held_type == CMD_SESSION_DOWN;
    if (!line)
        return;
    listing->held = NULL;
    if (cancels)
        json_object_set_new(line, "canceled", json_integer(listing->canceled));
    else if (listing->held_type == CMD_LIMIT && !listing->changed)
        json_object_set_new(line, "outcome", json_string("nothing was changed"));
    else if (!json_object_get(line, "before"))
        json_object_set_new(line, "before", json_string("no such trade: nothing was changed"));
    if (cancels && listing->canceled == 0 && !listing->ctl->all)
        json_decref(line);
    else
        print_line(listing, line, listing->held_ns);
}

static void hold(struct listing *listing, json_t *line, const struct command *record)
{
    listing->held = line;
    listing->held_ns = record->time_ns;
    listing->held_core = journal_core(record);
    listing->held_type = record->type;
    listing->canceled = 0;
    listing->changed = false;
}

static void note_record(void *context, const struct command *record)
{
    struct listing *listing = context;
    const unsigned core = journal_core(record);
    const char *name = ctl_command_name(record->type);
    let_go(listing);
    if (!name || record->type == CMD_ENTER || record->type == CMD_TICK)
        return;
    json_t *line = line_of(record->time_ns, core, journal_sequence(record), name);
    if (!put_record(line, listing, core, record))
        json_decref(line);
    else if (is_held(record->type))
        hold(listing, line, record);
    else
        print_line(listing, line, record->time_ns);
    audit_before_record(&listing->before, core, record);
}

// Of the decision that is held back.
static void note_outcome(struct listing *listing, unsigned core, const struct event *event)
{
    if (!listing->held || listing->held_core != core)
        return;
    listing->canceled += event->type == EV_CANCELED;
    listing->changed |= event->type == EV_ALERT && event->reason == ALERT_CHANGED;
    if (event->type == EV_BROKEN && !json_object_get(listing->held, "before"))
        put_trade(listing->held, "before", event->quantity, event->price);
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
        break;
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
    } else if (!listing->ctl->json && (kind == ALERT_STATE || kind == ALERT_LIMIT_STATE) &&
               event->alert_reason != 'W') {
        put_text(line, "before", letters, event->alert_before != 0);
        put_text(line, "after", letters + 1, event->alert_after != 0);
    } else {
        put_value(line, listing, "before", limit, event->alert_before);
        put_value(line, listing, "after", limit, event->alert_after);
    }
}

// The limit that refused the order, and what it is.
static void put_refused(json_t *line, const struct listing *listing, unsigned core)
{
    const struct replica *replica = listing->walk->replicas[core];
    const enum limit limit = replica ? engine_limit_refused(replica_engine(replica)) : LIMITS;
    if (limit < LIMITS)
        put_text(line, "limit", limit_key(limit), 40);
}

static void note_event(void *context, unsigned core, const struct event *event)
{
    struct listing *listing = context;
    json_t *line;
    audit_before_event(&listing->before, core, event);
    note_outcome(listing, core, event);
    if (event->type == EV_ALERT && event->reason == ALERT_CHANGED)
        return; // its command has said so, and by whom
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
        put_refused(line, listing, core);
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
    let_go(&listing);
    audit_before_free(&listing.before);
    if (!ctl->json && listing.lines == 0)
        puts("nothing was decided");
    ctl_walk_free(&walk);
    return EX_OK;
}
