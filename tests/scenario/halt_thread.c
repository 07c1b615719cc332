// SPDX-License-Identifier: Apache-2.0
// halt_thread TID: stops one thread of a process for good, as a core that hangs. Ends when the thread is killed.
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

int main(int count, char **list)
{
    pid_t thread = count == 2 ? (pid_t)atoi(list[1]) : 0;
    if (ptrace(PTRACE_SEIZE, thread, 0, 0) != 0 || ptrace(PTRACE_INTERRUPT, thread, 0, 0) != 0) {
        perror("halt_thread");
        return 1;
    }
    if (waitpid(thread, NULL, __WALL) != thread)
        return 1;
    puts("halted");
    fflush(stdout);
    waitpid(thread, NULL, __WALL);
    return 0;
}
