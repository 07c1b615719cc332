#!/bin/bash
# The engine and the roles call nothing that allocates, locks, blocks or reads a clock
set -u
cd "$(dirname "$0")/../.." || exit 1
calls='malloc|calloc|realloc|free|strdup|printf|fprintf|puts|fopen|read|write|open|close|ioctl|poll|select|usleep|nanosleep|sleep|time|gettimeofday|clock_gettime|pthread_[a-z_]+|rand|random|getrandom|mmap|munmap|signal|system|fork'
bad=0
# snprintf is allowed in the roles' init, which runs before polling begins.
if grep -nE "(^|[^a-z_A-Z0-9>.])($calls)[[:space:]]*\(" dataplane/engine/*.c dataplane/cores/*.c | grep -vE '^\S+:[0-9]+:\s*//'; then
    echo "the lines above call what pinned cores may not call"
    bad=1
fi
if grep -nE '#include <(time|stdio|unistd|pthread|sys/.*|fcntl|signal)\.h>' dataplane/engine/*.[ch]; then
    echo "the engine includes a header of the outside world"
    bad=1
fi
if grep -nE '\b(float|double)\b' dataplane/engine/*.[ch] dataplane/cores/*.[ch] | grep -vE ':\s*//'; then
    echo "floating point where money is counted"
    bad=1
fi
exit $bad
