// SPDX-License-Identifier: Apache-2.0
// Structured log: one JSON object a line on standard error, with an event code that never changes its meaning.
#ifndef CROSSWIRE_CONTRACT_LOG_H
#define CROSSWIRE_CONTRACT_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

enum log_code {
#define LOG_CODE(code, level, name, help) LOG_##code,
#include "contract/log.def"
#undef LOG_CODE
    LOG_CODE_COUNT
};

// Names the process in every line. Call once at start.
void log_open(const char *process, const char *instance);

// Writes {"time":...,"level":...,"code":"XW1001","event":"dataplane.started",<fields>}. `fields` is a printf format of
// JSON members without braces, e.g. "\"port\":%u,\"path\":%s"; quote text that comes from outside with log_quote. Not
// for pinned cores: it allocates and writes.
void log_event(enum log_code code, const char *fields, ...) __attribute__((format(printf, 2, 3)));

// JSON string literal of `text`, quotes included, in one of four rotating buffers a thread; long text is cut.
const char *log_quote(const char *text);

// Ends the process with a sysexits code after one plain line for people on standard error: "PROCESS: what is wrong:
// mend".
_Noreturn void fail_with(int exit_code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
