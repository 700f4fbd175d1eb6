#include "store/dedupe.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/inside.h"

enum { SHARDS = DEDUPE_SLICES / 2, BUCKETS_FIRST = 64, KEY_BYTES = 16 };

struct entry {
    struct entry *next; /* in its bucket */
    uint8_t hash[16];
    uint64_t until_ms;
    struct uuid winner;
    struct dedupe_wait *waiters; /* while claimed */
    uint32_t duplicates;         /* not written yet */
    bool committed;
};

struct shard {
    pthread_mutex_t lock;   /* guards all below */
    struct entry **buckets; /* owned */
    size_t bucket_count, count;
    bool has_duplicates;
};

struct dedupe_set {
    uint8_t key[KEY_BYTES];
    EVP_MAC_CTX *keyed; /* owned; what each hash begins as: once made it is only copied, by any thread */
    struct shard shards[SHARDS];
    size_t next_shard; /* where dedupe_take_duplicates goes on; writer thread */
};

/* ---- keys ---- */

struct dedupe_key dedupe_key_make(const struct store *store, struct slice route, char kind, struct slice text, uint64_t until_ms)
{
    struct dedupe_key key = { .until_ms = until_ms };
    size_t out_len = 0;
    char separator[2] = { '\0', kind };
    EVP_MAC_CTX *context = EVP_MAC_CTX_dup(store->dedupe->keyed);
    if (!context || !EVP_MAC_update(context, (const unsigned char *)route.data, route.len) ||
        !EVP_MAC_update(context, (const unsigned char *)separator, sizeof(separator)) ||
        !EVP_MAC_update(context, (const unsigned char *)text.data, text.len) ||
        !EVP_MAC_final(context, key.hash, &out_len, sizeof(key.hash)))
        abort(); /* a fixed algorithm with a fixed key: only a broken OpenSSL gets here */
    EVP_MAC_CTX_free(context);
    return key;
}

/* Finding the algorithm by its name takes longer than a hash. */
static void prepare_hash(struct dedupe_set *set)
{
    size_t size = sizeof(((struct dedupe_key *)NULL)->hash);
    OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    set->keyed = EVP_MAC_CTX_new(mac);
    if (!set->keyed || !EVP_MAC_init(set->keyed, set->key, KEY_BYTES, params))
        abort();
    EVP_MAC_free(mac); /* the context has a reference of its own */
}

static unsigned slice_of_hash(const uint8_t hash[16])
{
    return hash[0] / (256 / DEDUPE_SLICES);
}

/* Two slices, so that all of one are behind one lock. */
static struct shard *shard_of(const struct store *store, const uint8_t hash[16])
{
    return &store->dedupe->shards[slice_of_hash(hash) / 2];
}

static struct entry **bucket_of(struct shard *shard, const uint8_t hash[16])
{
    uint64_t number;
    memcpy(&number, hash + 8, sizeof(number));
    return &shard->buckets[number % shard->bucket_count];
}

static struct entry **find(struct shard *shard, const uint8_t hash[16])
{
    struct entry **place = bucket_of(shard, hash);
    while (*place && memcmp((*place)->hash, hash, sizeof((*place)->hash)) != 0)
        place = &(*place)->next;
    return place;
}

static void grow(struct shard *shard)
{
    struct shard bigger = { .bucket_count = shard->bucket_count * 2 };
    bigger.buckets = mem_new(bigger.bucket_count * sizeof(*bigger.buckets));
    for (size_t i = 0; i < shard->bucket_count; i++) {
        for (struct entry *entry = shard->buckets[i], *next; entry; entry = next) {
            struct entry **place = bucket_of(&bigger, entry->hash);
            next = entry->next;
            entry->next = *place;
            *place = entry;
        }
    }
    mem_free(shard->buckets);
    shard->buckets = bigger.buckets;
    shard->bucket_count = bigger.bucket_count;
}

static struct entry *add(struct shard *shard, const struct dedupe_key *key, struct uuid id)
{
    if (shard->count >= shard->bucket_count)
        grow(shard);
    struct entry **place = bucket_of(shard, key->hash);
    struct entry *entry = MEM_NEW(struct entry);
    memcpy(entry->hash, key->hash, sizeof(entry->hash));
    entry->until_ms = key->until_ms;
    entry->winner = id;
    entry->next = *place;
    *place = entry;
    shard->count++;
    return entry;
}

static void drop(struct shard *shard, struct entry **place)
{
    struct entry *entry = *place;
    *place = entry->next;
    mem_free(entry);
    shard->count--;
}

/* Outside the lock: a waiter may claim at once. */
static void tell(struct dedupe_wait *waiters, struct uuid winner)
{
    while (waiters) {
        struct dedupe_wait *next = waiters->next;
        waiters->on_settled(waiters, winner);
        waiters = next;
    }
}

/* ---- claims ---- */

static enum claim claim_taken(struct shard *shard, struct entry *entry, struct dedupe_wait *wait, struct uuid *winner)
{
    if (entry->committed) {
        entry->duplicates++;
        shard->has_duplicates = true;
        *winner = entry->winner;
        return CLAIM_DUPLICATE;
    }
    wait->next = entry->waiters;
    entry->waiters = wait;
    return CLAIM_WAIT;
}

enum claim dedupe_claim(struct store *store, const struct dedupe_key *key, struct uuid id, uint64_t now_ms,
                        struct dedupe_wait *wait, struct uuid *winner)
{
    struct shard *shard = shard_of(store, key->hash);
    enum claim claim = CLAIM_NEW;
    pthread_mutex_lock(&shard->lock);
    struct entry **place = find(shard, key->hash);
    if (*place && (*place)->committed && (*place)->until_ms <= now_ms)
        drop(shard, place), place = find(shard, key->hash);
    if (*place)
        claim = claim_taken(shard, *place, wait, winner);
    else
        (void)add(shard, key, id);
    pthread_mutex_unlock(&shard->lock);
    return claim;
}

bool dedupe_unwait(struct store *store, const struct dedupe_key *key, struct dedupe_wait *wait)
{
    struct shard *shard = shard_of(store, key->hash);
    bool removed = false;
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = *find(shard, key->hash);
    for (struct dedupe_wait **place = entry ? &entry->waiters : NULL; place && *place; place = &(*place)->next) {
        if (*place == wait) {
            *place = wait->next;
            removed = true;
            break;
        }
    }
    pthread_mutex_unlock(&shard->lock);
    return removed;
}

void dedupe_release(struct store *store, const struct dedupe_key *key)
{
    struct shard *shard = shard_of(store, key->hash);
    struct dedupe_wait *waiters = NULL;
    pthread_mutex_lock(&shard->lock);
    struct entry **place = find(shard, key->hash);
    if (*place) {
        waiters = (*place)->waiters;
        drop(shard, place);
    }
    pthread_mutex_unlock(&shard->lock);
    tell(waiters, (struct uuid){ { 0 } });
}

/* old: the row that was found; NULL: the claim's own. */
static void settle(struct store *store, const struct dedupe_key *key, const struct aged_key *old)
{
    struct shard *shard = shard_of(store, key->hash);
    struct dedupe_wait *waiters = NULL;
    struct uuid first = { { 0 } };
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = *find(shard, key->hash);
    if (entry) {
        entry->committed = true;
        if (old) {
            entry->winner = old->winner;
            entry->until_ms = old->until_ms;
        }
        first = entry->winner;
        waiters = entry->waiters;
        entry->waiters = NULL;
        for (struct dedupe_wait *wait = waiters; wait; wait = wait->next)
            entry->duplicates++;
        shard->has_duplicates |= entry->duplicates > 0;
    }
    pthread_mutex_unlock(&shard->lock);
    tell(waiters, first);
}

void dedupe_commit(struct store *store, const struct dedupe_key *key)
{
    settle(store, key, NULL);
}

void dedupe_found(struct store *store, const struct dedupe_key *key, struct uuid winner, uint64_t until_ms)
{
    struct aged_key old = { .winner = winner, .until_ms = until_ms };
    settle(store, key, &old);
}

size_t dedupe_count(const struct store *store)
{
    size_t count = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &store->dedupe->shards[i];
        pthread_mutex_lock(&shard->lock);
        count += shard->count;
        pthread_mutex_unlock(&shard->lock);
    }
    return count;
}

/* ---- growing old ---- */

bool dedupe_may_be_old(const struct store *store, const uint8_t hash[16])
{
    return store->has_old_keys && sieve_may_hold(store->old_keys[slice_of_hash(hash)], hash);
}

static bool is_aged(const struct entry *entry, struct uuid cut, uint64_t now_ms)
{
    return entry->committed && (entry->until_ms <= now_ms || memcmp(entry->winner.bytes, cut.bytes, sizeof(cut.bytes)) < 0);
}

size_t dedupe_aged(const struct store *store, unsigned slice, struct uuid cut, uint64_t now_ms, struct aged_key **out)
{
    struct shard *shard = &store->dedupe->shards[slice / 2];
    size_t count = 0;
    pthread_mutex_lock(&shard->lock);
    struct aged_key *keys = mem_new((shard->count + 1) * sizeof(*keys));
    for (size_t i = 0; i < shard->bucket_count; i++) {
        for (const struct entry *entry = shard->buckets[i]; entry; entry = entry->next) {
            if (slice_of_hash(entry->hash) != slice || !is_aged(entry, cut, now_ms))
                continue;
            keys[count] = (struct aged_key){ .until_ms = entry->until_ms, .winner = entry->winner };
            memcpy(keys[count++].hash, entry->hash, sizeof(entry->hash));
        }
    }
    pthread_mutex_unlock(&shard->lock);
    *out = keys;
    return count;
}

void dedupe_drop_aged(struct store *store, unsigned slice, const struct aged_key *keys, size_t count, bool counted)
{
    struct shard *shard = &store->dedupe->shards[slice / 2];
    pthread_mutex_lock(&shard->lock);
    for (size_t i = 0; i < count; i++) {
        struct entry **place = find(shard, keys[i].hash);
        if (*place && (*place)->committed && (!counted || (*place)->duplicates == 0))
            drop(shard, place);
    }
    pthread_mutex_unlock(&shard->lock);
}

/* ---- duplicates ---- */

static size_t take_from(struct shard *shard, struct duplicate *out, size_t room)
{
    size_t taken = 0;
    for (size_t i = 0; i < shard->bucket_count; i++) {
        for (struct entry *entry = shard->buckets[i]; entry; entry = entry->next) {
            if (entry->duplicates == 0)
                continue;
            if (taken == room)
                return taken;
            out[taken++] = (struct duplicate){ entry->winner, entry->duplicates };
            entry->duplicates = 0;
        }
    }
    shard->has_duplicates = false;
    return taken;
}

size_t dedupe_take_duplicates(struct store *store, struct duplicate *out, size_t room)
{
    struct dedupe_set *set = store->dedupe;
    size_t taken = 0;
    for (size_t i = 0; i < SHARDS && taken < room; i++) {
        struct shard *shard = &set->shards[set->next_shard++ % SHARDS];
        pthread_mutex_lock(&shard->lock);
        if (shard->has_duplicates)
            taken += take_from(shard, out + taken, room - taken);
        pthread_mutex_unlock(&shard->lock);
    }
    return taken;
}

/* ---- life ---- */

/* The key that makes hashes unguessable is the store's own: what was written stays findable. */
static enum result load_key(struct store *store)
{
    sqlite3_stmt *query = NULL, *insert = NULL;
    enum result rc = db_prepare(store->write_db, "SELECT value FROM meta WHERE name = 'dedupe_key'", &query);
    if (rc == OK && db_row(query, &rc) && db_slice(query, 0).len == KEY_BYTES) {
        memcpy(store->dedupe->key, db_slice(query, 0).data, KEY_BYTES);
    } else if (rc == OK) {
        if (RAND_bytes(store->dedupe->key, KEY_BYTES) != 1)
            abort();
        rc = db_prepare(store->write_db, "INSERT OR REPLACE INTO meta (name, value) VALUES ('dedupe_key', ?1)", &insert);
        if (rc == OK) {
            sqlite3_bind_blob(insert, 1, store->dedupe->key, KEY_BYTES, SQLITE_STATIC);
            rc = db_step(insert);
        }
    }
    sqlite3_finalize(query);
    sqlite3_finalize(insert);
    return rc;
}

static enum result load_recent(struct store *store)
{
    sqlite3_stmt *query = NULL;
    enum result rc =
        db_prepare(store->write_db, "SELECT hash, until, id FROM dedupe_recent WHERE until > ?1 ORDER BY seq", &query);
    if (rc == OK)
        sqlite3_bind_int64(query, 1, (sqlite3_int64)clock_wall_ms());
    while (rc == OK && db_row(query, &rc)) {
        struct dedupe_key key = { .until_ms = (uint64_t)sqlite3_column_int64(query, 1) };
        struct slice hash = db_slice(query, 0);
        if (hash.len != sizeof(key.hash))
            continue;
        memcpy(key.hash, hash.data, hash.len);
        struct shard *shard = shard_of(store, key.hash);
        if (!*find(shard, key.hash))
            add(shard, &key, db_id(query, 2))->committed = true;
    }
    sqlite3_finalize(query);
    return rc;
}

enum result dedupe_open(struct store *store)
{
    struct dedupe_set *set = MEM_NEW(struct dedupe_set);
    store->dedupe = set;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&set->shards[i].lock, NULL);
        set->shards[i].bucket_count = BUCKETS_FIRST;
        set->shards[i].buckets = mem_new(BUCKETS_FIRST * sizeof(struct entry *));
    }
    enum result rc = load_key(store);
    if (rc != OK)
        return rc;
    prepare_hash(set);
    return load_recent(store);
}

void dedupe_close(struct store *store)
{
    struct dedupe_set *set = store->dedupe;
    if (!set)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &set->shards[i];
        for (size_t j = 0; j < shard->bucket_count; j++)
            while (shard->buckets[j])
                drop(shard, &shard->buckets[j]);
        mem_free(shard->buckets);
        pthread_mutex_destroy(&shard->lock);
    }
    EVP_MAC_CTX_free(set->keyed);
    mem_free(set);
    store->dedupe = NULL;
}
