// SPDX-License-Identifier: Apache-2.0
// Every limit at, below and above what an order comes to: tests/unit/boundaries.txt, where each row of limits.def has a
// block, or this fails. From one block come the days of all scopes that the row names, of Enter, of a Replace that asks
// for more and of one that asks for less, of buys and sells, of the alert level, and of a mode that halves the limit.
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract/reject.h"
#include "tests/support/engine_rig.h"
#include "tests/support/naive_venue.h"
#include "tests/support/scenario.h"

#define LINES 40

static const struct {
    const char *key, *scopes, *unit;
    uint8_t reject;
} rows[LIMITS] = {
#define LIMIT(name, key, scopes, unit, reject, help) [LIMIT_##name] = {key, scopes, #unit, reject},
#include "contract/limits.def"
#undef LIMIT
};

enum way { WAY_ENTER, WAY_MORE, WAY_LESS, WAYS };

struct block {
    unsigned limit, by; // the row that is set, the one that refuses
    uint64_t use;       // what the last command comes to
    uint8_t code;
    char told;                // alert kind that says it where nothing is refused, 0
    bool reached;             // to come to the limit is enough
    bool longer;              // a larger limit is the tighter one
    bool quiet;               // it has no alert level
    bool ways[WAYS];          // that apply
    bool mirrored;            // sells as well, by exchanging B and S
    bool once;                // a mode changes more than this limit
    char phase;               // that the day begins in, 0 regular hours
    bool bits;                // `use` is a bit of forbidden
    char away[16];            // price of the order that is replaced, "" the last line's
    char line[LINES][128];    // the last one is the command that is asked about
    unsigned count, limit_at; // the limit is set before this line
    unsigned number;          // of the file's line
};

static unsigned limit_named(const char *key)
{
    unsigned limit = 0;
    while (limit < LIMITS && strcmp(rows[limit].key, key) != 0)
        limit++;
    if (limit == LIMITS)
        fail_msg("there is no limit %s", key);
    return limit;
}

// ---- one day

struct day {
    struct rig rig;
    struct naive_venue *naive;
    const struct block *block;
    const char *what; // the day, in words
};

static void step(struct day *day, struct command c)
{
    size_t count;
    rig_step(&day->rig, &c);
    const struct event *want = naive_step(day->naive, &c, &count);
    for (size_t i = 0; i < count || i < day->rig.count; i++) {
        const char *differs =
            i < count && i < day->rig.count ? event_difference(&want[i], &day->rig.events[i]) : "the number of events";
        if (differs)
            fail_msg("line %u, %s: the naive venue has another %s", day->block->number, day->what, differs);
    }
}

static void step_opening(void *context, struct command *c)
{
    step(context, *c);
}

// The last command's answers.
static bool is_told(const struct day *day, char kind, unsigned limit)
{
    for (size_t i = 0; i < day->rig.count; i++)
        if (day->rig.events[i].type == EV_ALERT && day->rig.events[i].reason == kind &&
            day->rig.events[i].quantity == limit)
            return true;
    return false;
}

static uint8_t rejected_with(const struct day *day)
{
    for (size_t i = 0; i < day->rig.count; i++)
        if (day->rig.events[i].type == EV_REJECTED)
            return (uint8_t)day->rig.events[i].reason;
    return REJECT_NONE;
}

// ---- what is played

struct play {
    const struct block *block;
    enum way way;
    bool sells; // B and S exchanged
    char scope; // letter of limits.def
    uint64_t value;
    bool halved; // by a mode: the value is twice as large
};

static void mirror(char *line)
{
    for (char *at = line; *at; at++)
        if ((*at == 'B' || *at == 'S') && at[-1] == ' ' && at[1] == ' ')
            *at = *at == 'B' ? 'S' : 'B';
    char *quantity = strstr(line, "POSITION"); // POSITION a0 S1 10 20.00
    if (!quantity)
        return;
    char account[8], symbol[8], held[16], cost[16];
    sscanf(quantity, "POSITION %7s %7s %15s %15s", account, symbol, held, cost);
    sprintf(quantity, "POSITION %s %s -%s -%s", account, symbol, held, cost);
}

static struct command command_of(const struct play *play, const char *line)
{
    char text[160];
    struct command c;
    snprintf(text, sizeof text, "%s", line);
    if (play->sells)
        mirror(text);
    if (!scenario_parse(&c, text))
        fail_msg("line %u of boundaries.txt: no such command: %s", play->block->number, line);
    return c;
}

// What is asked about: the last line, as an Enter or as what an order is replaced by.
static struct command probe_of(const struct play *play, struct command *original)
{
    struct command probe = command_of(play, play->block->line[play->block->count - 1]);
    *original = probe;
    if (play->way == WAY_ENTER)
        return probe;
    uint32_t quantity = play->way == WAY_MORE ? 1 : probe.quantity + 7, price = probe.price;
    char away[48];
    snprintf(away, sizeof away, "O s0 1 B 1 S1 %s day", play->block->away);
    if (*play->block->away)
        price = command_of(play, away).price;
    uint32_t number =
        play->block->limit_at + 1 < play->block->count ? 1 : probe.user_ref - 1; // it comes with the limit
    *original = rig_enter(probe.session, number, probe.side, quantity, probe.locate, price);
    original->tif = probe.tif == '3' ? '0' : probe.tif;
    struct command replace = rig_replace(probe.session, number, probe.user_ref, probe.quantity, probe.price);
    replace.time_ns = probe.time_ns;
    replace.tif = probe.tif;
    replace.display = probe.display;
    replace.iso = probe.iso;
    replace.options = probe.options & ~(OPTION(TAG_SHARES_LOCATED) | OPTION(TAG_LOCATE_BROKER));
    replace.trigger = probe.trigger;
    return replace;
}

static void set_limit(struct day *day, const struct play *play, uint16_t locate)
{
    static const char letters[] = "?VFASYP";
    struct command c = {.type = CMD_LIMIT, .session = SESSION_NONE};
    c.limit.limit = (uint8_t)play->block->limit;
    c.limit.scope = (uint8_t)(strchr(letters, play->scope) - letters);
    c.limit.index = play->scope == 'Y' ? locate : 0;
    c.limit.locate = play->scope == 'P' ? locate : LOCATE_NONE;
    c.limit.value = play->value;
    step(day, c);
    if (!play->halved)
        return;
    c = (struct command){.type = CMD_MODE, .session = SESSION_NONE};
    c.mode.mode = 3;
    c.mode.on = 1;
    c.mode.percent = 50;
    step(day, c);
}

struct opening {
    struct day *day;
    const struct play *play;
};

static bool before_start(const char *line)
{
    return strncmp(line, "POSITION", 8) == 0;
}

static void step_early(void *context, struct command *c)
{
    const struct opening *opening = context;
    const struct block *block = opening->play->block;
    for (unsigned i = 0; c->type == CMD_START && i + 1 < block->count; i++)
        if (before_start(block->line[i]))
            step(opening->day, command_of(opening->play, block->line[i]));
    step_opening(opening->day, c);
}

static unsigned days_played;

static void step_original(struct day *day, const struct command *original)
{
    step(day, *original);
    if (day->rig.count != 1 || day->rig.events[0].type != EV_ACCEPTED)
        fail_msg("line %u, %s: the order to be replaced does not just rest", day->block->number, day->what);
}

struct seen { // since the limit was set
    bool told, alerted;
};

static void see(const struct day *day, struct seen *seen)
{
    seen->told |= is_told(day, day->block->told, day->block->by);
    seen->alerted |= is_told(day, ALERT_LEVEL, day->block->limit);
}

// Plays the day and says whether the limit has bitten; `alerted`: whether its alert level has.
static bool bites(const struct play *play, bool *alerted)
{
    struct rig_day day_of_it = {.max_orders = 200,
                                .max_levels = 100,
                                .symbols = 2,
                                .sessions = 8,
                                .accounts = 4,
                                .max_positions = 16,
                                .ticks = {100, 1, 1, 1},
                                .lookup_key = 3,
                                .phase = play->block->phase};
    const struct block *block = play->block;
    char what[160];
    struct day day = {.block = block, .naive = naive_new(), .what = what};
    snprintf(what, sizeof what, "%s of scope %c at %llu, %s, %s%s", rows[block->limit].key, play->scope,
             (unsigned long long)play->value,
             play->way == WAY_ENTER  ? "an Enter"
             : play->way == WAY_MORE ? "a Replace for more"
                                     : "a Replace for less",
             play->sells ? "sides exchanged" : "sides as written", play->halved ? ", halved by a mode" : "");
    days_played++;
    rig_new(&day.rig, &day_of_it, 0);
    rig_opening(&day_of_it, step_early, &(struct opening){&day, play});
    struct command original, probe = probe_of(play, &original);
    struct seen seen = {0};
    for (unsigned i = 0; i < block->count; i++) {
        if (i == block->limit_at) {
            if (play->way != WAY_ENTER)
                step_original(&day, &original);
            set_limit(&day, play, original.locate);
            see(&day, &seen);
        }
        if (i + 1 < block->count && before_start(block->line[i]))
            continue;
        step(&day, i + 1 < block->count ? command_of(play, block->line[i]) : probe);
        if (i >= block->limit_at)
            see(&day, &seen);
    }
    uint8_t code = rejected_with(&day);
    unsigned limit = engine_limit_refused(day.rig.engine);
    bool bitten = block->told ? seen.told : code != REJECT_NONE;
    *alerted = seen.alerted;
    if (code != REJECT_NONE && (block->told || code != block->code || limit != block->by))
        fail_msg("line %u, %s: refused with %02X for %s", block->number, what, code,
                 limit < LIMITS ? rows[limit].key : "no limit");
    assert_null(engine_check(day.rig.engine));
    rig_free(&day.rig);
    naive_free(day.naive);
    return bitten;
}

static void expect(struct play play, uint64_t value, bool bitten)
{
    bool alerted;
    play.value = play.halved ? value * 2 : value;
    if (bites(&play, &alerted) != bitten)
        fail_msg("line %u: %s of scope %c at %llu %s %llu, %s, %s%s", play.block->number, rows[play.block->limit].key,
                 play.scope, (unsigned long long)play.value, bitten ? "lets pass" : "refuses",
                 (unsigned long long)play.block->use,
                 play.way == WAY_ENTER  ? "an Enter"
                 : play.way == WAY_MORE ? "a Replace for more"
                                        : "a Replace for less",
                 play.sells ? "sides exchanged" : "sides as written", play.halved ? ", halved by a mode" : "");
}

static void expect_alert(struct play play, uint64_t value, bool alerted)
{
    bool is;
    play.value = value;
    bites(&play, &is);
    if (is != alerted)
        fail_msg("line %u: with %s of scope %c at %llu, %llu %s its alert level", play.block->number,
                 rows[play.block->limit].key, play.scope, (unsigned long long)value,
                 (unsigned long long)play.block->use, alerted ? "does not tell of" : "tells of");
}

static bool scales(unsigned limit)
{
    return strcmp(rows[limit].unit, "MS") != 0 && strcmp(rows[limit].unit, "MASK") != 0 && limit != LIMIT_CAPITAL &&
           limit != LIMIT_ALERT && limit != LIMIT_SLOW;
}

// Below, at and above its limit, and at and below its alert level.
static void play_one(struct play play)
{
    const struct block *block = play.block;
    if (block->bits) {
        expect(play, 0, false);
        expect(play, block->use, true);
        return;
    }
    for (int halved = 0; halved <= (scales(block->limit) && !block->once && play.way == WAY_ENTER); halved++) {
        play.halved = halved;
        expect(play, block->use + 1, block->longer);
        expect(play, block->use, block->reached);
        expect(play, block->use - 1, !block->longer);
    }
    play.halved = false;
    if (block->quiet || play.way == WAY_LESS) // which began above the level
        return;
    expect_alert(play, block->use * 10 / 7, true); // the largest limit of which it is 70 per cent, rounded up
    expect_alert(play, block->use * 10 / 7 + 1, false);
}

static void play_block(const struct block *block)
{
    for (const char *scope = rows[block->limit].scopes; *scope; scope++)
        for (enum way way = WAY_ENTER; way < WAYS; way++)
            for (int sells = 0; sells <= block->mirrored; sells++)
                if (block->ways[way])
                    play_one((struct play){.block = block, .way = way, .sells = sells, .scope = *scope});
}

// ---- the file

static void take_word(struct block *block, const char *word)
{
    static const char *const ways[] = {"enter", "more", "less"};
    if (strncmp(word, "by=", 3) == 0) {
        block->by = limit_named(word + 3);
        block->code = rows[block->by].reject;
    } else if (strncmp(word, "code=", 5) == 0)
        block->code = (uint8_t)strtoul(word + 5, NULL, 16);
    else if (strncmp(word, "told=", 5) == 0)
        block->told = word[5];
    else if (strncmp(word, "away=", 5) == 0)
        snprintf(block->away, sizeof block->away, "%s", word + 5);
    else if (strncmp(word, "phase=", 6) == 0)
        block->phase = word[6];
    else if (strcmp(word, "once") == 0)
        block->once = true;
    else if (strcmp(word, "reached") == 0)
        block->reached = true;
    else if (strcmp(word, "longer") == 0)
        block->longer = true;
    else if (strcmp(word, "quiet") == 0)
        block->quiet = true;
    else if (strcmp(word, "as-written") == 0)
        block->mirrored = false;
    else {
        bool known = false;
        for (enum way way = WAY_ENTER; way < WAYS; way++)
            if (strncmp(word, "not-", 4) == 0 && strcmp(word + 4, ways[way]) == 0) {
                block->ways[way] = false;
                known = true;
            }
        if (!known)
            fail_msg("line %u of boundaries.txt: %s", block->number, word);
    }
}

// "= key use words"
static void begin_block(struct block *block, char *line, unsigned number)
{
    *block = (struct block){.number = number, .limit_at = UINT32_MAX, .ways = {true, true, true}, .mirrored = true};
    char *save, *word = strtok_r(line + 1, " \n", &save);
    block->limit = block->by = limit_named(word);
    block->code = rows[block->limit].reject;
    block->use = strtoull(strtok_r(NULL, " \n", &save), NULL, 0);
    block->bits = block->limit == LIMIT_FORBIDDEN;
    while ((word = strtok_r(NULL, " \n", &save)))
        take_word(block, word);
}

static void end_block(struct block *block)
{
    if (block->count == 0)
        return;
    if (block->limit_at == UINT32_MAX)
        block->limit_at = block->count - 1;
    play_block(block);
    block->count = 0;
}

static void every_limit_bites_above_and_neither_at_nor_below(void **state)
{
    (void)state;
    static struct block block;
    static bool seen[LIMITS];
    uint64_t bits = 0;
    char line[sizeof block.line[0]];
    unsigned number = 0;
    FILE *file = fopen("tests/unit/boundaries.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        number++;
        line[strcspn(line, "\n")] = 0;
        if (line[0] == '=') {
            end_block(&block);
            begin_block(&block, line, number);
            seen[block.limit] = true;
            bits |= block.bits ? block.use : 0;
        } else if (strcmp(line, "*") == 0) {
            block.limit_at = block.count;
        } else if (line[0] && line[0] != '#') {
            assert_true(block.count < LINES);
            snprintf(block.line[block.count++], sizeof block.line[0], "%s", line);
        }
    }
    end_block(&block);
    fclose(file);
    for (unsigned limit = 0; limit < LIMITS; limit++)
        if (!seen[limit])
            fail_msg("boundaries.txt has nothing about %s", rows[limit].key);
    assert_int_equal(bits, (UINT64_C(1) << FORBID_BITS) - 1);
    printf("%u days\n", days_played);
}

// What engine_limit_use says of results, which no order is held to.
static void a_drawdown_is_used_from_the_peak_and_a_loss_from_nothing(void **state)
{
    (void)state;
    static const char *const lines[] = {"O s1 1 S 10 S1 20.00 day", "O s0 2 B 10 S1 20.00 day",
                                        "O s1 2 B 1 S1 25.00 day",  "O s0 3 S 1 S1 25.00 day",
                                        "O s1 3 B 1 S1 18.00 day",  "O s0 4 S 1 S1 18.00 day"};
    static const struct rig_day day_of_it = {.max_orders = 20,
                                             .max_levels = 20,
                                             .symbols = 1,
                                             .sessions = 2,
                                             .max_positions = 4,
                                             .ticks = {100, 1, 1, 1},
                                             .lookup_key = 3};
    struct rig rig;
    uint64_t drawdown, loss;
    rig_open(&rig, &day_of_it);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[64];
        struct command c;
        snprintf(text, sizeof text, "%s", lines[i]);
        assert_true(scenario_parse(&c, text));
        rig_step(&rig, &c);
    }
    for (enum scope scope = SCOPE_FIRM; scope <= SCOPE_ACCOUNT; scope++) {
        assert_true(engine_limit_use(rig.engine, scope, 0, LOCATE_NONE, LIMIT_DRAWDOWN, &drawdown));
        assert_true(engine_limit_use(rig.engine, scope, 0, LOCATE_NONE, LIMIT_LOSS, &loss));
        assert_int_equal(drawdown, 500000 + 130000); // from 10 x 5.00 above to 5.00 - 2.00 - 8 x 2.00
        assert_int_equal(loss, 130000);
    }
    assert_false(engine_limit_use(rig.engine, SCOPE_SESSION, 0, LOCATE_NONE, LIMIT_LOSS, &loss));
    for (enum scope scope = SCOPE_FIRM; scope <= SCOPE_ACCOUNT; scope++) {
        struct command c = {.type = CMD_LIMIT, .session = SESSION_NONE};
        uint64_t most;
        assert_false(engine_drawdown(rig.engine, scope, 0, &drawdown, &most)); // of what capital?
        c.limit.scope = (uint8_t)scope;
        c.limit.limit = LIMIT_CAPITAL;
        c.limit.value = 100000000;
        rig_step(&rig, &c);
        assert_true(engine_drawdown(rig.engine, scope, 0, &drawdown, &most));
        assert_int_equal(drawdown, 500000 + 130000);
        assert_int_equal(most, 15 * (100000000 + 500000) / 100);
    }
    assert_false(engine_drawdown(rig.engine, SCOPE_SESSION, 0, &drawdown, &loss));
    rig_free(&rig);
    struct rig_day without = day_of_it;
    without.max_positions = 0;
    rig_open(&rig, &without);
    assert_false(engine_drawdown(rig.engine, SCOPE_ACCOUNT, 0, &drawdown, &loss));
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drawdown_is_used_from_the_peak_and_a_loss_from_nothing),
        cmocka_unit_test(every_limit_bites_above_and_neither_at_nor_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
