// SPDX-License-Identifier: Apache-2.0
// notify_listener SOCKET: the service manager's end of the notification protocol; prints what comes, an assignment a
// line.
#include <err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int count, char **list)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[4096];
    int listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (count != 2 || listener < 0)
        errx(64, "usage: notify_listener SOCKET");
    snprintf(address.sun_path, sizeof address.sun_path, "%s", list[1]);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
        err(1, "%s", list[1]);
    for (;;) {
        ssize_t size = recv(listener, text, sizeof text - 1, 0);
        if (size < 0)
            err(1, "recv");
        printf("%.*s\n", (int)size, text);
        fflush(stdout);
    }
}
