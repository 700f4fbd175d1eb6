#include "store/disk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { DISK_SHARE = 20 /* 5 % */ };

static bool beside(const char *path, const char *suffix, char *out, size_t size)
{
    return snprintf(out, size, "%s.%s", path, suffix) < (int)size;
}

enum result disk_lock(const char *path, int *fd, pid_t *owner)
{
    char name[PATH_MAX], text[32] = "";
    if (!beside(path, "lock", name, sizeof(name)))
        return ERR_INVALID;
    int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return ERR_IO;
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        ssize_t len = read(lock, text, sizeof(text) - 1);
        *owner = len > 0 ? (pid_t)atol(text) : 0;
        close(lock);
        return ERR_EXISTS;
    }
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(lock, 0) != 0 || write(lock, text, (size_t)len) != len) {
        close(lock);
        return ERR_IO;
    }
    *fd = lock;
    return OK;
}

bool disk_reserve(const char *path, uint64_t bytes)
{
    char name[PATH_MAX];
    struct stat have;
    if (!beside(path, "reserve", name, sizeof(name)))
        return false;
    if (stat(name, &have) == 0 && (uint64_t)have.st_blocks * 512 >= bytes)
        return true;
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool done = posix_fallocate(fd, 0, (off_t)bytes) == 0;
    close(fd);
    if (!done)
        unlink(name);
    return done;
}

void disk_give_up_reserve(const char *path)
{
    char name[PATH_MAX];
    if (beside(path, "reserve", name, sizeof(name)))
        unlink(name);
}

bool disk_has_room(const char *path, uint64_t min_free_bytes)
{
    struct statvfs disk;
    if (statvfs(path, &disk) != 0)
        return true; /* not knowable: the write itself will say */
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize, share = (uint64_t)disk.f_blocks * disk.f_frsize / DISK_SHARE;
    return free_bytes >= (share < min_free_bytes ? share : min_free_bytes);
}
