// SPDX-License-Identifier: Apache-2.0
#include "control/ctl/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "control/journal/verify.h"

enum { WIDTH = 24, EVERY_RECORDS = 1 << 18 };

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void ctl_progress_begin(struct ctl_progress *progress, const struct journal_identity *identity)
{
    struct journal_overview overview = {0};
    *progress = (struct ctl_progress){.shown = isatty(STDERR_FILENO), .next = EVERY_RECORDS, .begun = seconds_now()};
    if (progress->shown && journal_look(identity, &overview))
        progress->blocks = overview.blocks;
}

void ctl_progress_show(void *context, const struct journal_report *report)
{
    struct ctl_progress *progress = context;
    if (!progress->shown || report->records < progress->next)
        return;
    progress->next = report->records + EVERY_RECORDS;
    const double seconds = seconds_now() - progress->begun, records = (double)report->records / 1e6;
    const double part = report->blocks < progress->blocks ? (double)report->blocks / (double)progress->blocks : 1;
    char bar[WIDTH + 1] = {0};
    for (unsigned i = 0; i < WIDTH; i++)
        bar[i] = i < part * WIDTH ? '#' : '.';
    fprintf(stderr, "\r[%s] %3.0f %%  %.1f M records, %.1f M/s ", bar, part * 100, records,
            seconds > 0 ? records / seconds : 0);
}

double ctl_progress_end(struct ctl_progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    return seconds_now() - progress->begun;
}
