// SPDX-License-Identifier: Apache-2.0
// What the two production programs call instead of the system (calls.txt names each pair).
#ifndef CROSSWIRE_TESTS_SIM_POSIX_H
#define CROSSWIRE_TESTS_SIM_POSIX_H

#include <dirent.h>
#include <liburing.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>

#include "tests/sim/disk.h"
#include "tests/sim/sim.h"

// ---- posix_files.c
int sys_open(const char *path, int flags, ...);
int sys_openat(int directory, const char *path, int flags, ...);
int sys_close(int fd);
ssize_t sys_read(int fd, void *out, size_t size);
ssize_t sys_pread(int fd, void *out, size_t size, off_t offset);
ssize_t sys_preadv(int fd, const struct iovec *list, int count, off_t offset);
ssize_t sys_write(int fd, const void *bytes, size_t size);
ssize_t sys_pwrite(int fd, const void *bytes, size_t size, off_t offset);
off_t sys_lseek(int fd, off_t offset, int whence);
int sys_fsync(int fd);
int sys_fdatasync(int fd);
int sys_ftruncate(int fd, off_t size);
int sys_fallocate(int fd, int mode, off_t offset, off_t size);
int sys_posix_fallocate(int fd, off_t offset, off_t size);
int sys_posix_fadvise(int fd, off_t offset, off_t size, int advice);
int sys_fcntl(int fd, int command, ...);
int sys_flock(int fd, int operation);
// ---- posix_names.c
int sys_access(const char *path, int mode);
int sys_stat(const char *path, struct stat *status);
int sys_fstat(int fd, struct stat *status);
int sys_fstatat(int directory, const char *path, struct stat *status, int flags);
int sys_statfs(const char *path, struct statfs *volume);
int sys_statvfs(const char *path, struct statvfs *volume);
int sys_fstatvfs(int fd, struct statvfs *volume);
int sys_unlink(const char *path);
int sys_unlinkat(int directory, const char *path, int flags);
int sys_rmdir(const char *path);
int sys_rename(const char *from, const char *to);
int sys_renameat(int from_directory, const char *from, int to_directory, const char *to);
int sys_mkdir(const char *path, mode_t mode);
int sys_mkdirat(int directory, const char *path, mode_t mode);
int sys_mkostemp(char *path, int flags);
DIR *sys_opendir(const char *path);
DIR *sys_fdopendir(int fd);
struct dirent *sys_readdir(DIR *stream);
int sys_closedir(DIR *stream);
int sys_dirfd(DIR *stream);
mode_t sys_umask(mode_t mask);
FILE *sys_fopen(const char *path, const char *mode);
// ---- posix_memory.c
void *sys_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int sys_munmap(void *at, size_t size);
int sys_madvise(void *at, size_t size, int advice);
int sys_mlockall(int flags);
void *sys_malloc(size_t size);
void *sys_calloc(size_t count, size_t size);
void *sys_realloc(void *at, size_t size);
void *sys_aligned_alloc(size_t alignment, size_t size);
void sys_free(void *at);
struct mallinfo2 sys_mallinfo2(void);
int sys_mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size);
// ---- posix_threads.c
int sys_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int sys_pthread_join(pthread_t thread, void **result);
pthread_t sys_pthread_self(void);
int sys_pthread_once(pthread_once_t *once, void (*run)(void));
int sys_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int sys_pthread_mutex_destroy(pthread_mutex_t *mutex);
int sys_pthread_mutex_lock(pthread_mutex_t *mutex);
int sys_pthread_mutex_unlock(pthread_mutex_t *mutex);
int sys_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes);
int sys_pthread_cond_destroy(pthread_cond_t *condition);
int sys_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int sys_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until);
int sys_pthread_cond_signal(pthread_cond_t *condition);
int sys_pthread_cond_broadcast(pthread_cond_t *condition);
int sys_pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set);
int sys_pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *parameters);
int sys_pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int sys_sigprocmask(int how, const sigset_t *set, sigset_t *old);
__sighandler_t sys_signal(int number, __sighandler_t handler);
int sys_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);
int sys_nanosleep(const struct timespec *time, struct timespec *rest);
int sys_sched_yield(void);
int sys_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int sys_sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set);
int sys_setpriority(int which, id_t who, int priority);
int sys_prctl(int option, ...);
long sys_syscall(long number, ...);
int sys_clock_gettime(clockid_t clock, struct timespec *time);
int sys_adjtimex(struct timex *clock);
time_t sys_time(time_t *out);
pid_t sys_getpid(void);
pid_t sys_gettid(void);
uid_t sys_geteuid(void);
char *sys_getenv(const char *name);
int sys_getcpu(unsigned *cpu, unsigned *node);
ssize_t sys_readlink(const char *path, char *out, size_t size);
int sys_sd_notify(int unset_environment, const char *state);
int sys_sd_notifyf(int unset_environment, const char *format, ...) __attribute__((format(printf, 2, 3)));
int sys_sd_watchdog_enabled(int unset_environment, uint64_t *interval_us);
_Noreturn void sys_exit(int code);
_Noreturn void sys_abort(void);
ssize_t sys_getrandom(void *out, size_t size, unsigned flags);
void sys_randombytes_buf(void *out, size_t size);
int sys_crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long length);
// ---- posix_sockets.c
int sys_socket(int domain, int type, int protocol);
int sys_bind(int fd, const struct sockaddr *address, socklen_t size);
int sys_listen(int fd, int backlog);
int sys_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);
struct group;
const struct group *sys_getgrnam(const char *name);
int sys_fchownat(int directory, const char *path, uid_t owner, gid_t group, int flags);
int sys_fchmodat(int directory, const char *path, mode_t mode, int flags);
int sys_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
ssize_t sys_recv(int fd, void *out, size_t size, int flags);
ssize_t sys_send(int fd, const void *bytes, size_t size, int flags);
// ---- posix_uring.c
int sys_io_uring_queue_init(unsigned entries, struct io_uring *ring, unsigned flags);
void sys_io_uring_queue_exit(struct io_uring *ring);
int sys_io_uring_register_buffers(struct io_uring *ring, const struct iovec *list, unsigned count);
int sys_io_uring_unregister_buffers(struct io_uring *ring);
int sys_io_uring_register_files(struct io_uring *ring, const int *list, unsigned count);
int sys_io_uring_register_files_update(struct io_uring *ring, unsigned offset, const int *list, unsigned count);
int sys_io_uring_unregister_files(struct io_uring *ring);
int sys_io_uring_submit(struct io_uring *ring);
int sys_io_uring_submit_and_wait(struct io_uring *ring, unsigned count);
int sys_io_uring_get_cqe(struct io_uring *ring, struct io_uring_cqe **out, unsigned submit, unsigned count,
                         sigset_t *mask);

// ---- for the simulator

struct open_file {
    struct inode *inode; // NULL: free, or a socket
    struct sim_process *process;
    int flags;
    uint64_t offset;
    bool is_socket;
    char name[48];     // of a socket that listens
    struct call *call; // of one that is connected
};

// The open file of a descriptor; NULL with EBADF.
struct open_file *posix_file(int fd);
// Where `path` leads, NULL with errno. With `last`, the directory that holds (or would hold) its last component.
struct inode *posix_resolve(int directory, const char *path, const char **last);
int posix_open_inode(struct inode *inode, int flags);
int posix_new_file(struct open_file file);
void socket_closed(struct open_file *file);
// A call that goes to the disk takes time.
void posix_disk_time(void);
// The host is going down: what io_uring has on its way is written in part.
void uring_crash(void);

void files_release(struct sim_process *process);
void memory_release(struct sim_process *process);
void uring_release(struct sim_process *process);
// What a process that ends leaves to the system: descriptors, locks, mappings, writes on their way.
void sim_release_process(struct sim_process *process);

// A file that is no matter of the disk's: it is there from the start, and nothing is lost of it.
void posix_put_file(const char *directory, const char *name, const void *bytes, size_t size);

// What a call has come to: the answer's line, or NULL when nobody answers, `heard` or not. From within a fibre.
typedef void posix_answer(void *context, const char *line, bool heard);

// Calls at the socket of this name with one line; whoever listens there hears it, now or later. False: too many calls.
bool posix_call(const char *name, const char *line, posix_answer *tell, void *context);

// Who called with this context waits no more.
void posix_hang_up(const void *context);

#endif
