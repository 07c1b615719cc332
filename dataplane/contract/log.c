// SPDX-License-Identifier: Apache-2.0
#include "contract/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 8192, QUOTE_BYTES = 1024, QUOTE_BUFFERS = 4, NAME_BYTES = 48 };

static char process_name[NAME_BYTES] = "crosswire";
static char quoted_process[6 * NAME_BYTES] = "\"crosswire\""; // made once: a line's own buffers belong to its fields
static char quoted_instance[6 * NAME_BYTES] = "\"\"";

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARNING] = "warning", [LOG_ERROR] = "error"};

static const struct {
    const char *code;
    enum log_level level;
    const char *event;
} codes[LOG_CODE_COUNT] = {
#define LOG_CODE(code, level, name, help) {#code, LOG_##level, name},
#include "contract/log.def"
#undef LOG_CODE
};

// One write a line, so that the lines of two processes on one terminal or pipe never mix. What can not be written is
// lost: the log never stops the process.
static void write_line(const char *line, size_t size)
{
    while (size) {
        ssize_t wrote = write(STDERR_FILENO, line, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return;
        line += wrote;
        size -= (size_t)wrote;
    }
}

void log_event(enum log_code code, const char *fields, ...)
{
    char line[LINE_MAX_BYTES];
    int saved = errno;
    if ((unsigned)code >= LOG_CODE_COUNT)
        return;

    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t used = strftime(line, sizeof line, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &utc);
    used += (size_t)snprintf(line + used, sizeof line - used,
                             ".%09ldZ\",\"level\":\"%s\",\"code\":\"%s\",\"event\":\"%s\",\"process\":%s,"
                             "\"instance\":%s,\"pid\":%d",
                             now.tv_nsec, level_names[codes[code].level], codes[code].code, codes[code].event,
                             quoted_process, quoted_instance, (int)getpid());

    if (fields && *fields) {
        static const char too_long[] = ",\"fields_too_long\":true";
        const size_t room = sizeof line - used - sizeof "}\n" - 1;
        va_list list;
        va_start(list, fields);
        int size = vsnprintf(line + used + 1, room, fields, list);
        va_end(list);
        if (size < 0 || (size_t)size >= room) { // a cut would not be JSON any more
            memcpy(line + used, too_long, sizeof too_long - 1);
            used += sizeof too_long - 1;
        } else if (size > 0) {
            line[used] = ',';
            used += 1 + (size_t)size;
        }
    }
    line[used++] = '}';
    line[used++] = '\n';
    write_line(line, used);
    errno = saved;
}

// Bytes of the well-formed UTF-8 sequence at `text` (RFC 3629: no overlong forms, no surrogates), or 0.
static unsigned utf8_length(const unsigned char *text)
{
    unsigned char first = text[0];
    if (first < 0x80)
        return 1;
    unsigned length = first >= 0xC2 && first <= 0xDF   ? 2
                      : first >= 0xE0 && first <= 0xEF ? 3
                      : first >= 0xF0 && first <= 0xF4 ? 4
                                                       : 0;
    for (unsigned i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    if ((first == 0xE0 && text[1] < 0xA0) || (first == 0xED && text[1] > 0x9F) || (first == 0xF0 && text[1] < 0x90) ||
        (first == 0xF4 && text[1] > 0x8F))
        return 0;
    return length;
}

// Writes one character of `text` in its JSON form; returns bytes written and sets `taken`.
static size_t quote_character(char *out, const unsigned char *text, unsigned *taken)
{
    *taken = 1;
    if (*text == '"' || *text == '\\') {
        out[0] = '\\';
        out[1] = (char)*text;
        return 2;
    }
    if (*text < 0x20 || *text == 0x7F)
        return (size_t)sprintf(out, "\\u%04x", (unsigned)*text);
    unsigned length = utf8_length(text);
    if (length == 0)
        return (size_t)sprintf(out, "\\ufffd");
    memcpy(out, text, length);
    *taken = length;
    return length;
}

const char *log_quote(const char *text)
{
    static _Thread_local char buffers[QUOTE_BUFFERS][QUOTE_BYTES];
    static _Thread_local unsigned next;
    char *out = buffers[next++ % QUOTE_BUFFERS];
    if (!text)
        return strcpy(out, "null");

    size_t used = 0;
    out[used++] = '"';
    for (const unsigned char *at = (const unsigned char *)text; *at && used < QUOTE_BYTES - 16;) {
        unsigned taken;
        used += quote_character(out + used, at, &taken);
        at += taken;
    }
    out[used++] = '"';
    out[used] = '\0';
    return out;
}

void log_open(const char *process, const char *instance)
{
    char name[NAME_BYTES];
    snprintf(process_name, sizeof process_name, "%s", process ? process : "crosswire");
    snprintf(name, sizeof name, "%s", process_name);
    snprintf(quoted_process, sizeof quoted_process, "%s", log_quote(name));
    snprintf(name, sizeof name, "%s", instance ? instance : "");
    snprintf(quoted_instance, sizeof quoted_instance, "%s", log_quote(name));
}

void fail_with(int exit_code, const char *format, ...)
{
    char line[2048];
    int used = snprintf(line, sizeof line - 1, "%s: ", process_name);
    va_list list;
    va_start(list, format);
    int size = vsnprintf(line + used, sizeof line - 1 - (size_t)used, format, list);
    va_end(list);
    size_t end = size < 0 ? (size_t)used : strlen(line);
    for (size_t i = 0; i < end; i++)
        if (line[i] == '\n' || line[i] == '\r')
            line[i] = ' ';
    line[end++] = '\n';
    write_line(line, end);
    exit(exit_code);
}
