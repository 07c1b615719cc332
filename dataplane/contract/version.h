// SPDX-License-Identifier: Apache-2.0
// The version of everything that is built from this tree; the Makefile takes it from here too.
#ifndef CROSSWIRE_CONTRACT_VERSION_H
#define CROSSWIRE_CONTRACT_VERSION_H

#define CROSSWIRE_VERSION "0.1.0"

// The answer to --version, on standard output: "PROGRAM 0.1.0, engine version 1, region layout 0123456789abcdef".
// Processes share a region only with the same layout, and a journal is replayed only by the engine version that wrote
// it.
void version_print(const char *program);

#endif
