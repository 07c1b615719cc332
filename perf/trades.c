// SPDX-License-Identifier: Apache-2.0
#include "perf/trades.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/stream_file.h"

void trades_note(void *context, const struct fill *fill)
{
    struct trades *trades = context;
    if (trades->count == trades->room) {
        size_t room = trades->room ? 2 * trades->room : 65536;
        struct fill *bigger = realloc(trades->fills, room * sizeof *bigger);
        if (!bigger) {
            trades->dropped++;
            return;
        }
        trades->fills = bigger;
        trades->room = room;
    }
    trades->fills[trades->count++] = *fill;
}

// R, or m against a midpoint peg; makers have A, J or k.
static int is_taker(const struct fill *fill)
{
    return fill->liquidity == 'R' || fill->liquidity == 'm';
}

static int by_match(const void *a, const void *b)
{
    const struct fill *x = a, *y = b;
    if (x->match != y->match)
        return x->match < y->match ? -1 : 1;
    // The maker's side first: it added the liquidity.
    return is_taker(x) - is_taker(y);
}

int trades_pair(struct trades *trades, struct trade_list *list)
{
    memset(list, 0, sizeof *list);
    list->trades = calloc(trades->count / 2 + 1, sizeof *list->trades);
    if (!list->trades)
        return -1;
    if (trades->count)
        qsort(trades->fills, trades->count, sizeof *trades->fills, by_match);
    for (size_t i = 0; i < trades->count;) {
        const struct fill *maker = &trades->fills[i];
        if (i + 1 == trades->count || maker[1].match != maker->match) {
            list->halves++;
            i++;
            continue;
        }
        const struct fill *taker = maker + 1;
        if (maker->quantity != taker->quantity || maker->price != taker->price || is_taker(maker) || !is_taker(taker) ||
            (i + 2 < trades->count && taker[1].match == maker->match))
            list->differing++;
        list->trades[list->count++] = (struct trade){.match = maker->match,
                                                     .maker = maker->id,
                                                     .taker = taker->id,
                                                     .quantity = maker->quantity,
                                                     .price = maker->price};
        i += 2;
    }
    return 0;
}

int trades_write(const struct trade_list *list, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    fprintf(file, "maker,taker,quantity,price\n");
    for (size_t i = 0; i < list->count; i++)
        fprintf(file, "%u,%u,%u,%u\n", list->trades[i].maker, list->trades[i].taker, list->trades[i].quantity,
                list->trades[i].price);
    int failed = ferror(file);
    return fclose(file) == 0 && !failed ? 0 : -1;
}

int trades_compare(const struct trade_list *list, const char *path, char *text, size_t text_size)
{
    struct stream_trade want;
    FILE *file = fopen(path, "rb");
    if (!file) {
        snprintf(text, text_size, "%s: %s", path, strerror(errno));
        return -1;
    }
    size_t i = 0;
    int result = 0;
    for (; result == 0 && fread(&want, sizeof want, 1, file) == 1; i++) {
        const struct trade *got = i < list->count ? &list->trades[i] : NULL;
        if (got && got->maker == want.maker && got->taker == want.taker && got->quantity == want.quantity &&
            got->price == want.price * STREAM_TICK)
            continue;
        result = 1;
        if (got)
            snprintf(text, text_size, "trade %zu is %u/%u %u at %u, expected %llu/%llu %u at %u", i + 1, got->maker,
                     got->taker, got->quantity, got->price, (unsigned long long)want.maker,
                     (unsigned long long)want.taker, want.quantity, want.price * STREAM_TICK);
        else
            snprintf(text, text_size, "only %zu trades, more are expected", list->count);
    }
    if (result == 0 && i < list->count) {
        snprintf(text, text_size, "%zu trades, only %zu are expected", list->count, i);
        result = 1;
    }
    fclose(file);
    return result;
}

void trades_free(struct trades *trades)
{
    free(trades->fills);
    memset(trades, 0, sizeof *trades);
}
