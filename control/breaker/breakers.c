// SPDX-License-Identifier: Apache-2.0
// Moves the breakers.
//
//   CLOSED     reached                   -> OPEN: the action, all of it
//   OPEN       reached                   -> the quiet time begins again
//              not reached: aggressive   -> CLOSED at once
//                           standard     -> HALF_OPEN after the quiet time
//                           manual       -> stays, until an operator resets it
//   HALF_OPEN  reached                   -> OPEN, the quiet time doubled
//              a quarter of quiet_ms     -> a step further; after four CLOSED
#include "control/breaker/breakers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/log.h"
#include "contract/monotonic.h"
#include "control/breaker/state.h"

#define MS_NS UINT64_C(1000000)
#define BOARD_MS 200

// ---- rows and parts -------------------------------------------------------------------------------------------------

// Logins are of every stream: sessions, then drop copies.
static uint32_t parts_of(const struct config *config, enum trip_condition is)
{
    switch (config_trip_info(is)->each) {
    case EACH_HOST:
        return 1;
    case EACH_GATEWAY:
        return config->gateways_count;
    case EACH_MATCHER:
        return config->matchers_count;
    case EACH_PUBLISHER:
        return config->publishers_count;
    case EACH_SESSION:
        return is == TRIP_BAD_LOGINS ? config_streams(config) : config->sessions_count;
    case EACH_ACCOUNT:
        return config->accounts_count;
    }
    return 0;
}

static struct breaker_settings settings_of(const struct config_trip *trip)
{
    const bool logins = trip->is == TRIP_BAD_LOGINS;
    struct breaker_settings settings = {
        .failures = trip->threshold,
        .window_ms = trip->window_ms,
        .tokens = logins ? 1 : BREAKER_STEPS,
        .recovery_ms = trip->quiet_ms,
        .quiet_ms = trip->quiet_ms * UINT64_C(8) < UINT32_MAX ? trip->quiet_ms * 8 : UINT32_MAX,
        .level_most = BREAKER_LEVEL_MOST,
    };
    if (trip->recovers == TRIP_MANUAL)
        settings.recovery_ms = 0;
    else if (trip->recovers == TRIP_AGGRESSIVE)
        settings.level_most = 0;
    return settings;
}

static bool make_rows(const struct config *config, struct row **rows)
{
    *rows = calloc(config->trips_count + 1, sizeof **rows);
    if (!*rows)
        return false;
    for (uint32_t i = 0; i < config->trips_count; i++) {
        struct row *row = &(*rows)[i];
        const struct config_trip *trip = &config->trips[i];
        const struct breaker_settings settings = settings_of(trip);
        row->trip = *trip;
        snprintf(row->name, sizeof row->name, "%s", trip->name[0] ? trip->name : trip->condition);
        row->count = trip->is == TRIP_CONTROL_LOST ? 0 : parts_of(config, trip->is);
        row->parts = calloc(row->count + 1, sizeof *row->parts);
        if (!row->parts)
            return false;
        for (uint32_t part = 0; part < row->count; part++)
            breaker_init(&row->parts[part].breaker, &settings);
    }
    return true;
}

static void free_rows(struct row *rows, uint32_t count)
{
    for (uint32_t i = 0; rows && i < count; i++)
        free(rows[i].parts);
    free(rows);
}

struct breakers *breakers_new(const struct config *config)
{
    struct breakers *breakers = calloc(1, sizeof *breakers);
    if (!breakers)
        return NULL;
    breakers->config = config;
    breakers->rows_count = config->trips_count;
    breakers->kills = unix_ns() >> 20 << 16; // past those of earlier controls
    breakers->fresh_ns = calloc(config->symbols_count + 1, sizeof *breakers->fresh_ns);
    breakers->said_ns = calloc(config->symbols_count + 1, sizeof *breakers->said_ns);
    if (breakers->fresh_ns && breakers->said_ns && make_rows(config, &breakers->rows))
        return breakers;
    breakers_free(breakers);
    return NULL;
}

void breakers_free(struct breakers *breakers)
{
    if (!breakers)
        return;
    free_rows(breakers->rows, breakers->rows_count);
    free(breakers->fresh_ns);
    free(breakers->said_ns);
    free(breakers);
}

static struct row *find_row(struct row *rows, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

bool breakers_reload(struct breakers *breakers)
{
    struct row *rows;
    const uint32_t count = breakers->config->trips_count;
    if (!make_rows(breakers->config, &rows)) {
        free_rows(rows, count);
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct row *old = find_row(breakers->rows, breakers->rows_count, rows[i].name);
        if (!old || old->trip.is != rows[i].trip.is || old->trip.does != rows[i].trip.does)
            continue;
        const struct breaker_settings settings = settings_of(&rows[i].trip);
        struct part *parts = rows[i].parts;
        rows[i].parts = old->parts;
        old->parts = parts;
        for (uint32_t part = 0; part < rows[i].count; part++)
            breaker_set(&rows[i].parts[part].breaker, &settings);
    }
    struct row *gone = breakers->rows;
    const uint32_t gone_count = breakers->rows_count;
    breakers->rows = rows;
    breakers->rows_count = count;
    for (uint32_t i = 0; i < gone_count; i++) // those that nobody has taken over
        for (uint32_t part = 0; part < gone[i].count; part++)
            breakers_dismiss(breakers, &gone[i], part);
    free_rows(gone, gone_count);
    return true;
}

// ---- transitions ----------------------------------------------------------------------------------------------------

static enum errand errand_of(const struct row *row, enum breaker_state from, enum breaker_state to)
{
    if (row->trip.is == TRIP_BAD_LOGINS)
        return ERRAND_NONE; // closes the port by itself
    if (to == BREAKER_OPEN)
        return row->trip.does == TRIP_BLOCK    ? ERRAND_BLOCK
               : row->trip.does == TRIP_CANCEL ? ERRAND_CANCEL
               : row->trip.does == TRIP_HALT   ? ERRAND_HALT
                                               : ERRAND_NONE;
    return row->trip.does == TRIP_BLOCK && from == BREAKER_OPEN ? ERRAND_UNBLOCK : ERRAND_NONE;
}

static void announce(struct breakers *breakers, const struct row *row, uint32_t index, const char *by,
                     enum breaker_state from)
{
    struct part *part = &row->parts[index];
    const enum breaker_state to = part_state(part);
    static const enum log_code codes[] = {LOG_XW2053, LOG_XW2051, LOG_XW2052};
    if (from == to)
        return;
    part->moved = true;
    const enum errand errand = errand_of(row, from, to);
    if (errand != ERRAND_NONE)
        part_begin_errand(part, errand, 0);
    log_event(codes[to],
              "\"trip\":%s,\"of\":%u,\"condition\":\"%s\",\"value\":%" PRId64
              ",\"threshold\":%u,\"unit\":\"%s\",\"action\":\"%s\",\"recovery\":\"%s\",\"by\":%s",
              log_quote(row->name), index, config_trip_info(row->trip.is)->key,
              part->value > INT64_MAX ? INT64_C(-1) : (int64_t)part->value, row->trip.threshold,
              config_trip_info(row->trip.is)->unit, config_action_name(row->trip.does),
              config_recovery_name(row->trip.recovers), log_quote(by));
    breakers_note(breakers, row, index, by, from, to);
}

static void drive(const struct row *row, struct part *part, bool reached, uint64_t now_ns)
{
    switch (part_state(part)) {
    case BREAKER_CLOSED:
        if (reached)
            breaker_trip(&part->breaker, now_ns);
        break;
    case BREAKER_OPEN:
        if (reached)
            breaker_hold(&part->breaker, now_ns);
        else if (row->trip.recovers == TRIP_AGGRESSIVE)
            breaker_reset(&part->breaker, now_ns);
        else if ((part->permit = breaker_allow(&part->breaker, now_ns)) != 0)
            part->step_ns = now_ns;
        break;
    case BREAKER_HALF_OPEN:
        if (!reached && now_ns - part->step_ns < row->trip.quiet_ms * MS_NS / BREAKER_STEPS)
            break;
        breaker_record(&part->breaker, part->permit, !reached, now_ns);
        if (part_state(part) == BREAKER_HALF_OPEN)
            part->permit = breaker_allow(&part->breaker, now_ns);
        part->step_ns = now_ns;
        break;
    }
}

static void poll_row(struct breakers *breakers, const struct row *row, const struct senses *senses)
{
    if (row->trip.is == TRIP_BAD_LOGINS)
        return; // moved by the logins themselves
    for (uint32_t i = 0; i < row->count; i++) {
        struct part *part = &row->parts[i];
        const enum breaker_state from = part_state(part);
        const bool reached = part_reached(breakers, row, i, part, senses, from != BREAKER_CLOSED);
        drive(row, part, reached, senses->now_ns);
        announce(breakers, row, i, "breaker", from);
    }
}

// What gateways and matching cores go by without asking.
static void tell_region(const struct breakers *breakers, const struct senses *senses)
{
    uint64_t latency_ns = 0, lost = 0;
    for (uint32_t i = 0; i < breakers->rows_count; i++) {
        const struct config_trip *trip = &breakers->rows[i].trip;
        if (trip->is == TRIP_LATENCY)
            latency_ns = trip->threshold * UINT64_C(1000);
        else if (trip->is == TRIP_CONTROL_LOST)
            lost = CONTROL_LOST(trip->threshold, trip->does, trip->recovers == TRIP_MANUAL,
                                trip->recovers == TRIP_AGGRESSIVE ? 0 : trip->quiet_ms);
    }
    struct region_header *header = senses->generation->region.header;
    atomic_store_explicit(&header->answer_limit_ns, latency_ns, memory_order_relaxed);
    atomic_store_explicit(&header->control_lost, lost, memory_order_relaxed);
}

bool breakers_poll(struct breakers *breakers, const struct senses *senses)
{
    char text[sizeof breakers->text];
    if (senses->generation && senses->generation->region.header->generation != breakers->generation) {
        board_adopt(breakers, senses);
        breakers_again(breakers);
    }
    for (uint32_t i = 0; i < breakers->rows_count; i++)
        poll_row(breakers, &breakers->rows[i], senses);
    if (senses->generation) {
        tell_region(breakers, senses);
        breakers_act(breakers, senses);
        if (senses->now_ns >= breakers->board_due_ns) {
            breakers->board_due_ns = senses->now_ns + BOARD_MS * MS_NS;
            board_write(breakers, senses);
        }
    }
    memcpy(text, breakers->text, sizeof text);
    return strcmp(text, breakers_text(breakers)) != 0;
}

// ---- what is told ---------------------------------------------------------------------------------------------------

// An account and the firm that begins with it have one breaker. While it is open a firm's alert has the firm blocked in
// the account's place; a firm's block is of the account too.
static void set_scope(struct breakers *breakers, const struct row *row, uint32_t index, enum scope scope)
{
    struct part *part = &row->parts[index];
    const bool blocks = row->trip.does == TRIP_BLOCK, open = part_state(part) == BREAKER_OPEN;
    if (part_scope(row, index) == scope || (blocks && open && scope == SCOPE_ACCOUNT))
        return;
    breakers_dismiss(breakers, row, index);
    part->scope = (uint8_t)scope;
    if (blocks)
        part_begin_errand(part, open ? ERRAND_BLOCK : ERRAND_NONE, 0);
}

void breakers_alert(struct breakers *breakers, const struct alert *alert, uint64_t now_ns)
{
    const bool counts = (alert->kind == ALERT_LEVEL || alert->kind == ALERT_SLOWED || alert->kind == ALERT_KILLED) &&
                        (alert->scope == SCOPE_ACCOUNT || alert->scope == SCOPE_FIRM);
    for (uint32_t i = 0; counts && i < breakers->rows_count; i++) {
        const struct row *row = &breakers->rows[i];
        if (((row->trip.is == TRIP_LOSS && alert->limit == LIMIT_LOSS) ||
             (row->trip.is == TRIP_DRAWDOWN && alert->limit == LIMIT_DRAWDOWN)) &&
            alert->index < row->count) {
            set_scope(breakers, row, alert->index, (enum scope)alert->scope);
            part_count(row, &row->parts[alert->index], 1, now_ns);
        }
    }
}

void breakers_reference(struct breakers *breakers, unsigned core, const struct command *command, uint64_t now_ns)
{
    if (command->reference.reference || command->reference.adv)
        breakers->fresh_ns[symbol_place(breakers->config, core, command->reference.locate)] = now_ns;
}

breaker_permit breakers_login(struct breakers *breakers, uint32_t session, uint64_t now_ns)
{
    breaker_permit permit = 1;
    for (uint32_t i = 0; i < breakers->rows_count; i++) {
        const struct row *row = &breakers->rows[i];
        if (row->trip.is != TRIP_BAD_LOGINS || session >= row->count)
            continue;
        struct part *part = &row->parts[session];
        const enum breaker_state from = part_state(part);
        part->permit = breaker_allow(&part->breaker, now_ns);
        announce(breakers, row, session, "login", from);
        if (part->permit == 0 && row->trip.does == TRIP_BLOCK)
            permit = 0;
    }
    return permit;
}

void breakers_login_done(struct breakers *breakers, uint32_t session, breaker_permit permit, bool right,
                         uint64_t now_ns)
{
    for (uint32_t i = 0; permit && i < breakers->rows_count; i++) {
        const struct row *row = &breakers->rows[i];
        if (row->trip.is != TRIP_BAD_LOGINS || session >= row->count)
            continue;
        struct part *part = &row->parts[session];
        struct breaker_view view;
        const enum breaker_state from = part_state(part);
        breaker_record(&part->breaker, part->permit, right, now_ns);
        breaker_look(&part->breaker, &view);
        part->value = view.state == BREAKER_CLOSED ? view.failures : row->trip.threshold;
        announce(breakers, row, session, "login", from);
    }
}

int breakers_reset(struct breakers *breakers, const char *name, const char *by, uint64_t now_ns)
{
    const struct row *row = find_row(breakers->rows, breakers->rows_count, name);
    int count = 0;
    if (!row)
        return -1;
    if (row->trip.is == TRIP_CONTROL_LOST) {
        breakers_take_back_alone(breakers, by);
        return 1;
    }
    for (uint32_t i = 0; i < row->count; i++) {
        const enum breaker_state from = part_state(&row->parts[i]);
        if (!breaker_reset(&row->parts[i].breaker, now_ns))
            continue;
        row->parts[i].events = 0;
        row->parts[i].begun = false;
        row->parts[i].from_ns = 0;
        count++;
        announce(breakers, row, i, by, from);
    }
    return count;
}

// ---- for people -----------------------------------------------------------------------------------------------------

static bool mode_on(const struct breakers *breakers, uint32_t mode)
{
    for (unsigned core = 0; core < breakers->config->matchers_count; core++)
        if (mode_wanted(breakers, mode, core).on)
            return true;
    return false;
}

// Breakers that are not closed and do more than tell.
static unsigned acting(const struct breakers *breakers)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < breakers->rows_count; i++)
        for (uint32_t part = 0; part < breakers->rows[i].count; part++)
            count += breakers->rows[i].trip.does != TRIP_ALERT &&
                     part_state(&breakers->rows[i].parts[part]) != BREAKER_CLOSED;
    return count;
}

const char *breakers_text(struct breakers *breakers)
{
    const struct config *config = breakers->config;
    char *text = breakers->text;
    const size_t room = sizeof breakers->text;
    const unsigned open = acting(breakers);
    size_t used = (size_t)snprintf(text, room, open ? "degraded:" : "normal");
    for (uint32_t i = 0; i < config->modes_count; i++)
        if (open && mode_on(breakers, i) && used < room)
            used += (size_t)snprintf(text + used, room - used, " mode %s,", config->modes[i].name);
    if (open && used < room)
        snprintf(text + used, room - used, " %u breaker%s open", open, open == 1 ? "" : "s");
    return text;
}
