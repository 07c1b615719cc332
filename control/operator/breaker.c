// SPDX-License-Identifier: Apache-2.0
// {"ask":"breaker_reset"}: closes the breakers of a trip, whose threshold may still be reached: then they open again.
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "control/operator/operator.h"

struct reset_request {
    char trip[16];
    char by[17];
};

static const char *read_reset(struct request *request, const json_t *root)
{
    struct reset_request *ask = request->state;
    const char *trip = json_string_value(json_object_get(root, "trip"));
    if (!trip || !trip[0] || strlen(trip) >= sizeof ask->trip)
        return "which breaker is not said: give the name of a trip, see xwctl breakers";
    snprintf(ask->trip, sizeof ask->trip, "%s", trip);
    return desk_by(root, ask->by) ? NULL : DESK_BY_MISSING;
}

static void reset(struct request *request, struct recovery *recovery, uint64_t now_ns)
{
    const struct reset_request *ask = request->state;
    int count = breakers_reset(request->context->breakers, ask->trip, ask->by, now_ns);
    (void)recovery;
    if (count < 0)
        desk_refuse(request, EX_DATAERR, "there is no trip `%s` in the configuration: see xwctl breakers", ask->trip);
    else
        desk_answer(request, json_pack("{s:b, s:s, s:i}", "ok", 1, "trip", ask->trip, "reset", count));
}

const struct desk_subject breaker_reset_by = {
    .ask = "breaker_reset", .size = sizeof(struct reset_request), .read = read_reset, .go_on = reset};
