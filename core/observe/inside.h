/* inside.h: the fields of struct counts, for the files of this folder. */
#ifndef TIDEWIRE_OBSERVE_INSIDE_H
#define TIDEWIRE_OBSERVE_INSIDE_H

#include "observe/counts.h"
#include "observe/histogram.h"
#include "observe/name_table.h"
#include "observe/rule_metrics.h"
#include "observe/target_counts.h"

enum { DETAIL_MAX = 160, ADDRESS_MAX = 46 };

struct refused {
    uint64_t at_ms;
    enum refusal reason;
    uint16_t status;
    char remote_ip[ADDRESS_MAX];
    char detail[DETAIL_MAX];
};

/* Of a route's handler. */
struct handler_counts {
    uint64_t runs, cpu_ns, wall_ns, memory_most;
    uint64_t slower[DURATION_BUCKETS + 1]; /* runs by the first bucket that holds their wall time; the last: longer than all */
    uint64_t ended[RUN_REASONS];           /* by reason; RUN_OK: well */
};

/* http.* in a route's handler. */
struct lookup_counts {
    uint64_t took_ms;
    uint64_t slower[LOOKUP_BUCKETS + 1];    /* as above */
    uint64_t ended[ATTEMPT_ERROR_LAST + 1]; /* by enum attempt_error; ATTEMPT_ANSWERED: with an answer of any status */
};

struct route_counts {
    const char *route; /* of names */
    uint64_t accepted, ignored, duplicates, handshakes;
    uint64_t refused[REFUSAL_KINDS];
    struct handler_counts handler;
    struct lookup_counts lookup;
    uint64_t logged_ms[REFUSAL_KINDS];
    uint32_t folded[REFUSAL_KINDS];
    struct refused *last; /* owned ring of REFUSALS_KEPT, made with the first refusal; not in copies */
    uint32_t last_count;  /* ever written: the next place is last_count % REFUSALS_KEPT */
};

struct counts {
    struct name_table names;
    struct route_counts *routes[NAME_TABLE_MAX]; /* owned, by their place in names */
    size_t count;
    struct target_counts targets;
    struct rule_metrics *of_rules; /* owned; NULL until a rule notes one */
};

#endif
