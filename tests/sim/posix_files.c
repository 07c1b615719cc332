// SPDX-License-Identifier: Apache-2.0
// Descriptors: open files of the simulated disk.
#include "tests/sim/posix.h"
#include "tests/sim/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { FILES = 1024, FIRST = 64 };

static struct open_file files[FILES];

struct open_file *posix_file(int fd)
{
    if (fd >= FIRST && fd < FIRST + FILES && (files[fd - FIRST].inode || files[fd - FIRST].is_socket))
        return &files[fd - FIRST];
    errno = EBADF;
    return NULL;
}

int posix_new_file(struct open_file file)
{
    for (int i = 0; i < FILES; i++) {
        if (!files[i].inode && !files[i].is_socket) {
            files[i] = file;
            files[i].process = sim_process_self();
            return FIRST + i;
        }
    }
    errno = EMFILE;
    return -1;
}

int posix_open_inode(struct inode *inode, int flags)
{
    int fd = posix_new_file((struct open_file){.inode = inode, .flags = flags});
    if (fd >= 0)
        disk_hold(inode);
    return fd;
}

static void close_file(struct open_file *file)
{
    struct inode *inode = file->inode;
    if (file->is_socket)
        socket_closed(file);
    if (inode) {
        if (inode->flock_owner == file)
            inode->flock_owner = NULL;
        if (inode->lock_owner == file)
            inode->lock_owner = NULL;
        disk_drop(inode);
    }
    *file = (struct open_file){0};
}

void files_release(struct sim_process *process)
{
    for (int i = 0; i < FILES; i++) {
        if (files[i].process == process && (files[i].inode || files[i].is_socket))
            close_file(&files[i]);
    }
}

void posix_disk_time(void)
{
    if (sim_process_self())
        sim_sleep(disk_latency());
}

int sys_openat(int directory, const char *path, int flags, ...)
{
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        struct inode *at = posix_resolve(directory, path, NULL);
        return at ? posix_open_inode(disk_anonymous(at->on_disk), flags) : -1;
    }
    const char *last;
    struct inode *parent = posix_resolve(directory, path, &last);
    if (!parent)
        return -1;
    struct inode *inode = *last ? disk_find(parent, last) : parent;
    if (inode && (flags & O_CREAT) && (flags & O_EXCL)) {
        errno = EEXIST;
        return -1;
    }
    if (!inode) {
        if (!(flags & O_CREAT)) {
            errno = ENOENT;
            return -1;
        }
        inode = disk_make(parent, last, false, parent->on_disk);
    } else if ((flags & O_DIRECTORY) && !inode->is_directory) {
        errno = ENOTDIR;
        return -1;
    } else if (inode->is_directory && (flags & O_ACCMODE) != O_RDONLY) {
        errno = EISDIR;
        return -1;
    } else if ((flags & O_TRUNC) && disk_resize(inode, 0) != 0) {
        return -1;
    }
    return inode ? posix_open_inode(inode, flags) : -1;
}

int sys_open(const char *path, int flags, ...)
{
    return sys_openat(AT_FDCWD, path, flags);
}

int sys_close(int fd)
{
    struct open_file *file = posix_file(fd);
    if (!file)
        return -1;
    close_file(file);
    return 0;
}

// ---- reading --------------------------------------------------------------------------------------------------------

ssize_t sys_pread(int fd, void *out, size_t size, off_t offset)
{
    struct open_file *file = posix_file(fd);
    if (!file)
        return -1;
    if (file->inode->is_directory) {
        errno = EISDIR;
        return -1;
    }
    if ((uint64_t)offset >= file->inode->size)
        return 0;
    size_t rest = file->inode->size - (size_t)offset;
    size_t count = rest < size ? rest : size;
    memcpy(out, file->inode->data + offset, count);
    if (count > DISK_SECTOR && random_chance(&sim.disk, 2000)) // a signal, or just so
        count = (size_t)random_between(&sim.disk, 1, count);
    return (ssize_t)count;
}

ssize_t sys_preadv(int fd, const struct iovec *list, int count, off_t offset)
{
    ssize_t all = 0;
    for (int i = 0; i < count; i++) {
        ssize_t got = sys_pread(fd, list[i].iov_base, list[i].iov_len, offset + all);
        if (got < 0)
            return all ? all : -1;
        all += got;
        if ((size_t)got < list[i].iov_len)
            break;
    }
    return all;
}

ssize_t sys_read(int fd, void *out, size_t size)
{
    struct open_file *file = posix_file(fd);
    if (!file)
        return -1;
    ssize_t got = sys_pread(fd, out, size, (off_t)file->offset);
    if (got > 0)
        file->offset += (uint64_t)got;
    return got;
}

off_t sys_lseek(int fd, off_t offset, int whence)
{
    struct open_file *file = posix_file(fd);
    if (!file)
        return -1;
    uint64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file->offset : file->inode->size;
    file->offset = from + (uint64_t)offset;
    return (off_t)file->offset;
}

// ---- writing --------------------------------------------------------------------------------------------------------

ssize_t sys_pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    struct open_file *file = posix_file(fd);
    if (!file)
        return -1;
    struct inode *inode = file->inode;
    if (inode->on_disk && disk_write_fails()) {
        sim_say("disk: write to %s fails", inode->name);
        errno = EIO;
        return -1;
    }
    if (inode->on_disk && size > 4096 && random_chance(&sim.disk, disk.short_writes))
        size = (size_t)random_between(&sim.disk, 1, size / 4096) * 4096;
    long wrote = disk_write(inode, (uint64_t)offset, bytes, size);
    if (wrote < 0 && errno == ENOSPC) // as much as there is room for
        sim_say("disk: %s finds no room", inode->name);
    if (wrote > 0 && inode->on_disk && (file->flags & (O_DSYNC | O_SYNC))) {
        posix_disk_time();
        disk_sync(inode, (uint64_t)offset, (size_t)wrote);
    } else if (inode->on_disk && sim_process_self() && random_chance(&sim.disk, 200000)) {
        sim_sleep(disk.least_ns);
    }
    return wrote;
}

ssize_t sys_write(int fd, const void *bytes, size_t size)
{
    struct sim_process *process = sim_process_self();
    if (fd == STDERR_FILENO || fd == STDOUT_FILENO) {
        size_t length = size < sizeof process->last_line ? size : sizeof process->last_line - 1;
        memcpy(process->last_line, bytes, length);
        process->last_line[length > 0 && process->last_line[length - 1] == '\n' ? length - 1 : length] = '\0';
        sim_say("%s: %s", process->name, process->last_line);
        world_line(process);
        return (ssize_t)size;
    }
    struct open_file *file = posix_file(fd);
    if (!file)
        return -1;
    if (file->flags & O_APPEND)
        file->offset = file->inode->size;
    ssize_t wrote = sys_pwrite(fd, bytes, size, (off_t)file->offset);
    if (wrote > 0)
        file->offset += (uint64_t)wrote;
    return wrote;
}

int sys_fsync(int fd)
{
    struct open_file *file = posix_file(fd);
    if (!file)
        return -1;
    struct inode *inode = file->inode;
    if (!inode->on_disk)
        return 0;
    disk_hold(inode);
    posix_disk_time();
    int result = 0;
    if (disk_sync_fails()) {
        sim_say("disk: sync of %s fails", inode->name);
        errno = EIO;
        result = -1;
    } else {
        disk_sync(inode, 0, SIZE_MAX);
    }
    disk_drop(inode);
    return result;
}

int sys_fdatasync(int fd)
{
    return sys_fsync(fd);
}

int sys_ftruncate(int fd, off_t size)
{
    struct open_file *file = posix_file(fd);
    return file ? disk_resize(file->inode, (uint64_t)size) : -1;
}

int sys_fallocate(int fd, int mode, off_t offset, off_t size)
{
    struct open_file *file = posix_file(fd);
    (void)mode;
    if (!file)
        return -1;
    return (uint64_t)(offset + size) > file->inode->size ? disk_resize(file->inode, (uint64_t)(offset + size)) : 0;
}

int sys_posix_fallocate(int fd, off_t offset, off_t size)
{
    int before = errno, result = sys_fallocate(fd, 0, offset, size) == 0 ? 0 : errno;
    errno = before;
    return result;
}

int sys_posix_fadvise(int fd, off_t offset, off_t size, int advice)
{
    (void)fd, (void)offset, (void)size, (void)advice;
    return 0;
}

// ---- locks ----------------------------------------------------------------------------------------------------------

int sys_fcntl(int fd, int command, ...)
{
    struct open_file *file = posix_file(fd);
    if (!file)
        return -1;
    va_list list;
    va_start(list, command);
    struct flock *lock = command == F_OFD_SETLK || command == F_OFD_GETLK ? va_arg(list, struct flock *) : NULL;
    va_end(list);
    if (!lock)
        return 0;
    bool taken = file->inode->lock_owner && file->inode->lock_owner != file;
    if (command == F_OFD_GETLK) {
        if (!taken)
            lock->l_type = F_UNLCK;
        return 0;
    }
    if (taken) {
        errno = EAGAIN;
        return -1;
    }
    file->inode->lock_owner = lock->l_type == F_UNLCK ? NULL : file;
    return 0;
}

int sys_flock(int fd, int operation)
{
    struct open_file *file = posix_file(fd);
    if (!file)
        return -1;
    if (operation & LOCK_UN) {
        if (file->inode->flock_owner == file)
            file->inode->flock_owner = NULL;
        return 0;
    }
    if (file->inode->flock_owner && file->inode->flock_owner != file) {
        errno = EWOULDBLOCK;
        return -1;
    }
    file->inode->flock_owner = file;
    return 0;
}
