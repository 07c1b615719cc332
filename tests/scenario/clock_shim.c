// SPDX-License-Identifier: Apache-2.0
// Preloaded by clock_steps.sh and start_held.sh: a wall clock that is off by as many seconds as the file XW_CLOCK says,
// which may change at any moment. The other clocks are left alone, as when somebody sets the time of a machine.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long off_by(void)
{
    const char *path = getenv("XW_CLOCK");
    char text[32] = "";
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof text - 1) < 0)
        text[0] = 0;
    close(fd);
    return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, id, now);
    if (result == 0 && id == CLOCK_REALTIME)
        now->tv_sec += off_by();
    return result;
}
