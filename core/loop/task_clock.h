/* task_clock.h: tasks with `every` or `cron`: main gives each its run when its time has come, once for all workers and over
 * restarts: the store keeps the last time, and takes each only once. What was missed while no server ran comes once. Main thread.
 *
 *   asked in the store ──last time──> WAITS ──time──> written with its run ──> its worker looks; WAITS for the next
 */
#ifndef TIDEWIRE_TASK_CLOCK_H
#define TIDEWIRE_TASK_CLOCK_H

#include <uv.h>

#include "base/uuid.h"
#include "loop/handoff.h"
#include "loop/worker.h"
#include "model/generation.h"
#include "store/store.h"

struct task_clock;

struct task_clock_config {
    uv_loop_t *loop;
    struct store *store;
    struct handoff *handoff; /* of main */
    struct uuid_maker *ids;  /* of main */
    struct worker **workers;
    uint32_t worker_count;
};

struct task_clock *task_clock_new(const struct task_clock_config *config);
/* These are in force now. */
void task_clock_rules(struct task_clock *clock, struct generation *generation);
/* No more runs. NULL is fine for these. */
void task_clock_stop(struct task_clock *clock);
/* After the store has ended; before the handoff closes. */
void task_clock_close(struct task_clock *clock);
/* After the loop has. */
void task_clock_free(struct task_clock *clock);

#endif
