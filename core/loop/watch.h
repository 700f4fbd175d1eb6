/* watch.h: looks at a folder of rules and says when its contents have changed: when they are another than those that run, and the
 * same in two looks 50 ms apart, so that a file is not read while an editor writes it. Main thread. */
#ifndef TIDEWIRE_WATCH_H
#define TIDEWIRE_WATCH_H

#include <uv.h>

struct watch;

enum { WATCH_QUIET_MS = 50, WATCH_FOLDERS_MAX = 256 };

/* folder: of `run`, borrowed. hash: of the rules that run. on_change is told the new one. */
struct watch *watch_start(uv_loop_t *loop, const char *folder, const char *hash, void (*on_change)(void *arg, const char *hash),
                          void *arg);
/* NULL is fine. Freed from the loop. */
void watch_stop(struct watch *watch);

#endif
