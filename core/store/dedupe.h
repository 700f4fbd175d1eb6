/* dedupe.h: the keys of the idempotency window: one sharded set in memory, shared by the workers, backed by two tables.
 *
 *   free --claim--> CLAIMED --commit--> COMMITTED --until passes--> free
 *                      '---release (failed, refused, given up)---> free
 *
 * A second request with a claimed key waits for the first one's commit. */
#ifndef TIDEWIRE_DEDUPE_H
#define TIDEWIRE_DEDUPE_H

#include <stdint.h>

#include "base/result.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "store/store.h"

enum { DEDUPE_RECENT_MAX = 1000000 };

/* Somebody who waits for a claim; in the waiter's own memory until on_settled. */
struct dedupe_wait {
    struct dedupe_wait *next;
    /* On the thread that settled the claim: may only hand over. winner nil: the key is free again, claim anew. */
    void (*on_settled)(struct dedupe_wait *wait, struct uuid winner);
    void *owner;
};

enum claim { CLAIM_NEW, CLAIM_WAIT, CLAIM_DUPLICATE };

/* The key of (route, kind, text): SipHash-128 or EVP_MAC under the store's own random key. kind: 'k' a key, 's' a signature, 'o'
 * an order. Any thread. */
struct dedupe_key dedupe_key_make(const struct store *store, struct slice route, char kind, struct slice text, uint64_t until_ms);
/* CLAIM_NEW: the caller must submit a store_accept with this key, or release it. CLAIM_WAIT: wait is queued (see dedupe_unwait).
 * CLAIM_DUPLICATE: *winner is the first event; its duplicates count was raised. id: the claimer's event. Any thread. */
enum claim dedupe_claim(struct store *store, const struct dedupe_key *key, struct uuid id, uint64_t now_ms,
                        struct dedupe_wait *wait, struct uuid *winner);
/* Takes a waiter back (its client went, or its time is over). true: it will not be called; false: it was called already or is
 * being called. */
bool dedupe_unwait(struct store *store, const struct dedupe_key *key, struct dedupe_wait *wait);
/* A claim is on disk: from now on whoever has the key is a duplicate. Any thread. The writer says so of what is submitted with
 * KEYS_CLAIM. */
void dedupe_commit(struct store *store, const struct dedupe_key *key);
/* Nothing was submitted for a claim, or its event has given it up. The writer settles the others by itself. Any thread. */
void dedupe_release(struct store *store, const struct dedupe_key *key);

#endif
