// SPDX-License-Identifier: Apache-2.0
// xwctl hash-password: the line for a session's password_hash.
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "contract/log.h"
#include "control/auth.h"
#include "control/ctl/ctl.h"

// Reads a line without showing it on a terminal. Returns false at the end of the input.
static bool read_secret(char *line, size_t size)
{
    struct termios shown, hidden;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &shown) == 0;
    if (terminal) {
        fputs("password: ", stderr);
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    bool got = fgets(line, (int)size, stdin) != NULL;
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputc('\n', stderr);
    }
    return got;
}

int ctl_hash_password(const struct ctl *ctl, int argc, char **argv)
{
    char line[256], password[AUTH_PASSWORD + 1], hash[crypto_pwhash_STRBYTES];
    (void)argv;
    if (argc != 0)
        fail_with(EX_USAGE, "usage: xwctl hash-password [--fast], the password on standard input");
    if (sodium_init() < 0)
        fail_with(EX_OSERR, "libsodium does not start");
    if (!read_secret(line, sizeof line))
        fail_with(EX_NOINPUT, "no password on standard input");
    line[strcspn(line, "\r\n")] = 0;
    size_t given = strlen(line);
    unsigned length = auth_canonical(line, sizeof line, password);
    sodium_memzero(line, sizeof line);
    if (given > AUTH_PASSWORD || length == 0)
        fail_with(EX_DATAERR, "a UFO password has 1 to %d characters", AUTH_PASSWORD);
    int failed = crypto_pwhash_str(hash, password, length,
                                   ctl->fast ? crypto_pwhash_OPSLIMIT_MIN : crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                   ctl->fast ? crypto_pwhash_MEMLIMIT_MIN : crypto_pwhash_MEMLIMIT_INTERACTIVE);
    sodium_memzero(password, sizeof password);
    if (failed)
        fail_with(EX_OSERR, "no memory to hash the password");
    puts(hash);
    return EX_OK;
}
