// SPDX-License-Identifier: Apache-2.0
#include "control/ctl/audit_before.h"

#include <stdlib.h>
#include <sysexits.h>

#include "contract/log.h"

enum { LOCATES = UINT16_MAX + 1 };

struct audit_symbol *audit_symbol(struct audit_before *before, unsigned core, uint16_t locate)
{
    if (!before->symbols[core])
        before->symbols[core] = calloc(LOCATES, sizeof *before->symbols[core]);
    if (!before->symbols[core])
        fail_with(EX_OSERR, "no memory");
    return &before->symbols[core][locate];
}

// What a reference leaves open stays what it was.
static void take_reference(struct audit_symbol *symbol, const struct command *record)
{
    if (record->reference.reference)
        symbol->reference = record->reference.reference;
    if (record->reference.adv)
        symbol->adv = record->reference.adv;
    if (record->reference.reg_sho)
        symbol->reg_sho = record->reference.reg_sho;
    if (record->reference.tier)
        symbol->tier = record->reference.tier;
}

static void take_group(struct audit_before *before, unsigned core, const struct command *record)
{
    struct audit_symbol *symbol = audit_symbol(before, core, record->group.locate);
    before->grouped[core] += (record->group.group != 0) - (symbol->group != 0);
    symbol->group = record->group.group;
}

void audit_before_record(struct audit_before *before, unsigned core, const struct command *record)
{
    switch (record->type) {
    case CMD_START:
    case CMD_PHASE:
        before->phase[core] = record->phase.phase;
        break;
    case CMD_REFERENCE:
        take_reference(audit_symbol(before, core, record->reference.locate), record);
        break;
    case CMD_BANDS:
        audit_symbol(before, core, record->bands.locate)->bands = record->bands.percent;
        break;
    case CMD_GROUP:
        take_group(before, core, record);
        break;
    case CMD_INDEX:
        if (record->index.breached > before->level[core])
            before->level[core] = record->index.breached;
        break;
    default:
        break;
    }
}

void audit_before_event(struct audit_before *before, unsigned core, const struct event *event)
{
    if (event->type == EV_TRADING_ACTION)
        audit_symbol(before, core, event->locate)->state = event->reason;
    if (event->type == EV_DISABLED || event->type == EV_ENABLED)
        before->disabled[event->session] = event->type == EV_DISABLED;
}

void audit_before_free(struct audit_before *before)
{
    for (unsigned core = 0; core < JOURNAL_CORES; core++)
        free(before->symbols[core]);
}
