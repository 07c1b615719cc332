// SPDX-License-Identifier: Apache-2.0
// Measures round trips and streaming with the least that a client can do: answers are counted by their sequence numbers
// and kept in memory, and looked at after the run. The same loop runs against the reflector, whose frames are the
// answers.
#ifndef CROSSWIRE_PERF_CLIENT_BENCH_H
#define CROSSWIRE_PERF_CLIENT_BENCH_H

#include "perf/options.h"

// Runs it with the first session: options->orders round trips (at most 200,000), then as many at options->window and
// options->pack. Prints, writes options->json. Returns an exit code: 0 when every answer was the right one.
int bench_run(const struct options *options);

#endif
