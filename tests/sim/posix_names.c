// SPDX-License-Identifier: Apache-2.0
// Names: paths, directories, what a file is.
#include "tests/sim/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 512 };

struct inode *posix_resolve(int directory, const char *path, const char **last)
{
    static char copy[PATH_BYTES];
    struct inode *at = disk.root;
    if (path[0] != '/' && directory != AT_FDCWD) {
        struct open_file *file = posix_file(directory);
        if (!file)
            return NULL;
        at = file->inode;
    }
    strncpy(copy, path, sizeof copy - 1);
    char *rest = copy, *part;
    while ((part = strsep(&rest, "/")) != NULL) {
        if (*part == '\0' || strcmp(part, ".") == 0)
            continue;
        bool is_last = !rest || rest[strspn(rest, "/.")] == '\0';
        if (last && is_last) {
            *last = part;
            return at;
        }
        struct inode *next = at->is_directory ? disk_find(at, part) : NULL;
        if (!next) {
            errno = at->is_directory ? ENOENT : ENOTDIR;
            return NULL;
        }
        at = next;
    }
    if (last)
        *last = "";
    return at;
}

void posix_put_file(const char *directory, const char *name, const void *bytes, size_t size)
{
    struct inode *parent = posix_resolve(AT_FDCWD, directory, NULL), *inode = disk_find(parent, name);
    if (!inode)
        inode = disk_make(parent, name, false, false);
    disk_resize(inode, 0);
    disk_write(inode, 0, bytes, size);
}

int sys_access(const char *path, int mode)
{
    (void)mode;
    return posix_resolve(AT_FDCWD, path, NULL) ? 0 : -1;
}

static int fill(const struct inode *inode, struct stat *status)
{
    memset(status, 0, sizeof *status);
    status->st_mode = inode->is_directory ? S_IFDIR | 0700 : S_IFREG | 0600;
    status->st_size = (off_t)inode->size;
    status->st_blocks = (blkcnt_t)((inode->size + 4095) / 4096 * 8);
    status->st_blksize = 4096;
    status->st_ino = inode->number;
    status->st_dev = 1;
    status->st_nlink = 1;
    return 0;
}

int sys_stat(const char *path, struct stat *status)
{
    struct inode *inode = posix_resolve(AT_FDCWD, path, NULL);
    return inode ? fill(inode, status) : -1;
}

int sys_fstat(int fd, struct stat *status)
{
    struct open_file *file = posix_file(fd);
    return file ? fill(file->inode, status) : -1;
}

int sys_fstatat(int directory, const char *path, struct stat *status, int flags)
{
    (void)flags;
    struct inode *inode = posix_resolve(directory, path, NULL);
    return inode ? fill(inode, status) : -1;
}

int sys_statfs(const char *path, struct statfs *volume)
{
    struct inode *inode = posix_resolve(AT_FDCWD, path, NULL);
    if (!inode)
        return -1;
    memset(volume, 0, sizeof *volume);
    volume->f_type = TMPFS_MAGIC;
    volume->f_bsize = 4096;
    return 0;
}

static int fill_volume(struct statvfs *volume)
{
    memset(volume, 0, sizeof *volume);
    volume->f_bsize = volume->f_frsize = 4096;
    volume->f_blocks = disk.capacity / 4096;
    volume->f_bfree = volume->f_bavail = (disk.capacity > disk.used ? disk.capacity - disk.used : 0) / 4096;
    return 0;
}

int sys_statvfs(const char *path, struct statvfs *volume)
{
    return posix_resolve(AT_FDCWD, path, NULL) ? fill_volume(volume) : -1;
}

int sys_fstatvfs(int fd, struct statvfs *volume)
{
    return posix_file(fd) ? fill_volume(volume) : -1;
}

int sys_unlinkat(int directory, const char *path, int flags)
{
    const char *last;
    struct inode *parent = posix_resolve(directory, path, &last);
    if (!parent)
        return -1;
    struct inode *inode = disk_find(parent, last);
    if (inode && inode->is_directory && (!(flags & AT_REMOVEDIR) || inode->entries.count)) {
        errno = inode->entries.count ? ENOTEMPTY : EISDIR;
        return -1;
    }
    return disk_unlink(parent, last);
}

int sys_unlink(const char *path)
{
    return sys_unlinkat(AT_FDCWD, path, 0);
}

int sys_rmdir(const char *path)
{
    return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int sys_renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    char name[DISK_NAME_MAX] = "";
    const char *last;
    struct inode *parent = posix_resolve(from_directory, from, &last);
    if (!parent)
        return -1;
    strncpy(name, last, sizeof name - 1);
    struct inode *target = posix_resolve(to_directory, to, &last);
    if (!target)
        return -1;
    if (target != parent)
        sim_fail("a rename from one directory to another (%s to %s) is not simulated", from, to);
    return disk_rename(parent, name, last);
}

int sys_rename(const char *from, const char *to)
{
    return sys_renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int sys_mkdirat(int directory, const char *path, mode_t mode)
{
    (void)mode;
    const char *last;
    struct inode *parent = posix_resolve(directory, path, &last);
    if (!parent)
        return -1;
    if (disk_find(parent, last)) {
        errno = EEXIST;
        return -1;
    }
    return disk_make(parent, last, true, parent->on_disk) ? 0 : -1;
}

int sys_mkdir(const char *path, mode_t mode)
{
    return sys_mkdirat(AT_FDCWD, path, mode);
}

int sys_mkostemp(char *path, int flags)
{
    static unsigned number;
    char *at = strstr(path, "XXXXXX");
    if (!at) {
        errno = EINVAL;
        return -1;
    }
    snprintf(at, 7, "%06u", ++number % 1000000);
    return sys_open(path, flags | O_RDWR | O_CREAT | O_EXCL);
}

mode_t sys_umask(mode_t mask)
{
    (void)mask;
    return 022;
}

ssize_t sys_readlink(const char *path, char *out, size_t size)
{
    (void)path, (void)out, (void)size;
    errno = ENOENT;
    return -1;
}

FILE *sys_fopen(const char *path, const char *mode)
{
    (void)path, (void)mode;
    errno = ENOENT;
    return NULL;
}

// ---- directories ----------------------------------------------------------------------------------------------------

// The names as they stood when it was opened.
struct stream {
    int fd;
    unsigned next, count;
    struct dirent list[];
};

DIR *sys_fdopendir(int fd)
{
    struct open_file *file = posix_file(fd);
    if (!file || !file->inode->is_directory) {
        errno = file ? ENOTDIR : EBADF;
        return NULL;
    }
    const struct dir_list *entries = &file->inode->entries;
    struct stream *stream = calloc(1, sizeof *stream + entries->count * sizeof stream->list[0]);
    if (!stream)
        return NULL;
    stream->fd = fd;
    for (; stream->count < entries->count; stream->count++) {
        const struct dir_entry *entry = &entries->list[stream->count];
        struct dirent *out = &stream->list[stream->count];
        memcpy(out->d_name, entry->name, sizeof entry->name);
        out->d_type = entry->inode->is_directory ? DT_DIR : DT_REG;
        out->d_ino = entry->inode->number;
    }
    return (DIR *)stream;
}

DIR *sys_opendir(const char *path)
{
    int fd = sys_open(path, O_RDONLY | O_DIRECTORY);
    return fd < 0 ? NULL : sys_fdopendir(fd);
}

struct dirent *sys_readdir(DIR *directory)
{
    struct stream *stream = (struct stream *)directory;
    return stream->next < stream->count ? &stream->list[stream->next++] : NULL;
}

int sys_closedir(DIR *directory)
{
    struct stream *stream = (struct stream *)directory;
    int result = sys_close(stream->fd);
    free(stream);
    return result;
}

int sys_dirfd(DIR *directory)
{
    return ((struct stream *)directory)->fd;
}
