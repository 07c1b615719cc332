// SPDX-License-Identifier: Apache-2.0
// xwctl config check FILE | config describe
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl/ctl.h"

int ctl_config(const struct ctl *ctl, int argc, char **argv)
{
    struct ctl with_file = *ctl;
    if (argc == 1 && strcmp(argv[0], "describe") == 0) {
        config_describe();
        return EX_OK;
    }
    if (argc < 1 || argc > 2 || strcmp(argv[0], "check") != 0)
        fail_with(EX_USAGE, "usage: xwctl config check FILE | xwctl config describe");
    if (argc == 2)
        with_file.config_path = argv[1];
    struct config *config = ctl_load_config(&with_file);
    printf("%s: right. instance %s, trading date %u, ack %s, %u gateways, %u matching cores, %u symbols, %u accounts, "
           "%u sessions\n",
           with_file.config_path, config->instance, config->date, config->ack, config->gateways_count,
           config->matchers_count, config->symbols_count, config->accounts_count, config->sessions_count);
    const bool limits = config->risk.limits[0] != '\0';
    config_free(config);
    return limits ? ctl_limits_check(&with_file, NULL) : EX_OK;
}
