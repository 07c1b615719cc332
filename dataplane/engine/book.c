// SPDX-License-Identifier: Apache-2.0
// Pages of a book: an AA tree a side finds the place of a new page, a list joins the pages in price order. Each
// operation takes a number of steps that grows with the logarithm of the pages of that side, and happens only when a
// run of sixteen prices gets its first order or has had none for a while.
#include "engine/book.h"

uint32_t page_find(const struct engine *e, uint16_t locate, unsigned side, uint32_t number)
{
    const struct page *pages = e->pages;
    uint32_t at = e->backs[locate].roots[side];
    while (at && pages[at].number != number)
        at = number < pages[at].number ? pages[at].left : pages[at].right;
    return at;
}

static uint32_t skew(struct page *pages, uint32_t at)
{
    uint32_t left = pages[at].left;
    if (left == 0 || pages[left].rank != pages[at].rank)
        return at;
    pages[at].left = pages[left].right;
    pages[left].right = at;
    return left;
}

static uint32_t split(struct page *pages, uint32_t at)
{
    uint32_t right = pages[at].right;
    if (right == 0 || pages[pages[right].right].rank != pages[at].rank)
        return at;
    pages[at].right = pages[right].left;
    pages[right].left = at;
    pages[right].rank++;
    return right;
}

static uint32_t tree_insert(struct page *pages, uint32_t at, uint32_t page)
{
    if (at == 0)
        return page;
    if (pages[page].number < pages[at].number)
        pages[at].left = tree_insert(pages, pages[at].left, page);
    else
        pages[at].right = tree_insert(pages, pages[at].right, page);
    return split(pages, skew(pages, at));
}

// Mends the ranks at `at` after a removal below it.
static uint32_t tree_mend(struct page *pages, uint32_t at)
{
    unsigned left = pages[pages[at].left].rank, right = pages[pages[at].right].rank;
    unsigned should = (left < right ? left : right) + 1;
    if (should < pages[at].rank) {
        pages[at].rank = (uint8_t)should;
        if (should < right)
            pages[pages[at].right].rank = (uint8_t)should;
    }
    at = skew(pages, at);
    if (pages[at].right) {
        uint32_t inner = pages[at].right = skew(pages, pages[at].right);
        if (pages[inner].right)
            pages[inner].right = skew(pages, pages[inner].right);
    }
    at = split(pages, at);
    if (pages[at].right)
        pages[at].right = split(pages, pages[at].right);
    return at;
}

// Takes the page of the lowest number out of the subtree; `*lowest` is it.
static uint32_t tree_take_lowest(struct page *pages, uint32_t at, uint32_t *lowest)
{
    if (pages[at].left == 0) {
        *lowest = at;
        return pages[at].right;
    }
    pages[at].left = tree_take_lowest(pages, pages[at].left, lowest);
    return tree_mend(pages, at);
}

static uint32_t tree_remove(struct page *pages, uint32_t at, uint32_t page)
{
    xw_assert(at != 0);
    if (at != page) {
        if (pages[page].number < pages[at].number)
            pages[at].left = tree_remove(pages, pages[at].left, page);
        else
            pages[at].right = tree_remove(pages, pages[at].right, page);
        return tree_mend(pages, at);
    }
    if (pages[at].right == 0)
        return pages[at].left;
    uint32_t heir;
    uint32_t right = tree_take_lowest(pages, pages[at].right, &heir);
    pages[heir].left = pages[at].left;
    pages[heir].right = right;
    pages[heir].rank = pages[at].rank;
    return tree_mend(pages, heir);
}

// The pages next to where `number` would stand.
static void neighbours(const struct page *pages, uint32_t at, uint32_t number, uint32_t *prev, uint32_t *next)
{
    *prev = *next = 0;
    while (at) {
        xw_assert(pages[at].number != number);
        if (number < pages[at].number) {
            *next = at;
            at = pages[at].left;
        } else {
            *prev = at;
            at = pages[at].right;
        }
    }
}

uint32_t page_make(struct engine *e, uint16_t locate, unsigned side, uint32_t number)
{
    struct page *pages = e->pages;
    uint32_t *root = &e->backs[locate].roots[side];
    uint32_t page = e->free_page;
    if (page)
        e->free_page = pages[page].next;
    else
        page = ++e->fresh_page;
    xw_assert(page <= e->limit.max_levels + KEPT_PAGES);
    uint32_t prev, next;
    neighbours(pages, *root, number, &prev, &next);
    pages[page] =
        (struct page){.number = number, .prev = prev, .next = next, .locate = locate, .rank = 1, .side = (uint8_t)side};
    if (prev)
        pages[prev].next = page;
    if (next)
        pages[next].prev = page;
    *root = tree_insert(pages, *root, page);
    if (side < HIDDEN)
        *book_directory(e, locate, side, number) = (struct directory_entry){number, page};
    return page;
}

// Takes the page away.
static void page_drop(struct engine *e, uint32_t page)
{
    struct page *pages = e->pages;
    struct page *gone = &pages[page];
    uint32_t *root = &e->backs[gone->locate].roots[gone->side];
    *root = tree_remove(pages, *root, page);
    if (gone->prev)
        pages[gone->prev].next = gone->next;
    if (gone->next)
        pages[gone->next].prev = gone->prev;
    if (gone->side < HIDDEN) {
        struct directory_entry *entry = book_directory(e, gone->locate, gone->side, gone->number);
        if (entry->page == page)
            *entry = (struct directory_entry){NO_PAGE, 0};
    }
    *gone = (struct page){.next = e->free_page};
    e->free_page = page;
}

void page_keep(struct engine *e, uint32_t page)
{
    uint32_t *place = &e->kept_pages[e->kept++ % KEPT_PAGES], oldest = *place;
    *place = page;
    e->pages[page].kept = 1;
    if (oldest == 0)
        return;
    e->pages[oldest].kept = 0;
    if (e->pages[oldest].occupied == 0)
        page_drop(e, oldest);
}

uint32_t book_level_after(const struct engine *e, uint32_t page, unsigned offset)
{
    const struct page *at = &e->pages[page];
    bool down = (at->side & SELL) == 0;
    uint32_t left = down ? at->occupied & ((1u << offset) - 1) : at->occupied & ~((2u << offset) - 1);
    while (left == 0) { // past empty pages that are kept
        page = down ? e->pages[page].prev : e->pages[page].next;
        if (page == 0)
            return 0;
        left = e->pages[page].occupied;
    }
    offset = down ? 31 - (unsigned)__builtin_clz(left) : (unsigned)__builtin_ctz(left);
    return page << PAGE_SHIFT | offset;
}

void book_next_best(struct engine *e, struct book *book, uint32_t page, unsigned offset)
{
    unsigned side = e->pages[page].side;
    uint32_t level = book_level_after(e, page, offset);
    book->best_level[side] = level;
    if (level == 0)
        book->best[side] = side & SELL ? NO_ASK : NO_BID;
    else
        book->best[side] = book_level_price(e, book, level);
    if (book->watch & WATCH_BEST && side < HIDDEN)
        book_best_moved(e, book, e->pages[page].locate);
}
