/* kv.c: the memory of values, sharded, and what a commit does to them. */
#include "store/kv.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "json/json.h"
#include "model/kv_note.h"
#include "store/inside.h"

enum { SHARDS = 64, BUCKETS_FIRST = 16 };

/* A key is known by its keyed hash of 128 bits, as in dedupe.c. */
struct entry {
    struct entry *next;          /* in its bucket */
    struct entry *older, *newer; /* by use */
    uint8_t hash[16];
    uint64_t until_ms; /* 0: for ever */
    bool absent;       /* it is known that there is none */
    size_t len;
    char value[];
};

struct shard {
    pthread_mutex_t lock;   /* guards all below */
    struct entry **buckets; /* owned */
    size_t bucket_count, count, bytes;
    struct entry *newest, *oldest;
    uint64_t changes; /* commits that touched it: what was read before one is not put here after it */
};

struct kv_memory {
    struct shard shards[SHARDS];
    size_t shard_max;
    atomic_bool whole; /* nothing is missing */
};

/* ---- entries; under the lock of their shard ---- */

static void hash_of(const struct store *store, struct slice key, uint8_t hash[16])
{
    memcpy(hash, dedupe_key_make(store, SLICE("kv"), 'v', key, 0).hash, 16);
}

static struct shard *shard_of(const struct store *store, const uint8_t hash[16])
{
    return &store->kv->shards[hash[0] % SHARDS];
}

static struct entry **bucket_of(const struct shard *shard, const uint8_t hash[16])
{
    uint64_t number;
    memcpy(&number, hash + 8, sizeof(number));
    return &shard->buckets[number % shard->bucket_count];
}

static struct entry **find(const struct shard *shard, const uint8_t hash[16])
{
    struct entry **place = bucket_of(shard, hash);
    while (*place && memcmp((*place)->hash, hash, sizeof((*place)->hash)) != 0)
        place = &(*place)->next;
    return place;
}

static void unlink_use(struct shard *shard, struct entry *entry)
{
    *(entry->older ? &entry->older->newer : &shard->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &shard->newest) = entry->older;
}

static void link_newest(struct shard *shard, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = shard->newest;
    *(shard->newest ? &shard->newest->newer : &shard->oldest) = entry;
    shard->newest = entry;
}

static size_t size_of(const struct entry *entry)
{
    return sizeof(*entry) + entry->len;
}

static void drop(struct shard *shard, struct entry **place)
{
    struct entry *entry = *place;
    *place = entry->next;
    unlink_use(shard, entry);
    shard->count--;
    shard->bytes -= size_of(entry);
    mem_free(entry);
}

static void grow(struct shard *shard)
{
    struct shard bigger = { .bucket_count = shard->bucket_count * 2 };
    bigger.buckets = mem_new(bigger.bucket_count * sizeof(*bigger.buckets));
    for (struct entry *entry = shard->oldest; entry; entry = entry->newer) {
        struct entry **place = bucket_of(&bigger, entry->hash);
        entry->next = *place;
        *place = entry;
    }
    mem_free(shard->buckets);
    shard->buckets = bigger.buckets;
    shard->bucket_count = bigger.bucket_count;
}

static void make_room(struct kv_memory *kv, struct shard *shard, size_t size)
{
    while (shard->oldest && shard->bytes + size > kv->shard_max) {
        atomic_store(&kv->whole, false);
        drop(shard, find(shard, shard->oldest->hash));
    }
}

/* value data NULL: there is none. */
static void put(struct kv_memory *kv, struct shard *shard, const uint8_t hash[16], struct slice value, uint64_t until_ms)
{
    struct entry **place = find(shard, hash);
    if (*place)
        drop(shard, place);
    if (!value.data && atomic_load(&kv->whole))
        return;
    struct entry *entry = mem_alloc(sizeof(*entry) + value.len);
    if (!entry) {
        atomic_store(&kv->whole, false);
        return;
    }
    *entry = (struct entry){ .until_ms = until_ms, .absent = !value.data, .len = value.len };
    memcpy(entry->hash, hash, sizeof(entry->hash));
    if (value.len)
        memcpy(entry->value, value.data, value.len);
    make_room(kv, shard, size_of(entry));
    if (shard->count >= shard->bucket_count)
        grow(shard);
    place = bucket_of(shard, hash);
    entry->next = *place;
    *place = entry;
    link_newest(shard, entry);
    shard->count++;
    shard->bytes += size_of(entry);
}

/* ---- reading ---- */

enum kv_look kv_look(struct store *store, struct slice key, uint64_t now_ms, struct buf *out)
{
    uint8_t hash[16];
    hash_of(store, key, hash);
    struct shard *shard = shard_of(store, hash);
    enum kv_look look = KV_ABSENT;
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = *find(shard, hash);
    if (entry) {
        unlink_use(shard, entry);
        link_newest(shard, entry);
        if (!entry->absent && (!entry->until_ms || entry->until_ms > now_ms)) {
            buf_add(out, entry->value, entry->len);
            look = KV_FOUND;
        }
    } else if (!atomic_load(&store->kv->whole)) {
        look = KV_UNKNOWN;
    }
    pthread_mutex_unlock(&shard->lock);
    return look;
}

static uint64_t changes_of(struct shard *shard)
{
    pthread_mutex_lock(&shard->lock);
    uint64_t changes = shard->changes;
    pthread_mutex_unlock(&shard->lock);
    return changes;
}

enum result kv_read(struct store *store, struct store_read_kv *read)
{
    uint8_t hash[16];
    uint64_t until_ms = 0;
    sqlite3_stmt *query = NULL;
    hash_of(store, read->key, hash);
    struct shard *shard = shard_of(store, hash);
    uint64_t changes = changes_of(shard);
    read->value = (struct slice){ NULL, 0 };
    enum result rc = db_prepare(store->read_db, KV_FIND_SQL, &query);
    if (rc == OK) {
        db_bind_text(query, 1, read->key);
        sqlite3_bind_int64(query, 2, (sqlite3_int64)clock_wall_ms());
    }
    if (rc == OK && db_row(query, &rc)) {
        until_ms = (uint64_t)sqlite3_column_int64(query, 1);
        read->value = db_copy(query, 0, &read->arena);
        rc = read->value.data ? OK : ERR_MEMORY;
    }
    sqlite3_finalize(query);
    if (rc != OK)
        return rc;
    pthread_mutex_lock(&shard->lock);
    if (shard->changes == changes)
        put(store->kv, shard, hash, read->value, until_ms);
    pthread_mutex_unlock(&shard->lock);
    return OK;
}

/* ---- a commit; writer thread ---- */

/* What is committed under the note's key; *out is borrowed until the statement is reset. */
static enum result committed(struct store *store, const struct kv_note *note, struct slice *out, uint64_t *until_ms)
{
    sqlite3_stmt *find = store->statements[FIND_KV];
    enum result rc = OK;
    *out = (struct slice){ NULL, 0 };
    db_bind_text(find, 1, note->key);
    sqlite3_bind_int64(find, 2, (sqlite3_int64)clock_wall_ms());
    if (db_row(find, &rc)) {
        *out = db_slice(find, 0);
        *until_ms = (uint64_t)sqlite3_column_int64(find, 1);
    }
    return rc;
}

/* As it was stored by encode_json; nothing there is 0. */
static bool number_of(struct slice value, double *number)
{
    char text[KV_NUMBER_SIZE], *end;
    *number = 0;
    if (!value.data)
        return true;
    if (value.len == 0 || value.len >= sizeof(text))
        return false;
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    *number = strtod(text, &end);
    return *end == '\0' && value.data[0] != '"';
}

static bool holds(const struct kv_note *note, struct slice value)
{
    double number;
    if (note->effect == KV_ADD_UP && !number_of(value, &number))
        return false;
    switch (note->only_if) {
    case KV_IS_ABSENT:
        return !value.data;
    case KV_IS:
        return value.data && slice_eq(value, note->expected);
    default:
        return true;
    }
}

enum result kv_check(struct store *store, const struct kv_note *notes)
{
    for (const struct kv_note *note = notes; note; note = note->next) {
        struct slice value;
        uint64_t until_ms;
        if (note->only_if == KV_ALWAYS && note->effect != KV_ADD_UP)
            continue;
        enum result rc = committed(store, note, &value, &until_ms);
        bool fits = rc == OK && holds(note, value);
        sqlite3_reset(store->statements[FIND_KV]);
        if (rc != OK || !fits)
            return rc == OK ? ERR_STALE : rc;
    }
    return OK;
}

static enum result add_up(struct store *store, struct kv_note *note)
{
    struct buf text;
    struct slice value;
    uint64_t until_ms = note->until_ms;
    double number = 0;
    enum result rc = committed(store, note, &value, &until_ms);
    if (rc == OK)
        (void)number_of(value, &number); /* kv_check has seen it */
    sqlite3_reset(store->statements[FIND_KV]);
    note->until_ms = until_ms;
    buf_init(&text, sizeof(note->sum));
    json_write_number(&text, number + note->by);
    memcpy(note->sum, text.data, text.len);
    note->value = slice_make(note->sum, text.len);
    buf_deinit(&text);
    return rc;
}

enum result kv_write(struct store *store, struct kv_note *notes)
{
    enum result rc = OK;
    for (struct kv_note *note = notes; note && rc == OK; note = note->next) {
        sqlite3_stmt *statement = store->statements[note->effect == KV_REMOVE ? REMOVE_KV : PUT_KV];
        if (note->effect == KV_ADD_UP)
            rc = add_up(store, note);
        if (rc != OK)
            break;
        db_bind_text(statement, 1, note->key);
        if (note->effect != KV_REMOVE) {
            sqlite3_bind_int64(statement, 2, (sqlite3_int64)note->until_ms);
            db_bind_slice(statement, 3, note->value);
        }
        rc = db_step(statement);
    }
    return rc;
}

void kv_committed(struct store *store, const struct kv_note *notes)
{
    for (const struct kv_note *note = notes; note; note = note->next) {
        uint8_t hash[16];
        hash_of(store, note->key, hash);
        struct shard *shard = shard_of(store, hash);
        pthread_mutex_lock(&shard->lock);
        shard->changes++;
        put(store->kv, shard, hash, note->effect == KV_REMOVE ? (struct slice){ NULL, 0 } : note->value, note->until_ms);
        pthread_mutex_unlock(&shard->lock);
    }
}

/* ---- what is over ---- */

enum { ENDED_A_STEP = 200 };

/* It is over for everybody, whatever becomes of the transaction. */
static void forget_ended(struct store *store, struct slice key)
{
    uint8_t hash[16];
    hash_of(store, key, hash);
    struct shard *shard = shard_of(store, hash);
    pthread_mutex_lock(&shard->lock);
    struct entry **place = find(shard, hash);
    if (*place)
        drop(shard, place);
    shard->changes++;
    pthread_mutex_unlock(&shard->lock);
}

enum result kv_forget_ended(struct store *store, uint64_t now_ms, bool *more)
{
    sqlite3_stmt *query = NULL, *remove = store->statements[REMOVE_KV];
    struct arena keys = { 0 };
    struct slice ended[ENDED_A_STEP];
    int count = 0;
    enum result rc = db_prepare(store->write_db, "SELECT key FROM kv WHERE until_ms > 0 AND until_ms <= ?1 LIMIT ?2", &query);
    if (rc == OK) {
        sqlite3_bind_int64(query, 1, (sqlite3_int64)now_ms);
        sqlite3_bind_int(query, 2, ENDED_A_STEP);
    }
    while (rc == OK && count < ENDED_A_STEP && db_row(query, &rc)) {
        ended[count] = db_copy(query, 0, &keys);
        if (!ended[count].data)
            break; /* no memory: the next step goes on */
        count++;
    }
    sqlite3_finalize(query);
    for (int i = 0; i < count && rc == OK; i++) {
        forget_ended(store, ended[i]);
        db_bind_text(remove, 1, ended[i]);
        rc = db_step(remove);
    }
    arena_deinit(&keys);
    *more = count == ENDED_A_STEP;
    return rc;
}

/* ---- life ---- */

/* As much as fits; main thread, before the others. */
static enum result load(struct store *store)
{
    sqlite3_stmt *query = NULL;
    enum result rc = db_prepare(store->write_db, "SELECT key, value, until_ms FROM kv", &query);
    while (rc == OK && atomic_load(&store->kv->whole) && db_row(query, &rc)) {
        uint8_t hash[16];
        hash_of(store, db_slice(query, 0), hash);
        put(store->kv, shard_of(store, hash), hash, db_slice(query, 1), (uint64_t)sqlite3_column_int64(query, 2));
    }
    sqlite3_finalize(query);
    return rc;
}

enum result kv_open(struct store *store)
{
    store->kv = MEM_NEW(struct kv_memory);
    store->kv->shard_max = store->kv_memory_max / SHARDS;
    atomic_init(&store->kv->whole, true);
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&store->kv->shards[i].lock, NULL);
        store->kv->shards[i].bucket_count = BUCKETS_FIRST;
        store->kv->shards[i].buckets = mem_new(BUCKETS_FIRST * sizeof(struct entry *));
    }
    return load(store);
}

void kv_close(struct store *store)
{
    for (int i = 0; store->kv && i < SHARDS; i++) {
        struct shard *shard = &store->kv->shards[i];
        while (shard->oldest)
            drop(shard, find(shard, shard->oldest->hash));
        mem_free(shard->buckets);
    }
    mem_free(store->kv);
}
