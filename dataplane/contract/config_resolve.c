// SPDX-License-Identifier: Apache-2.0
// What spans several keys of the configuration, and the fields that others read instead of text.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "contract/command.h"
#include "contract/config_source.h"
#include "contract/config_text.h"
#include "contract/region.h"

static const char *show(const char *text)
{
    return config_shown(text, strlen(text));
}

// ---- names that must differ -----------------------------------------------------------------------------------------

struct name {
    const char *text;
    size_t size;
    uint32_t index;
};

static int compare_names(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    int order = memcmp(left->text, right->text, left->size);
    return order ? order : (left->index > right->index) - (left->index < right->index);
}

// Compares `size` bytes at `offset` of every entry; entries' names are padded to it.
static bool check_unique(struct config_source *source, enum config_section section, const char *key, const void *first,
                         size_t entry_size, uint32_t count, size_t offset, size_t size)
{
    struct name *names = calloc(count, sizeof *names);
    if (!names)
        return config_fail(source, NULL, "out of memory; free some");
    for (uint32_t i = 0; i < count; i++)
        names[i] = (struct name){(const char *)first + i * entry_size + offset, size, i};
    qsort(names, count, sizeof *names, compare_names);
    bool good = true;
    for (uint32_t i = 1; i < count && good; i++)
        if (memcmp(names[i - 1].text, names[i].text, size) == 0)
            good = config_fail_at(source, section, names[i].index, key,
                                  "`%s` of entry %u is that of entry %u too; give each its own", key,
                                  names[i].index + 1, names[i - 1].index + 1);
    free(names);
    return good;
}

// ---- sections -------------------------------------------------------------------------------------------------------

static bool resolve_top(struct config_source *source, struct config *config)
{
    if (!text_only(config->instance, "-_"))
        return config_fail_at(source, CONFIG_top, 0, "instance", "`instance` is `%s`; use letters, digits, - and _",
                              show(config->instance));
    if (strcmp(config->trading_date, "today") == 0)
        config->date = date_today();
    else if (!parse_date(config->trading_date, &config->date))
        return config_fail_at(source, CONFIG_top, 0, "trading_date",
                              "`trading_date` is `%s`; write YYYY-MM-DD of a day from 2000 to 2099, or today",
                              show(config->trading_date));
    if (strcmp(config->ack, "matched") == 0)
        config->ack_mode = ACK_MATCHED;
    else if (strcmp(config->ack, "durable") == 0)
        config->ack_mode = ACK_DURABLE;
    else if (strcmp(config->ack, "replicated") == 0)
        return config_fail_at(source, CONFIG_top, 0, "ack",
                              "`ack: replicated` does not exist yet; write durable, or matched");
    else
        return config_fail_at(source, CONFIG_top, 0, "ack", "`ack` is `%s`; write durable, or matched",
                              show(config->ack));
    if (config->journal.commit_kb % 4)
        return config_fail_at(source, CONFIG_journal, 0, "commit_kb",
                              "`commit_kb` is %u, not whole journal blocks; give a multiple of 4",
                              config->journal.commit_kb);
    if (config->journal.commit_kb > config->journal.segment_mb * 1024 / 2)
        return config_fail_at(source, CONFIG_journal, 0, "commit_kb",
                              "`commit_kb` is %u, more than half of a segment; give at most %u, or a larger segment_mb",
                              config->journal.commit_kb, config->journal.segment_mb * 1024 / 2);
    if (config->dataplane.heartbeat_ms >= config->dataplane.session_timeout_ms)
        return config_fail_at(source, CONFIG_dataplane, 0, "heartbeat_ms",
                              "`heartbeat_ms` is %u, not below `session_timeout_ms`, %u; give a lower one",
                              config->dataplane.heartbeat_ms, config->dataplane.session_timeout_ms);
    return true;
}

// The port before `i` that names the same device; NULL when there is none.
static const struct config_port *same_device(const struct config *config, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (config->ports[i].device[0] && strcmp(config->ports[i].device, config->ports[k].device) == 0)
            return &config->ports[k];
    return NULL;
}

static bool resolve_ports(struct config_source *source, struct config *config)
{
    char(*names)[32] = calloc(config->ports_count, sizeof *names);
    if (!names)
        return config_fail(source, NULL, "out of memory; free some");
    bool good = true;
    for (uint32_t i = 0; i < config->ports_count && good; i++) {
        struct config_port *port = &config->ports[i];
        text_pad(names[i], sizeof names[i], port->name, false);
        port->has_mac = port->mac[0] != '\0';
        if (!text_only(port->profile, "-_"))
            good = config_fail_at(source, CONFIG_ports, i, "profile",
                                  "`profile` is `%s`; name a file of profile_directory without .yaml",
                                  show(port->profile));
        else if (same_device(config, i))
            good = config_fail_at(source, CONFIG_ports, i, "device",
                                  "`device` is `%s`, that of port %s too; give each port its own", show(port->device),
                                  same_device(config, i)->name);
        else if (!parse_ip(port->address, &port->ip))
            good = config_fail_at(source, CONFIG_ports, i, "address",
                                  "`address` is `%s`; write an IPv4 address as 10.0.0.1", show(port->address));
        else if (port->has_mac && !parse_mac(port->mac, port->mac_bytes))
            good = config_fail_at(source, CONFIG_ports, i, "mac",
                                  "`mac` is `%s`; write a unicast address as 02:00:00:00:00:01, or leave it out",
                                  show(port->mac));
    }
    good =
        good && check_unique(source, CONFIG_ports, "name", names, sizeof *names, config->ports_count, 0, sizeof *names);
    free(names);
    return good;
}

static bool find_port(struct config_source *source, const struct config *config, enum config_section section,
                      uint32_t index, const char *name, uint32_t *port)
{
    for (*port = 0; *port < config->ports_count; ++*port)
        if (strcmp(config->ports[*port].name, name) == 0)
            return true;
    return config_fail_at(source, section, index, "port",
                          "`port` is `%s`, which is not under `ports:`; name one of those", show(name));
}

static bool check_lcore(struct config_source *source, const struct config *config, enum config_section section,
                        uint32_t index, uint32_t lcore)
{
    if (lcore != config->dataplane.main_lcore)
        return true;
    return config_fail_at(source, section, index, "lcore",
                          "`lcore` is %u, that of EAL's main thread, which runs no role; give another lcore, or change "
                          "dataplane.main_lcore",
                          lcore);
}

// A role that uses a queue of a port.
struct use {
    enum config_section section;
    uint32_t index, port, queue, lcore;
};

static bool check_queues(struct config_source *source, const struct use *uses, unsigned count)
{
    for (unsigned i = 1; i < count; i++)
        for (unsigned j = 0; j < i; j++)
            if (uses[i].port == uses[j].port && uses[i].queue == uses[j].queue && uses[i].lcore != uses[j].lcore)
                return config_fail_at(
                    source, uses[i].section, uses[i].index, "queue",
                    "queue %u of this port is used on lcore %u too (entry %u of %s); give each lcore a "
                    "queue of its own",
                    uses[i].queue, uses[j].lcore, uses[j].index + 1, config_section_info(uses[j].section).name);
    return true;
}

static bool resolve_gateways(struct config_source *source, struct config *config, struct use *uses, unsigned *used)
{
    for (uint32_t i = 0; i < config->gateways_count; i++) {
        struct config_gateway *gateway = &config->gateways[i];
        if (!find_port(source, config, CONFIG_gateways, i, gateway->port, &gateway->port_index) ||
            !check_lcore(source, config, CONFIG_gateways, i, gateway->lcore))
            return false;
        for (uint32_t j = 0; j < i; j++)
            if (config->gateways[j].port_index == gateway->port_index &&
                config->gateways[j].udp_port == gateway->udp_port)
                return config_fail_at(source, CONFIG_gateways, i, "udp_port",
                                      "`udp_port` %u of this port is gateway %u's already; give another",
                                      gateway->udp_port, j);
        uses[(*used)++] = (struct use){CONFIG_gateways, i, gateway->port_index, gateway->queue, gateway->lcore};
    }
    return true;
}

static bool check_publisher_ports(struct config_source *source, const struct config *config, uint32_t i)
{
    const struct config_publisher *publisher = &config->publishers[i];
    for (uint32_t j = 0; j < i; j++) {
        const struct config_publisher *other = &config->publishers[j];
        if (other->group_ip == publisher->group_ip && other->udp_port == publisher->udp_port)
            return config_fail_at(source, CONFIG_publishers, i, "udp_port",
                                  "group and udp_port are publisher %u's already; give another", j);
        if (publisher->request_port && other->port_index == publisher->port_index &&
            other->request_port == publisher->request_port)
            return config_fail_at(source, CONFIG_publishers, i, "request_port",
                                  "`request_port` %u of this port is publisher %u's already; give another",
                                  publisher->request_port, j);
    }
    for (uint32_t j = 0; j < config->gateways_count; j++)
        if (publisher->request_port && config->gateways[j].port_index == publisher->port_index &&
            config->gateways[j].udp_port == publisher->request_port)
            return config_fail_at(source, CONFIG_publishers, i, "request_port",
                                  "`request_port` %u of this port is gateway %u's udp_port; give another",
                                  publisher->request_port, j);
    return true;
}

static bool resolve_publishers(struct config_source *source, struct config *config, struct use *uses, unsigned *used)
{
    if (config->publishers_count != config->matchers_count)
        return config_fail_at(source, CONFIG_publishers, UINT32_MAX, NULL,
                              "%u publishers for %u matchers; give one for each, in the same order",
                              config->publishers_count, config->matchers_count);
    for (uint32_t i = 0; i < config->publishers_count; i++) {
        struct config_publisher *publisher = &config->publishers[i];
        if (!find_port(source, config, CONFIG_publishers, i, publisher->port, &publisher->port_index) ||
            !check_lcore(source, config, CONFIG_publishers, i, publisher->lcore))
            return false;
        if (!parse_ip(publisher->group, &publisher->group_ip))
            return config_fail_at(source, CONFIG_publishers, i, "group",
                                  "`group` is `%s`; write an IPv4 address as 233.54.12.1", show(publisher->group));
        if (!check_publisher_ports(source, config, i))
            return false;
        uses[(*used)++] = (struct use){CONFIG_publishers, i, publisher->port_index, publisher->queue, publisher->lcore};
    }
    return true;
}

static bool resolve_roles(struct config_source *source, struct config *config)
{
    struct use uses[64];
    unsigned used = 0;
    for (uint32_t i = 0; i < config->matchers_count; i++)
        if (!check_lcore(source, config, CONFIG_matchers, i, config->matchers[i].lcore))
            return false;
    // Cores, ports and rings of every role and of every pair of gateway and matching core.
    const uint32_t objects = config->gateways_count * 4 + config->matchers_count * 5 + config->publishers_count * 2 +
                             2 * config->gateways_count * config->matchers_count + 1;
    if (objects > REGION_OBJECTS_MAX)
        return config_fail_at(
            source, CONFIG_gateways, UINT32_MAX, NULL,
            "%u gateways and %u matchers need %u rings and blocks, and the region holds %u; give fewer",
            config->gateways_count, config->matchers_count, objects, REGION_OBJECTS_MAX);
    return resolve_gateways(source, config, uses, &used) && resolve_publishers(source, config, uses, &used) &&
           check_queues(source, uses, used) && config_resolve_idle(source, config);
}

static bool check_index(struct config_source *source, enum config_section section, uint32_t entry, const char *key,
                        uint32_t value, uint32_t count)
{
    if (value < count)
        return true;
    return config_fail_at(source, section, entry, key, "`%s` is %u, and there is none such; give 0 to %u", key, value,
                          count - 1);
}

static bool resolve_symbols(struct config_source *source, struct config *config)
{
    uint32_t next[16] = {0};
    for (uint32_t i = 0; i < config->symbols_count; i++) {
        struct config_symbol *symbol = &config->symbols[i];
        if (!check_index(source, CONFIG_symbols, i, "matcher", symbol->matcher, config->matchers_count))
            return false;
        if (!text_visible(symbol->name))
            return config_fail_at(source, CONFIG_symbols, i, "name",
                                  "`name` is `%s`; use printable ASCII without blanks", show(symbol->name));
        if (!parse_price(symbol->tick, &symbol->tick_price))
            return config_fail_at(source, CONFIG_symbols, i, "tick",
                                  "`tick` is `%s`; write a decimal above 0 with at most 4 places, as 0.01",
                                  show(symbol->tick));
        text_pad(symbol->wire_name, sizeof symbol->wire_name, symbol->name, false);
        symbol->locate = (uint16_t)++next[symbol->matcher];
    }
    return check_unique(source, CONFIG_symbols, "name", config->symbols, sizeof *config->symbols, config->symbols_count,
                        offsetof(struct config_symbol, wire_name), sizeof config->symbols->wire_name);
}

static bool resolve_accounts(struct config_source *source, struct config *config)
{
    char(*names)[16] = calloc(config->accounts_count, sizeof *names);
    if (!names)
        return config_fail(source, NULL, "out of memory; free some");
    bool good = true;
    for (uint32_t i = 0; i < config->accounts_count && good; i++) {
        struct config_account *account = &config->accounts[i];
        text_pad(names[i], sizeof names[i], account->name, false);
        text_pad(account->wire_firm, sizeof account->wire_firm, account->firm, false);
        text_pad(account->wire_organisation, sizeof account->wire_organisation, account->organisation, false);
        if (!text_visible(account->name))
            good = config_fail_at(source, CONFIG_accounts, i, "name",
                                  "`name` is `%s`; use printable ASCII without blanks", show(account->name));
        else if (!text_visible(account->firm))
            good = config_fail_at(source, CONFIG_accounts, i, "firm",
                                  "`firm` is `%s`; use printable ASCII without blanks", show(account->firm));
        else if (account->organisation[0] != '\0' && !text_visible(account->organisation))
            good = config_fail_at(source, CONFIG_accounts, i, "organisation",
                                  "`organisation` is `%s`; use printable ASCII without blanks",
                                  show(account->organisation));
    }
    good = good && check_unique(source, CONFIG_accounts, "name", names, sizeof *names, config->accounts_count, 0,
                                sizeof *names);
    free(names);
    return good;
}

// The phases that the schedule names, each after the one before.
static bool resolve_schedule(struct config_source *source, struct config *config)
{
    const struct {
        const char *key, *text;
        char phase;
    } given[] = {
        {"pre_market", config->schedule.pre_market, PHASE_PRE},
        {"market_open", config->schedule.market_open, PHASE_REGULAR},
        {"market_close", config->schedule.market_close, PHASE_AFTER},
        {"venue_close", config->schedule.venue_close, PHASE_CLOSED},
        {"day_end", config->schedule.day_end, PHASE_DAY_END},
    };
    config->phases_count = 0;
    for (unsigned i = 0; i < sizeof given / sizeof given[0]; i++) {
        uint32_t seconds;
        if (given[i].text[0] == '\0')
            continue;
        if (!parse_hour(given[i].text, &seconds))
            return config_fail_at(source, CONFIG_schedule, 0, given[i].key,
                                  "`%s` is `%s`; write HH:MM:SS of UTC, 00:00:00 to 23:59:59", given[i].key,
                                  show(given[i].text));
        uint64_t time_ns = seconds * UINT64_C(1000000000);
        if (config->phases_count > 0 && time_ns <= config->phases[config->phases_count - 1].time_ns)
            return config_fail_at(source, CONFIG_schedule, 0, given[i].key,
                                  "`%s` is %s, not after the phase before it; phases follow one another", given[i].key,
                                  show(given[i].text));
        config->phases[config->phases_count++] = (struct config_phase){time_ns, given[i].phase};
    }
    return true;
}

// A percentage as millionths; its text has four places, so a price's reader reads it. Empty: 0.
static bool resolve_percent(struct config_source *source, const char *key, const char *text, uint32_t *parts)
{
    *parts = 0;
    if (text[0] == '\0' || (parse_price(text, parts) && *parts <= 1000000))
        return true;
    return config_fail_at(source, CONFIG_bands, 0, key, "`%s` is `%s`; write 0.0001 to 100, without a sign", key,
                          show(text));
}

static bool resolve_market(struct config_source *source, struct config *config)
{
    const char *close = config->market_wide.close;
    bool members = false;
    for (uint32_t i = 0; i < config->symbols_count; i++)
        members |= config->symbols[i].index_weight != 0;
    config->index_close = 0;
    if (close[0] != '\0' && !parse_price(close, &config->index_close))
        return config_fail_at(source, CONFIG_market_wide, 0, "close",
                              "`close` is `%s`; write a decimal above 0 with at most 4 places, as 4321.5", show(close));
    if (config->index_close != 0 && !members)
        return config_fail_at(source, CONFIG_market_wide, 0, "close",
                              "`close` is of an index without symbols; give some an `index_weight`");
    return resolve_percent(source, "tier1_percent", config->bands.tier1_percent, &config->tier_parts[1]) &&
           resolve_percent(source, "tier2_percent", config->bands.tier2_percent, &config->tier_parts[2]) &&
           resolve_percent(source, "velocity_percent", config->bands.velocity_percent, &config->velocity_parts);
}

static bool resolve_conduct(struct config_source *source, struct config_session *session, uint32_t i)
{
    session->post_only_cancels = strcmp(session->post_only, "cancel") == 0;
    if (!session->post_only_cancels && strcmp(session->post_only, "slide") != 0)
        return config_fail_at(source, CONFIG_sessions, i, "post_only", "`post_only` is `%s`; write slide, or cancel",
                              show(session->post_only));
    if (strchr("NYDOWRydowrZEPXS01245", session->aiq[0]) == NULL)
        return config_fail_at(source, CONFIG_sessions, i, "aiq",
                              "`aiq` is `%s`; write N, or an AIQ strategy: Y D O W R, y d o w r, Z E P X S, 0 1 2 4 5",
                              show(session->aiq));
    session->aiq_default = session->aiq[0];
    return true;
}

static bool find_account(const struct config *config, const char *name, uint16_t *account)
{
    for (uint32_t i = 0; i < config->accounts_count; i++)
        if (strcmp(config->accounts[i].name, name) == 0) {
            *account = (uint16_t)i;
            return true;
        }
    return false;
}

static bool resolve_sessions(struct config_source *source, struct config *config)
{
    for (uint32_t i = 0; i < config->sessions_count; i++) {
        struct config_session *session = &config->sessions[i];
        if (!text_only(session->user, ""))
            return config_fail_at(source, CONFIG_sessions, i, "user", "`user` is `%s`; use letters and digits",
                                  show(session->user));
        const bool elsewhere = session->password_hash[0] == '\0' && config->control.password_file[0] != '\0';
        if (!elsewhere && strncmp(session->password_hash, "$argon2", 7) != 0)
            return config_fail_at(source, CONFIG_sessions, i, "password_hash",
                                  "`password_hash` is no $argon2 string; make one with `xwctl hash-password`, or name "
                                  "a control.password_file that has it");
        if (!find_account(config, session->account, &session->account_index))
            return config_fail_at(source, CONFIG_sessions, i, "account",
                                  "`account` is `%s`, which is not under `accounts:`; name one of those",
                                  show(session->account));
        if (!check_index(source, CONFIG_sessions, i, "gateway", session->gateway, config->gateways_count) ||
            !check_index(source, CONFIG_sessions, i, "matcher", session->matcher, config->matchers_count) ||
            !resolve_conduct(source, session, i))
            return false;
        text_pad(session->wire_user, sizeof session->wire_user, session->user, true);
    }
    return check_unique(source, CONFIG_sessions, "user", config->sessions, sizeof *config->sessions,
                        config->sessions_count, offsetof(struct config_session, wire_user),
                        sizeof config->sessions->wire_user);
}

bool config_resolve(struct config_source *source, struct config *config)
{
    return resolve_top(source, config) && resolve_ports(source, config) && resolve_roles(source, config) &&
           resolve_symbols(source, config) && resolve_accounts(source, config) && resolve_sessions(source, config) &&
           config_resolve_copies(source, config) && resolve_schedule(source, config) &&
           resolve_market(source, config) && config_resolve_trips(source, config);
}
