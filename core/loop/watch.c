#include "loop/watch.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "script/load.h"

struct watched_folder {
    uv_fs_event_t event;
    struct watch *watch;
    char path[PATH_MAX];
    bool present; /* seen by the last scan */
    struct watched_folder *next;
};

struct watch {
    uv_loop_t *loop;
    const char *folder;
    char told[65]; /* of the rules that run, or that were said last */
    char seen[65]; /* by the last look */
    uv_timer_t quiet;
    struct watched_folder *folders;
    size_t count;
    bool stopping;
    int open; /* handles that are not closed yet */
    void (*on_change)(void *arg, const char *hash);
    void *arg;
};

static void on_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    if (--watch->open == 0 && watch->stopping)
        mem_free(watch);
}

static void on_folder_closed(uv_handle_t *handle)
{
    struct watched_folder *folder = (struct watched_folder *)handle;
    handle->data = folder->watch;
    on_closed(handle);
    mem_free(folder);
}

static void on_quiet(uv_timer_t *timer);

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct watch *watch = ((struct watched_folder *)event)->watch;
    uv_timer_start(&watch->quiet, on_quiet, WATCH_QUIET_MS, 0); /* each write puts it off */
}

static void add_folder(struct watch *watch, const char *path)
{
    for (struct watched_folder *folder = watch->folders; folder; folder = folder->next) {
        if (strcmp(folder->path, path) == 0) {
            folder->present = true;
            return;
        }
    }
    if (watch->count == WATCH_FOLDERS_MAX)
        return;
    struct watched_folder *folder = MEM_NEW(struct watched_folder);
    folder->watch = watch;
    folder->present = true;
    snprintf(folder->path, sizeof(folder->path), "%s", path);
    uv_fs_event_init(watch->loop, &folder->event);
    watch->open++;
    if (uv_fs_event_start(&folder->event, on_event, path, 0) != 0) {
        LOG(LOG_WARN, "folder not watched", LOG_T("path", path));
        uv_close((uv_handle_t *)&folder->event, on_folder_closed);
        return;
    }
    folder->next = watch->folders;
    watch->folders = folder;
    watch->count++;
}

static void add_below(struct watch *watch, const char *path, int depth)
{
    DIR *dir = opendir(path);
    if (!dir)
        return;
    add_folder(watch, path);
    for (struct dirent *entry; depth < 16 && (entry = readdir(dir));) {
        char below[PATH_MAX];
        struct stat info;
        if (entry->d_name[0] != '.' && snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) < (int)sizeof(below) &&
            stat(below, &info) == 0 && S_ISDIR(info.st_mode))
            add_below(watch, below, depth + 1);
    }
    closedir(dir);
}

/* The folders of now: new ones are watched, gone ones forgotten. */
static void scan(struct watch *watch)
{
    char rules[PATH_MAX];
    for (struct watched_folder *folder = watch->folders; folder; folder = folder->next)
        folder->present = false;
    load_rules_folder(watch->folder, rules, sizeof(rules));
    add_below(watch, rules, 0);
    for (struct watched_folder **at = &watch->folders; *at;) {
        struct watched_folder *folder = *at;
        if (folder->present) {
            at = &folder->next;
        } else {
            *at = folder->next;
            watch->count--;
            uv_close((uv_handle_t *)&folder->event, on_folder_closed);
        }
    }
}

static void on_quiet(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    char hash[65];
    scan(watch);
    if (load_hash(watch->folder, hash) != OK)
        return;
    bool settled = strcmp(hash, watch->seen) == 0, is_new = strcmp(hash, watch->told) != 0;
    memcpy(watch->seen, hash, sizeof(hash));
    if (is_new && settled) {
        memcpy(watch->told, hash, sizeof(hash));
        watch->on_change(watch->arg, hash);
    } else if (is_new) {
        uv_timer_start(&watch->quiet, on_quiet, WATCH_QUIET_MS, 0);
    }
}

struct watch *watch_start(uv_loop_t *loop, const char *folder, const char *hash, void (*on_change)(void *arg, const char *hash),
                          void *arg)
{
    struct watch *watch = MEM_NEW(struct watch);
    watch->loop = loop;
    watch->folder = folder;
    watch->on_change = on_change;
    watch->arg = arg;
    snprintf(watch->told, sizeof(watch->told), "%s", hash);
    uv_timer_init(loop, &watch->quiet);
    watch->quiet.data = watch;
    watch->open = 1;
    scan(watch);
    uv_timer_start(&watch->quiet, on_quiet, WATCH_QUIET_MS, 0); /* what was written between the load and now */
    return watch;
}

void watch_stop(struct watch *watch)
{
    if (!watch)
        return;
    watch->stopping = true;
    while (watch->folders) {
        struct watched_folder *folder = watch->folders;
        watch->folders = folder->next;
        uv_close((uv_handle_t *)&folder->event, on_folder_closed);
    }
    uv_close((uv_handle_t *)&watch->quiet, on_closed);
}
