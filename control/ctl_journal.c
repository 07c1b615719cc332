// SPDX-License-Identifier: Apache-2.0
// xwctl journal dump|verify: the records of a trading date, one a line, or all checks over them.
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "contract/reject.h"
#include "control/ctl.h"

// ---- fields: name=value, or members of a JSON object ----------------------------------------------------------------

static bool as_json;

static void number(const char *name, int64_t value)
{
    printf(as_json ? ",\"%s\":%" PRId64 : " %s=%" PRId64, name, value);
}

static void hexadecimal(const char *name, uint64_t value)
{
    printf(as_json ? ",\"%s\":\"%016" PRIx64 "\"" : " %s=%016" PRIx64, name, value);
}

// A field of `size` bytes, without what pads it; left out when that is all.
static void text(const char *name, const char *value, size_t size)
{
    char copy[32];
    size_t length = strnlen(value, size < sizeof copy - 1 ? size : sizeof copy - 1);
    while (length > 0 && value[length - 1] == ' ')
        length--;
    if (length == 0)
        return;
    memcpy(copy, value, length);
    copy[length] = 0;
    for (size_t i = 0; !as_json && i < length; i++) {
        if (!isgraph((unsigned char)copy[i]))
            copy[i] = '?';
    }
    if (as_json)
        printf(",\"%s\":%s", name, log_quote(copy));
    else
        printf(" %s=%s", name, copy);
}

static void character(const char *name, char value)
{
    text(name, &value, 1);
}

static void price(const char *name, uint32_t value)
{
    printf(as_json ? ",\"%s\":\"%u.%04u\"" : " %s=%u.%04u", name, value / 10000, value % 10000);
}

static void hour(uint64_t time_ns)
{
    uint64_t s = time_ns / 1000000000u;
    printf(as_json ? ",\"time_ns\":%" PRIu64 : " %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%09" PRIu64,
           as_json ? time_ns : s / 3600, s / 60 % 60, s % 60, time_ns % 1000000000u);
}

// ---- records --------------------------------------------------------------------------------------------------------

static bool has(const struct command *c, unsigned tag)
{
    return (c->options & OPTION(tag)) != 0;
}

// What makes an order other than plain.
static void instructions(const struct command *c)
{
    if (has(c, TAG_MIN_QTY))
        number("min_qty", c->min_qty);
    if (has(c, TAG_MAX_FLOOR))
        number("max_floor", c->max_floor);
    if (has(c, TAG_RANDOM_RESERVES))
        number("random_reserves", c->random_reserves);
    if (has(c, TAG_PRICE_TYPE))
        character("price_type", c->price_type);
    if (has(c, TAG_PEG_OFFSET))
        number("peg_offset", c->peg_offset);
    if (has(c, TAG_DISCRETION_PRICE))
        price("discretion_price", c->discretion_price);
    if (has(c, TAG_DISCRETION_PRICE_TYPE))
        character("discretion_price_type", c->discretion_price_type);
    if (has(c, TAG_DISCRETION_PEG_OFFSET))
        number("discretion_peg_offset", c->discretion_peg_offset);
    if (has(c, TAG_POST_ONLY))
        character("post_only", c->post_only);
    if (has(c, TAG_EXPIRE_TIME))
        number("expire_s", c->expire_s);
    if (has(c, TAG_STOP_PRICE))
        price("stop_price", c->trigger);
    if (has(c, TAG_TRAIL_AMOUNT))
        price("trail_amount", c->trigger);
    if (has(c, TAG_AIQ_STRATEGY))
        character("aiq_strategy", c->aiq_strategy);
    if (has(c, TAG_AIQ_GROUP))
        text("aiq_group", c->aiq_group, sizeof c->aiq_group);
}

static void trade(const struct command *c)
{
    number("match", (int64_t)c->trade.match);
    character("reason", c->trade.reason);
    if (c->type == CMD_ADJUST) {
        price("price", c->trade.price);
        number("quantity", c->trade.quantity);
    }
    text("taker_cl_ord_id", c->trade.taker_cl_ord_id, sizeof c->trade.taker_cl_ord_id);
    text("maker_cl_ord_id", c->trade.maker_cl_ord_id, sizeof c->trade.maker_cl_ord_id);
    text("by", c->trade.by, sizeof c->trade.by);
}

static void order(const struct command *c)
{
    number("session", c->session);
    number("user_ref", c->user_ref);
    if (c->type == CMD_REPLACE)
        number("orig_user_ref", c->orig_user_ref);
    if (c->user_ref_idx)
        number("user_ref_idx", c->user_ref_idx);
    if (c->type == CMD_ENTER)
        character("side", c->side);
    if (c->type != CMD_QUERY && c->type < CMD_MASS_CANCEL)
        number("quantity", c->quantity);
    text("symbol", c->symbol, sizeof c->symbol);
    if (c->type <= CMD_REPLACE) {
        price("price", c->price);
        character("tif", c->tif);
        character("display", c->display);
        text("cl_ord_id", c->cl_ord_id, sizeof c->cl_ord_id);
    }
    text("firm", c->firm, sizeof c->firm);
    if (c->options)
        hexadecimal("options", c->options);
    instructions(c);
    if (c->refuse)
        text("refuse", reject_text(c->refuse), 31);
}

static void opening(const struct command *c)
{
    switch (c->type) {
    case CMD_OPEN_DAY:
        number("trading_date", c->day.trading_date);
        number("engine_version", c->day.engine_version);
        number("max_orders", c->day.max_orders);
        number("max_levels", c->day.max_levels);
        number("max_trades", c->day.max_trades);
        number("max_special", c->day.max_special);
        number("max_conditional", c->day.max_conditional);
        hexadecimal("seed", c->day.seed);
        number("max_symbols", c->day.max_symbols);
        number("max_accounts", c->day.max_accounts);
        number("max_sessions", c->day.max_sessions);
        break;
    case CMD_OPEN_SYMBOL:
        text("symbol", c->open_symbol.name, sizeof c->open_symbol.name);
        number("locate", c->open_symbol.locate);
        price("tick", c->open_symbol.tick);
        number("round_lot", c->open_symbol.round_lot);
        break;
    case CMD_OPEN_ACCOUNT:
        number("account", c->open_account.account);
        text("name", c->open_account.name, sizeof c->open_account.name);
        text("firm", c->open_account.firm, sizeof c->open_account.firm);
        text("organisation", c->open_account.organisation, sizeof c->open_account.organisation);
        break;
    case CMD_OPEN_SESSION:
        number("session", c->session);
        text("user", c->open_session.user, sizeof c->open_session.user);
        number("account", c->open_session.account);
        number("cancel_on_disconnect", c->open_session.cancel_on_disconnect);
        text("post_only", c->open_session.post_only_cancels ? "cancel" : "slide", 31);
        character("aiq", c->open_session.aiq_default ? c->open_session.aiq_default : 'N');
        break;
    case CMD_START:
    case CMD_PHASE:
        character("phase", c->phase.phase ? c->phase.phase : PHASE_REGULAR);
        text("by", c->phase.by, sizeof c->phase.by);
        break;
    default:
        break;
    }
}

static void payload(const struct command *c)
{
    static const char *const downs[] = {
        [DOWN_LOGOFF] = "logoff",   [DOWN_TIMEOUT] = "timeout",   [DOWN_RESTART] = "restart",
        [DOWN_RELOGIN] = "relogin", [DOWN_SHUTDOWN] = "shutdown",
    };
    switch (c->type) {
    case CMD_SESSION_UP:
        number("session", c->session);
        break;
    case CMD_SESSION_DOWN:
        number("session", c->session);
        if (c->link.down_reason < sizeof downs / sizeof downs[0] && downs[c->link.down_reason])
            text("reason", downs[c->link.down_reason], 31);
        else
            number("reason", c->link.down_reason);
        break;
    case CMD_BREAK:
    case CMD_ADJUST:
        trade(c);
        break;
    case CMD_TICK:
        hexadecimal("event_hash", c->tick.event_hash);
        break;
    case CMD_CLOCK:
        number("offset_ns", c->clock.offset_ns);
        break;
    default:
        if (c->type <= CMD_QUERY)
            order(c);
        else
            opening(c);
    }
}

static void dump_record(const struct command *c)
{
    const char *name = ctl_command_name(c->type);
    char unknown[16];
    snprintf(unknown, sizeof unknown, "type_%u", c->type);
    printf(as_json ? "{\"core\":%u,\"seq\":%" PRIu64 : "%u %" PRIu64, journal_core(c), journal_sequence(c));
    hour(c->time_ns);
    printf(as_json ? ",\"type\":\"%s\",\"prev_hash\":\"%08" PRIx32 "\"" : " %s hash=%08" PRIx32, name ? name : unknown,
           c->prev_hash);
    payload(c);
    puts(as_json ? "}" : "");
}

static int dump(const struct journal_identity *identity)
{
    struct journal_reader *reader;
    struct journal_report report;
    const struct command *record;
    enum journal_result result = journal_reader_open(&reader, identity, &report);
    if (result != JOURNAL_OK)
        fail_with(result == JOURNAL_ABSENT ? EX_NOINPUT : journal_exit_code(result), "%s", report.text);
    while ((result = journal_reader_next(reader, &record)) == JOURNAL_OK)
        dump_record(record);
    fflush(stdout);
    if (result != JOURNAL_END)
        fail_with(journal_exit_code(result), "%s", journal_reader_report(reader)->text);
    journal_reader_close(reader);
    return EX_OK;
}

// ---- verify ---------------------------------------------------------------------------------------------------------

static void print_last(const struct journal_report *report)
{
    bool first = true;
    for (unsigned core = 0; core < JOURNAL_CORES; core++) {
        if (report->last_seq[core] == 0)
            continue;
        printf(as_json ? "%s\"%u\":%" PRIu64 : "%score %u: %" PRIu64,
               first     ? ""
               : as_json ? ","
                         : ", ",
               core, report->last_seq[core]);
        first = false;
    }
}

static int verify(const struct journal_identity *identity)
{
    struct journal_report report;
    enum journal_result result = journal_scan(identity, &report);
    const char *format =
        as_json ? "{\"result\":\"%s\",\"date\":%u,\"records\":%" PRIu64 ",\"duplicates\":%" PRIu64
                  ",\"blocks\":%" PRIu64 ",\"segments\":%u,\"epochs\":%u,\"closed\":%s,\"torn\":%s,\"last_seq\":{"
                : "%s: date %u, %" PRIu64 " records (%" PRIu64 " duplicates), %" PRIu64
                  " blocks, %u segments, %u epochs, closed in order: %s, torn tail: %s; last sequence ";
    printf(format, result == JOURNAL_OK ? "right" : journal_result_name(result), identity->date, report.records,
           report.duplicates, report.blocks, report.segments, report.epochs, report.closed ? "true" : "false",
           report.torn ? "true" : "false");
    print_last(&report);
    puts(as_json ? "}}" : "");
    fflush(stdout);
    if (result != JOURNAL_OK)
        fail_with(journal_exit_code(result), "%s", report.text);
    return EX_OK;
}

int ctl_journal(const struct ctl *ctl, int argc, char **argv)
{
    struct journal_identity identity;
    struct config *config = NULL;
    bool is_dump = argc > 0 && strcmp(argv[0], "dump") == 0;
    if (argc < 1 || argc > 2 || (!is_dump && strcmp(argv[0], "verify") != 0))
        fail_with(EX_USAGE, "usage: xwctl [-c CONFIG] journal dump|verify [JOURNALDIR/YYYYMMDD] [--json]");
    as_json = ctl->json;
    if (argc == 2) {
        ctl_identity_of(argv[1], &identity);
    } else {
        config = ctl_load_config(ctl);
        identity = ctl_identity(config);
    }
    int exit_code = is_dump ? dump(&identity) : verify(&identity);
    if (config)
        config_free(config);
    return exit_code;
}
