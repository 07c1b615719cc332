// SPDX-License-Identifier: Apache-2.0
// xwctl journal: dump and export a day's records, verify it, say what is in which segment, compare two.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl/ctl.h"
#include "control/ctl/export.h"
#include "control/ctl/progress.h"
#include "control/journal/verify.h"

// ---- verify ---------------------------------------------------------------------------------------------------------

static void print_last(const struct journal_report *report, bool as_json)
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

// What the seals prove of a date.
static void print_seals(const struct journal_verdict *verdict, bool with_key, bool as_json)
{
    const char *by = !verdict->seals                          ? "none"
                     : verdict->seals_signed < verdict->seals ? "not signed"
                     : with_key                               ? "signed by the key"
                                                              : "signed, held against no key";
    bool proven = !verdict->unsealed && (verdict->last.head.flags & (SEAL_LAST | SEAL_ENDED));
    printf(as_json ? ",\"seals\":%u,\"signatures\":\"%s\",\"unsealed_from\":%u,\"prev_date\":%u,\"end_proven\":%s"
                   : "; seals: %u, %s, unsealed from segment: %u, goes on from date: %u, end proven: %s",
           verdict->seals, by, verdict->unsealed, verdict->first.head.prev_date, proven ? "true" : "false");
}

static void print_verdict(const struct journal_identity *identity, const struct journal_verdict *verdict,
                          enum journal_result result, bool with_key, bool as_json)
{
    const struct journal_report *report = &verdict->report;
    const char *format =
        as_json ? "{\"result\":\"%s\",\"date\":%u,\"records\":%" PRIu64 ",\"duplicates\":%" PRIu64
                  ",\"blocks\":%" PRIu64 ",\"segments\":%u,\"epochs\":%u,\"closed\":%s,\"torn\":%s,\"last_seq\":{"
                : "%s: date %u, %" PRIu64 " records (%" PRIu64 " duplicates), %" PRIu64
                  " blocks, %u segments, %u epochs, closed in order: %s, torn tail: %s; last sequence ";
    printf(format, result == JOURNAL_OK ? "right" : journal_result_name(result), identity->date, report->records,
           report->duplicates, report->blocks, report->segments, report->epochs, report->closed ? "true" : "false",
           report->torn ? "true" : "false");
    print_last(report, as_json);
    if (as_json)
        putchar('}');
    print_seals(verdict, with_key, as_json);
    puts(as_json ? "}" : "");
    fflush(stdout);
}

// One date, whose first seal must follow `before` (NULL: not known).
static const struct journal_verdict *verify_date(const struct ctl *ctl, const struct journal_identity *identity,
                                                 const struct journal_seal_file *before)
{
    static uint8_t keys[JOURNAL_KEYS_MAX][JOURNAL_KEY_BYTES];
    static struct journal_verdict verdict;
    struct ctl_progress progress;
    unsigned count = 0;
    char text[512];
    int code = ctl->key ? journal_keys_load_public(ctl->key, keys, &count, text, sizeof text) : 0;
    if (code)
        fail_with(code, "%s", text);
    ctl_progress_begin(&progress, identity);
    verdict.tell = ctl_progress_show;
    verdict.context = &progress;
    enum journal_result result =
        journal_verify(identity, ctl->key ? (const uint8_t(*)[JOURNAL_KEY_BYTES])keys : NULL, count, before, &verdict);
    ctl_progress_end(&progress);
    if (result == JOURNAL_ABSENT)
        fail_with(EX_NOINPUT, "%s", verdict.text);
    print_verdict(identity, &verdict, result, ctl->key != NULL, ctl->json);
    if (result != JOURNAL_OK)
        fail_with(journal_exit_code(result), "%s", verdict.text);
    return &verdict;
}

// Every date beside this one, each of which must be sealed to its end and be followed by the next one's first seal.
static int verify_all(const struct ctl *ctl, struct journal_identity identity)
{
    enum { MOST = 4096 };
    static uint32_t dates[MOST];
    static struct journal_seal_file last;
    int count = journal_dates(identity.directory, dates, MOST);
    if (count <= 0 || count > MOST)
        fail_with(EX_NOINPUT, "%s: %s", identity.directory,
                  count < 0 ? strerror(errno) : "holds no dates of a journal");
    for (int i = 0; i < count; i++) {
        identity.date = dates[i];
        const struct journal_verdict *verdict = verify_date(ctl, &identity, i ? &last : NULL);
        if (verdict->unsealed && i + 1 < count)
            fail_with(EX_DATAERR,
                      "journal %s/%08u: segment %06u and what follows are not sealed, and date %u goes on behind them: "
                      "restore the seals from a copy",
                      identity.directory, identity.date, verdict->unsealed, dates[i + 1]);
        last = verdict->last;
    }
    return EX_OK;
}

static int verify_command(const struct ctl *ctl, int argc, char **argv)
{
    struct journal_identity identity;
    ctl_find_journal(ctl, argc ? argv[0] : NULL, &identity);
    if (ctl->all)
        return verify_all(ctl, identity);
    verify_date(ctl, &identity, NULL);
    return EX_OK;
}

// ---- keys -----------------------------------------------------------------------------------------------------------

static int keygen_command(const struct ctl *ctl, int argc, char **argv)
{
    char text[512];
    (void)ctl;
    if (argc != 1)
        fail_with(EX_USAGE, "usage: xwctl journal keygen FILE");
    int code = journal_key_make(argv[0], text, sizeof text);
    if (code)
        fail_with(code, "%s", text);
    printf("%s: the secret key, for journal.signing_key; keep it from everyone else\n"
           "%s.pub: the public key, for xwctl journal verify --key\n",
           argv[0], argv[0]);
    return EX_OK;
}

int ctl_journal(const struct ctl *ctl, int argc, char **argv)
{
    static const struct {
        const char *name;
        int words; // directories, at the most
        int (*run)(const struct ctl *ctl, int argc, char **argv);
    } parts[] = {{"dump", 1, ctl_journal_dump}, {"export", 1, ctl_journal_export}, {"inspect", 1, ctl_journal_inspect},
                 {"verify", 1, verify_command}, {"keygen", 1, keygen_command},     {"diff", 2, ctl_journal_diff}};
    for (unsigned i = 0; argc > 0 && i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(argv[0], parts[i].name) == 0 && argc - 1 <= parts[i].words)
            return parts[i].run(ctl, argc - 1, argv + 1);
    }
    fail_with(EX_USAGE,
              "usage: xwctl [-c CONFIG] journal dump|export|inspect|verify [JOURNALDIR/YYYYMMDD] [--json], "
              "journal verify [DIR] [--key FILE.pub] [--all], journal keygen FILE, or journal diff DIR [DIR]");
}
