/* watch.h: looks at a folder of rules and says what it holds whenever that may have changed: as soon as two looks 50 ms apart see
 * the same, so that a file is not read while an editor writes it. inotify says when to look; once a second names, sizes and times
 * are compared, for what inotify does not see: mounts, symlinks that lead out of the folder, network file systems. Main thread.
 */
#ifndef TIDEWIRE_WATCH_H
#define TIDEWIRE_WATCH_H

#include <uv.h>

struct rules_place;
struct watch;

enum {
    WATCH_QUIET_MS = 50,
    WATCH_EMPTY_MS = 1000,
    WATCH_PATIENCE_MS = 1000, /* who never stops writing is looked at all the same */
    WATCH_NET_MS = 1000,
    WATCH_FOLDERS_MAX = 256,
};

/* place: borrowed. on_change is told the hash (rule_files_look) of what is there, which may be what was there before. */
struct watch *watch_start(uv_loop_t *loop, const struct rules_place *place, void (*on_change)(void *arg, const char *hash),
                          void *arg);
/* NULL is fine. Freed from the loop. */
void watch_stop(struct watch *watch);

#endif
