/* watch.h: looks at a folder of rules and says when its contents have changed: 50 ms after the last write, and only if the hash
 * of the files is another one. Main thread. */
#ifndef TIDEWIRE_WATCH_H
#define TIDEWIRE_WATCH_H

#include <uv.h>

struct watch;

enum { WATCH_QUIET_MS = 50, WATCH_FOLDERS_MAX = 256 };

/* folder: of `run`, borrowed. hash: of the rules that run. */
struct watch *watch_start(uv_loop_t *loop, const char *folder, const char *hash, void (*on_change)(void *arg), void *arg);
/* NULL is fine. Freed from the loop. */
void watch_stop(struct watch *watch);

#endif
