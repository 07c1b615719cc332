// SPDX-License-Identifier: Apache-2.0
// xwctl journal: dump and export a day's records, verify it, say what is in which segment, compare two.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl.h"
#include "control/ctl_export.h"

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

static int verify(const struct journal_identity *identity, bool as_json)
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
    print_last(&report, as_json);
    puts(as_json ? "}}" : "");
    fflush(stdout);
    if (result != JOURNAL_OK)
        fail_with(journal_exit_code(result), "%s", report.text);
    return EX_OK;
}

static int verify_command(const struct ctl *ctl, int argc, char **argv)
{
    struct journal_identity identity;
    ctl_find_journal(ctl, argc ? argv[0] : NULL, &identity);
    return verify(&identity, ctl->json);
}

int ctl_journal(const struct ctl *ctl, int argc, char **argv)
{
    static const struct {
        const char *name;
        int words; // directories, at the most
        int (*run)(const struct ctl *ctl, int argc, char **argv);
    } parts[] = {{"dump", 1, ctl_journal_dump},
                 {"export", 1, ctl_journal_export},
                 {"inspect", 1, ctl_journal_inspect},
                 {"verify", 1, verify_command},
                 {"diff", 2, ctl_journal_diff}};
    for (unsigned i = 0; argc > 0 && i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(argv[0], parts[i].name) == 0 && argc - 1 <= parts[i].words)
            return parts[i].run(ctl, argc - 1, argv + 1);
    }
    fail_with(EX_USAGE,
              "usage: xwctl [-c CONFIG] journal dump|export|inspect|verify [JOURNALDIR/YYYYMMDD] [--json], or "
              "journal diff DIR [DIR]");
}
