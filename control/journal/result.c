// SPDX-License-Identifier: Apache-2.0
#include <sysexits.h>

#include "control/journal/journal.h"

static const struct {
    const char *name;
    int exit_code;
} results[] = {
    [JOURNAL_OK] = {"ok", EX_OK},
    [JOURNAL_END] = {"end", EX_OK},
    [JOURNAL_ABSENT] = {"absent", EX_NOINPUT},
    [JOURNAL_SYSTEM] = {"system", EX_OSERR},
    [JOURNAL_IO] = {"io", EX_IOERR},
    [JOURNAL_SPACE] = {"space", EX_IOERR},
    [JOURNAL_BUSY] = {"busy", EX_TEMPFAIL},
    [JOURNAL_CORRUPT] = {"corrupt", EX_DATAERR},
    [JOURNAL_MISSING] = {"missing", EX_DATAERR},
    [JOURNAL_GAP] = {"gap", EX_DATAERR},
    [JOURNAL_FORMAT] = {"format", EX_DATAERR},
    [JOURNAL_ENGINE] = {"engine", EX_DATAERR},
    [JOURNAL_INSTANCE] = {"instance", EX_DATAERR},
    [JOURNAL_DATE] = {"date", EX_DATAERR},
    [JOURNAL_EPOCH] = {"epoch", EX_DATAERR},
};

const char *journal_result_name(enum journal_result result)
{
    xw_assert((unsigned)result < sizeof results / sizeof *results);
    return results[result].name;
}

int journal_exit_code(enum journal_result result)
{
    xw_assert((unsigned)result < sizeof results / sizeof *results);
    return results[result].exit_code;
}
