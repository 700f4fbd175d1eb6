#include "store/faults.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"

/* A write or truncation that no sync of its file has followed. */
struct unsynced {
    struct unsynced *next; /* older */
    char *path;
    sqlite3_int64 offset; /* of a truncation: the new size */
    sqlite3_int64 size_before;
    size_t old_len, new_len; /* new_len 0: a truncation */
    char bytes[];            /* those that were there before, then those that came */
};

struct file {
    sqlite3_file base;
    char *path;         /* owned; NULL: a temporary file */
    sqlite3_file *real; /* behind this struct */
};

/* What is to fail: after `wait` more that succeed, so many times. */
struct plan {
    unsigned wait;
    int times, code;
    bool tears;
    size_t bytes;
};

/* Held through every operation of a disk: the record and the disk never differ. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct plan plans[FAULTS_OPERATIONS];
static unsigned counts[FAULTS_OPERATIONS];
static unsigned cut_in; /* operations; 0: never */
static uint64_t cut_seed;
static struct unsynced *unsynced; /* newest first */
static struct faults_entry entries[FAULTS_LOG_MAX];
static size_t entry_count;
static sqlite3_vfs *system_vfs;

/* ---- what is to fail ---- */

static void set_plan(enum faults_operation operation, struct plan plan)
{
    pthread_mutex_lock(&lock);
    plans[operation] = plan;
    pthread_mutex_unlock(&lock);
}

void faults_fail(enum faults_operation operation, unsigned nth, int code, int times)
{
    set_plan(operation, (struct plan){ .wait = nth - 1, .times = times, .code = code });
}

void faults_tear(unsigned nth, size_t bytes)
{
    set_plan(FAULTS_WRITE,
             (struct plan){ .wait = nth - 1, .times = 1, .code = SQLITE_IOERR_WRITE, .tears = true, .bytes = bytes });
}

void faults_heal(void)
{
    pthread_mutex_lock(&lock);
    memset(plans, 0, sizeof(plans));
    pthread_mutex_unlock(&lock);
}

void faults_cut(unsigned nth, uint64_t seed)
{
    pthread_mutex_lock(&lock);
    cut_in = nth;
    cut_seed = seed;
    pthread_mutex_unlock(&lock);
}

/* What the control file says of this operation. */
static int code_from_file(enum faults_operation operation)
{
    const char *path = getenv("TIDEWIRE_FAULTS_FILE");
    char text[16] = "";
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return SQLITE_OK;
    ssize_t len = read(fd, text, sizeof(text) - 1);
    text[len > 0 ? len : 0] = '\0';
    close(fd);
    if (operation == FAULTS_SYNC)
        return strncmp(text, "fsync", 5) == 0 ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    if (operation == FAULTS_WRITE)
        return strncmp(text, "full", 4) == 0 ? SQLITE_FULL : strncmp(text, "write", 5) == 0 ? SQLITE_IOERR_WRITE : SQLITE_OK;
    return SQLITE_OK;
}

/* Under the lock. The code this operation fails with; *torn: so many bytes of it are written all the same. */
static int strikes(enum faults_operation operation, size_t *torn)
{
    struct plan *plan = &plans[operation];
    *torn = 0;
    if (plan->times == 0)
        return code_from_file(operation);
    if (plan->wait > 0) {
        plan->wait--;
        return SQLITE_OK;
    }
    if (plan->times != FAULTS_ALWAYS)
        plan->times--;
    *torn = plan->tears ? plan->bytes : 0;
    return plan->code;
}

/* ---- what was asked ---- */

unsigned faults_count(enum faults_operation operation)
{
    pthread_mutex_lock(&lock);
    unsigned count = counts[operation];
    pthread_mutex_unlock(&lock);
    return count;
}

static bool is_wal(const char *path)
{
    size_t len = path ? strlen(path) : 0;
    return len > 4 && strcmp(path + len - 4, "-wal") == 0;
}

/* Under the lock. */
static void note(enum faults_operation operation, const char *path, int code)
{
    counts[operation]++;
    if (entry_count < FAULTS_LOG_MAX)
        entries[entry_count++] = (struct faults_entry){ operation, is_wal(path), code };
}

void faults_note_answer(void)
{
    pthread_mutex_lock(&lock);
    note(FAULTS_ANSWER, NULL, SQLITE_OK);
    pthread_mutex_unlock(&lock);
}

size_t faults_log(struct faults_entry *out, size_t room)
{
    pthread_mutex_lock(&lock);
    size_t count = entry_count < room ? entry_count : room;
    memcpy(out, entries, count * sizeof(*out));
    memmove(entries, entries + count, (entry_count - count) * sizeof(*out));
    entry_count -= count;
    pthread_mutex_unlock(&lock);
    return count;
}

/* ---- what is not synced ---- */

/* Under the lock, before it is done. data NULL: a truncation to `offset`. */
static void remember(const struct file *file, sqlite3_int64 offset, const void *data, size_t len)
{
    sqlite3_int64 size = 0;
    file->real->pMethods->xFileSize(file->real, &size);
    size_t left = offset < size ? (size_t)(size - offset) : 0;
    size_t old_len = data && left > len ? len : left;
    struct unsynced *one = mem_new(sizeof(*one) + old_len + len);
    *one = (struct unsynced){ unsynced, mem_text(slice_of(file->path)), offset, size, old_len, len };
    if (old_len)
        file->real->pMethods->xRead(file->real, one->bytes, (int)old_len, offset);
    if (len)
        memcpy(one->bytes + old_len, data, len);
    unsynced = one;
}

static void unsynced_free(struct unsynced *one)
{
    mem_free(one->path);
    mem_free(one);
}

/* Under the lock. It is on the disk now, or the file is gone. path NULL: of all files. */
static void forget(const char *path)
{
    for (struct unsynced **at = &unsynced; *at;) {
        struct unsynced *one = *at;
        if (path && strcmp(one->path, path) != 0) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        unsynced_free(one);
    }
}

static void put(int fd, const char *bytes, size_t len, sqlite3_int64 offset)
{
    if (pwrite(fd, bytes, len, offset) != (ssize_t)len)
        abort(); /* the simulation itself needs a disk that works */
}

static void take_back(const struct unsynced *one, int fd)
{
    put(fd, one->bytes, one->old_len, one->offset);
    if (ftruncate(fd, one->size_before) != 0)
        abort();
}

static void do_again(const struct unsynced *one, int fd, struct rng *rng)
{
    bool half = rng_below(rng, 4) == 0;
    if (one->new_len)
        put(fd, one->bytes + one->old_len, half ? one->new_len / 2 : one->new_len, one->offset);
    else if (ftruncate(fd, one->offset) != 0)
        abort();
}

/* Under the lock. Takes those of the folder out of the list: each undone, from the newest; the result begins with the oldest. */
static struct unsynced *take_all_back(const char *folder)
{
    struct unsynced *oldest = NULL;
    for (struct unsynced **at = &unsynced; *at;) {
        struct unsynced *one = *at;
        int fd = !folder || strncmp(one->path, folder, strlen(folder)) == 0 ? open(one->path, O_RDWR | O_CLOEXEC) : -1;
        if (fd < 0) {
            at = &one->next;
            continue;
        }
        take_back(one, fd);
        close(fd);
        *at = one->next;
        one->next = oldest;
        oldest = one;
    }
    return oldest;
}

static void drop_unsynced(const char *folder, uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    for (struct unsynced *one = take_all_back(folder), *next; one; one = next) {
        int fd = seed && rng_below(&rng, 2) ? open(one->path, O_RDWR | O_CLOEXEC) : -1;
        next = one->next;
        if (fd >= 0) {
            do_again(one, fd, &rng);
            close(fd);
        }
        unsynced_free(one);
    }
}

void faults_drop_unsynced(const char *folder, uint64_t seed)
{
    pthread_mutex_lock(&lock);
    drop_unsynced(folder, seed);
    pthread_mutex_unlock(&lock);
}

void faults_clear(void)
{
    faults_heal();
    pthread_mutex_lock(&lock);
    forget(NULL);
    memset(counts, 0, sizeof(counts));
    entry_count = 0;
    cut_in = 0;
    pthread_mutex_unlock(&lock);
}

/* Under the lock, before each operation. */
static void maybe_cut(void)
{
    if (cut_in == 0 || --cut_in > 0)
        return;
    drop_unsynced(NULL, cut_seed);
    _exit(FAULTS_CUT_EXIT);
}

/* ---- files ---- */

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

static void write_through(struct file *file, const void *data, size_t len, sqlite3_int64 offset, int *rc)
{
    if (file->path)
        remember(file, offset, data, len);
    int written = file->real->pMethods->xWrite(file->real, data, (int)len, offset);
    if (*rc == SQLITE_OK)
        *rc = written;
}

static int on_write(sqlite3_file *base, const void *data, int len, sqlite3_int64 offset)
{
    struct file *file = (struct file *)base;
    size_t torn;
    pthread_mutex_lock(&lock);
    maybe_cut();
    int rc = strikes(FAULTS_WRITE, &torn);
    if (rc == SQLITE_OK)
        write_through(file, data, (size_t)len, offset, &rc);
    else if (torn > 0)
        write_through(file, data, torn < (size_t)len ? torn : (size_t)len, offset, &rc);
    note(FAULTS_WRITE, file->path, rc);
    pthread_mutex_unlock(&lock);
    return rc;
}

static int on_sync(sqlite3_file *base, int flags)
{
    struct file *file = (struct file *)base;
    size_t torn;
    pthread_mutex_lock(&lock);
    maybe_cut();
    int rc = strikes(FAULTS_SYNC, &torn);
    if (rc == SQLITE_OK)
        rc = file->real->pMethods->xSync(file->real, flags);
    if (rc == SQLITE_OK && file->path)
        forget(file->path);
    note(FAULTS_SYNC, file->path, rc);
    pthread_mutex_unlock(&lock);
    return rc;
}

static int on_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct file *file = (struct file *)base;
    size_t torn;
    pthread_mutex_lock(&lock);
    maybe_cut();
    int rc = strikes(FAULTS_TRUNCATE, &torn);
    if (rc == SQLITE_OK && file->path)
        remember(file, size, NULL, 0);
    if (rc == SQLITE_OK)
        rc = file->real->pMethods->xTruncate(file->real, size);
    note(FAULTS_TRUNCATE, file->path, rc);
    pthread_mutex_unlock(&lock);
    return rc;
}

static int on_close(sqlite3_file *base)
{
    struct file *file = (struct file *)base;
    int rc = file->real->pMethods->xClose(file->real);
    mem_free(file->path);
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
    int rc = system_vfs->xOpen(system_vfs, name, file->real, flags, out_flags);
    base->pMethods = file->real->pMethods ? &methods : NULL;
    file->path = base->pMethods && name ? mem_text(slice_of(name)) : NULL;
    return rc;
}

/* What was unsynced of a file that is gone must not be taken for the next one's of that name. */
static int on_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    pthread_mutex_lock(&lock);
    int rc = system_vfs->xDelete(system_vfs, name, sync_folder);
    if (rc == SQLITE_OK)
        forget(name);
    pthread_mutex_unlock(&lock);
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
    vfs.xDelete = on_delete;
    sqlite3_vfs_register(&vfs, 0);
}
