/* generation.h: one set of rule files, read at one moment, and all that they say as data. Built once by the main thread,
 * immutable after, counted, shared by all workers. The functions of the rules live in each worker's own Lua state and are
 * found there by the index of their route or target. */
#ifndef TIDEWIRE_GENERATION_H
#define TIDEWIRE_GENERATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"
#include "base/slice.h"
#include "json/schema.h"
#include "model/cron.h"
#include "model/event.h"
#include "model/response.h"
#include "model/signing.h"
#include "model/verification.h"

/* ---- conditions of `when` ---- */

enum match_kind { MATCH_TEXT, MATCH_PATTERN /* with '*' */, MATCH_NUMBER, MATCH_BOOL, MATCH_NULL };
struct match {
    enum match_kind kind;
    struct slice text; /* MATCH_TEXT, MATCH_PATTERN; for MATCH_NUMBER the digits as written */
    double number;
    bool truth;
};
struct condition {
    struct slice path;       /* of lookup.h, from the event: "type", "body.ref" */
    const struct match *any; /* one of them holds */
    size_t any_count;
};

/* ---- what one run may use (interface.md 2.1, `limits`) ---- */

struct limits {
    uint64_t handler_cpu_ms;  /* processor time of one run, between its start and its end */
    uint64_t handler_time_ms; /* wall time of one run, waiting included */
    uint64_t handler_memory;  /* bytes that one run may add */
    uint64_t state_memory;    /* bytes of a whole Lua state */
};
#define LIMITS_DEFAULT ((struct limits){ 200, 30000, 64 << 20, 256 << 20 })

/* ---- routes ---- */

enum ack { ACK_STORED, ACK_RECEIVED, ACK_HANDLED, ACK_DELIVERED };
enum content {
    CONTENT_BY_TYPE,
    CONTENT_JSON,
    CONTENT_FORM,
    CONTENT_MULTIPART,
    CONTENT_XML,
    CONTENT_NDJSON,
    CONTENT_TEXT,
    CONTENT_RAW
};
enum dedupe_by { DEDUPE_NONE, DEDUPE_PATH, DEDUPE_FUNCTION };

struct retry_policy {
    uint32_t attempts;                    /* 0: not bounded by a number */
    uint64_t first_ms, max_ms, within_ms; /* within_ms 0: not bounded by time */
    double factor;
    const uint16_t *on; /* statuses that count as "try again"; NULL: the default list of rules.md */
    size_t on_count;
};

/* Where a text of an event is: the values at its paths, joined; or `says`, where the first of them leads somewhere, and to `is`
 * if that is not "". */
struct spot {
    const struct slice *paths; /* of lookup.h: "headers.x-github-event", "body.type" */
    size_t path_count;
    struct slice is, says;   /* says "" : the values */
    struct slice of, not_of; /* it counts where the Content-Type begins with `of`, and not with `not_of`; "": anywhere */
};
/* The first spot that has something counts. */
struct spots {
    const struct spot *list;
    size_t count; /* 0: there is none */
};

/* How a sender asks whether we are there, and what it is told: never an event (ingest/handshake.h). */
enum handshake_answer {
    HANDSHAKE_FIXED,   /* the reply */
    HANDSHAKE_ECHO,    /* the value, as text */
    HANDSHAKE_JSON,    /* the value, as the member `name` */
    HANDSHAKE_HMAC,    /* the value and its HMAC-SHA256 under the route's secret (Zoom) */
    HANDSHAKE_SHOW,    /* the value is the route's secret, which is not set yet: shown to the operator (Notion) */
    HANDSHAKE_ORIGINS, /* the origin is allowed, if it is one of the list (CloudEvents) */
    HANDSHAKE_ASK,     /* the reply, and the value is an address of the sender that is to be asked (SNS) */
};
struct handshake {
    enum handshake_answer answer;
    struct slice method; /* of a request that nothing signs: "GET"; "" : a verified one */
    const struct condition *when;
    size_t when_count;
    struct slice value_path; /* what is answered */
    struct slice name;
    struct slice token_path; /* "" or what has to equal one of token_secrets */
    const struct slice *token_secrets;
    size_t token_secret_count;
    const struct slice *origins; /* host names; "*" is any */
    size_t origin_count;
    struct response reply;
};

/* An address and how many of its leading bits count. v4 addresses stand as ::ffff:a.b.c.d with 96 more bits. */
struct cidr {
    uint8_t address[16];
    uint8_t bits;
};

/* A bound on requests of a route, of all workers together: when the next one would be on time (ingest/gate.h). */
struct gate {
    double per_second, burst; /* 0: no bound */
    atomic_uint_least64_t next_ns;
};

/* What an event of it is: a request, or a run of a task, whose `handle` gets the body, or a group
 * of a batch, whose `flush` gets it with the type. */
enum route_kind { ROUTE_REQUEST, ROUTE_TASK, ROUTE_BATCH };

struct route {
    enum route_kind kind;
    uint32_t index;    /* its place in generation.routes */
    struct slice path; /* "/github/:org"; "task:nudge" */
    struct slice file; /* "rules/github.lua", relative to the folder of `run` */
    uint32_t line;
    bool enabled;
    const struct slice *methods;
    size_t method_count;
    struct slice allow; /* the value of the Allow header */
    uint64_t max_body_bytes;
    enum content content;
    struct verify verify;
    struct slice provider; /* "" */
    struct spots type;     /* where event.type is */
    struct spots time;     /* where event.time is, as RFC 3339 has it; before a time that the scheme signs */
    const struct handshake *handshakes;
    size_t handshake_count;
    bool form_payload;      /* a form with the one field `payload` holds JSON (GitHub, Slack) */
    struct slice each_path; /* of the list whose items are events each: "body", "body.events"; "": the request is one event */
    struct slice each_of;   /* only where the Content-Type begins so; "": anywhere */
    const struct cidr *ip_allow;
    size_t ip_allow_count; /* 0: any */
    struct slice host;     /* "": any; else in lower case, without port */
    struct gate *gate;     /* NULL: no rate; shared by all workers, so the one thing here that changes */
    struct schema *schema; /* owned; NULL: none */
    struct slice schema_text;
    struct slice redact; /* paths, a line each; "": none */
    const struct condition *when;
    size_t when_count;
    bool when_function;
    enum dedupe_by dedupe;
    struct spots dedupe_spots;
    struct slice dedupe_path; /* its paths, for people */
    bool dedupe_required;     /* a profile that demands an id refuses without one */
    uint64_t dedupe_within_ms;
    bool dedupe_signature;   /* the scheme signs no time: an equal signature is a duplicate too (providers.md) */
    bool on_error, on_dead;  /* it has such functions */
    struct slice order_path; /* events with an equal text there are handled in order; "": no such path */
    bool order_function;     /* the same by a function */
    enum ack ack;
    uint64_t ack_within_ms; /* how long a sender waits for the handler, or for deliveries; then it gets `reply` */
    bool keep;              /* false: bodies are not kept once delivered */
    uint64_t keep_ms;
    struct response reply;
    struct retry_policy retry;
    struct limits limits; /* its own, or the generation's */
};

/* ---- tasks ---- */

/* A run of it is an event of its route, which no request can reach: tries, limits, what is shown of it and its replay are those
 * of any event. */
struct task {
    struct route route;
    struct slice schedule; /* "every 300000", "cron 0 9 * * 1-5 Europe/Berlin"; "" : it has no clock */
    uint64_t every_ms;     /* at its multiples from 1970 on; 0: by cron */
    struct cron cron;
    struct zone zone;
};

/* ---- targets ---- */

enum auth { AUTH_NONE, AUTH_BEARER, AUTH_BASIC, AUTH_OAUTH2 /* client credentials, RFC 6749, 4.4 */ };
enum { SUCCESS_RANGES_MAX = 16 };

/* What a target must show in TLS, and what is shown to it. All PEM. */
struct target_tls {
    struct slice ca;        /* the authorities, in place of the system's; data NULL: those */
    struct slice cert, key; /* ours, with those between it and its authority; data NULL: none */
    bool only_1_3;          /* else 1.2 too */
    const char *pins;       /* "sha256//…;sha256//…": the target has one of these keys; NULL: any */
    unsigned char id[32];   /* SHA-256: equal where all of the above is */
};

/* Text of a setting that may hold secrets: pieces as in message.h. */
struct target {
    uint32_t index;
    struct slice name;
    struct slice file;
    uint32_t line;
    struct slice url; /* pieces */
    struct slice method;
    const struct pair *headers; /* value: pieces */
    size_t header_count;
    enum auth auth;
    struct slice auth_user;  /* pieces; AUTH_BASIC; AUTH_OAUTH2: the client's id, as in a form */
    struct slice auth_value; /* pieces; the token, the password, or the client's secret, as in a form */
    struct slice token_url;  /* pieces; AUTH_OAUTH2 */
    struct slice scope;      /* AUTH_OAUTH2; "": none */
    struct signing *signing; /* NULL: not signed */
    uint64_t timeout_ms, connect_timeout_ms;
    struct retry_policy retry;
    bool retry_off; /* retry = false: one try */
    struct {
        uint16_t from, to;
    } success[SUCCESS_RANGES_MAX]; /* inclusive */
    size_t success_count;
    bool success_function;
    uint32_t concurrency;
    uint32_t breaker_after; /* failures in a row; 0: it has no breaker */
    uint64_t breaker_probe_ms;
    double rate_per_s; /* 0: none */
    double rate_burst;
    const struct target_tls *tls; /* NULL: the system's authorities, 1.2 or newer */
    bool allow_private;
    uint32_t redirects; /* how many are followed */
    uint64_t max_response_bytes;
    bool records; /* a secret it needs is not set: it records its messages and sends nothing */
};

/* ---- the whole ---- */

struct rule_file {
    struct slice name;   /* "rules/github.lua" as shown in messages */
    struct slice module; /* "lib.targets", "providers.acme" for files of those folders, "" for rule files */
    struct slice text;
};

struct secret {
    struct slice name;
    struct slice value; /* data NULL: not set. Never logged, stored or shown */
};

/* Places of names in a list, by hash; slots NULL: not made, the list is searched. */
struct name_index {
    uint32_t *slots; /* place + 1; 0: free */
    size_t mask;     /* their number - 1: a power of two, at least twice the names */
};

/* For tests of rules: a pair that stands in for a secret (script/stand_in_keys.h). */
struct stand_in_key {
    struct stand_in_key *next;
    struct slice secret; /* its value; "" of a sender */
    int kind;            /* EVP_PKEY_ED25519, EVP_PKEY_EC; of a sender EVP_PKEY_RSA */
    struct slice private_pem, public_pem;
};

struct generation {
    atomic_uint refs;
    uint32_t number; /* counted from 1 by the running server */
    char hash[65];   /* SHA-256 of names and bytes, hex */
    uint64_t loaded_ms;
    bool production;
    struct limits limits; /* of tidewire.lua, or the defaults */
    const struct rule_file *files;
    size_t file_count;
    const struct route *routes; /* sorted as they are matched: see ingest/router.h */
    size_t route_count;
    const struct task *tasks;
    size_t task_count;
    const struct route *batches; /* as of tasks: "batch:signups" */
    size_t batch_count;
    const struct target *targets;
    size_t target_count;
    const struct secret *secrets;
    size_t secret_count;
    const struct pair *settings; /* what `env` gave: the values of the load */
    size_t setting_count;
    const struct cidr *trusted_proxies; /* of tidewire.lua */
    size_t trusted_proxy_count;
    struct name_index route_index, target_index;
    bool stands_in;                     /* what is not set has a stand-in: one thread has this generation to itself */
    struct stand_in_key *stand_in_keys; /* those that were asked for */
    struct arena arena;                 /* owned: all of the above */
};

/* Makes the indexes of routes and targets, which are complete. */
enum result generation_index(struct generation *generation) MUST_CHECK;

struct generation *generation_ref(struct generation *generation);
void generation_unref(struct generation *generation);                                           /* secrets are wiped */
const struct target *generation_target(const struct generation *generation, struct slice name); /* NULL: there is none */
/* Number i of the routes that no request can reach: those of tasks, then of batches; NULL: there are not so many. */
const struct route *generation_inner_route(const struct generation *generation, size_t i);
/* Of a request, a task, or a batch. */
const struct route *generation_route(const struct generation *generation, struct slice path);
/* A secret_resolve of message.h; arg is a const struct generation. */
bool generation_secret(void *generation, struct slice name, struct slice *value);

#endif
