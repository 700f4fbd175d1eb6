/* fetch.h: what a handler asks another server while it waits (http.get …), as the script hands it to whoever sends it, and the
 * record of it that stays with the event. All on the worker's thread. */
#ifndef TIDEWIRE_FETCH_H
#define TIDEWIRE_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"
#include "model/attempt.h"
#include "model/generation.h"

enum { FETCH_HEADERS_MAX = 200 /* lines of an answer that a rule sees */ };

/* Gone after on_done. */
struct fetch_answer {
    uint16_t status;          /* 0: none */
    enum attempt_error error; /* why there is none */
    const char *detail;       /* in words, never with the URL */
    struct slice head;        /* the header lines as they came, each with its line end, without the status line */
    struct slice body;
};

struct fetch {
    /* the asker's: borrowed until on_done or the cancel */
    const struct generation *generation;     /* its secrets are filled in when the request is sent */
    struct slice url, auth_user, auth_value; /* pieces of message.h */
    enum auth auth;                          /* as of a target */
    struct slice message;                    /* blob of message.h: method, query, headers, content type, body */
    uint64_t timeout_ms, max_response_bytes; /* timeout: from when it is sent; a larger answer is an error */
    bool allow_private;
    /* Called once, from the loop; not after a cancel. It may free the fetch, begin others and cancel others. */
    void (*on_done)(struct fetch *fetch, const struct fetch_answer *answer);
    void *owner;
    /* the rest is the sender's */
    struct fetch *next, *prev;
    struct fetch_host *host;
    struct fetch_sending *sending;
};

/* What stays of one, in the order they were begun. In the arena of the event, or of who reads it. */
enum { FETCH_RECORDS_MAX = 100 /* of one run */, FETCH_URL_SHOWN_MAX = 500 };
struct fetch_record {
    struct fetch_record *next;
    uint64_t at_ms;           /* wall clock, when it began */
    uint32_t took_ms;         /* as the handler has waited */
    uint16_t status;          /* 0 without an answer */
    enum attempt_error error; /* ATTEMPT_ANSWERED without a status: its run ended before it */
    struct slice method, url; /* url: the names of secrets in place of their values */
};

/* The stored form, and back: fetch_record_read takes the next one off blob; its slices point into it. ERR_INVALID: damaged. */
void fetch_record_write(const struct fetch_record *record, struct buf *out);
enum result fetch_record_read(struct slice *blob, struct fetch_record *out) MUST_CHECK;

/* Takes the next header off the lines of an answer: name and value without white space around. false: there is none. What is no
 * header line (a folded one, one without a colon) is passed over. */
bool fetch_head_next(struct slice *head, struct slice *name, struct slice *value);

#endif
