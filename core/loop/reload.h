/* reload.h: from the files of the folder to a generation in force (rules.md 8). Main thread.
 *
 *   IDLE --asked--> read and checked in a scratch state --mistakes--> said, the running rules stay
 *                          '--well--> BUILDING in every worker --all ready--> said, IDLE
 */
#ifndef TIDEWIRE_RELOAD_H
#define TIDEWIRE_RELOAD_H

#include "base/buf.h"
#include "loop/worker.h"
#include "script/load.h"

struct reload;

/* What came of it: a report as for a screen, and as JSON. Borrowed for the call. */
struct reload_result {
    bool loaded; /* or nothing had changed */
    struct slice text, json;
};
typedef void (*reload_done)(void *arg, const struct reload_result *result);

struct reload_config {
    struct load_options options; /* borrowed strings */
    struct store *store;
    struct handoff *handoff; /* of main */
    struct worker **workers;
    uint32_t worker_count;
    void (*on_loaded)(void *arg, struct generation *generation); /* it is in force everywhere */
    void *arg;
};

struct reload *reload_new(const struct reload_config *config, struct generation *first);
/* done is called once, perhaps from inside; NULL: nobody asks, the report goes to the log's place (the screen). While one is
 * being built, a further one waits for it and comes after. */
void reload_ask(struct reload *reload, reload_done done, void *arg);
/* The same for a watched folder that holds what has this hash (rule_files_look): nothing happens when that runs, or was refused
 * and said already, or when the files have another one by now and so are still being written. */
void reload_ask_for(struct reload *reload, const char *hash);
/* What a reload would change or find wrong, now; nothing is put into force. */
void reload_check(struct reload *reload, reload_done done, void *arg);
/* Did the last load fail? */
bool reload_failed(const struct reload *reload);
/* For callers whose done must not be called any more. */
void reload_forget(struct reload *reload, void *arg);
/* A worker has the generation in force, or could not build it. */
void reload_on_worker(struct reload *reload, const struct worker_notice *notice);
struct generation *reload_current(const struct reload *reload);
void reload_free(struct reload *reload);

#endif
