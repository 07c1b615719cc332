// SPDX-License-Identifier: Apache-2.0
// The control process: set-ups in order, the serve loop, the same set-ups undone.
#ifndef CROSSWIRE_CONTROL_SERVICE_H
#define CROSSWIRE_CONTROL_SERVICE_H

// Runs control for the configuration file at `path` until SIGTERM or SIGINT (twice: at once). Returns the exit code;
// what cannot be mended here ends the process with one line and a sysexits code. SIGUSR1 logs the allocator's figures,
// SIGHUP reads the configuration again.
int service_run(const char *path);

#endif
