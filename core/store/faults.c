#include "store/faults.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* A write that no sync has followed: the bytes that were there before. */
struct undo {
    struct undo *next; /* newer first */
    char *path;
    sqlite3_int64 offset, size_before;
    size_t len; /* of old */
    char old[];
};

struct file {
    sqlite3_file base;
    char *path;         /* owned; NULL: a temporary file */
    sqlite3_file *real; /* behind this struct */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum fault fault;
static unsigned after, writes, syncs_after;
static struct undo *undos;
static sqlite3_vfs *system_vfs;

void faults_set(enum fault wanted, unsigned count)
{
    pthread_mutex_lock(&lock);
    fault = wanted;
    after = count;
    pthread_mutex_unlock(&lock);
}

void faults_counts(unsigned *writes_out, unsigned *syncs_out)
{
    pthread_mutex_lock(&lock);
    *writes_out = writes;
    *syncs_out = syncs_after;
    writes = syncs_after = 0;
    pthread_mutex_unlock(&lock);
}

/* ---- what is to fail ---- */

static void read_control_file(void)
{
    const char *path = getenv("TIDEWIRE_FAULTS_FILE");
    char text[16] = "";
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (!path)
        return;
    if (fd >= 0) {
        ssize_t len = read(fd, text, sizeof(text) - 1);
        text[len > 0 ? len : 0] = '\0';
        close(fd);
    }
    fault = strncmp(text, "full", 4) == 0    ? FAULT_FULL
            : strncmp(text, "write", 5) == 0 ? FAULT_WRITE
            : strncmp(text, "fsync", 5) == 0 ? FAULT_SYNC
                                             : FAULT_NONE;
}

/* Under the lock. Does this operation fail? */
static bool strikes(bool is_sync)
{
    read_control_file();
    if (fault == FAULT_NONE || (fault == FAULT_SYNC) != is_sync)
        return false;
    if (after > 0) {
        after--;
        return false;
    }
    return true;
}

/* ---- files ---- */

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

static void remember(struct file *file, sqlite3_int64 offset, int len)
{
    sqlite3_int64 size = 0;
    file->real->pMethods->xFileSize(file->real, &size);
    size_t old_len = offset >= size ? 0 : offset + len > size ? (size_t)(size - offset) : (size_t)len;
    struct undo *undo = mem_new(sizeof(*undo) + old_len);
    undo->path = strdup(file->path);
    undo->offset = offset;
    undo->size_before = size;
    undo->len = old_len;
    if (old_len)
        file->real->pMethods->xRead(file->real, undo->old, (int)old_len, offset);
    undo->next = undos;
    undos = undo;
}

static void forget(const char *path)
{
    for (struct undo **at = &undos; *at;) {
        struct undo *undo = *at;
        if (strcmp(undo->path, path) != 0) {
            at = &undo->next;
            continue;
        }
        *at = undo->next;
        free(undo->path);
        mem_free(undo);
    }
}

static int on_write(sqlite3_file *base, const void *data, int len, sqlite3_int64 offset)
{
    struct file *file = (struct file *)base;
    pthread_mutex_lock(&lock);
    bool struck = strikes(false);
    enum fault kind = fault;
    if (file->path && (!struck || kind == FAULT_TORN))
        remember(file, offset, len);
    writes++;
    syncs_after = 0;
    pthread_mutex_unlock(&lock);
    if (!struck)
        return file->real->pMethods->xWrite(file->real, data, len, offset);
    if (kind == FAULT_TORN)
        (void)file->real->pMethods->xWrite(file->real, data, len / 2, offset);
    return kind == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int on_sync(sqlite3_file *base, int flags)
{
    struct file *file = (struct file *)base;
    pthread_mutex_lock(&lock);
    bool struck = strikes(true);
    pthread_mutex_unlock(&lock);
    int rc = struck ? SQLITE_IOERR_FSYNC : file->real->pMethods->xSync(file->real, flags);
    pthread_mutex_lock(&lock);
    if (rc == SQLITE_OK && file->path)
        forget(file->path);
    syncs_after += rc == SQLITE_OK;
    pthread_mutex_unlock(&lock);
    return rc;
}

static int on_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct file *file = (struct file *)base;
    sqlite3_int64 before = 0;
    file->real->pMethods->xFileSize(file->real, &before);
    pthread_mutex_lock(&lock);
    if (file->path && size < before)
        remember(file, size, (int)(before - size));
    pthread_mutex_unlock(&lock);
    return file->real->pMethods->xTruncate(file->real, size);
}

static int on_close(sqlite3_file *base)
{
    struct file *file = (struct file *)base;
    int rc = file->real->pMethods->xClose(file->real);
    free(file->path);
    return rc;
}

/* The others go through as they are. */
static int on_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), to, n, at);
}
static int on_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
}
static int on_lock(sqlite3_file *f, int how)
{
    return real_of(f)->pMethods->xLock(real_of(f), how);
}
static int on_unlock(sqlite3_file *f, int how)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), how);
}
static int on_reserved(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}
static int on_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}
static int on_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}
static int on_traits(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
static int on_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}
static int on_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}
static void on_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}
static int on_shm_unmap(sqlite3_file *f, int delete_it)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), delete_it);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_reserved,
    .xFileControl = on_control,
    .xSectorSize = on_sector,
    .xDeviceCharacteristics = on_traits,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags, int *out_flags)
{
    struct file *file = (struct file *)base;
    file->real = (sqlite3_file *)(void *)(file + 1);
    file->path = name ? strdup(name) : NULL;
    int rc = system_vfs->xOpen(system_vfs, name, file->real, flags, out_flags);
    base->pMethods = file->real->pMethods ? &methods : NULL;
    if (!base->pMethods)
        free(file->path);
    return rc;
}

void faults_register(void)
{
    static sqlite3_vfs vfs;
    if (sqlite3_vfs_find(FAULTS_VFS))
        return;
    system_vfs = sqlite3_vfs_find(NULL);
    vfs = *system_vfs;
    vfs.szOsFile = (int)sizeof(struct file) + system_vfs->szOsFile;
    vfs.zName = FAULTS_VFS;
    vfs.pNext = NULL;
    vfs.xOpen = on_open;
    sqlite3_vfs_register(&vfs, 0);
}

void faults_power_cut(void)
{
    while (undos) { /* newest first */
        struct undo *undo = undos;
        int fd = open(undo->path, O_RDWR | O_CLOEXEC);
        undos = undo->next;
        if (fd >= 0) {
            ssize_t written = pwrite(fd, undo->old, undo->len, undo->offset);
            if (written != (ssize_t)undo->len || ftruncate(fd, undo->size_before) != 0)
                abort();
            close(fd);
        }
        free(undo->path);
        mem_free(undo);
    }
}
