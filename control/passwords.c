// SPDX-License-Identifier: Apache-2.0
#include "control/passwords.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

struct reading {
    const struct config *config;
    struct passwords *passwords;
    char path[512];
    unsigned line;
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 3, 4))) static int fail(struct reading *reading, int code, const char *format, ...)
{
    char text[320];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (reading->line)
        snprintf(reading->error, reading->error_size, "%s:%u: %s", reading->path, reading->line, text);
    else
        snprintf(reading->error, reading->error_size, "%s: %s", reading->path, text);
    return code;
}

static void find_path(struct reading *reading)
{
    const char *name = reading->config->control.password_file, *directory = getenv("CREDENTIALS_DIRECTORY");
    if (strchr(name, '/') == NULL && directory)
        snprintf(reading->path, sizeof reading->path, "%s/%s", directory, name);
    else
        snprintf(reading->path, sizeof reading->path, "%s", name);
}

static char (*hash_of(struct reading *reading, const char *user))[128]
{
    for (uint32_t i = 0; i < config_streams(reading->config); i++) {
        if (strcasecmp(config_stream(reading->config, i).user, user) == 0)
            return &reading->passwords->hash[i];
    }
    return NULL;
}

// A line is never shown: it may hold a password by mistake.
static int take_line(struct reading *reading, char *line)
{
    char *rest = line, *user = strsep(&rest, " \t"), *hash = rest ? rest + strspn(rest, " \t") : NULL;
    if (user[0] == '#' || (user[0] == '\0' && !hash))
        return 0;
    if (!hash || strlen(hash) >= sizeof *reading->passwords->hash || strncmp(hash, "$argon2", 7) != 0)
        return fail(reading, EX_CONFIG,
                    "no `USER HASH` line; make the hash with `xwctl hash-password`, and keep it on one line");
    char(*to)[128] = hash_of(reading, user);
    if (!to)
        return fail(reading, EX_CONFIG, "no session has the user that this line names, and no drop copy; remove it");
    if ((*to)[0])
        return fail(reading, EX_CONFIG, "this user has a hash already, here or in the configuration; keep one");
    strcpy(*to, hash);
    return 0;
}

static int read_file(struct reading *reading)
{
    char line[512];
    int result = 0;
    find_path(reading);
    FILE *file = fopen(reading->path, "re");
    if (!file)
        return fail(reading, EX_NOINPUT,
                    "%s: make the control.password_file readable for this user, or load it with LoadCredential=",
                    strerror(errno));
    while (result == 0 && fgets(line, sizeof line, file)) {
        reading->line++;
        line[strcspn(line, "\r\n")] = '\0';
        result = take_line(reading, line);
    }
    sodium_memzero(line, sizeof line);
    fclose(file);
    reading->line = 0;
    return result;
}

int passwords_read(const struct config *config, struct passwords *passwords, char *error, size_t error_size)
{
    struct reading reading = {.config = config, .passwords = passwords, .error = error, .error_size = error_size};
    const uint32_t streams = config_streams(config);
    *passwords = (struct passwords){streams, calloc(streams, sizeof *passwords->hash)};
    if (!passwords->hash) {
        snprintf(error, error_size, "no memory");
        return EX_OSERR;
    }
    for (uint32_t i = 0; i < streams; i++)
        snprintf(passwords->hash[i], sizeof passwords->hash[i], "%s", config_stream(config, i).password_hash);
    int result = config->control.password_file[0] ? read_file(&reading) : 0;
    for (uint32_t i = 0; result == 0 && i < streams; i++) {
        if (!passwords->hash[i][0])
            result = fail(&reading, EX_CONFIG, "no line for user %s, who has no password_hash: add one",
                          config_stream(config, i).user);
    }
    if (result != 0)
        passwords_free(passwords);
    return result;
}

void passwords_free(struct passwords *passwords)
{
    if (passwords->hash)
        sodium_memzero(passwords->hash, passwords->count * sizeof *passwords->hash);
    free(passwords->hash);
    *passwords = (struct passwords){0};
}
