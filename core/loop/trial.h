/* trial.h: the router for one test of rules: a store on a scratch file and one worker, both on the calling thread, without a
 * network, in a time that stands still. Everything between is what runs in production; what differs is worker_trial
 * (worker_inside.h), store_config.in_place and the timers of its loop (base/timer.h).
 *
 * Each function returns when all has come to rest: nothing is to be done at this moment. */
#ifndef TIDEWIRE_TRIAL_H
#define TIDEWIRE_TRIAL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/uuid.h"
#include "deliver/sender.h"
#include "model/generation.h"

struct coverage;
struct ingest_watch;
struct trial;
struct watchdog_slot;

struct trial_config {
    struct generation *generation;    /* counted; its number is not 0 */
    const char *store;                /* of a file that does not exist, in a folder that does; the caller removes both */
    struct stand_in network;          /* answers what the rules' targets are sent */
    struct coverage *coverage;        /* of script/coverage.h; NULL: none */
    const struct ingest_watch *watch; /* of ingest/ingest.h, for as long as the trial; NULL: none */
    struct watchdog_slot *slot;       /* of this thread; NULL: only what hooks reach is ended */
};

/* clock_freeze was called. ERR_INVALID and others: why (at least 512 bytes) says what is wrong. */
enum result trial_new(const struct trial_config *config, struct trial **out, char *why, size_t why_size) MUST_CHECK;
/* A whole HTTP request with "connection: close", from that address, over a connection of its own; the bytes of its answer are
 * appended. Whoever waits for an answer lets time pass, at most TRIAL_ANSWER_MS. ERR_LIMIT: none came by then; ERR_IO. */
enum { TRIAL_ANSWER_MS = 60000 };
enum result trial_feed(struct trial *trial, struct slice request, const char *remote_ip, struct buf *answer) MUST_CHECK;
/* Lets time pass; whatever falls due happens at its moment. ERR_LIMIT: something falls due again and again, and time stands. */
enum result trial_pass(struct trial *trial, uint64_t ms) MUST_CHECK;
/* Appends JSON of admin/render.h: the newest events (at most 500), or one of them. ERR_NOT_FOUND. */
enum result trial_list(struct trial *trial, struct buf *out) MUST_CHECK;
enum result trial_show(struct trial *trial, struct uuid id, struct buf *out) MUST_CHECK;
void trial_free(struct trial *trial);

#endif
