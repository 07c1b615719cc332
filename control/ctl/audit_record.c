// SPDX-License-Identifier: Apache-2.0
// What a record of the journal says of the decision that it is.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "contract/breaker.h"
#include "control/ctl/audit_line.h"
#include "control/limits/defaults.h"
#include "control/limits/table.h"
#include "control/risk/audit.h"

static void put_kill(json_t *line, const struct audit_view *view, unsigned core, const struct command *c)
{
    audit_put_scope(line, view, core, (enum scope)c->kill.scope, c->kill.index);
    audit_put_text(line, "side", &c->kill.side, 1);
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
    audit_put_number(line, "id", c->kill.id);
    audit_put_text(line, "by", c->kill.by, sizeof c->kill.by);
    audit_put_text(line, "why", c->kill.why, sizeof c->kill.why);
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
    return asked || c->note.what == NOTE_KILL_BY_LIMIT ? audit_read_as(limit_by_key(key, length), asked) : LIMITS;
}

static void put_note(json_t *line, const struct audit_view *view, unsigned core, const struct command *c)
{
    const char *text = note_text(c->note.what);
    json_object_set_new(line, "note", json_string(text ? text : "of another build"));
    audit_put_scope(line, view, core, (enum scope)c->note.scope, c->note.index);
    if (c->note.what == NOTE_LOGIN_REFUSED) {
        audit_put_number(line, "times", c->note.number);
        if (c->note.after)
            audit_put_number(line, "within_s", c->note.after);
    } else if (c->note.what == NOTE_BREAKER_MOVED) {
        if (c->note.scope == SCOPE_VENUE)
            audit_put_number(line, "of", c->note.index);
        audit_put_number(line, "measured", c->note.number);
    } else if (c->note.number) {
        audit_put_number(line, "number", c->note.number);
    }
    if (c->note.what == NOTE_BREAKER_MOVED && c->note.before <= BREAKER_HALF_OPEN &&
        c->note.after <= BREAKER_HALF_OPEN) {
        json_object_set_new(line, "before", json_string(breaker_state_name((enum breaker_state)c->note.before)));
        json_object_set_new(line, "after", json_string(breaker_state_name((enum breaker_state)c->note.after)));
    } else if (c->note.what == NOTE_KILL_CONFIRMED && !view->ctl->json) {
        audit_put_number(line, "id", c->note.before);
        audit_put_number(line, "canceled", c->note.after);
    } else if (c->note.what == NOTE_REQUEST_REFUSED && !view->ctl->json) {
        audit_put_number(line, "exit", c->note.after);
    } else if (c->note.what != NOTE_LOGIN_REFUSED && c->note.what != NOTE_LIMITS_REFUSED &&
               c->note.what != NOTE_RELOAD_REFUSED && c->note.what != NOTE_RELOADED) {
        const uint64_t limit = limit_of_note(c);
        audit_put_value(line, view, "before", limit, c->note.before);
        audit_put_value(line, view, "after", limit, c->note.after);
    }
    audit_put_text(line, "by", c->note.by, sizeof c->note.by);
    audit_put_text(line, "why", c->note.why, sizeof c->note.why);
}

// Who: the configuration where nobody is named.
static void put_by(json_t *line, const char *by, size_t size)
{
    if (by[0])
        audit_put_text(line, "by", by, size);
    else
        json_object_set_new(line, "by", json_string("configuration"));
}

// Of a symbol; 0: none.
static void put_price(json_t *line, const struct audit_view *view, const char *key, uint64_t price)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64 ".%04u", price / 10000, (unsigned)(price % 10000));
    json_object_set_new(line, key,
                        view->ctl->json ? json_integer((json_int_t)price) : json_string(price ? text : "none"));
}

static uint64_t value_in_engine(const void *engine, uint64_t key)
{
    return engine_limit(engine, limits_scope(key), limits_index(key), LOCATE_NONE, limits_limit(key));
}

// What the limit comes to where it is not set; LIMIT_UNSET: nothing.
static uint64_t default_of(const struct audit_view *view, unsigned core, const struct command *c)
{
    const enum scope scope = (enum scope)c->limit.scope;
    const struct limits_known known = {
        .value = value_in_engine,
        .context = replica_engine(view->walk->replicas[core]),
        .firm = scope == SCOPE_ACCOUNT ? ctl_walk_firm(view->walk, c->limit.index) : 0,
        .grouped = view->before.grouped[core] > 0,
    };
    return limits_default(&known, limits_key(RULE_LIMIT, scope, c->limit.index, 0, (enum limit)c->limit.limit));
}

// A limit's value before or after; where it is not set, what holds by default.
static void put_setting(json_t *line, const struct audit_view *view, const char *key, enum limit limit, uint64_t value,
                        uint64_t unset)
{
    char text[LIMIT_TEXT + 16];
    if (value != LIMIT_UNSET || unset == LIMIT_UNSET) {
        audit_put_value(line, view, key, limit, value);
        return;
    }
    if (!view->ctl->json) {
        limit_format(limit, unset, text);
        strcpy(text + strlen(text), " by default");
        json_object_set_new(line, key, json_string(text));
        return;
    }
    audit_put_number(line, key, unset);
    snprintf(text, sizeof text, "%s_by_default", key);
    json_object_set_new(line, text, json_true());
}

static void put_limit(json_t *line, const struct audit_view *view, unsigned core, const struct command *c)
{
    const struct replica *replica = view->walk->replicas[core];
    const enum limit limit = (enum limit)c->limit.limit;
    audit_put_scope(line, view, core, (enum scope)c->limit.scope, c->limit.index);
    if (c->limit.scope == SCOPE_POSITION)
        audit_put_text(line, "symbol", audit_symbol_of(view, core, c->limit.locate), 8);
    audit_put_text(line, "limit", audit_limit_key(c->limit.limit), 40);
    if (replica && limit < LIMITS) {
        const uint64_t before =
            engine_limit(replica_engine(replica), (enum scope)c->limit.scope, c->limit.index, c->limit.locate, limit);
        const uint64_t unset = default_of(view, core, c);
        put_setting(line, view, "before", limit, before, unset);
        put_setting(line, view, "after", limit, c->limit.value, unset);
    }
    put_by(line, c->limit.by, sizeof c->limit.by);
    audit_put_text(line, "second", c->limit.second, sizeof c->limit.second);
    audit_put_number(line, "change", c->limit.change);
}

// What is given of a symbol, each with what it was.
static void put_reference(json_t *line, struct audit_view *view, unsigned core, const struct command *c)
{
    static const char *const states[] = {"none", "intraday", "remains"};
    const struct audit_symbol *was = audit_symbol(&view->before, core, c->reference.locate);
    audit_put_text(line, "symbol", audit_symbol_of(view, core, c->reference.locate), 8);
    if (c->reference.reference) {
        put_price(line, view, "before", was->reference);
        put_price(line, view, "after", c->reference.reference);
    }
    if (c->reference.adv) {
        audit_put_number(line, "adv_before", was->adv);
        audit_put_number(line, "adv", c->reference.adv);
    }
    if (c->reference.reg_sho >= SHO_NONE && c->reference.reg_sho <= SHO_REMAINS) {
        json_object_set_new(line, "reg_sho_before", json_string(was->reg_sho ? states[was->reg_sho - '0'] : "unknown"));
        json_object_set_new(line, "reg_sho", json_string(states[c->reference.reg_sho - '0']));
    }
    if (c->reference.tier)
        audit_put_number(line, "tier", c->reference.tier);
    put_by(line, c->reference.by, sizeof c->reference.by);
}

static void put_halt(json_t *line, struct audit_view *view, unsigned core, const struct command *c)
{
    audit_put_text(line, "symbol", c->halt.locate ? audit_symbol_of(view, core, c->halt.locate) : "all", 8);
    if (c->halt.locate)
        audit_put_letters(line, audit_symbol(&view->before, core, c->halt.locate)->state, c->halt.state);
    else
        audit_put_text(line, "after", &c->halt.state, 1);
    audit_put_text(line, "reason", c->halt.reason, sizeof c->halt.reason);
    audit_put_text(line, "by", c->halt.by, sizeof c->halt.by);
    audit_put_text(line, "why", c->halt.why, sizeof c->halt.why);
}

static void put_mode(json_t *line, const struct audit_view *view, unsigned core, const struct command *c)
{
    const struct replica *replica = view->walk->replicas[core];
    audit_put_text(line, "mode", c->mode.name, sizeof c->mode.name);
    if (replica)
        audit_put_number(line, "before", engine_mode_on(replica_engine(replica), c->mode.mode));
    audit_put_number(line, "after", c->mode.on);
    if (c->mode.on) {
        audit_put_number(line, "limits_percent", c->mode.percent);
        audit_put_number(line, "rate", c->mode.rate);
        audit_put_number(line, "block", c->mode.block);
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

static const char *entry_word(bool disabled)
{
    return disabled ? "entry disabled" : "entry enabled";
}

// What a client decides for its whole port: who is the session.
static void put_session(json_t *line, const struct audit_view *view, unsigned core, const struct command *c)
{
    audit_put_scope(line, view, core, SCOPE_SESSION, c->session);
    if (c->type == CMD_SESSION_DOWN)
        json_object_set_new(line, "why", json_string(down_word(c->link.down_reason)));
    else
        audit_put_text(line, "by", view->walk->day.users[c->session], 6);
    if (c->type == CMD_DISABLE || c->type == CMD_ENABLE) {
        json_object_set_new(line, "before", json_string(entry_word(view->before.disabled[c->session])));
        json_object_set_new(line, "after", json_string(entry_word(c->type == CMD_DISABLE)));
    }
}

bool audit_put_record(json_t *line, struct audit_view *view, unsigned core, const struct command *c)
{
    switch (c->type) {
    case CMD_START:
        audit_put_text(line, "after", c->phase.phase ? &c->phase.phase : "R", 1);
        put_by(line, c->phase.by, sizeof c->phase.by);
        return true;
    case CMD_END_DAY:
    case CMD_PHASE:
        audit_put_letters(line, view->before.phase[core], c->type == CMD_PHASE ? c->phase.phase : PHASE_DAY_END);
        audit_put_text(line, "by", c->phase.by[0] ? c->phase.by : "schedule", sizeof c->phase.by);
        return true;
    case CMD_BREAK:
    case CMD_ADJUST:
        audit_put_number(line, "match", c->trade.match);
        if (c->type == CMD_ADJUST)
            audit_put_trade(line, "after", c->trade.quantity, c->trade.price);
        else
            json_object_set_new(line, "after", json_string("broken"));
        audit_put_text(line, "why", &c->trade.reason, 1);
        audit_put_text(line, "by", c->trade.by, sizeof c->trade.by);
        return true;
    case CMD_LIMIT:
        put_limit(line, view, core, c);
        return true;
    case CMD_REFERENCE:
        put_reference(line, view, core, c);
        return true;
    case CMD_HALT:
        put_halt(line, view, core, c);
        return true;
    case CMD_INDEX:
        audit_put_number(line, "level", c->index.level);
        audit_put_number(line, "before", view->before.level[core]);
        audit_put_number(line, "after", c->index.breached);
        put_by(line, c->index.by[0] || !c->index.breached ? c->index.by : "index", sizeof c->index.by);
        return true;
    case CMD_KILL:
    case CMD_RESET:
        put_kill(line, view, core, c);
        return true;
    case CMD_MODE:
        put_mode(line, view, core, c);
        return true;
    case CMD_BANDS:
        audit_put_text(line, "symbol", audit_symbol_of(view, core, c->bands.locate), 8);
        audit_put_number(line, "before", audit_symbol(&view->before, core, c->bands.locate)->bands);
        audit_put_number(line, "after", c->bands.percent);
        put_by(line, c->bands.by, sizeof c->bands.by);
        return true;
    case CMD_GROUP:
        audit_put_text(line, "symbol", audit_symbol_of(view, core, c->group.locate), 8);
        audit_put_number(line, "before", audit_symbol(&view->before, core, c->group.locate)->group);
        audit_put_number(line, "after", c->group.group);
        put_by(line, "", 0);
        return true;
    case CMD_POSITION:
        audit_put_scope(line, view, core, SCOPE_ACCOUNT, c->position.account);
        audit_put_text(line, "symbol", audit_symbol_of(view, core, c->position.locate), 8);
        json_object_set_new(line, "after", json_integer(c->position.quantity));
        json_object_set_new(line, "cost", json_integer(c->position.cost));
        put_by(line, c->position.by, sizeof c->position.by);
        return true;
    case CMD_MASS_CANCEL:
    case CMD_DISABLE:
    case CMD_ENABLE:
    case CMD_SESSION_DOWN:
        put_session(line, view, core, c);
        return true;
    case CMD_NOTE:
        put_note(line, view, core, c);
        return true;
    default:
        return false;
    }
}
