/* key_store.h: public keys that have to be fetched before a request can be verified: senders' certificates (SNS, PayPal) and key
 * sets (RFC 7517). One per worker, over all generations; an address is asked once, and again only where something is missing, at
 * most once a minute, whatever came of it. Nothing of a request that is not verified decides which host is asked: see
 * sender_url.h.
 *
 *   key_store_find --KEY_THERE--> verify
 *         '--KEY_COMES--> key_set_wait … on_ready: verify once more, which finds it there or finds why not
 *
 * At most KEY_SETS_MAX addresses are known. Those without a key, which anybody can make up on an allowed host, have half of the
 * places at most, and leave them after their minute first: no more than KEY_SETS_EMPTY_MAX of them are asked in a minute. */
#ifndef TIDEWIRE_KEY_STORE_H
#define TIDEWIRE_KEY_STORE_H

#include "ingest/keys.h"
#include "model/get.h"

struct key_store;
struct key_set;

enum {
    KEY_SETS_MAX = 64,
    KEY_SETS_EMPTY_MAX = 32,
    KEYS_OF_SET_MAX = 32,
    KID_MAX = 128,             /* bytes of a key's name */
    KEY_ASK_AGAIN_MS = 60000,  /* after the last time */
    KEY_SET_FRESH_MS = 3600000 /* older key sets are asked for in passing: a key that is gone there is not believed for ever */
};

struct key_store_config {
    /* false: it cannot be asked now; on_done then never comes. Wired to deliver/getter.h. */
    bool (*get)(void *arg, struct get *get);
    void *arg;
    uint64_t (*clock_ms)(void); /* the engine's clock */
    const char *ca_file;        /* authorities in PEM, for tests; NULL: the system's */
};

struct key_query {
    struct slice url;
    struct slice kid; /* of a key set; data NULL: the URL is that of a certificate */
    enum public_key_kind kind;
    struct slice name_end; /* of a certificate: "" or the end of its common name, and its chain is checked too */
    uint64_t now_ms;       /* wall clock */
};

enum key_found {
    KEY_THERE,
    KEY_COMES,   /* *set: what to wait for */
    KEY_REFUSED, /* what came is no such certificate or key set, or has no such key */
    KEY_AWAY,    /* nothing came, or nothing can be asked now */
};

struct key_store *key_store_new(const struct key_store_config *config);
/* Nobody waits and nothing is under way. */
void key_store_free(struct key_store *store);
/* *key: borrowed for the call. *set: until the loop comes round. */
enum key_found key_store_find(struct key_store *store, const struct key_query *query, EVP_PKEY **key, struct key_set **set);

/* The waiter's; nothing of it is kept after on_ready or key_wait_end. */
struct key_wait {
    void (*on_ready)(struct key_wait *wait); /* once, from the loop */
    struct key_wait *next, *prev;            /* the store's; next NULL: it waits for nothing */
};
void key_set_wait(struct key_set *set, struct key_wait *wait);
/* Without on_ready; nothing where it does not wait. */
void key_wait_end(struct key_wait *wait);

#endif
