// SPDX-License-Identifier: Apache-2.0
// The parts of `xwctl journal` that show records. Each is given the words behind its name.
#ifndef CROSSWIRE_CONTROL_CTL_EXPORT_H
#define CROSSWIRE_CONTROL_CTL_EXPORT_H

#include "control/ctl/ctl.h"
#include "control/ctl/walk.h"

int ctl_journal_dump(const struct ctl *ctl, int argc, char **argv);    // as lines of text, or JSON
int ctl_journal_export(const struct ctl *ctl, int argc, char **argv);  // --format json|csv|pcap --out FILE
int ctl_journal_inspect(const struct ctl *ctl, int argc, char **argv); // a line a segment
int ctl_journal_diff(const struct ctl *ctl, int argc, char **argv);    // the first record that differs

// The OUCH message that an order-entry record was decoded from, into `out` (room for XW_OUCH_REQUEST_MAX): byte for
// byte, but for the order of its options, when nothing in it was refused. Its size, 0 when the record is no request.
size_t ctl_request_of(const struct command *record, uint8_t *out);

// Walks and writes what clients sent and were told to `path`, a capture of UFO over UDP.
void ctl_export_capture(struct ctl_walk *walk, const char *path);

#endif
