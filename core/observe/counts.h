/* counts.h: what happened to requests and what handlers have cost, counted per route and reason, what became of messages, per
 * target, and the last refusals of each route (design.md, promise 4). One struct per worker, written by its thread; other threads
 * get a copy, made on that thread. */
#ifndef TIDEWIRE_COUNTS_H
#define TIDEWIRE_COUNTS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"
#include "model/attempt.h"
#include "model/delivery.h"
#include "model/generation.h"
#include "model/metric.h"
#include "model/outcome.h"
#include "model/target_now.h"

/* Every way a request can end that is not "stored": names as in tidewire_events_refused_total (interface.md 4.1). */
enum refusal {
    REFUSED_NO_ROUTE,
    REFUSED_METHOD,
    REFUSED_ADDRESS,
    REFUSED_RATE,
    REFUSED_SIZE,
    REFUSED_SIGNATURE,
    REFUSED_STALE,
    REFUSED_AWAY, /* the certificate or key set to verify it with could not be fetched */
    REFUSED_CONTENT,
    REFUSED_SCHEMA,
    REFUSED_STORE_FULL,
    REFUSED_DRAINING,
    REFUSED_NO_SECRET,
    REFUSED_HTTP, /* unparsable, too slow, too large a head */
    REFUSAL_KINDS,
};

enum { REFUSALS_KEPT = 100, COUNTS_ROUTES_MAX = 500 /* as NAME_TABLE_MAX */ };

struct counts;
struct counts *counts_new(void);
void counts_free(struct counts *counts);

/* route: "" when no route matched. Logs the first of a reason and route in each minute, and how many were folded since. */
void counts_refused(struct counts *counts, struct slice route, enum refusal reason, uint16_t status, struct slice remote_ip,
                    struct slice detail, uint64_t now_ms);
void counts_ignored(struct counts *counts, struct slice route);
void counts_duplicate(struct counts *counts, struct slice route);
void counts_handshake(struct counts *counts, struct slice route);
uint64_t counts_handshakes(struct counts *counts, struct slice route); /* how many there were */
void counts_accepted(struct counts *counts, struct slice route);
/* A run of the route's handler has ended: what it cost, and how. */
void counts_run(struct counts *counts, struct slice route, const struct run_cost *cost, enum run_reason reason);
/* A handler of the route has asked another server: how long it waited, and ATTEMPT_ANSWERED or why there was no answer. */
void counts_lookup(struct counts *counts, struct slice route, uint32_t took_ms, enum attempt_error error);
/* An attempt has ended, and what the delivery is now; delay_ms: how long it has waited since it could go. */
void counts_attempt(struct counts *counts, struct slice target, const struct attempt *attempt, enum delivery_state state,
                    uint64_t delay_ms);
/* How a target stands now, in one worker: into a copy, for it is no count. */
void counts_target_now(struct counts *counts, const struct target_now *now);
/* metric.* of a rule. ERR_INVALID: the name stands for another kind. ERR_FULL: not noted, logged once. */
enum result counts_metric(struct counts *counts, const struct metric_note *note, uint64_t now_ms) MUST_CHECK;
/* All routes and targets of new rules are there from now on, with zeros. */
void counts_know(struct counts *counts, const struct generation *generation);
/* Once a minute: the folded numbers that were not logged yet. */
void counts_flush(struct counts *counts, uint64_t now_ms);
const char *refusal_name(enum refusal reason);
/* [{"route":…,"accepted":…,"ignored":…,"duplicates":…,"handshakes":…,"refused":{…},"handler":{…},"last_refused":[…]}] */
void counts_write_json(const struct counts *counts, struct buf *out);
/* For /metrics: the numbers of all workers added up, on the thread that has the copies. */
struct counts *counts_copy(const struct counts *counts);
void counts_add(struct counts *to, const struct counts *from);
/* Prometheus text (interface.md 4.1). */
void counts_write_metrics(const struct counts *counts, struct buf *out);

#endif
