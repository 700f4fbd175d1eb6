/* intake.h: one request on its way through ingest. Private to this folder. */
#ifndef TIDEWIRE_INTAKE_H
#define TIDEWIRE_INTAKE_H

#include "base/timer.h"
#include "http/request.h"
#include "ingest/ingest.h"
#include "ingest/key_store.h"
#include "listen/conn.h"
#include "loop/handoff.h"

enum { ADDRESS_SIZE = 48 };

enum intake_state {
    INTAKE_CHECKING,   /* until the handler is started */
    INTAKE_KEY_WAITS,  /* for the key that its sender signs with */
    INTAKE_CLAIMING,   /* another request with its key is being committed */
    INTAKE_RUNNING,    /* in the handler, which has not waited yet */
    INTAKE_COMMITTING, /* the store has it */
};

struct intake {
    struct ingest *ingest;
    enum intake_state state;
    struct conn *conn;             /* NULL once answered, or when the client went; of an item */
    char remote_ip[ADDRESS_SIZE];  /* of the sender, before trusted proxies */
    struct batch *batch;           /* of an item that is not settled yet: it hears what a client would; else NULL */
    uint32_t item;                 /* its number in the batch, from 0 */
    struct json_value list;        /* in the event: its items are events each; doc NULL: none */
    struct generation *generation; /* counted */
    const struct route *route;     /* of the generation */
    struct slice type;
    struct event *event;     /* counted, from the decoding on */
    struct outcome *outcome; /* in the event's arena, once the handler returned */
    struct run run;
    bool store_first; /* its rules are asked only after the commit, from the store */
    bool ordered;     /* its handler is run from the store, when its turn comes */
    bool run_waits;   /* the handler waits: the event is committed without an outcome */
    bool run_again;   /* its state was lost: run it from the store */
    bool run_open;    /* the event is stored and its handler has not ended: `run` is in use */
    bool awaits;      /* ack = "delivered": its sender is to wait for the event's deliveries */
    bool waits;       /* its sender waits for the end of the handler, or of these: it is on ingest's list */
    bool settling;    /* of those: the end is on its way to the disk */
    bool gives_up;    /* and the keys with it: the sender is told to come back */
    uint32_t owed;    /* deliveries of an event that is handled, which have not ended */
    char *dead;       /* owned: the target of the first of them that is dead; NULL: none is */
    struct intake *next_waiting;
    struct dedupe_key keys[DEDUPE_KEYS_MAX];
    size_t key_count, claimed; /* keys[0 .. claimed) are claimed */
    struct dedupe_wait wait;
    struct uuid wait_winner;
    struct key_wait key_wait;
    struct request *request;                                        /* INTAKE_KEY_WAITS: the connection's */
    void (*on_key)(struct intake *intake, struct request *request); /* INTAKE_KEY_WAITS */
    struct timer wait_timer;
    bool wait_timer_open;
    struct store_accept accept;
    struct handed handed; /* brings it back to the worker */
    uint64_t started_ns;  /* when the request was whole */
};

struct ingest {
    struct ingest_config config;
    struct key_store *keys; /* owned */
    struct buf scratch;     /* for lookups; used and forgotten within one call */
    uint32_t in_flight;
    bool draining;
    struct intake *waiting; /* those that wait */
};

/* ---- intake.c ---- */
/* conn NULL: of an item of a batch. */
struct intake *intake_new(struct ingest *ingest, struct conn *conn);
void intake_release_keys(struct intake *intake);
/* One at a time; intake_end closes it. */
void intake_start_timer(struct intake *intake, void (*on_time)(void *intake), uint64_t ms);
/* Nothing of it is in flight any more. */
void intake_end(struct intake *intake);
/* An id that says which worker's event it is (store.h, store_read_due). */
struct uuid intake_new_id(struct ingest *ingest, uint64_t now_ms);
/* Nobody may be there to hear it. */
void intake_answer(struct intake *intake, const struct reply *reply);
void intake_count_refusal(struct intake *intake, enum refusal reason, uint16_t status, const char *detail);
void intake_refuse(struct intake *intake, enum refusal reason, uint16_t status, const char *detail);
void intake_refuse_and_end(struct intake *intake, enum refusal reason, uint16_t status, const char *detail);
/* A function of its route failed where the handler was to be asked first. */
void intake_fail_first_try(struct intake *intake, const struct script_failure *failure);

/* ---- ingest.c ---- */
/* An event that is verified and decoded: ignored, a duplicate, or handled. */
void intake_judge(struct intake *intake, const struct verify_result *verified);

/* ---- decode.c ---- */
/* What event.body is to be, of the event that was just made. false: it was refused. */
bool decode_body(struct intake *intake);

/* ---- key_wait.c ---- */
/* Until the set is there: then on_key, once, unless the client went or the time was over. */
void key_wait_begin(struct intake *intake, struct request *request, struct key_set *set,
                    void (*on_key)(struct intake *intake, struct request *request));

/* ---- confirm.c ---- */
/* Asks an address that a verified sender has named, once; what came of it is logged. false: it cannot be asked now. */
bool confirm_begin(struct intake *intake, struct slice url);

/* ---- claim.c ---- */
/* Its order key, where its route has an order. */
void claim_make_order(struct intake *intake);
/* false: it was refused. */
bool claim_make_keys(struct intake *intake, const struct verify_result *verified);
/* The key of its signature alone, if that counts. */
void claim_make_signature(struct intake *intake, const struct verify_result *verified);
/* Claims the keys one after the other; goes on with handle_start, or batch_begin where there is a list. */
void claim_keys(struct intake *intake);
void claim_answer_duplicate(struct intake *intake, struct uuid winner);

/* ---- handle.c ---- */
void handle_start(struct intake *intake);

/* ---- waiting.c ---- */
/* The sender will be told of this outcome: a try that failed is the last one. true: it is told something that claims the keys. */
bool waiting_judge(const struct intake *intake, struct outcome *outcome);
/* With what the outcome says; NULL: the static reply. */
void waiting_answer(struct intake *intake, const struct outcome *outcome);
/* Nobody was there to hear what `respond` said. */
void waiting_note_unheard(const struct event *event, const struct outcome *outcome);
/* Its event is stored, and has no outcome yet. */
void waiting_begin(struct intake *intake);
void waiting_on_gone(struct intake *intake);
void waiting_on_run_lost(struct intake *intake);

#endif
