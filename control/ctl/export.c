// SPDX-License-Identifier: Apache-2.0
// xwctl journal dump, and export to JSON lines, CSV and captures.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "contract/log.h"
#include "control/ctl/export.h"
#include "control/ctl/row.h"

struct printer {
    FILE *out;
    enum row_format format;
    struct ctl_walk *walk;
    struct row row;
};

static void print_record(void *context, const struct command *record)
{
    struct printer *printer = context;
    row_of_record(&printer->row, record, printer->walk->day.users);
    row_print(printer->out, printer->format, &printer->row);
}

static void print_all(struct ctl_walk *walk, FILE *out, enum row_format format)
{
    static struct printer printer;
    printer = (struct printer){.out = out, .format = format, .walk = walk};
    walk->records_only = true;
    walk->on_record = print_record;
    walk->context = &printer;
    if (format == ROW_CSV)
        row_print_names(out);
    ctl_walk(walk);
}

int ctl_journal_dump(const struct ctl *ctl, int argc, char **argv)
{
    struct journal_identity identity;
    ctl_find_journal(ctl, argc ? argv[0] : NULL, &identity);
    struct ctl_walk walk = ctl_walk_of(ctl, &identity);
    print_all(&walk, stdout, ctl->json ? ROW_JSON : ROW_TEXT);
    ctl_walk_free(&walk);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

// A file that a failure leaves half-written would be taken for whole: it gets its name when it is complete.
static void export_rows(struct ctl_walk *walk, enum row_format format, const char *path)
{
    char temporary[4200];
    if (!path) {
        print_all(walk, stdout, format);
        if (fflush(stdout) != 0)
            fail_with(EX_IOERR, "standard output: %s", strerror(errno));
        return;
    }
    snprintf(temporary, sizeof temporary, "%s.part", path);
    FILE *out = fopen(temporary, "we");
    if (!out)
        fail_with(EX_CANTCREAT, "%s: %s", temporary, strerror(errno));
    print_all(walk, out, format);
    if (fflush(out) != 0 || fclose(out) != 0 || rename(temporary, path) != 0) {
        int wrong = errno;
        unlink(temporary);
        fail_with(EX_IOERR, "%s: %s", path, strerror(wrong));
    }
}

int ctl_journal_export(const struct ctl *ctl, int argc, char **argv)
{
    struct journal_identity identity;
    const char *format = ctl->format ? ctl->format : "json";
    bool csv = strcmp(format, "csv") == 0, pcap = strcmp(format, "pcap") == 0;
    if (!csv && !pcap && strcmp(format, "json") != 0)
        fail_with(EX_USAGE, "--format %s: say json (lines), csv or pcap", format);
    if (pcap && !ctl->out)
        fail_with(EX_USAGE, "a capture needs a file: give --out FILE");
    ctl_find_journal(ctl, argc ? argv[0] : NULL, &identity);
    struct ctl_walk walk = ctl_walk_of(ctl, &identity);
    if (pcap)
        ctl_export_capture(&walk, ctl->out);
    else
        export_rows(&walk, csv ? ROW_CSV : ROW_JSON, ctl->out);
    if (ctl->out)
        fprintf(stderr, "%s: %" PRIu64 " records\n", ctl->out, walk.records);
    ctl_walk_free(&walk);
    return EX_OK;
}
