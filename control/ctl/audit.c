// SPDX-License-Identifier: Apache-2.0
// xwctl audit: every decision of the day that refused, tripped, reset or changed something, from the journal alone: the
// commands that say who and why, control's notes, and what the engines told when they are fed the day again.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "contract/reject.h"
#include "control/ctl/audit_line.h"
#include "control/risk/alerts.h"

struct listing {
    struct audit_view view;
    uint64_t since_ns;
    uint64_t lines;
    // A decision that is shown when it is known what came of it: its line, and how many orders it has canceled.
    json_t *held;
    uint64_t held_ns;
    unsigned held_core;
    uint8_t held_type;
    uint32_t canceled;
    bool changed;
};

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
        if (listing->view.ctl->json) {
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

// What its events say more about.
static bool is_held(uint8_t type)
{
    return type == CMD_MASS_CANCEL || type == CMD_SESSION_DOWN || type == CMD_DISABLE || type == CMD_ENABLE ||
           type == CMD_BREAK || type == CMD_ADJUST || type == CMD_LIMIT;
}

// Shows the decision that has been held back. Where a session went down with nothing, and a mass cancel that found
// nothing, nothing was changed.
static void let_go(struct listing *listing)
{
    json_t *line = listing->held;
    const bool entry = listing->held_type == CMD_DISABLE || listing->held_type == CMD_ENABLE;
    const bool cancels = listing->held_type == CMD_MASS_CANCEL || listing->held_type == CMD_SESSION_DOWN;
    if (!line)
        return;
    listing->held = NULL;
    if (cancels)
        json_object_set_new(line, "canceled", json_integer(listing->canceled));
    else if (!listing->changed && (listing->held_type == CMD_LIMIT || entry))
        json_object_set_new(line, "outcome", json_string("nothing was changed"));
    else if (!json_object_get(line, "before"))
        json_object_set_new(line, "before", json_string("no such trade: nothing was changed"));
    const bool idle = cancels ? listing->canceled == 0 : entry && !listing->changed; // one that was sent twice
    if (idle && !listing->view.ctl->all)
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
    if (!audit_put_record(line, &listing->view, core, record))
        json_decref(line);
    else if (is_held(record->type))
        hold(listing, line, record);
    else
        print_line(listing, line, record->time_ns);
    audit_before_record(&listing->view.before, core, record);
}

// Of the decision that is held back.
static void note_outcome(struct listing *listing, unsigned core, const struct event *event)
{
    if (!listing->held || listing->held_core != core)
        return;
    listing->canceled += event->type == EV_CANCELED;
    listing->changed |= (event->type == EV_ALERT && event->reason == ALERT_CHANGED) || event->type == EV_DISABLED ||
                        event->type == EV_ENABLED;
    if (event->type == EV_BROKEN && !json_object_get(listing->held, "before"))
        audit_put_trade(listing->held, "before", event->quantity, event->price);
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
static void put_change(json_t *line, const struct audit_view *view, const struct event *event)
{
    const char kind = (char)event->reason;
    const char letters[] = {(char)event->alert_before, (char)event->alert_after};
    const bool of_kill =
        kind == ALERT_ZERO || kind == ALERT_RESET || (kind == ALERT_KILLED && event->quantity == LIMITS);
    const uint64_t limit = is_of_limit(kind) ? audit_read_as(event->quantity, kind == ALERT_CHANGED) : (uint64_t)LIMITS;
    if (!view->ctl->json && of_kill) {
        audit_put_number(line, "id", event->alert_before);
        if (kind == ALERT_ZERO)
            audit_put_number(line, "canceled", event->alert_after);
    } else if (!view->ctl->json && (kind == ALERT_STATE || kind == ALERT_LIMIT_STATE) && event->alert_reason != 'W') {
        audit_put_text(line, "before", letters, event->alert_before != 0);
        audit_put_text(line, "after", letters + 1, event->alert_after != 0);
    } else {
        audit_put_value(line, view, "before", limit, event->alert_before);
        audit_put_value(line, view, "after", limit, event->alert_after);
    }
}

// The limit that refused the order, and what it is.
static void put_refused(json_t *line, const struct audit_view *view, unsigned core)
{
    const struct replica *replica = view->walk->replicas[core];
    const enum limit limit = replica ? engine_limit_refused(replica_engine(replica)) : LIMITS;
    if (limit < LIMITS)
        audit_put_text(line, "limit", audit_limit_key(limit), 40);
}

static void note_event(void *context, unsigned core, const struct event *event)
{
    struct listing *listing = context;
    json_t *line;
    audit_before_event(&listing->view.before, core, event);
    note_outcome(listing, core, event);
    if (event->type == EV_ALERT && event->reason == ALERT_CHANGED)
        return; // its command has said so, and by whom
    if (event->type == EV_ALERT) {
        line = line_of(event->time_ns, core, event->cmd_seq, alert_word(event->reason));
        audit_put_scope(line, &listing->view, core, (enum scope)event->alert_scope, (uint16_t)event->price);
        if (event->locate)
            audit_put_text(line, "symbol", audit_symbol_of(&listing->view, core, event->locate), 8);
        audit_put_text(line, "limit", audit_limit_key(event->quantity), 40);
        audit_put_text(line, "reason", &event->alert_reason, 1);
        put_change(line, &listing->view, event);
    } else if (event->type == EV_REJECTED && listing->view.ctl->all) {
        const char *text = reject_text((uint8_t)event->reason);
        line = line_of(event->time_ns, core, event->cmd_seq, "order rejected");
        audit_put_scope(line, &listing->view, core, SCOPE_SESSION, event->session);
        audit_put_number(line, "user_ref", event->user_ref);
        audit_put_text(line, "why", text ? text : "?", 60);
        put_refused(line, &listing->view, core);
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
    const char *directory = argc == 1 ? argv[0] : NULL;
    ctl_find_journal(ctl, directory, &identity);
    struct ctl_walk walk = ctl_walk_of(ctl, &identity);
    struct listing listing = {.view = {.ctl = ctl, .walk = &walk},
                              .since_ns = ctl->since ? ctl_read_time("--since", ctl->since) : 0};
    walk.on_record = note_record;
    walk.on_event = note_event;
    walk.context = &listing;
    ctl_walk(&walk);
    let_go(&listing);
    audit_before_free(&listing.view.before);
    if (!ctl->json && listing.lines == 0)
        puts("nothing was decided");
    ctl_walk_free(&walk);
    ctl_forget_journal(directory, &identity);
    return EX_OK;
}
