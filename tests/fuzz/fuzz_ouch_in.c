// SPDX-License-Identifier: Apache-2.0
// Any bytes as an OUCH message to the venue: what is taken obeys the rules that the engine relies on, and says the same
// when the client library writes it anew.
#include <stdlib.h>
#include <string.h>

#include "client/ouch.h"
#include "contract/assert.h"
#include "contract/ouch_in.h"
#include "contract/reject.h"
#include "contract/wire.h"
#include "control/ctl/export.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_good_enter(const struct command *c)
{
    xw_assert(c->quantity >= 1 && c->quantity <= QUANTITY_MAX);
    xw_assert((c->price >= 1 && c->price <= PRICE_MAX) || c->price == PRICE_MARKET || c->price == PRICE_MARKET_CROSS);
    xw_assert(c->expire_s < 86400 && c->min_qty <= QUANTITY_MAX && c->max_floor <= QUANTITY_MAX);
    xw_assert((c->options & OPTION(TAG_EXPIRE_TIME)) == 0 || c->expire_s != 0);
    xw_assert(c->trigger <= PRICE_MAX);
    xw_assert(c->trigger == 0 || c->options & (OPTION(TAG_STOP_PRICE) | OPTION(TAG_TRAIL_AMOUNT)));
}

// A good Enter Order without options, written anew, is the same message.
static void check_written_anew(const uint8_t *data, size_t size, const struct command *c)
{
    uint8_t out[XW_OUCH_REQUEST_MAX];
    if (memchr(c->cl_ord_id, 0, sizeof c->cl_ord_id) != NULL)
        return; // the library's texts end there
    xw_assert(ctl_request_of(c, out) == size && memcmp(out, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct command c, again;
    memset(&c, 0xA5, sizeof c);
    memset(&again, 0xA5, sizeof again);
    enum ouch_in_result result = ouch_in_decode(data, size, &c);
    xw_assert(ouch_in_decode(data, size, &again) == result && memcmp(&c, &again, sizeof c) == 0);
    if (result != OUCH_IN_OK)
        return 0;
    xw_assert(c.type >= CMD_ENTER && c.type <= CMD_QUERY);
    if (c.refuse != REJECT_NONE) {
        xw_assert(strcmp(reject_text(c.refuse), "unknown") != 0);
        return 0;
    }
    if (c.type == CMD_ENTER || c.type == CMD_REPLACE)
        check_good_enter(&c);
    if (c.type == CMD_ENTER && c.options == 0)
        check_written_anew(data, size, &c);
    return 0;
}
