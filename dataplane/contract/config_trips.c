// SPDX-License-Identifier: Apache-2.0
// What trips what (trip.def), and the modes that it can lead to.
#include <string.h>

#include "contract/config_source.h"
#include "contract/config_text.h"

#define BAD_LOGINS_MOST 255u // what a breaker counts

static const struct trip_info infos[] = {
#define TRIP(name, word, of, sort, measure, text) \
    {.key = word, .unit = measure, .help = text, .each = EACH_##of, .kind = TRIP_##sort},
#include "contract/trip.def"
#undef TRIP
};

static const char *const actions[] = {"alert", "throttle", "cancel_resting", "block_new", "halt"};
static const char *const recoveries[] = {"manual", "standard", "aggressive"};

const struct trip_info *config_trip_info(enum trip_condition condition)
{
    return &infos[condition];
}

const char *config_action_name(enum trip_action action)
{
    return actions[action];
}

const char *config_recovery_name(enum trip_recovery recovery)
{
    return recoveries[recovery];
}

static const char *show(const char *text)
{
    return config_shown(text, strlen(text));
}

static unsigned find_word(const char *const *words, unsigned count, const char *text)
{
    unsigned i = 0;
    while (i < count && strcmp(words[i], text) != 0)
        i++;
    return i;
}

static bool resolve_modes(struct config_source *source, struct config *config)
{
    for (uint32_t i = 0; i < config->modes_count; i++) {
        const struct config_mode *mode = &config->modes[i];
        if (!text_visible(mode->name))
            return config_fail_at(source, CONFIG_modes, i, "name", "`name` is `%s`; use printable ASCII without blanks",
                                  show(mode->name));
        if (mode->limits_percent == 100 && mode->rate == 0 && !mode->block)
            return config_fail_at(source, CONFIG_modes, i, "name",
                                  "mode `%s` changes nothing; give it limits_percent, rate or block", show(mode->name));
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(config->modes[j].name, mode->name) == 0)
                return config_fail_at(source, CONFIG_modes, i, "name", "`%s` is mode %u already; give another name",
                                      show(mode->name), j + 1);
    }
    return true;
}

static bool resolve_mode(struct config_source *source, const struct config *config, struct config_trip *trip,
                         uint32_t i)
{
    trip->mode_index = MODE_NONE;
    const bool wanted = trip->does == TRIP_THROTTLE && trip->is != TRIP_CONTROL_LOST;
    if (trip->mode[0] == '\0' && !wanted)
        return true;
    if (!wanted)
        return config_fail_at(source, CONFIG_trips, i, "mode", "`mode` goes with `action: throttle`; leave it out");
    for (uint32_t j = 0; j < config->modes_count; j++)
        if (strcmp(config->modes[j].name, trip->mode) == 0)
            trip->mode_index = j;
    // Modes are a matter of risk, which a day has only when it is asked for.
    if (trip->mode_index != MODE_NONE && !config_has_risk(config))
        return config_fail_at(source, CONFIG_trips, i, "action",
                              "`action` is throttle, and this venue has no limits that a mode could change; name "
                              "`limits` under `risk:`, or write alert");
    if (trip->mode_index != MODE_NONE)
        return true;
    return config_fail_at(source, CONFIG_trips, i, "mode",
                          "`mode` is `%s`, which is not under `modes:`; name one of those", show(trip->mode));
}

// What an action is possible for: blocking and canceling need somebody whose orders they are.
static bool check_action(struct config_source *source, const struct config_trip *trip, uint32_t i)
{
    const struct trip_info *info = &infos[trip->is];
    if (trip->is == TRIP_BAD_LOGINS && trip->does != TRIP_BLOCK && trip->does != TRIP_ALERT)
        return config_fail_at(source, CONFIG_trips, i, "action",
                              "`action` is `%s`; of bad logins it is alert, or block_new, which closes the port",
                              actions[trip->does]);
    if (trip->is == TRIP_BAD_LOGINS && trip->threshold > BAD_LOGINS_MOST)
        return config_fail_at(source, CONFIG_trips, i, "threshold", "`threshold` of bad_logins is %u; give 1 to %u",
                              trip->threshold, BAD_LOGINS_MOST);
    if (trip->does == TRIP_HALT && trip->recovers != TRIP_MANUAL)
        return config_fail_at(source, CONFIG_trips, i, "recovery",
                              "`recovery` is `%s`; a halted market is resumed by an operator: write manual",
                              recoveries[trip->recovers]);
    if (trip->is == TRIP_CONTROL_LOST && trip->does == TRIP_THROTTLE)
        return config_fail_at(source, CONFIG_trips, i, "action",
                              "`action` is throttle; a matching core without control knows alert, cancel_resting, "
                              "block_new and halt");
    if (trip->is == TRIP_CONTROL_LOST && trip->threshold < CONTROL_LOST_LEAST_MS)
        return config_fail_at(source, CONFIG_trips, i, "threshold",
                              "`threshold` of control_lost is %u ms; control that is well gives a sign of life every "
                              "%u ms and may be late with some: give %u or more",
                              trip->threshold, CONTROL_SIGN_MS, CONTROL_LOST_LEAST_MS);
    if ((info->kind == TRIP_PART && strcmp(info->unit, "percent") == 0 && trip->threshold > 100) ||
        (trip->is == TRIP_BACKLOG && trip->threshold > 100))
        return config_fail_at(source, CONFIG_trips, i, "threshold", "`threshold` of %s is %u percent; give 1 to 100",
                              info->key, trip->threshold);
    return true;
}

static bool resolve_trip(struct config_source *source, const struct config *config, struct config_trip *trip,
                         uint32_t i)
{
    unsigned condition = 0;
    while (condition < TRIP_CONDITIONS && strcmp(infos[condition].key, trip->condition) != 0)
        condition++;
    if (condition == TRIP_CONDITIONS)
        return config_fail_at(
            source, CONFIG_trips, i, "condition",
            "`condition` is `%s`; write loss, drawdown, reject_ratio, malformed_ratio, bad_logins, "
            "latency, backlog, journal_lag, clock_step, clock_error, disk_space, feed_gap, risk_data_stale or "
            "control_lost",
            show(trip->condition));
    unsigned action = find_word(actions, sizeof actions / sizeof actions[0], trip->action);
    if (action == sizeof actions / sizeof actions[0])
        return config_fail_at(source, CONFIG_trips, i, "action",
                              "`action` is `%s`; write alert, throttle, cancel_resting, block_new or halt",
                              show(trip->action));
    unsigned recovery = find_word(recoveries, sizeof recoveries / sizeof recoveries[0], trip->recovery);
    if (recovery == sizeof recoveries / sizeof recoveries[0])
        return config_fail_at(source, CONFIG_trips, i, "recovery",
                              "`recovery` is `%s`; write manual, standard or aggressive", show(trip->recovery));
    trip->is = (enum trip_condition)condition;
    trip->does = (enum trip_action)action;
    trip->recovers = (enum trip_recovery)recovery;
    return resolve_mode(source, config, trip, i) && check_action(source, trip, i);
}

// How a trip is called.
static const char *name_of(const struct config_trip *trip)
{
    return trip->name[0] ? trip->name : trip->condition;
}

bool config_resolve_trips(struct config_source *source, struct config *config)
{
    if (!resolve_modes(source, config))
        return false;
    for (uint32_t i = 0; i < config->trips_count; i++) {
        struct config_trip *trip = &config->trips[i];
        if (!resolve_trip(source, config, trip, i))
            return false;
        if (trip->name[0] && !text_visible(trip->name))
            return config_fail_at(source, CONFIG_trips, i, "name", "`name` is `%s`; use printable ASCII without blanks",
                                  show(trip->name));
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(name_of(&config->trips[j]), name_of(trip)) == 0)
                return config_fail_at(source, CONFIG_trips, i, trip->name[0] ? "name" : "condition",
                                      "`%s` is the name of trip %u already; give this one a `name` of its own",
                                      show(name_of(trip)), j + 1);
            if (trip->is == TRIP_CONTROL_LOST && config->trips[j].is == TRIP_CONTROL_LOST)
                return config_fail_at(
                    source, CONFIG_trips, i, "condition",
                    "control_lost stands in trip %u already, and a matching core does one thing; keep "
                    "one",
                    j + 1);
            if (trip->is == TRIP_LATENCY && config->trips[j].is == TRIP_LATENCY)
                return config_fail_at(source, CONFIG_trips, i, "condition",
                                      "latency stands in trip %u already, and gateways compare with one figure; keep "
                                      "one",
                                      j + 1);
        }
    }
    return true;
}
