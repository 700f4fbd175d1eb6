#include "loop/watch.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "script/rule_files.h"

struct watched_folder {
    uv_fs_event_t event;
    struct watch *watch;
    struct watched_folder *next;
};

struct watch {
    uv_loop_t *loop;
    const struct rules_place *place;
    char seen[65];      /* by the last look */
    uint64_t seen_ms;   /* since when it is so, by the loop's clock */
    uint64_t stamp;     /* at the last look */
    uint64_t wanted_ms; /* since when a look is wanted, by the loop's clock */
    uv_timer_t quiet, net;
    struct watched_folder *folders;
    size_t count;
    int open; /* timers that are not closed yet */
    void (*on_change)(void *arg, const char *hash);
    void *arg;
};

static void on_quiet(uv_timer_t *timer);

/* ---- when to look ---- */

/* Each write puts it off, but not for ever. */
static void look_soon(struct watch *watch)
{
    uint64_t now_ms = uv_now(watch->loop);
    if (!uv_is_active((uv_handle_t *)&watch->quiet))
        watch->wanted_ms = now_ms;
    else if (now_ms - watch->wanted_ms > WATCH_PATIENCE_MS)
        return;
    uv_timer_start(&watch->quiet, on_quiet, WATCH_QUIET_MS, 0);
}

static bool is_lua(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".lua") == 0;
}

/* What is made, goes or gets another name may be a folder or a symlink; what is written to counts only if it is Lua: a store or
 * a log may lie in the folder. */
static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct watch *watch = ((struct watched_folder *)event)->watch;
    (void)status;
    if ((events & UV_RENAME) || !name || is_lua(name))
        look_soon(watch);
}

static void on_net(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    if (rule_files_stamp(watch->place) != watch->stamp)
        look_soon(watch);
}

/* ---- which folders ---- */

static void on_folder_closed(uv_handle_t *handle)
{
    mem_free(handle);
}

static void close_folders(struct watched_folder *folder)
{
    while (folder) {
        struct watched_folder *next = folder->next;
        uv_close((uv_handle_t *)&folder->event, on_folder_closed);
        folder = next;
    }
}

static void add_folder(struct watch *watch, const char *path)
{
    if (watch->count == WATCH_FOLDERS_MAX)
        return; /* the net sees those */
    struct watched_folder *folder = MEM_NEW(struct watched_folder);
    folder->watch = watch;
    uv_fs_event_init(watch->loop, &folder->event);
    if (uv_fs_event_start(&folder->event, on_event, path, 0) != 0) {
        LOG(LOG_DEBUG, "folder not watched", LOG_T("path", path));
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
    for (struct dirent *entry; depth < RULE_DEPTH_MAX && (entry = readdir(dir));) {
        char below[PATH_MAX];
        struct stat info;
        if (entry->d_name[0] != '.' && snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) < (int)sizeof(below) &&
            stat(below, &info) == 0 && S_ISDIR(info.st_mode))
            add_below(watch, below, depth + 1);
    }
    closedir(dir);
}

/* The folders of now, all anew: one of the same name may be another one. The former ones are let go after, so that what did not
 * change is watched throughout. */
static void watch_folders(struct watch *watch)
{
    char rules[PATH_MAX];
    struct watched_folder *former = watch->folders;
    watch->folders = NULL;
    watch->count = 0;
    if (rule_files_folder(watch->place, rules, sizeof(rules))[0])
        add_folder(watch, watch->place->folder); /* where rules/ itself is swapped */
    add_below(watch, rules, 0);
    close_folders(former);
}

/* ---- looking ---- */

static void on_quiet(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    char hash[65];
    watch_folders(watch);
    watch->stamp = rule_files_stamp(watch->place); /* before the look: what comes after it is seen by the net */
    bool empty = rule_files_look(watch->place, hash);
    uint64_t now_ms = uv_now(watch->loop);
    if (strcmp(hash, watch->seen) != 0)
        watch->seen_ms = now_ms;
    memcpy(watch->seen, hash, sizeof(hash));
    if (now_ms - watch->seen_ms >= (empty ? WATCH_EMPTY_MS : WATCH_QUIET_MS))
        watch->on_change(watch->arg, hash);
    else
        uv_timer_start(&watch->quiet, on_quiet, empty ? WATCH_EMPTY_MS : WATCH_QUIET_MS, 0);
}

/* ---- life ---- */

struct watch *watch_start(uv_loop_t *loop, const struct rules_place *place, void (*on_change)(void *arg, const char *hash),
                          void *arg)
{
    struct watch *watch = MEM_NEW(struct watch);
    watch->loop = loop;
    watch->place = place;
    watch->on_change = on_change;
    watch->arg = arg;
    uv_timer_init(loop, &watch->quiet);
    uv_timer_init(loop, &watch->net);
    watch->quiet.data = watch->net.data = watch;
    watch->open = 2;
    watch_folders(watch);
    uv_timer_start(&watch->net, on_net, WATCH_NET_MS, WATCH_NET_MS);
    look_soon(watch); /* what was written between the load and now */
    return watch;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    if (--watch->open == 0)
        mem_free(watch);
}

void watch_stop(struct watch *watch)
{
    if (!watch)
        return;
    close_folders(watch->folders);
    uv_close((uv_handle_t *)&watch->quiet, on_timer_closed);
    uv_close((uv_handle_t *)&watch->net, on_timer_closed);
}
