// SPDX-License-Identifier: Apache-2.0
#include "tests/support/scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/engine_rig.h"

static const struct rig_day scenario_day = {
    .max_orders = 1000, .max_levels = 1000, .symbols = 2, .sessions = 3, .ticks = {100, 1, 1, 1}, .lookup_key = 3};

// ---- events to text
// --------------------------------------------------------------------------------------------------

struct text {
    char *at;
    size_t left;
};

static void __attribute__((format(printf, 2, 3))) say(struct text *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text->at, text->left, format, list);
    va_end(list);
    if (length > 0 && (size_t)length < text->left) {
        text->at += length;
        text->left -= (size_t)length;
    }
}

// A space-padded field; "-" when blank.
static void say_alpha(struct text *text, const char *field, int size)
{
    while (size > 0 && (field[size - 1] == ' ' || field[size - 1] == 0))
        size--;
    say(text, size ? " %.*s" : " -", size, field);
}

static void say_price(struct text *text, uint32_t price)
{
    say(text, " %u.%04u", price / 10000, price % 10000);
}

static unsigned low(uint64_t reference)
{
    return (unsigned)(reference & 0xFFFFFF);
}

static void say_market_data(struct text *text, uint8_t flags)
{
    say(text, "%s",
        flags & EV_MD_ADD       ? " add"
        : flags & EV_MD_REPLACE ? " replace"
        : flags & EV_MD_DELETE  ? " delete"
        : flags & EV_MD_REDUCE  ? " reduce"
        : flags & EV_MD_EXECUTE ? " execute"
        : flags & EV_MD_OTHER   ? " md"
                                : "");
}

static void say_options(struct text *text, const struct event *e)
{
    if (e->user_ref_idx)
        say(text, " idx=%u", e->user_ref_idx);
    if (e->lines < 2 || e->type == EV_TRADE)
        return;
    for (int tag = 0; tag < 32; tag++) {
        if (!(e->options >> tag & 1) || tag == TAG_USER_REF_IDX)
            continue;
        switch (tag) {
        case TAG_FIRM:
            say(text, " firm=%.4s", memcmp(e->firm, "    ", 4) == 0 ? "-" : e->firm);
            break;
        case TAG_GROUP_ID:
            say(text, " group=%u", e->group_id);
            break;
        case TAG_SHARES_LOCATED:
            say(text, " located=%c", e->shares_located);
            break;
        case TAG_TRADE_NOW:
            say(text, " tradenow=%c", e->trade_now);
            break;
        case TAG_CUSTOMER_TYPE:
            say(text, " customer=%c", e->customer_type);
            break;
        case TAG_PRICE_TYPE:
            say(text, " type=%c", e->price_type);
            break;
        case TAG_POST_ONLY:
            say(text, " post=%c", e->post_only);
            break;
        case TAG_AIQ_STRATEGY:
            say(text, " aiq=%c", e->aiq_strategy);
            break;
        case TAG_SIDE:
            say(text, " side=%c", e->side);
            break;
        case TAG_LOCATE_BROKER:
            say(text, " broker=%.4s", e->locate_broker);
            break;
        default:
            say(text, " tag%d", tag);
        }
    }
}

static void say_body(struct text *text, const struct event *e)
{
    switch (e->type) {
    case EV_ACCEPTED:
        say(text, "A s%u %u %c %u", e->session, e->user_ref, e->side, e->quantity);
        say_alpha(text, e->symbol, 8);
        say_price(text, e->price);
        say(text, " #%u", low(e->ref));
        break;
    case EV_REPLACED:
        say(text, "U s%u %u>%u %c %u", e->session, e->other_user_ref, e->user_ref, e->side, e->quantity);
        say_price(text, e->price);
        say(text, " #%u>#%u", low(e->old_ref), low(e->ref));
        break;
    case EV_CANCELED:
        if (e->session == SESSION_NONE)
            say(text, "- #%u %u", low(e->ref), e->quantity);
        else
            say(text, "C s%u %u %u %c #%u", e->session, e->user_ref, e->quantity, e->reason, low(e->ref));
        break;
    case EV_TRADE:
        say(text, "E s%u:%u%c s%u:%u%c %u", e->session, e->user_ref, e->taker_liquidity, e->other_session,
            e->other_user_ref, e->maker_liquidity, e->quantity);
        say_price(text, e->price);
        say(text, " #%u @%u", low(e->ref), low(e->match));
        break;
    case EV_REJECTED:
        say(text, "J s%u %u %02X", e->session, e->user_ref, (uint8_t)e->reason);
        break;
    case EV_MODIFIED:
        say(text, "M s%u %u %c %u", e->session, e->user_ref, e->side, e->quantity);
        break;
    case EV_MASS_CANCEL:
        say(text, "X s%u %u", e->session, e->user_ref);
        say_alpha(text, e->firm, 4);
        say_alpha(text, e->symbol, 8);
        break;
    case EV_DISABLED:
    case EV_ENABLED:
        say(text, "%c s%u %u", e->type == EV_DISABLED ? 'G' : 'K', e->session, e->user_ref);
        say_alpha(text, e->firm, 4);
        break;
    case EV_QUERY:
        say(text, "Q s%u %u", e->session, e->user_ref);
        break;
    case EV_BOOK_ADD:
        say(text, "+ #%u %c %u", low(e->ref), e->side, e->quantity);
        say_price(text, e->price);
        break;
    case EV_SYSTEM:
        say(text, "S %c", e->reason);
        break;
    default:
        say(text, "event%u", e->type);
    }
}

void scenario_event_text(const struct event *event, char *text, size_t size)
{
    struct text out = {text, size};
    say_body(&out, event);
    if (event->type != EV_BOOK_ADD || event->user_ref_idx == 0)
        say_options(&out, event);
    say_market_data(&out, event->flags);
}

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

static char tif_of(const char *word)
{
    return strcmp(word, "day") == 0 ? '0' : strcmp(word, "ioc") == 0 ? '3' : word[0];
}

static void set_symbol(struct command *c, const char *word)
{
    fill(c->symbol, 8, word);
    c->locate = strcmp(word, "S1") == 0 ? 1 : strcmp(word, "S2") == 0 ? 2 : LOCATE_NONE;
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
    OPTION_IS("discretion", TAG_DISCRETION_PRICE, c->discretion_price = number)
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

static bool parse_fields(struct command *c, const char *type, struct words *words)
{
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
    } else if (strcmp(type, "END") == 0) {
        *c = (struct command){.type = CMD_END_DAY, .session = SESSION_NONE};
    } else {
        return false;
    }
    return true;
}

static bool parse_command(struct command *c, char *line)
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
    bool open;
    size_t seen; // events of the last command that the table has named
    char title[200];
    char *error;
    size_t error_size;
    unsigned line;
    const char *path;
};

static void fail(struct run *run, const char *what, const char *detail)
{
    if (!*run->error)
        snprintf(run->error, run->error_size, "%s:%u: (%s) %s %s", run->path, run->line, run->title, what, detail);
}

// The last command is over: all of its events must have been named.
static void finish_command(struct run *run)
{
    if (!run->open)
        return;
    char text[256];
    if (run->seen < run->rig.count) {
        scenario_event_text(&run->rig.events[run->seen], text, sizeof text);
        fail(run, "before this line, an event that the table does not name:", text);
    }
    const char *broken = engine_check(run->rig.engine);
    if (broken)
        fail(run, "the engine's invariants are broken:", broken);
}

static void close_scenario(struct run *run)
{
    finish_command(run);
    if (run->open)
        rig_free(&run->rig);
    run->open = false;
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
        rig_open(&run->rig, &scenario_day);
        run->seen = run->rig.count;
        run->open = true;
        ++*scenarios;
    } else if (line[0] == '<') {
        char text[256] = "no event";
        if (run->seen < run->rig.count)
            scenario_event_text(&run->rig.events[run->seen++], text, sizeof text);
        if (strcmp(text, line + 2) != 0)
            fail(run, "the engine says:", text);
    } else {
        struct command c;
        finish_command(run);
        if (!run->open || !parse_command(&c, line)) {
            fail(run, "no such command or option:", line);
            return;
        }
        rig_step(&run->rig, &c);
        run->seen = 0;
    }
}

unsigned scenario_run(const char *path, char *error, size_t error_size)
{
    static struct run run;
    memset(&run, 0, sizeof run);
    run.error = error;
    run.error_size = error_size;
    run.path = path;
    *error = 0;
    FILE *file = fopen(path, "r");
    if (!file) {
        fail(&run, "can not be read", "");
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
