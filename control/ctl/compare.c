// SPDX-License-Identifier: Apache-2.0
// xwctl journal diff: whether two journals tell their cores the same, and where they part. How the records stand in
// segments, blocks and epochs, and how the cores' records are interleaved, makes no difference.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl/export.h"
#include "control/ctl/row.h"

// One of the two: it is read until a record of the wanted core comes, what belongs to others is passed over.
struct side {
    const char *name;
    struct journal_identity identity;
    struct journal_reader *reader;
    uint64_t last[JOURNAL_CORES];
};

static void open_side(struct side *side)
{
    struct journal_report report;
    enum journal_result result = journal_reader_open(&side->reader, &side->identity, &report);
    if (result != JOURNAL_OK)
        fail_with(result == JOURNAL_ABSENT ? EX_NOINPUT : journal_exit_code(result), "%s", report.text);
}

static bool next_of(struct side *side, unsigned core, const struct command **record)
{
    enum journal_result result;
    while ((result = journal_reader_next(side->reader, record)) == JOURNAL_OK) {
        if (journal_core(*record) == core)
            return true;
    }
    if (result != JOURNAL_END)
        fail_with(journal_exit_code(result), "%s", journal_reader_report(side->reader)->text);
    memcpy(side->last, journal_reader_report(side->reader)->last_seq, sizeof side->last);
    return false;
}

static void show(const char *sign, const struct command *record, enum row_format format)
{
    static struct row row;
    if (format == ROW_TEXT)
        printf("%s ", sign);
    row_of_record(&row, record, NULL);
    row_print(stdout, format, &row);
}

// Compares one core's records; false when they differ. A journal that only goes on is told, and differs too.
static bool compare_core(struct side sides[2], unsigned core, enum row_format format, uint64_t *same)
{
    const struct command *records[2];
    bool have[2] = {true, true}, equal = true;
    for (unsigned i = 0; i < 2; i++)
        open_side(&sides[i]);
    while (equal && have[0] && have[1]) {
        for (unsigned i = 0; i < 2; i++)
            have[i] = next_of(&sides[i], core, &records[i]);
        equal = have[0] == have[1] && (!have[0] || memcmp(records[0], records[1], sizeof *records[0]) == 0);
        *same += equal && have[0];
    }
    for (unsigned i = 0; i < 2 && !equal; i++) {
        if (have[i])
            show(i ? ">" : "<", records[i], format);
        else
            fprintf(stderr, "%s ends before, with core %u at sequence %" PRIu64 "\n", sides[i].name, core,
                    sides[i].last[core]);
    }
    for (unsigned i = 0; i < 2; i++)
        journal_reader_close(sides[i].reader);
    return equal;
}

int ctl_journal_diff(const struct ctl *ctl, int argc, char **argv)
{
    static struct side sides[2];
    struct journal_report reports[2];
    uint64_t same = 0;
    bool equal = true;
    if (argc < 1 || (argc == 1 && !ctl->config_path))
        fail_with(EX_USAGE, "usage: xwctl journal diff DIR DIR, or xwctl -c CONFIG journal diff DIR");
    for (unsigned i = 0; i < 2; i++) {
        sides[i].name = (int)i < argc ? argv[i] : ctl->config_path;
        ctl_find_journal(ctl, (int)i < argc ? argv[i] : NULL, &sides[i].identity);
        enum journal_result result = journal_scan(&sides[i].identity, &reports[i]);
        if (result != JOURNAL_OK)
            fail_with(journal_exit_code(result), "%s", reports[i].text);
    }
    for (unsigned core = 0; core < JOURNAL_CORES; core++) {
        if (reports[0].last_seq[core] || reports[1].last_seq[core])
            equal &= compare_core(sides, core, ctl->json ? ROW_JSON : ROW_TEXT, &same);
    }
    if (equal)
        printf(ctl->json ? "{\"equal\":true,\"records\":%" PRIu64 "}\n" : "equal: %" PRIu64 " records\n", same);
    return equal ? EX_OK : 1;
}
