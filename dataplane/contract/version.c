// SPDX-License-Identifier: Apache-2.0
#include "contract/version.h"

#include <inttypes.h>
#include <stdio.h>

#include "contract/command.h"
#include "contract/region.h"

void version_print(const char *program)
{
    printf("%s " CROSSWIRE_VERSION ", engine version %u, region layout %016" PRIx64 "\n", program,
           CROSSWIRE_ENGINE_VERSION, region_layout_hash());
}
