// SPDX-License-Identifier: Apache-2.0
#include "control/journal/key.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

_Static_assert(JOURNAL_KEY_BYTES == crypto_sign_PUBLICKEYBYTES && JOURNAL_SECRET_BYTES == crypto_sign_SECRETKEYBYTES &&
                   JOURNAL_SIGNATURE_BYTES == crypto_sign_BYTES,
               "libsodium's sizes");

#define SECRET_WORDS "crosswire journal secret key, ed25519: "
#define PUBLIC_WORDS "crosswire journal public key, ed25519: "
enum { LINE_BYTES = 256, FILE_MAX = 16384 };

static int failed(char *text, size_t text_size, int code, const char *path, const char *why)
{
    snprintf(text, text_size, "%s: %s", path, why);
    return code;
}

static int write_line(const char *path, mode_t mode, const char *words, const uint8_t *key, size_t size, char *text,
                      size_t text_size)
{
    char hex[2 * JOURNAL_SECRET_BYTES + 1], line[LINE_BYTES];
    sodium_bin2hex(hex, sizeof hex, key, size);
    int length = snprintf(line, sizeof line, "%s%s\n", words, hex);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 && errno == EEXIST)
        return failed(text, text_size, EX_CANTCREAT, path, "exists already: name another file");
    bool good = fd >= 0 && write(fd, line, (size_t)length) == length && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !good)
        unlink(path);
    sodium_memzero(line, sizeof line);
    sodium_memzero(hex, sizeof hex);
    return good ? 0 : failed(text, text_size, EX_CANTCREAT, path, strerror(error));
}

int journal_key_make(const char *path, char *text, size_t text_size)
{
    struct journal_key key;
    char public_path[4096];
    if (sodium_init() < 0)
        return failed(text, text_size, EX_OSERR, path, "libsodium has no random numbers");
    if ((size_t)snprintf(public_path, sizeof public_path, "%s.pub", path) >= sizeof public_path)
        return failed(text, text_size, EX_USAGE, path, "the name is too long: give a shorter one");
    if (access(public_path, F_OK) == 0)
        return failed(text, text_size, EX_CANTCREAT, public_path, "exists already: name another file");
    crypto_sign_keypair(key.public, key.secret);
    int code = write_line(path, 0600, SECRET_WORDS, key.secret, sizeof key.secret, text, text_size);
    if (code == 0) {
        code = write_line(public_path, 0644, PUBLIC_WORDS, key.public, sizeof key.public, text, text_size);
        if (code)
            unlink(path);
    }
    sodium_memzero(&key, sizeof key);
    return code;
}

// The key of a line that begins with `words`.
static bool take_line(const char *line, const char *words, uint8_t *key, size_t size)
{
    size_t length = strlen(words), got;
    const char *end;
    if (strncmp(line, words, length) != 0)
        return false;
    return sodium_hex2bin(key, size, line + length, strcspn(line + length, " \r\n"), NULL, &got, &end) == 0 &&
           got == size;
}

int journal_key_load(const char *path, struct journal_key *key, char *text, size_t text_size)
{
    char line[LINE_BYTES] = "";
    struct stat status;
    if (sodium_init() < 0)
        return failed(text, text_size, EX_OSERR, path, "libsodium does not start");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(text, text_size, errno == EACCES ? EX_NOPERM : EX_NOINPUT, path,
                      errno == ENOENT ? "there is no such key: make one with xwctl journal keygen FILE"
                                      : strerror(errno));
    ssize_t got = fstat(fd, &status) == 0 ? read(fd, line, sizeof line - 1) : -1;
    int error = errno;
    close(fd);
    if (got < 0)
        return failed(text, text_size, EX_NOINPUT, path, strerror(error));
    if (status.st_mode & 077)
        return failed(text, text_size, EX_NOPERM, path, "others may read this secret key: chmod 600 it");
    bool good = take_line(line, SECRET_WORDS, key->secret, sizeof key->secret);
    sodium_memzero(line, sizeof line);
    if (!good)
        return failed(text, text_size, EX_CONFIG, path,
                      "holds no secret key of a journal: make one with xwctl journal keygen FILE");
    crypto_sign_ed25519_sk_to_pk(key->public, key->secret);
    return 0;
}

int journal_keys_load_public(const char *path, uint8_t (*keys)[JOURNAL_KEY_BYTES], unsigned *count, char *text,
                             size_t text_size)
{
    char content[FILE_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, content, sizeof content - 1);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return failed(text, text_size, error == EACCES ? EX_NOPERM : EX_NOINPUT, path, strerror(error));
    content[got] = 0;
    *count = 0;
    char *rest = NULL;
    for (const char *line = strtok_r(content, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (line[strspn(line, " \t\r")] == 0 || line[0] == '#')
            continue;
        if (*count == JOURNAL_KEYS_MAX || !take_line(line, PUBLIC_WORDS, keys[*count], JOURNAL_KEY_BYTES))
            return failed(text, text_size, EX_DATAERR, path,
                          "holds a line that is no public key of a journal: give the .pub file that keygen made");
        ++*count;
    }
    return *count ? 0 : failed(text, text_size, EX_DATAERR, path, "holds no public key of a journal");
}
