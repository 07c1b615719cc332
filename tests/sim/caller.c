// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/caller.h"

#include "tests/sim/world.h"

typedef void message_taker(void *context, uint64_t sequence, const uint8_t *bytes, size_t size);
typedef void state_taker(void *context, enum xw_session_state state);

static void open_with(struct caller *caller, char last, void *context, message_taker *on_message, state_taker *on_state)
{
    char password[16];
    snprintf(password, sizeof password, "CROSSWIRE%c", last);
    struct xw_session_config options = {.user = config_stream(caller->config, caller->stream).user,
                                        .password = password,
                                        .login_ns = 20 * SIM_MS,
                                        .heartbeat_ns = 40 * SIM_MS,
                                        .timeout_ns = 300 * SIM_MS,
                                        .retransmit_ns = 3 * SIM_MS,
                                        .relogin_after_end = true,
                                        .context = context,
                                        .on_message = on_message,
                                        .on_state = on_state};
    if (caller->session)
        xw_session_close(caller->session);
    caller->session = xw_session_open(&options);
    if (!caller->session)
        sim_fail("no memory");
}

void caller_open(struct caller *caller, void *context, message_taker *on_message, state_taker *on_state)
{
    open_with(caller, world_password_end(caller->stream), context, on_message, on_state);
}

void caller_open_wrongly(struct caller *caller, void *context, message_taker *on_message, state_taker *on_state)
{
    open_with(caller, '?', context, on_message, on_state);
}

static void timer(void *context, uint64_t deadline_ns)
{
    struct caller *caller = context;
    if (caller->deadline_ns != deadline_ns)
        return;
    caller->deadline_ns = 0;
    caller_pump(caller);
}

void caller_pump(struct caller *caller)
{
    static uint8_t out[XW_DATAGRAM_MAX];
    const struct config_gateway *gateway =
        &caller->config->gateways[config_stream(caller->config, caller->stream).gateway];
    size_t size;
    while ((size = xw_session_poll(caller->session, sim.now_ns, out)) > 0)
        world_send(gateway->port_index, WORLD_CLIENTS + caller->stream, caller->udp_port, (uint16_t)gateway->udp_port,
                   out, size);
    uint64_t deadline_ns = xw_session_deadline(caller->session);
    if (deadline_ns == UINT64_MAX)
        return;
    if (deadline_ns <= sim.now_ns)
        deadline_ns = sim.now_ns + SIM_US;
    if (caller->deadline_ns && caller->deadline_ns <= deadline_ns)
        return;
    caller->deadline_ns = deadline_ns;
    sim_after(deadline_ns - sim.now_ns, timer, caller, deadline_ns);
}

void caller_receive(struct caller *caller, uint16_t to_port, const uint8_t *payload, size_t size)
{
    if (to_port != caller->udp_port)
        return;
    xw_session_receive(caller->session, sim.now_ns, payload, size);
    caller_pump(caller);
}
