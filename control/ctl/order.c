// SPDX-License-Identifier: Apache-2.0
// xwctl order USER REF: the life of one order, through all its replaces: what its session asked and what became of it.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl/row.h"
#include "control/ctl/walk.h"

// The numbers that the order went by.
struct chain {
    uint32_t *refs; // ascending
    size_t count, room;
};

struct replaced {
    uint32_t from, to;
};

struct search {
    const char *user;
    uint8_t index;
    uint32_t ref;
    struct ctl_walk *walk;
    uint16_t session; // once its opening has been seen
    struct chain chain;
    struct replaced *replaces; // of that session and index, in their order
    size_t count, room;
    enum row_format format;
    bool found;
    struct row row;
};

static int compare_refs(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static bool has(const struct chain *chain, uint32_t ref)
{
    return bsearch(&ref, chain->refs, chain->count, sizeof ref, compare_refs) != NULL;
}

static void *grow(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    *room = *room ? 2 * *room : 64;
    list = realloc(list, *room * size);
    if (!list)
        fail_with(EX_OSERR, "no memory");
    return list;
}

static void add(struct chain *chain, uint32_t ref)
{
    if (has(chain, ref))
        return;
    chain->refs = grow(chain->refs, chain->count, &chain->room, sizeof ref);
    size_t at = chain->count++;
    for (; at > 0 && chain->refs[at - 1] > ref; at--)
        chain->refs[at] = chain->refs[at - 1];
    chain->refs[at] = ref;
}

// ---- the first walk: which numbers ----------------------------------------------------------------------------------

static void gather(void *context, const struct command *record)
{
    struct search *search = context;
    if (record->type == CMD_OPEN_SESSION && strncasecmp(record->open_session.user, search->user, 6) == 0)
        search->session = record->session;
    if (record->type != CMD_REPLACE || record->session != search->session || record->user_ref_idx != search->index)
        return;
    search->replaces = grow(search->replaces, search->count, &search->room, sizeof *search->replaces);
    search->replaces[search->count++] = (struct replaced){record->orig_user_ref, record->user_ref};
}

// Replaces stand in the order of time: backwards to the order that was entered, then forwards to all that came of it.
static void follow(struct search *search)
{
    add(&search->chain, search->ref);
    for (size_t i = search->count; i-- > 0;) {
        if (has(&search->chain, search->replaces[i].to))
            add(&search->chain, search->replaces[i].from);
    }
    for (size_t i = 0; i < search->count; i++) {
        if (has(&search->chain, search->replaces[i].from))
            add(&search->chain, search->replaces[i].to);
    }
}

// ---- the second walk: what happened ---------------------------------------------------------------------------------

static bool is_ours(const struct search *search, uint16_t session, uint8_t index, uint32_t ref)
{
    return session == search->session && index == search->index && has(&search->chain, ref);
}

static void show_record(void *context, const struct command *record)
{
    struct search *search = context;
    bool names_order = record->type >= CMD_ENTER && record->type <= CMD_MODIFY;
    if (!names_order || !is_ours(search, record->session, record->user_ref_idx, record->user_ref))
        return;
    search->found = true;
    row_of_record(&search->row, record, search->walk->day.users);
    row_print(stdout, search->format, &search->row);
}

// The maker's side of a trade, as if the event were told from there.
static struct event from_maker(const struct event *event)
{
    struct event turned = *event;
    turned.session = event->other_session;
    turned.other_session = event->session;
    turned.user_ref = event->other_user_ref;
    turned.other_user_ref = event->user_ref;
    turned.user_ref_idx = event->other_user_ref_idx;
    turned.side = event->maker_side;
    return turned;
}

static void show_event(void *context, unsigned core, const struct event *event)
{
    struct search *search = context;
    bool ours = is_ours(search, event->session, event->user_ref_idx, event->user_ref);
    struct event shown = *event;
    if (!ours && event->type == EV_TRADE &&
        is_ours(search, event->other_session, event->other_user_ref_idx, event->other_user_ref)) {
        shown = from_maker(event);
        ours = true;
    }
    if (!ours)
        return;
    row_of_event(&search->row, &shown, core, search->walk->day.users);
    row_print(stdout, search->format, &search->row);
}

static struct search read_words(const struct ctl *ctl, char **argv)
{
    struct search search = {.user = argv[0], .session = SESSION_NONE, .format = ctl->json ? ROW_JSON : ROW_TEXT};
    char *end;
    errno = 0;
    unsigned long long ref = strtoull(argv[1], &end, 10);
    unsigned long index = *end == ':' ? strtoul(end + 1, &end, 10) : 0;
    if (argv[1][0] < '1' || argv[1][0] > '9' || *end || errno || ref > UINT32_MAX || index > UINT8_MAX)
        fail_with(EX_USAGE, "%s is no UserRefNum: give a number, or NUMBER:UserRefIdx", argv[1]);
    search.ref = (uint32_t)ref;
    search.index = (uint8_t)index;
    return search;
}

int ctl_order(const struct ctl *ctl, int argc, char **argv)
{
    struct journal_identity identity;
    if (argc < 2 || argc > 3)
        fail_with(EX_USAGE, "usage: xwctl [-c CONFIG] order USER USERREFNUM[:USERREFIDX] [JOURNALDIR/YYYYMMDD]");
    static struct search search;
    search = read_words(ctl, argv);
    ctl_find_journal(ctl, argc == 3 ? argv[2] : NULL, &identity);
    struct ctl_walk numbers = ctl_walk_of(ctl, &identity);
    numbers.records_only = true;
    numbers.on_record = gather;
    numbers.context = &search;
    ctl_walk(&numbers);
    search.session = ctl_walk_session(&numbers, search.user);
    follow(&search);
    ctl_walk_free(&numbers);

    struct ctl_walk walk = ctl_walk_of(ctl, &identity);
    walk.on_record = show_record;
    walk.on_event = show_event;
    walk.context = &search;
    search.walk = &walk;
    ctl_walk(&walk);
    ctl_walk_free(&walk);
    free(search.chain.refs);
    free(search.replaces);
    if (!search.found)
        fail_with(EX_NOINPUT, "%s has entered no order %u%s", search.user, search.ref,
                  ctl->at || ctl->until ? " by then" : " on that day");
    return EX_OK;
}
