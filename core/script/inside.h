/* inside.h: the fields of struct script, for the files of this folder. All on the state's thread. */
#ifndef TIDEWIRE_SCRIPT_INSIDE_H
#define TIDEWIRE_SCRIPT_INSIDE_H

#include <lua.h>

#include "base/buf.h"
#include "json/view.h"
#include "model/message.h"
#include "script/heap.h"
#include "script/script.h"
#include "script/watchdog.h"

enum {
    SENDS_MAX = 1000,          /* messages of one run */
    SENT_BYTES_MAX = 32 << 20, /* of all of them together */
    SCRATCH_MAX = MESSAGE_MAX, /* of one message while it is built */
    ERROR_SIZE = 1024,
};

/* What a handler may do right now. */
enum phase { PHASE_LOADING, PHASE_IDLE, PHASE_HANDLER, PHASE_QUESTION /* when, dedupe, success: no actions, no waiting */ };

/* One run from its start to its end, waits included; on the script's list. Owned by the script. */
struct inside_run {
    struct inside_run *next, *prev;
    struct script *script;
    struct run *run;
    int thread_ref; /* of its coroutine, in the registry */
    lua_State *coroutine;
    struct heap_account account;
    uint64_t cpu_left_ns, started_ms; /* monotonic start, for handler_time */
    struct outcome *outcome;          /* in the event's arena; its deliveries grow while the handler runs */
    struct new_delivery **last_delivery;
    size_t sent_bytes;
    struct script_event *event; /* what Lua sees; ends with the run */
    uv_timer_t timer;           /* of a wait */
    bool timer_open, waiting;
};

/* An event that is open in this state. Event values name it by place and serial, so a kept one is noticed; a place lives as long
 * as its script. */
struct script_event {
    struct script_event *next; /* of all places */
    struct script_event *next_free;
    uint32_t serial;     /* raised at the end */
    struct event *event; /* counted; NULL when it ended */
    uint64_t body_view;  /* handle of view.h; 0: not opened yet */
};

struct script {
    struct script_config config;
    struct generation *generation; /* counted; NULL in a scratch */
    struct heap *heap;
    lua_State *L;
    struct views *views;
    enum phase phase;
    struct inside_run *runs;                   /* all that started and did not end */
    struct inside_run *current;                /* the one in Lua now */
    struct script_event *events, *free_events; /* owned places; those without an event */
    uint32_t waiting;
    bool abandoned;
    char error[ERROR_SIZE];
    lua_State *loader;           /* the coroutine that loads the rules; NULL: none */
    int routes_ref, targets_ref; /* tables by path and name, made by the loader */
    int nesting_ref;             /* { how many callbacks are open }, of environment.lua */
    struct buf scratch, pieces;  /* a message on its way */
    uint64_t deadline_ms;        /* scratch states: when loading has to be over; 0: none */
};

struct script *script_of(lua_State *L);

/* event_api.c */
struct script_event *event_api_begin(struct script *script, struct event *event);
void event_api_end(struct script *script, struct script_event *open);
void event_api_push(lua_State *L, struct script *script, struct script_event *open);
/* The event that the value at index stands for; NULL: none. Raises when it has ended. */
struct script_event *event_api_at(lua_State *L, int index);
void event_api_free(struct script *script);
int luaopen_tidewire_event(lua_State *L);

/* plan.c: notes and ends */
int luaopen_tidewire_actions_native(lua_State *L);
/* How a handler's coroutine ended itself: what it yielded. */
enum ending { ENDING_NONE, ENDING_DROP, ENDING_FAIL, ENDING_RETRY, ENDING_SLEEP };
enum ending plan_ending(lua_State *coroutine);

/* outcome.c: what a run came to */
void outcome_settle(struct inside_run *inside, enum event_state state, enum run_reason reason, struct slice text,
                    uint64_t after_ms);

/* paths.c */
int luaopen_tidewire_paths(lua_State *L);

/* modules.c */
void modules_open(lua_State *L);

/* call.c: every way into Lua */
enum call_result { CALL_RETURNED, CALL_YIELDED, CALL_FAILED, CALL_ABANDONED };
/* Resumes the coroutine with n arguments on its stack, charged to account, with so much processor time. late: it was over it. */
enum call_result call_resume(struct script *script, lua_State *coroutine, int n, struct heap_account *account, uint64_t budget_ns,
                             bool *late);
/* A full collection where it is due, outside any run; ends the state when that does not help. */
void call_collect_if_due(struct script *script);

#endif
