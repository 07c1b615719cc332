// SPDX-License-Identifier: Apache-2.0
// xwctl: the operator's tool. One grammar: xwctl [OPTIONS] COMMAND [WORDS]. Only `trade`, `phase`, `kill` and `reset`
// change anything, by asking control for it.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "contract/config_source.h"
#include "contract/log.h"
#include "contract/version.h"
#include "control/ctl/ctl.h"

static const struct {
    const char *name;
    const char *words;
    const char *help;
    int (*run)(const struct ctl *ctl, int argc, char **argv);
} commands[] = {
    {"status", "", "processes, cores, rings, durability, the accounts of all messages", ctl_status},
    {"counters", "[ROLE]", "every counter with its unit and meaning", ctl_counters},
    {"book", "SYMBOL [DIR]", "the best levels, by replaying the journal through an engine (--depth N)", ctl_book},
    {"order", "USER REF[:IDX] [DIR]", "what a session asked of an order, and what became of it", ctl_order},
    {"account", "NAME [DIR]", "what an account has traded and has at risk", ctl_account},
    {"replay", "[DIR]", "feeds the day to engines again, checks every event hash", ctl_replay},
    {"journal", "dump|export|inspect|verify [DIR]", "records, or all checks (--format json|csv|pcap, --out FILE)",
     ctl_journal},
    {"journal", "diff DIR [DIR]", "the first record that differs between two journals", ctl_journal},
    {"journal", "keygen FILE", "makes the pair of keys that signs and verifies a journal's seals", ctl_journal},
    {"trade", "show|break|adjust MATCH", "a trade of the day; takes it back, or corrects it (options below)",
     ctl_trade},
    {"phase", "pre|regular|after|closed|ended", "moves the venue's session phase forward (--by NAME)", ctl_phase},
    {"kill", "venue|firm|account|session|symbol|side NAME", "blocks it and cancels what it has resting (options below)",
     ctl_kill},
    {"reset", "venue|firm|account|session|symbol|side NAME", "it may enter orders again, unless another kill blocks it",
     ctl_reset},
    {"kills", "", "what is killed, since when, by whom, and what has been", ctl_kills},
    {"audit", "[DIR]",
     "who decided what, when and why, from the journal (--since HH:MM:SS; --all: rejected orders too)", ctl_audit},
    {"breakers", "", "what trips what, which of it has tripped, degraded modes", ctl_breakers},
    {"breaker", "reset TRIP", "closes the breakers of a trip (--by NAME)", ctl_breaker},
    {"halt", "SYMBOL|all", "no trading until it resumes (--reason CODE --by NAME)", ctl_halt},
    {"pause", "SYMBOL|all", "the same, told as a pause", ctl_pause},
    {"resume", "SYMBOL|all", "trading goes on (--by NAME)", ctl_resume},
    {"reference", "[SYMBOL]", "references, volumes, capital in force; or others (--price P, --adv SHARES, --by NAME)",
     ctl_reference},
    {"reg-sho", "SYMBOL none|intraday|remains", "the short-sale price test (--by NAME)", ctl_reg_sho},
    {"bands", "SYMBOL PERCENT|off", "other price bands for the rest of the day (--by NAME)", ctl_bands},
    {"breach", "1|2|3", "declares that level of the market-wide halt breached (--by NAME)", ctl_breach},
    {"limits", "show [SCOPE NAME]",
     "each limit: where it comes from, how much of it is in use (by replaying the journal)", ctl_limits},
    {"limits", "set SCOPE NAME LIMIT VALUE", "changes one, or takes it away: none (--by NAME); `set venue LIMIT VALUE`",
     ctl_limits},
    {"limits", "pending|approve N|reject N", "changes that wait for a second person (--by NAME)", ctl_limits},
    {"limits", "diff|check [FILE]|list", "what runs against the file; whether a file is right; which limits there are",
     ctl_limits},
    {"reload", "", "makes control read configuration, passwords and limits again (--by NAME)", ctl_reload},
    {"config", "check|diff|fits|describe [FILE]",
     "loads a configuration; what runs against it, limits too; whether it may be reloaded; prints every key",
     ctl_config},
    {"doctor", "", "what keeps this host from running it well, with the command that mends each; 1 when it can not run",
     ctl_doctor},
    {"nic", "list|show NAME|match",
     "NIC profiles, one with where its values come from, those that fit this host's NICs", ctl_nic},
    {"hash-password", "", "reads a password, prints the line for password_hash (--fast: cheap, for tests)",
     ctl_hash_password},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int usage(FILE *out)
{
    fputs("usage: xwctl [-c CONFIG] [--json] COMMAND\n       xwctl --version | --help\n", out);
    for (unsigned i = 0; i < COMMANDS; i++) {
        char head[64];
        snprintf(head, sizeof head, "%s %s", commands[i].name, commands[i].words);
        fprintf(out, "  %-32s %s\n", head, commands[i].help);
    }
    fputs("  Which day: DIR is JOURNALDIR/YYYYMMDD; without it, that of -c CONFIG, or --date YYYY-MM-DD there.\n"
          "  How far into it: --at HH:MM:SS.nnnnnnnnn (UTC), --until SEQUENCE; --core N alone.\n"
          "  replay --with CONFIG: what other settings would have changed, the first --depth N differences.\n"
          "  journal verify: --key FILE.pub, whose signature each seal must have; --all: every date, and the chain.\n"
          "  trade break: --reason E erroneous, C consent, S supervisory, X external; --by NAME of who decides\n"
          "  kill, reset: --by NAME --why TEXT, --side B|S; kill --block-only or --cancel-only; --socket PATH instead "
          "of -c\n"
          "  trade adjust: --price P --quantity Q as they should have been; --by NAME\n",
          out);
    return out == stdout ? EX_OK : EX_USAGE;
}

// Takes an option at argv[at]; returns how many words it takes, 0 when it is none, -1 when it is not understood.
static int take_option(struct ctl *ctl, int argc, char **argv, int at)
{
    const char *word = argv[at];
    if (strcmp(word, "--json") == 0) {
        ctl->json = true;
        return 1;
    }
    if (strcmp(word, "--fast") == 0) {
        ctl->fast = true;
        return 1;
    }
    if (strcmp(word, "--all") == 0) {
        ctl->all = true;
        return 1;
    }
    if (strcmp(word, "--block-only") == 0) {
        ctl->block_only = true;
        return 1;
    }
    if (strcmp(word, "--cancel-only") == 0) {
        ctl->cancel_only = true;
        return 1;
    }
    const struct {
        const char *option, **value;
    } texts[] = {{"--why", &ctl->why},       {"--side", &ctl->side},         {"--socket", &ctl->socket},
                 {"--since", &ctl->since},   {"--reason", &ctl->reason},     {"--price", &ctl->price},
                 {"--adv", &ctl->adv},       {"--quantity", &ctl->quantity}, {"--by", &ctl->by},
                 {"--root", &ctl->root},     {"--profiles", &ctl->profiles}, {"--date", &ctl->date},
                 {"--core", &ctl->core},     {"--until", &ctl->until},       {"--at", &ctl->at},
                 {"--format", &ctl->format}, {"--out", &ctl->out},           {"--with", &ctl->with},
                 {"--key", &ctl->key}};
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(word, texts[i].option) == 0 && at + 1 < argc) {
            *texts[i].value = argv[at + 1];
            return 2;
        }
    }
    if (strcmp(word, "-c") == 0 && at + 1 < argc) {
        ctl->config_path = argv[at + 1];
        return 2;
    }
    if (strcmp(word, "--depth") == 0 && at + 1 < argc) {
        char *end;
        unsigned long depth = strtoul(argv[at + 1], &end, 10);
        ctl->depth = (unsigned)depth;
        return *end || depth == 0 || depth > 1000 ? -1 : 2;
    }
    return word[0] == '-' && !isdigit((unsigned char)word[1]) ? -1
                                                              : 0; // what is below 0 is a value, for whom it goes to
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.depth = 5};
    char *words[8];
    int count = 0;
    log_open("xwctl", "");
    for (int at = 1; at < argc;) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "help") == 0)
            return usage(stdout);
        if (strcmp(argv[at], "--version") == 0) {
            version_print("xwctl");
            return EX_OK;
        }
        int taken = take_option(&ctl, argc, argv, at);
        if (taken < 0)
            fail_with(EX_USAGE, "%s is no option, or lacks its value: see xwctl --help", argv[at]);
        if (taken == 0 && count == 8)
            return usage(stderr);
        if (taken == 0)
            words[count++] = argv[at++];
        at += taken;
    }
    for (unsigned i = 0; count > 0 && i < COMMANDS; i++) {
        if (strcmp(words[0], commands[i].name) == 0)
            return commands[i].run(&ctl, count - 1, words + 1);
    }
    if (count == 0)
        return usage(stderr);
    const char *nearest = NULL;
    unsigned least = 3; // letters that may be wrong, and one
    for (unsigned i = 0; i < COMMANDS; i++) {
        const unsigned far = config_distance(words[0], strlen(words[0]), commands[i].name);
        nearest = far < least ? commands[i].name : nearest;
        least = far < least ? far : least;
    }
    if (nearest)
        fail_with(EX_USAGE, "%s is no command, did you mean %s? See xwctl --help", words[0], nearest);
    fail_with(EX_USAGE, "%s is no command: see xwctl --help", words[0]);
}
