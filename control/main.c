// SPDX-License-Identifier: Apache-2.0
// crosswire-control CONFIG: the process that configures, recovers and journals. Everything is in service.c.
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "contract/config.h"
#include "contract/version.h"
#include "control/service.h"

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        puts("usage: crosswire-control CONFIG             run control in the foreground\n"
             "       crosswire-control --describe-config  print every key with unit, default and bounds\n"
             "       crosswire-control --version | --help\n"
             "Joins the data plane of the same configuration, recovers the trading date from the journal, writes the\n"
             "journal, verifies logins. SIGTERM: stop when all is durable. SIGHUP: read the configuration\n"
             "again (what may change is marked by --describe-config). SIGUSR1: log the allocator's figures.");
        return EX_OK;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        version_print("crosswire-control");
        return EX_OK;
    }
    if (argc == 2 && strcmp(argv[1], "--describe-config") == 0) {
        config_describe();
        return EX_OK;
    }
    if (argc != 2 || argv[1][0] == '-') {
        fputs("usage: crosswire-control CONFIG | --describe-config | --version | --help\n", stderr);
        return EX_USAGE;
    }
    return service_run(argv[1]);
}
