// SPDX-License-Identifier: Apache-2.0
#include "tests/support/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/engine_rig.h"
#include "tests/support/naive_venue.h"

static const struct rig_day scenario_day = {
    .max_orders = 1000, .max_levels = 1000, .symbols = 2, .sessions = 3, .ticks = {100, 1, 1, 1}, .lookup_key = 3};

// ---- text to commands
// ------------------------------------------------------------------------------------------------

struct words {
    char *word[32];
    unsigned count, next;
};

static void split_words(char *line, struct words *words)
{
    words->count = words->next = 0;
    for (char *save, *word = strtok_r(line, " \t\n", &save); word && words->count < 32;
         word = strtok_r(NULL, " \t\n", &save))
        words->word[words->count++] = word;
}

static const char *next_word(struct words *words)
{
    return words->next < words->count ? words->word[words->next++] : "";
}

static uint32_t next_number(struct words *words)
{
    return (uint32_t)strtoul(next_word(words), NULL, 10);
}

static void fill(char *field, size_t size, const char *word)
{
    memset(field, ' ', size);
    if (strcmp(word, "-") != 0)
        memcpy(field, word, strlen(word) < size ? strlen(word) : size);
}

static uint32_t price_of(const char *word)
{
    if (strcmp(word, "market") == 0)
        return PRICE_MARKET;
    if (strcmp(word, "cross") == 0)
        return PRICE_MARKET_CROSS;
    char *end;
    uint32_t price = (uint32_t)strtoul(word, &end, 10) * 10000;
    if (*end != '.')
        return price;
    uint32_t unit = 1000;
    for (end++; *end; end++, unit /= 10)
        price += (uint32_t)(*end - '0') * unit;
    return price;
}

// Second of the day, or with "ns" behind it just that.
static uint64_t moment_of(const char *word)
{
    char *end;
    uint64_t ns = strtoull(word, &end, 10);
    return strcmp(end, "ns") == 0 ? ns : price_of(word) * UINT64_C(100000);
}

// Money and large numbers: a point makes it 1/10,000.
static uint64_t amount_of(const char *word)
{
    char *end;
    uint64_t amount = strtoull(word, &end, 0);
    if (strcmp(word, "none") == 0)
        return LIMIT_UNSET;
    return *end == '.' ? amount * 10000 + price_of(end) : amount;
}

static const char *const limit_keys[] = {
#define LIMIT(name, key, scopes, unit, reject, help) key,
#include "contract/limits.def"
#undef LIMIT
};

static uint8_t limit_of(const char *key)
{
    uint8_t limit = 0;
    while (limit < LIMITS && strcmp(limit_keys[limit], key) != 0)
        limit++;
    return limit;
}

// v, f0, a0, s0, S1, a0:S1
static void set_scope(struct command *c, const char *word)
{
    const char *symbol = strchr(word, ':');
    static const char letters[] = "?vfasS";
    const char *letter = strchr(letters, *word);
    c->limit.scope = symbol ? SCOPE_POSITION : letter ? (uint8_t)(letter - letters) : SCOPE_NONE;
    c->limit.index = (uint16_t)strtoul(word + 1, NULL, 10);
    c->limit.locate = symbol ? (uint16_t)strtoul(symbol + 2, NULL, 10) : LOCATE_NONE;
}

static char tif_of(const char *word)
{
    return strcmp(word, "day") == 0 ? '0' : strcmp(word, "ioc") == 0 ? '3' : word[0];
}

static void set_symbol(struct command *c, const char *word)
{
    fill(c->symbol, 8, word);
    c->locate =
        word[0] == 'S' && word[1] >= '1' && word[1] <= '3' && !word[2] ? (uint16_t)(word[1] - '0') : LOCATE_NONE;
}

// Applies "name=value"; false when there is no such name.
static bool set_option(struct command *c, const char *word)
{
    const char *value = strchr(word, '=');
    if (!value)
        return false;
    size_t length = (size_t)(value++ - word);
    uint32_t number = (uint32_t)strtol(value, NULL, 10);
#define NAMED(text) (length == strlen(text) && strncmp(word, text, length) == 0)
#define OPTION_IS(text, tag, set)  \
    if (NAMED(text)) {             \
        c->options |= OPTION(tag); \
        set;                       \
        return true;               \
    }
    if (NAMED("at")) {
        c->time_ns = moment_of(value);
        return true;
    }
    if (NAMED("refuse")) {
        c->refuse = (uint8_t)strtoul(value, NULL, 16);
        return true;
    }
    if (NAMED("display")) {
        c->display = *value;
        return true;
    }
    if (NAMED("iso")) {
        c->iso = *value;
        return true;
    }
    if (NAMED("cross")) {
        c->cross = *value;
        return true;
    }
    OPTION_IS("idx", TAG_USER_REF_IDX, c->user_ref_idx = (uint8_t)number)
    OPTION_IS("firm", TAG_FIRM, fill(c->firm, 4, value))
    OPTION_IS("side", TAG_SIDE, c->side = *value)
    OPTION_IS("group", TAG_GROUP_ID, c->group_id = (uint16_t)number)
    OPTION_IS("located", TAG_SHARES_LOCATED, c->shares_located = *value)
    OPTION_IS("broker", TAG_LOCATE_BROKER, fill(c->locate_broker, 4, value))
    OPTION_IS("tradenow", TAG_TRADE_NOW, c->trade_now = *value)
    OPTION_IS("customer", TAG_CUSTOMER_TYPE, c->customer_type = *value)
    OPTION_IS("min", TAG_MIN_QTY, c->min_qty = number)
    OPTION_IS("floor", TAG_MAX_FLOOR, c->max_floor = number)
    OPTION_IS("type", TAG_PRICE_TYPE, c->price_type = *value)
    OPTION_IS("peg", TAG_PEG_OFFSET, c->peg_offset = (int32_t)number)
    OPTION_IS("discretion", TAG_DISCRETION_PRICE, c->discretion_price = price_of(value))
    OPTION_IS("stop", TAG_STOP_PRICE, c->trigger = price_of(value))
    OPTION_IS("trail", TAG_TRAIL_AMOUNT, c->trigger = price_of(value))
    OPTION_IS("discretiontype", TAG_DISCRETION_PRICE_TYPE, c->discretion_price_type = *value)
    OPTION_IS("discretionpeg", TAG_DISCRETION_PEG_OFFSET, c->discretion_peg_offset = (int32_t)number)
    OPTION_IS("post", TAG_POST_ONLY, c->post_only = *value)
    OPTION_IS("reserves", TAG_RANDOM_RESERVES, c->random_reserves = number)
    OPTION_IS("route", TAG_ROUTE, (void)0)
    OPTION_IS("expire", TAG_EXPIRE_TIME, c->expire_s = number)
    OPTION_IS("handle", TAG_HANDLE_INST, c->handle_inst = *value)
    OPTION_IS("aiq", TAG_AIQ_STRATEGY, c->aiq_strategy = *value)
    OPTION_IS("aiqgroup", TAG_AIQ_GROUP, fill(c->aiq_group, 2, value))
#undef OPTION_IS
#undef NAMED
    return false;
}

// The market's commands name a symbol first: S1, or - for all.
static uint16_t next_locate(struct words *words)
{
    const char *word = next_word(words);
    return *word == 'S' ? (uint16_t)strtoul(word + 1, NULL, 10) : LOCATE_NONE;
}

// The value of the next word when it is NAME=value; NULL otherwise.
static const char *next_value(struct words *words, const char *name)
{
    size_t length = strlen(name);
    const char *word = words->next < words->count ? words->word[words->next] : "";
    if (strncmp(word, name, length) != 0 || word[length] != '=')
        return NULL;
    words->next++;
    return word + length + 1;
}

static uint32_t next_parts(struct words *words, const char *name) // millionths, written as a percentage
{
    const char *value = next_value(words, name);
    return value ? price_of(value) : 0;
}

// "5": so many units; "5ms", "5ns" with a unit of their own, which is the field's.
static uint64_t next_seconds(struct words *words, const char *name, uint64_t unit, uint64_t none)
{
    const char *value = next_value(words, name);
    char *end;
    uint64_t number = value ? strtoull(value, &end, 10) : 0;
    return !value ? none : *end ? number : number * unit;
}

static void parse_bands(struct command *c, struct words *words)
{
    c->bands.locate = next_locate(words);
    c->bands.percent = next_parts(words, "percent");
    c->bands.wide_percent = next_parts(words, "wide");
    c->bands.limit_state_ms = (uint32_t)next_seconds(words, "limit", 1000, 15000);
    c->bands.pause_ms = (uint32_t)next_seconds(words, "pause", 1000, 300000);
    c->bands.velocity_percent = next_parts(words, "velocity");
    c->bands.velocity_ms = (uint32_t)next_seconds(words, "within", 1000, 0);
    c->bands.wide_until_ns = next_seconds(words, "until", 1000000000, 0);
    c->bands.wide_from_ns = next_seconds(words, "from", 1000000000, UINT64_MAX);
}

// HALT symbol state reason    REFERENCE symbol price sho= adv= tier=    INDEX level breached last= declared=1
// BANDS symbol percent= wide= limit= pause= velocity= within= until= from=
static bool parse_market(struct command *c, const char *type, struct words *words)
{
    *c = (struct command){.session = SESSION_NONE};
    if (strcmp(type, "HALT") == 0) {
        c->type = CMD_HALT;
        c->halt.locate = next_locate(words);
        c->halt.state = next_word(words)[0];
        fill(c->halt.reason, 4, next_word(words));
    } else if (strcmp(type, "REFERENCE") == 0) {
        c->type = CMD_REFERENCE;
        c->reference.locate = next_locate(words);
        c->reference.reference = price_of(next_word(words));
        const char *sho = next_value(words, "sho");
        c->reference.reg_sho = sho ? *sho : 0;
        c->reference.adv = next_seconds(words, "adv", 1, 0);
        c->reference.tier = (uint8_t)next_seconds(words, "tier", 1, 0);
    } else if (strcmp(type, "INDEX") == 0) {
        c->type = CMD_INDEX;
        c->index.level = next_number(words);
        c->index.breached = (uint8_t)next_number(words);
        c->index.last_ns = next_seconds(words, "last", 1000000000, UINT64_MAX);
        uint64_t unit = next_seconds(words, "declared", 1, 0);
        for (unsigned i = 0; i < 3; i++)
            c->index.declared[i] = unit * (i + 1);
    } else if (strcmp(type, "BANDS") == 0) {
        c->type = CMD_BANDS;
        parse_bands(c, words);
    } else {
        return false;
    }
    return true;
}

// What KILL and RESET say behind their scope.
static void parse_kill(struct command *c, const char *scope, struct words *words)
{
    static const char *const scopes[] = {"venue", "firm", "account", "session", "symbol", "position"};
    for (uint8_t i = 0; i < 6; i++)
        if (strcmp(scope, scopes[i]) == 0)
            c->kill.scope = SCOPE_VENUE + i;
    c->kill.index = (uint16_t)next_number(words);
    c->kill.actions = *scope && c->type == CMD_KILL ? KILL_BLOCK | KILL_CANCEL : 0;
    while (words->next < words->count) {
        const char *word = next_word(words), *value = strchr(word, '=') + 1;
        uint64_t number = strtoull(value, NULL, 10);
        if (*word == 's' && word[1] == 'i') // side
            c->kill.side = *value == '-' ? 0 : *value;
        else if (*word == 's')
            c->kill.source = (uint8_t)number;
        else if (*word == 'a')
            c->kill.actions = (uint8_t)number;
        else
            c->kill.id = number;
    }
}

static bool parse_fields(struct command *c, const char *type, struct words *words)
{
    if (parse_market(c, type, words))
        return true;
    const char *session = next_word(words);
    uint16_t number = (uint16_t)strtoul(session + (*session == 's'), NULL, 10);
    if (strcmp(type, "O") == 0) {
        uint32_t user_ref = next_number(words);
        char side = next_word(words)[0];
        *c = rig_enter(number, user_ref, side, next_number(words), 1, 0);
        set_symbol(c, next_word(words));
        c->price = price_of(next_word(words));
        c->tif = tif_of(next_word(words));
    } else if (strcmp(type, "U") == 0) {
        char *refs = words->word[words->next++];
        uint32_t orig = (uint32_t)strtoul(refs, &refs, 10);
        *c = rig_replace(number, orig, (uint32_t)strtoul(refs + 1, NULL, 10), next_number(words), 0);
        c->price = price_of(next_word(words));
        c->tif = tif_of(next_word(words));
    } else if (strcmp(type, "X") == 0 || strcmp(type, "M") == 0) {
        *c = rig_simple(*type == 'X' ? CMD_CANCEL : CMD_MODIFY, number, next_number(words), 0);
        if (*type == 'M')
            c->side = next_word(words)[0];
        c->quantity = next_number(words);
    } else if (strcmp(type, "C") == 0 || strcmp(type, "D") == 0 || strcmp(type, "E") == 0) {
        *c = rig_simple(*type == 'C'   ? CMD_MASS_CANCEL
                        : *type == 'D' ? CMD_DISABLE
                                       : CMD_ENABLE,
                        number, next_number(words), 0);
        fill(c->firm, 4, next_word(words));
        if (*type == 'C')
            set_symbol(c, next_word(words));
    } else if (strcmp(type, "Q") == 0) {
        *c = rig_simple(CMD_QUERY, number, 0, 0);
    } else if (strcmp(type, "UP") == 0 || strcmp(type, "DOWN") == 0) {
        *c = (struct command){.type = *type == 'U' ? CMD_SESSION_UP : CMD_SESSION_DOWN, .session = number};
        if (strcmp(next_word(words), "off") == 0)
            c->link.down_reason = DOWN_LOGOFF;
    } else if (strcmp(type, "PHASE") == 0) {
        *c = (struct command){.type = CMD_PHASE, .session = SESSION_NONE};
        c->phase.phase = *session;
    } else if (strcmp(type, "TICK") == 0) { // at so many seconds of the day
        *c = (struct command){.type = CMD_TICK, .session = SESSION_NONE};
        c->time_ns = moment_of(session);
    } else if (strcmp(type, "BREAK") == 0 || strcmp(type, "ADJUST") == 0) {
        *c = (struct command){.type = *type == 'B' ? CMD_BREAK : CMD_ADJUST, .session = SESSION_NONE};
        c->trade.match = (UINT64_C(1) << 40) + strtoull(session + 1, NULL, 10);
        c->trade.reason = *type == 'B' ? next_word(words)[0] : 0;
        c->trade.price = *type == 'B' ? 0 : price_of(next_word(words));
        c->trade.quantity = *type == 'B' ? 0 : next_number(words);
    } else if (strcmp(type, "LIMIT") == 0) {
        *c = (struct command){.type = CMD_LIMIT, .session = SESSION_NONE};
        set_scope(c, session);
        c->limit.limit = limit_of(next_word(words));
        c->limit.value = amount_of(next_word(words));
    } else if (strcmp(type, "GROUP") == 0) { // S1 number
        *c = (struct command){.type = CMD_GROUP, .session = SESSION_NONE};
        c->group.locate = (uint16_t)strtoul(session + 1, NULL, 10);
        c->group.group = (uint16_t)next_number(words);
    } else if (strcmp(type, "MODE") == 0) { // number on|off percent rate block
        *c = (struct command){.type = CMD_MODE, .session = SESSION_NONE};
        c->mode.mode = (uint8_t)strtoul(session, NULL, 10);
        c->mode.on = strcmp(next_word(words), "on") == 0;
        c->mode.percent = next_number(words);
        c->mode.rate = next_number(words);
        c->mode.block = (uint8_t)next_number(words);
    } else if (strcmp(type, "POSITION") == 0) { // a0 S1 quantity cost
        *c = (struct command){.type = CMD_POSITION, .session = SESSION_NONE};
        c->position.account = (uint16_t)strtoul(session + 1, NULL, 10);
        c->position.locate = (uint16_t)strtoul(next_word(words) + 1, NULL, 10);
        c->position.quantity = strtoll(next_word(words), NULL, 10);
        const char *cost = next_word(words);
        c->position.cost = *cost == '-' ? -(int64_t)amount_of(cost + 1) : (int64_t)amount_of(cost);
    } else if (strcmp(type, "KILL") == 0 || strcmp(type, "RESET") == 0) {
        *c = (struct command){.type = *type == 'K' ? CMD_KILL : CMD_RESET, .session = SESSION_NONE};
        parse_kill(c, session, words);
    } else if (strcmp(type, "END") == 0) {
        *c = (struct command){.type = CMD_END_DAY, .session = SESSION_NONE};
    } else {
        return false;
    }
    return true;
}

bool scenario_parse(struct command *c, char *line)
{
    struct words words;
    split_words(line, &words);
    const char *type = next_word(&words);
    if (!parse_fields(c, type, &words))
        return false;
    while (words.next < words.count)
        if (!set_option(c, next_word(&words)))
            return false;
    return true;
}

// ---- running
// ---------------------------------------------------------------------------------------------------------

struct run {
    struct rig rig;
    struct rig_day day; // of the scenario to come
    struct naive_venue *naive;
    struct command before[16]; // commands that come just before the day's start
    unsigned befores;
    const struct event *events; // the naive venue's, of the last command; without one the engine's
    size_t count;
    bool oracle_alone;
    bool titled;
    bool open;
    size_t seen; // events of the last command that the table has named
    char title[200];
    char *error;
    size_t error_size;
    unsigned line;
    const char *path;
};

static void fail(struct run *run, const char *what, const char *detail, const char *one, const char *other)
{
    if (!*run->error)
        snprintf(run->error, run->error_size, "%s:%u: (%s) %s %s\n  %s\n  %s", run->path, run->line, run->title, what,
                 detail, one, other);
}

// The naive venue's events for the command, which must be the engine's.
static void step_both(struct run *run, struct command *c)
{
    char text[256] = "", theirs[256] = "";
    rig_step(&run->rig, c);
    run->seen = 0;
    run->events = naive_step(run->naive, c, &run->count);
    if (run->oracle_alone)
        return;
    for (size_t i = 0; i < run->count || i < run->rig.count; i++) {
        const char *what = i >= run->count || i >= run->rig.count
                               ? "one event more"
                               : event_difference(&run->events[i], &run->rig.events[i]);
        if (!what)
            continue;
        if (i < run->rig.count)
            scenario_event_text(&run->rig.events[i], text, sizeof text);
        if (i < run->count)
            scenario_event_text(&run->events[i], theirs, sizeof theirs);
        fail(run, "the engine differs from the naive venue,", what, text, theirs);
        return;
    }
}

static void open_both(void *context, struct command *c)
{
    struct run *run = context;
    for (unsigned i = 0; c->type == CMD_START && i < run->befores; i++)
        step_both(run, &run->before[i]);
    step_both(run, c);
}

// The last command is over: all of its events must have been named.
static void finish_command(struct run *run)
{
    if (!run->open)
        return;
    char text[256];
    if (run->seen < run->count) {
        scenario_event_text(&run->events[run->seen], text, sizeof text);
        fail(run, "before this line, an event that the table does not name:", text, "", "");
    }
    const char *broken = run->oracle_alone || getenv("XW_NOCHECK") ? NULL : engine_check(run->rig.engine);
    if (broken)
        fail(run, "the engine's invariants are broken:", broken, "", "");
}

static void close_scenario(struct run *run)
{
    finish_command(run);
    if (run->open) {
        rig_free(&run->rig);
        naive_free(run->naive);
    }
    run->open = run->titled = false;
    run->befores = 0;
}

static void open_scenario(struct run *run)
{
    if (run->open || !run->titled)
        return;
    rig_new(&run->rig, &run->day, 0);
    run->naive = naive_new();
    rig_opening(&run->day, open_both, run);
    run->seen = run->count;
    run->open = true;
}

// "name=value" of a line that begins with @: what is special about the scenario's day.
static bool set_day(struct rig_day *day, const char *word)
{
    const char *value = strchr(word, '=');
    if (!value)
        return false;
    uint32_t number = (uint32_t)strtoul(++value, NULL, 10);
    if (strncmp(word, "phase=", 6) == 0)
        day->phase = *value;
    else if (strncmp(word, "orders=", 7) == 0)
        day->max_orders = number;
    else if (strncmp(word, "levels=", 7) == 0)
        day->max_levels = number;
    else if (strncmp(word, "special=", 8) == 0)
        day->max_special = number;
    else if (strncmp(word, "conditional=", 12) == 0)
        day->max_conditional = number;
    else if (strncmp(word, "trades=", 7) == 0)
        day->max_trades = number;
    else if (strncmp(word, "positions=", 10) == 0)
        day->max_positions = number;
    else if (strncmp(word, "seed=", 5) == 0)
        day->seed = number;
    else if (strncmp(word, "accounts=", 9) == 0)
        day->accounts = (uint16_t)number;
    else if (strncmp(word, "sessions=", 9) == 0)
        day->sessions = (uint16_t)number;
    else if (strncmp(word, "symbols=", 8) == 0)
        day->symbols = (uint16_t)number;
    else if (strncmp(word, "tick3=", 6) == 0)
        day->ticks[2] = number;
    else if (strncmp(word, "postcancel=", 11) == 0) // the sessions' digits
        for (; *value >= '0' && *value <= '9'; value++)
            day->post_only_cancels |= 1u << (*value - '0');
    else if (strncmp(word, "aiq=", 4) == 0) // a character a session
        memcpy(day->aiq_default, value, strnlen(value, sizeof day->aiq_default));
    else
        return false;
    return true;
}

static bool set_days(struct rig_day *day, char *line)
{
    struct words words;
    split_words(line, &words);
    while (words.next < words.count)
        if (!set_day(day, next_word(&words)))
            return false;
    return true;
}

// Collapses blanks and cuts the comment.
static void squeeze(char *text)
{
    char *to = text;
    for (const char *from = text; *from && *from != '\n'; from++)
        if (*from != ' ' || (to > text && to[-1] != ' '))
            *to++ = *from;
    while (to > text && to[-1] == ' ')
        to--;
    *to = 0;
}

static void take_line(struct run *run, char *line, unsigned *scenarios)
{
    squeeze(line);
    if (line[0] == 0 || line[0] == '#')
        return;
    if (line[0] == '=') {
        close_scenario(run);
        snprintf(run->title, sizeof run->title, "%.190s", line + 2);
        run->day = scenario_day;
        run->titled = true;
        ++*scenarios;
    } else if (line[0] == '@' && line[1] == '@') { // a command before the start
        if (run->open || run->befores == sizeof run->before / sizeof *run->before ||
            !scenario_parse(&run->before[run->befores++], line + 2))
            fail(run, "a day cannot begin so:", line, "", "");
    } else if (line[0] == '@') {
        if (run->open || !set_days(&run->day, line + 1))
            fail(run, "a day cannot be had so:", line, "", "");
    } else if (line[0] == '<') {
        char text[256] = "no event";
        if (run->seen < run->count)
            scenario_event_text(&run->events[run->seen++], text, sizeof text);
        if (strcmp(text, line + 2) != 0)
            fail(run, "this is said instead:", text, "", "");
    } else {
        struct command c;
        open_scenario(run);
        finish_command(run);
        if (!run->open || !scenario_parse(&c, line)) {
            fail(run, "no such command or option:", line, "", "");
            return;
        }
        step_both(run, &c);
    }
}

unsigned scenario_run(const char *path, char *error, size_t error_size)
{
    static struct run run;
    memset(&run, 0, sizeof run);
    run.error = error;
    run.error_size = error_size;
    run.path = path;
    run.oracle_alone = getenv("XW_ORACLE") != NULL;
    *error = 0;
    FILE *file = fopen(path, "r");
    if (!file) {
        fail(&run, "can not be read", "", "", "");
        return 0;
    }
    char line[512];
    unsigned scenarios = 0;
    while (!*error && fgets(line, sizeof line, file)) {
        run.line++;
        take_line(&run, line, &scenarios);
    }
    close_scenario(&run);
    fclose(file);
    return scenarios;
}
