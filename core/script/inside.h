/* inside.h: the fields of struct script, for the files of this folder. All on the state's thread. */
#ifndef TIDEWIRE_SCRIPT_INSIDE_H
#define TIDEWIRE_SCRIPT_INSIDE_H

#include <lua.h>

#include "base/buf.h"
#include "base/timer.h"
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
    LOG_LINES_MAX = 200, /* of one run */
    FETCHES_MAX = 100,   /* that one http.all asks side by side */
};

/* What a handler may do right now. */
enum phase {
    PHASE_LOADING,
    PHASE_IDLE,
    PHASE_HANDLER,
    PHASE_QUESTION, /* when, dedupe, success: no actions, no waiting */
    PHASE_TELLING,  /* on_error, on_dead: send, kv, log and metric */
};

/* A stretch in Lua, from a resume to the next return or yield: who pays, and what the flight recorder says of it. */
struct stretch {
    struct heap_account *account; /* NULL: nobody's */
    uint64_t budget_ns, grace_ns;
    uint64_t whole_ns; /* the budget of the whole run, of which budget_ns is left: what a failure names */
    enum flight_task task;
    struct uuid event;
    struct slice name;
    /* after it */
    uint64_t used_ns;
    bool late;          /* it was over its budget */
    bool out_of_memory; /* Lua said so */
};

/* One run from its start to its end, waits included; on the script's list. Owned by the script. */
struct inside_run {
    struct inside_run *next, *prev;
    struct script *script;
    struct run *run;
    int thread_ref; /* of its coroutine, in the registry */
    lua_State *coroutine;
    struct heap_account account;
    uint64_t cpu_ns, started_ms; /* used so far; monotonic start, for handler_time */
    struct outcome *outcome;     /* in the event's arena; its deliveries grow while the handler runs */
    struct new_delivery **last_delivery;
    size_t sent_bytes;
    uint32_t kv_count; /* notes */
    size_t kv_bytes;   /* of them */
    struct kv_reading *kv_reading;
    struct run_note **last_run_note;
    uint32_t run_notes;
    size_t run_bytes;           /* of their data */
    uint32_t logged;            /* lines, those past LOG_LINES_MAX too */
    struct script_event *event; /* what Lua sees; ends with the run */
    struct timer timer;         /* of a wait */
    bool timer_open, waiting;
    bool too_long; /* this wait ends with the time that a run may take */
    /* http.*: what it has asked, and the answer it is resumed with */
    struct asked *asked;
    bool wants_answer;                  /* it waits for one of them */
    const struct fetch_answer *arrived; /* NULL unless it was just resumed for one */
    int arrived_place;
    struct fetch_record **last_record;
    uint32_t records;
    /* rest.c: its wait is over, and its event's body is on its way back */
    bool woken, over_time;
    struct rest_reading *rest_reading;
    struct late_answer *late_answers; /* owned, in the order they came */
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
    bool jumped;          /* it was left in the middle of something: not even lua_close may touch it */
    enum run_reason lost; /* why it was abandoned */
    char error[ERROR_SIZE];
    lua_State *loader;           /* the coroutine that loads the rules; NULL: none */
    int routes_ref, targets_ref; /* tables by path and name, made by the loader */
    int nesting_ref;             /* { how many callbacks are open }, of environment.lua */
    struct buf scratch, pieces;  /* a message on its way */
    struct buf records;          /* of the XML that is being read (body/xml.h) */
    uint64_t step_ms,
        deadline_ms;           /* scratch states, processor time: when this step, and all of loading, has to be over; 0: none */
    char step[ERROR_SIZE / 2]; /* the file of this step */
    bool late;                 /* a deadline has passed: `error` says where, and nothing goes on */
    const char *too_long;      /* what is then raised */
};

struct script *script_of(lua_State *L);

/* event_api.c */
struct script_event *event_api_begin(struct script *script, struct event *event);
void event_api_end(struct script *script, struct script_event *open);
void event_api_push(lua_State *L, struct script_event *open);
/* Does the value at index stand for an event? Then *ended says whether that one has ended. */
bool event_api_is(lua_State *L, int index, bool *ended);
/* The event at index; NULL: something else is there. Raises when it has ended. */
const struct event *event_api_event(lua_State *L, int index);
#define EVENT_RESTS                                                                                                              \
    "the handler of this event waits: what another one is to see of it is to be copied, for example with copy(event.body)"
#define EVENT_ENDED "this event has ended: what has to outlive its handler is to be copied, for example with copy(event.body)"
void event_api_free(struct script *script);
int luaopen_tidewire_event(lua_State *L);
/* event_body.c: event.body of an event that no request has brought: JSON or nothing. */
void event_push_json_body(lua_State *L, struct script_event *open);

/* plan.c: notes and ends */
int luaopen_tidewire_actions_native(lua_State *L);
/* How a handler's coroutine ended itself: what it yielded. */
enum ending {
    ENDING_NONE,
    ENDING_DROP,
    ENDING_FAIL,
    ENDING_RETRY,
    ENDING_SLEEP,
    ENDING_FETCH,
    ENDING_RESPOND,
    ENDING_KV,
    ENDINGS
};
enum ending plan_ending(lua_State *coroutine);
int fault(lua_State *L, const char *format, ...); /* raised at the line of the rule */
/* Only in a handler, and not inside a callback of a C function; word: for the fault. */
void need_waiting(lua_State *L, const char *word);
/* What stands where among the arguments of send; those that are not given are nil. */
enum {
    SEND_TO = 1,
    SEND_KIND,
    SEND_VALUE,
    SEND_CONTENT_TYPE,
    SEND_HEADERS,
    SEND_PATH,
    SEND_QUERY,
    SEND_METHOD,
    SEND_ID,
    SEND_KEY,
    SEND_DELAY,
    SEND_AT
};
/* The message that stands there, as a blob of message.h in script->scratch. */
struct slice build_message(lua_State *L, struct script *script);
/* Text or a secret, as pieces; what was in them is forgotten. */
void value_pieces(lua_State *L, int index, struct buf *pieces, enum escaping escaping);
/* Yields a mark with what stands on the stack. */
int yield_ending(lua_State *L, enum ending ending);

/* metric.c */
int luaopen_tidewire_metric_native(lua_State *L);

/* kv.c: values that rules keep */
int luaopen_tidewire_kv_native(lua_State *L);
/* Asks for a value that is not in memory; then run_go_on. false: too much is asked for. */
bool kv_start_reading(struct inside_run *inside, struct slice key);
/* The run ends. */
void kv_end(struct inside_run *inside);

/* rest.c: of many events whose handlers wait the bodies are with the store. */
/* Its body has to come back before the run may go on: then run_woken. false: it is there. */
bool rest_must_end(struct inside_run *inside);
/* An answer that came meanwhile, copied; the first one, taken out of the list: mem_free. */
void rest_keep_answer(struct inside_run *inside, int place, const struct fetch_answer *answer);
struct late_answer {
    struct late_answer *next;
    int place;
    struct fetch_answer answer; /* its texts lie behind */
};
struct late_answer *rest_take_answer(struct inside_run *inside);
/* Nobody waits for them any more. */
void rest_drop_answers(struct inside_run *inside);
/* The run ends. */
void rest_end(struct inside_run *inside);

/* run.c: what the run waited for is there. */
void run_go_on(struct inside_run *inside);
/* What it waited for is there since a while, and now its body is too. The run may be gone after. */
void run_woken(struct inside_run *inside);
/* It cannot go on, through no fault of its own: it runs again, uncounted. The run is gone after. */
void run_lost(struct inside_run *inside);
/* run.c: the state was abandoned: events that waited in it run again, uncounted. */
void runs_lose_all(struct script *script);
/* One of the answers that it waits for is there. The run may be gone after. */
void run_answered(struct inside_run *inside, int place, const struct fetch_answer *answer);

/* fetching.c: http.* */
int luaopen_tidewire_http_native(lua_State *L);
/* The run is over, or its call: what is still under way is cancelled. */
void fetching_end(struct inside_run *inside);

/* outcome.c: what a run came to */
void outcome_settle(struct inside_run *inside, enum event_state state, enum run_reason reason, struct slice text,
                    uint64_t after_ms);

/* failure.c: why a stretch failed, from what stands on the coroutine, or from the loss of the state. function, file and line:
 * what was called and where its sentence stands. The text lies in room (FAILURE_TEXT_SIZE) or in the Lua heap. */
enum { FAILURE_TEXT_SIZE = 1024 };
struct script_failure failure_of(const struct script *script, const struct stretch *stretch, const struct limits *limits,
                                 lua_State *coroutine, const char *function, struct slice file, uint32_t line, char *room);
/* Refused, though its run is not over its own limit: another's memory filled the state. It runs again, uncounted. */
bool failure_is_anothers(const struct script *script, const struct stretch *stretch);

/* runs.c: what a handler asks of tasks */
int luaopen_tidewire_task_native(lua_State *L);

/* schedule.c */
int luaopen_tidewire_schedule(lua_State *L);

/* paths.c */
int luaopen_tidewire_paths(lua_State *L);

/* strings.c */
int luaopen_tidewire_strings(lua_State *L);

/* crash_word.c; in test builds only */
int luaopen_tidewire_crash(lua_State *L);

/* modules.c */
void modules_open(lua_State *L);

/* call.c: every way into Lua */
enum call_result { CALL_RETURNED, CALL_YIELDED, CALL_FAILED, CALL_ABANDONED };
/* Resumes the coroutine with n arguments on its stack. */
enum call_result call_resume(struct script *script, lua_State *coroutine, int n, struct stretch *stretch);
/* lua_cpcall of a state without runs, watched in the same way. */
enum call_result call_function(struct script *script, lua_CFunction function, void *arg, struct stretch *stretch);
/* Inside it: from here on it has so much processor time. */
void call_again(struct script *script, uint64_t budget_ns);
/* A full collection where it is due, outside any run: after a refusal, and when the state is over half its limit. What is still
 * over then and held by no run that waits is the rules' own: the state is abandoned. */
void call_collect_if_due(struct script *script);

#endif
