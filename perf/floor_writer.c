// SPDX-License-Identifier: Apache-2.0
// floor_writer DIRECTORY BYTES_PER_S: writes as many bytes as the journal would, once a millisecond, synced, until
// SIGTERM. Runs beside floor_reflector, so that the reflector is measured with the disk as busy as the data plane finds
// it.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "contract/log.h"

enum { BLOCK = 4096, WRITE_MAX = 256 * 1024, FILE_BLOCKS = 16384 };

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

// A file whose blocks have been written once, as the journal's segments have. Unlinked: it goes with the process.
static int open_prewritten(const char *directory, char *buffer)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/floor_writer.%d", directory, (int)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_DIRECT | O_CLOEXEC, 0600);
    if (fd < 0)
        fail_with(EX_CANTCREAT, "%s: %s: give a directory on the journal's disk", path, strerror(errno));
    unlink(path);
    for (off_t at = 0; at < (off_t)FILE_BLOCKS * BLOCK; at += WRITE_MAX) {
        if (pwrite(fd, buffer, WRITE_MAX, at) != WRITE_MAX)
            fail_with(EX_IOERR, "%s: %s", path, strerror(errno));
    }
    if (fsync(fd) != 0)
        fail_with(EX_IOERR, "%s: %s", path, strerror(errno));
    return fd;
}

int main(int count, char **arguments)
{
    double rate = count == 3 ? atof(arguments[2]) : -1;
    if (rate < 0)
        fail_with(EX_USAGE, "usage: floor_writer DIRECTORY BYTES_PER_S");
    log_open("floor_writer", "");
    char *buffer = aligned_alloc(BLOCK, WRITE_MAX);
    if (!buffer)
        fail_with(EX_OSERR, "no memory");
    memset(buffer, 0x5a, WRITE_MAX);
    int fd = open_prewritten(arguments[1], buffer);
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    off_t at = 0;
    double owed = 0;
    while (!stopped) {
        struct timespec pause = {.tv_nsec = 1000000};
        nanosleep(&pause, NULL);
        owed += rate / 1000;
        size_t size = (size_t)(owed / BLOCK) * BLOCK;
        if (size == 0)
            continue;
        if (size > WRITE_MAX)
            size = WRITE_MAX;
        if (at + (off_t)size > (off_t)FILE_BLOCKS * BLOCK)
            at = 0;
        struct iovec all = {buffer, size};
        if (pwritev2(fd, &all, 1, at, RWF_DSYNC) != (ssize_t)size)
            fail_with(EX_IOERR, "write: %s", strerror(errno));
        at += (off_t)size;
        owed -= (double)size;
    }
    close(fd);
    free(buffer);
    return 0;
}
