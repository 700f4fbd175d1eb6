/* aging.c: how keys leave memory for dedupe_old, in rounds.
 *
 *   RESTS --nearly too many in memory, or a quarter of a day--> MOVES --all slices--> CLEARS --all rows--> RESTS
 *
 * MOVES: keys come in no order of their hashes, so moving a few of the oldest writes nearly every page of dedupe_old. A round
 * moves about half of what memory holds instead, a slice of all hashes in each step: it writes that slice's pages, once. What is
 * over leaves dedupe_old then too. A slice leaves memory when its commit is done, so that a key is always in one of both.
 *
 * CLEARS: what has moved leaves dedupe_recent. A process that ends before finds all of it there and begins anew. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/inside.h"

enum {
    BUILD_MS = 500, /* between two sieves after a start: one takes up to 25 ms with millions of keys, for which a commit waits */
    ROUND_MS = 6 * 3600000, /* between two rounds when few keys come: old ones are over all the same */
    /* of store->keys_max: */
    BEGIN_TENTHS = 9, /* a round begins at so many */
    KEEP_TENTHS = 4,  /* and leaves so many */
    CLEAR_PART = 80,  /* rows a step: one part in so many */
    CUT_PART = 10000, /* rows that are asked for their ids, likewise: one that was long on its way to the store makes no cut */
};

/* How many times as much a step does: keys may come faster than usual steps take them away. */
static int haste(const struct store *store)
{
    size_t count = dedupe_count(store), most = store->keys_max;
    return count <= most ? 1 : count <= most + most / 4 ? 2 : 4;
}

static bool is_due(struct store *store, uint64_t now_ms)
{
    struct key_round *round = &store->round;
    if (!round->began_ms)
        round->began_ms = now_ms;
    return dedupe_count(store) > store->keys_max / 10 * BEGIN_TENTHS ||
           (store->has_old_keys && now_ms - round->began_ms >= ROUND_MS);
}

/* The newest rows stay, counted from the end: there are no gaps there. Without any row all keys in memory were found in
 * dedupe_old and may leave. */
static enum result begin(struct store *store, uint64_t now_ms)
{
    struct key_round round = { .state = ROUND_MOVES, .began_ms = now_ms };
    sqlite3_stmt *query = NULL;
    enum result rc = db_prepare(store->write_db,
                                "SELECT min(seq), max(id) FROM (SELECT seq, id FROM dedupe_recent WHERE seq > "
                                "(SELECT max(seq) FROM dedupe_recent) - ?1 ORDER BY seq LIMIT ?2)",
                                &query);
    if (rc == OK) {
        sqlite3_bind_int64(query, 1, (sqlite3_int64)(store->keys_max / 10 * KEEP_TENTHS));
        sqlite3_bind_int64(query, 2, (sqlite3_int64)(store->keys_max / CUT_PART + 1));
    }
    if (rc == OK && db_row(query, &rc)) {
        bool any = sqlite3_column_type(query, 0) != SQLITE_NULL;
        round.end = sqlite3_column_int64(query, 0);
        round.cut = db_id(query, 1);
        if (!any)
            memset(round.cut.bytes, 0xFF, sizeof(round.cut.bytes));
    }
    sqlite3_finalize(query);
    if (rc == OK)
        store->round = round;
    return rc;
}

/* ---- a slice ---- */

static int by_hash(const void *a, const void *b)
{
    return memcmp(((const struct aged_key *)a)->hash, ((const struct aged_key *)b)->hash, 16);
}

/* ?1 and ?2: the first hash of the slice and its last. */
static enum result prepare_slice(struct store *store, const char *sql, unsigned slice, sqlite3_stmt **out)
{
    enum { WIDTH = 256 / DEDUPE_SLICES };
    uint8_t first[16] = { (uint8_t)(slice * WIDTH) }, last[16];
    memset(last, 0xFF, sizeof(last));
    last[0] = (uint8_t)(slice * WIDTH + WIDTH - 1);
    enum result rc = db_prepare(store->write_db, sql, out);
    if (rc == OK) {
        sqlite3_bind_blob(*out, 1, first, sizeof(first), SQLITE_TRANSIENT);
        sqlite3_bind_blob(*out, 2, last, sizeof(last), SQLITE_TRANSIENT);
    }
    return rc;
}

static enum result delete_over(struct store *store, unsigned slice, uint64_t now_ms)
{
    sqlite3_stmt *delete = NULL;
    enum result rc = prepare_slice(store, "DELETE FROM dedupe_old WHERE hash BETWEEN ?1 AND ?2 AND until <= ?3", slice, &delete);
    if (rc == OK) {
        sqlite3_bind_int64(delete, 3, (sqlite3_int64)now_ms);
        rc = db_step(delete);
    }
    sqlite3_finalize(delete);
    return rc;
}

static enum result count_slice(struct store *store, unsigned slice, size_t *count)
{
    sqlite3_stmt *query = NULL;
    enum result rc = prepare_slice(store, "SELECT count(*) FROM dedupe_old WHERE hash BETWEEN ?1 AND ?2", slice, &query);
    if (rc == OK && db_row(query, &rc))
        *count = (size_t)sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return rc;
}

static enum result fill_sieve(struct store *store, unsigned slice, struct sieve *sieve)
{
    sqlite3_stmt *query = NULL;
    enum result rc = prepare_slice(store, "SELECT hash FROM dedupe_old WHERE hash BETWEEN ?1 AND ?2", slice, &query);
    while (rc == OK && db_row(query, &rc)) {
        struct slice hash = db_slice(query, 0);
        if (hash.len == sizeof(((struct aged_key *)NULL)->hash))
            sieve_add(sieve, (const uint8_t *)hash.data);
    }
    sqlite3_finalize(query);
    return rc;
}

/* With room for half as many again: what leaves the table stays in the sieve, so that it has to be built anew from time to time,
 * but not in every round. Without memory for it each key is looked for in the table. */
static enum result build_sieve(struct store *store, unsigned slice)
{
    struct sieve *sieve = NULL;
    size_t count = 0;
    enum result rc = count_slice(store, slice, &count);
    if (rc == OK)
        sieve = sieve_new(count + count / 2);
    if (sieve)
        rc = fill_sieve(store, slice, sieve);
    if (rc != OK) {
        sieve_free(sieve);
        return rc;
    }
    sieve_free(store->old_keys[slice]);
    store->old_keys[slice] = sieve;
    return OK;
}

/* Of keys that were inserted into the table. Should they be taken back again, the sieve still answers "perhaps". */
static enum result add_to_sieve(struct store *store, unsigned slice, const struct aged_key *keys, size_t count)
{
    struct sieve *sieve = store->old_keys[slice];
    if (!sieve || sieve_is_full(sieve, count))
        return build_sieve(store, slice);
    for (size_t i = 0; i < count; i++)
        sieve_add(sieve, keys[i].hash);
    return OK;
}

static enum result insert_aged(struct store *store, const struct aged_key *keys, size_t count, uint64_t now_ms)
{
    sqlite3_stmt *insert = NULL;
    enum result rc =
        db_prepare(store->write_db, "INSERT OR REPLACE INTO dedupe_old (hash, until, id) VALUES (?1, ?2, ?3)", &insert);
    for (size_t i = 0; i < count && rc == OK; i++) {
        if (keys[i].until_ms <= now_ms)
            continue;
        sqlite3_bind_blob(insert, 1, keys[i].hash, sizeof(keys[i].hash), SQLITE_STATIC);
        sqlite3_bind_int64(insert, 2, (sqlite3_int64)keys[i].until_ms);
        db_bind_id(insert, 3, &keys[i].winner);
        rc = db_step(insert);
    }
    sqlite3_finalize(insert);
    return rc;
}

static enum result move_slice(struct store *store, unsigned slice, uint64_t now_ms)
{
    struct aged_key *keys;
    size_t count = dedupe_aged(store, slice, store->round.cut, now_ms, &keys);
    qsort(keys, count, sizeof(*keys), by_hash);
    enum result rc = db_run(store->write_db, "BEGIN IMMEDIATE");
    if (rc == OK)
        rc = delete_over(store, slice, now_ms);
    if (rc == OK)
        rc = insert_aged(store, keys, count, now_ms);
    if (rc == OK)
        rc = add_to_sieve(store, slice, keys, count);
    if (rc == OK)
        rc = db_run(store->write_db, "COMMIT");
    if (rc == OK) {
        store->has_old_keys |= count > 0; /* before they leave, like the sieve: from then on only the table knows them */
        dedupe_drop_aged(store, slice, keys, count, dedupe_count(store) <= store->keys_max);
    }
    mem_free(keys);
    return rc;
}

static enum result move(struct store *store, uint64_t now_ms)
{
    struct key_round *round = &store->round;
    enum result rc = OK;
    for (int slices = haste(store); slices > 0 && round->slice < DEDUPE_SLICES && rc == OK; slices--) {
        rc = move_slice(store, round->slice, now_ms);
        round->slice += rc == OK;
    }
    if (round->slice == DEDUPE_SLICES)
        round->state = ROUND_CLEARS;
    return rc;
}

/* ---- the rows of what has moved ---- */

/* The first row that may leave; round->end: none. */
static enum result find_row(struct store *store, int64_t *seq)
{
    sqlite3_stmt *query = NULL;
    enum result rc = db_prepare(store->write_db,
                                "SELECT ifnull((SELECT min(seq) FROM dedupe_recent WHERE seq >= ?1 AND seq < ?2), ?2)", &query);
    if (rc == OK) {
        sqlite3_bind_int64(query, 1, store->round.seq);
        sqlite3_bind_int64(query, 2, store->round.end);
        if (db_row(query, &rc))
            *seq = sqlite3_column_int64(query, 0);
    }
    sqlite3_finalize(query);
    return rc;
}

/* Rows before the end were all committed, and their keys in memory, when the round began: those that are older than the cut have
 * moved. Others wait for a later round. */
static enum result delete_rows(struct store *store, int64_t from, int64_t to)
{
    sqlite3_stmt *delete = NULL;
    enum result rc = db_prepare(store->write_db, "DELETE FROM dedupe_recent WHERE seq >= ?1 AND seq < ?2 AND id < ?3", &delete);
    if (rc == OK) {
        sqlite3_bind_int64(delete, 1, from);
        sqlite3_bind_int64(delete, 2, to);
        db_bind_id(delete, 3, &store->round.cut);
        rc = db_step(delete);
    }
    sqlite3_finalize(delete);
    return rc;
}

static enum result finish(struct store *store)
{
    sqlite3_stmt *query = NULL;
    enum result rc = db_prepare(store->write_db, "SELECT EXISTS (SELECT 1 FROM dedupe_old)", &query);
    if (rc == OK && db_row(query, &rc))
        store->has_old_keys = sqlite3_column_int(query, 0) != 0;
    sqlite3_finalize(query);
    if (rc == OK)
        store->round.state = ROUND_RESTS;
    return rc;
}

static enum result clear(struct store *store)
{
    struct key_round *round = &store->round;
    int64_t from = round->end, most = (int64_t)(store->keys_max / CLEAR_PART) * haste(store);
    enum result rc = find_row(store, &from);
    if (rc != OK)
        return rc;
    if (from == round->end)
        return finish(store);
    int64_t to = round->end - from > most ? from + most : round->end;
    rc = delete_rows(store, from, to);
    if (rc == OK)
        round->seq = to;
    return rc;
}

/* After the start, while nothing moves: the sieves of what is there, one now and then. */
static enum result build_next(struct store *store, uint64_t now_ms)
{
    if (now_ms - store->round.built_ms < BUILD_MS)
        return OK;
    store->round.built_ms = now_ms;
    enum result rc = build_sieve(store, store->round.slice);
    store->round.slice += rc == OK;
    return rc;
}

enum result aging_step(struct store *store, uint64_t now_ms, bool *busy)
{
    struct key_round *round = &store->round;
    enum result rc = OK;
    if (round->state == ROUND_RESTS && is_due(store, now_ms))
        rc = begin(store, now_ms);
    *busy = round->state != ROUND_RESTS;
    if (rc != OK)
        return rc;
    if (round->state == ROUND_MOVES)
        return move(store, now_ms);
    if (round->state == ROUND_CLEARS)
        return clear(store);
    return store->has_old_keys && round->slice < DEDUPE_SLICES ? build_next(store, now_ms) : OK;
}

void aging_finish(struct store *store)
{
    for (int i = 0; i < DEDUPE_SLICES; i++)
        sieve_free(store->old_keys[i]);
}
