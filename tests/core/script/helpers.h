/* helpers.h: rules in a folder of their own, and a worker that runs events by them. For the test programs of this folder. What
 * cannot be set up ends the program with a line that says what it was. */
#ifndef TIDEWIRE_SCRIPT_HELPERS_H
#define TIDEWIRE_SCRIPT_HELPERS_H

#include <pthread.h>

#include "script/load.h"
#include "script/script.h"
#include "script/watchdog.h"

enum { DEADLINE_MS = 20000, WORKER_STACK_BYTES = 8 << 20 };

extern const char limits[]; /* the settings file of all rules; each test program has its own */

/* a.lua, and b.lua unless it is NULL. NULL: they have mistakes, which the report says. */
struct generation *try_rules(const char *a, const char *b, struct load_report *report);
/* Of rules that have none. */
struct generation *load_rules(const char *a);
/* A state whose rules are loaded. */
struct script *load_state(const struct script_config *config);
/* Indexed. parts: route, body, and what else differs: type, query, headers. */
struct event *event_of(struct uuid_maker *maker, struct event_parts parts);
/* A thread whose stack has an end with a guard area, as a worker's has. */
pthread_t start_thread(size_t stack_bytes, void *(*run)(void *), void *arg);

/* ---- one worker, where as_worker runs the test ---- */

extern uv_loop_t loop;
extern struct uuid_maker ids;
extern struct generation *generation; /* in force */
extern struct script *script;         /* of that generation */
extern uint32_t abandonments;         /* of states, by run_to_end */
extern struct store *rules_store;     /* these three of states made from now on; NULL: no kv */
extern struct handoff *rules_handoff;
extern uint32_t rules_reads;

/* Changes what the next states are made with; NULL: nothing does. */
extern void (*configure)(struct script_config *config);

void as_worker(void (*test)(void));
void use_rules(const char *a);
void fresh_state(void);
/* RUN_WAITS: it waited before its end. *outcome lies in the event; NULL: to be run again. A state that was lost is replaced. */
enum run_state run_to_end(struct event *event, struct outcome **outcome);

#endif
