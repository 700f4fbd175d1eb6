/* retention.c: what the writer does when nothing waits: events whose time is over go, keys grow old, room is given back; each
 * step small. */
#include <stdio.h>

#include "store/inside.h"

enum {
    SWEEP_MS = 1000, /* between two steps that found nothing */
    EVENTS_A_STEP = 200,
    PAGES_A_STEP = 64,
    KEYS_A_STEP = 10000,
    KEYS_MOVED_AT = DEDUPE_RECENT_MAX - 100000,
    DUPLICATES_A_STEP = 64,
};

/* Bodies and rows whose time is over, of events that wait for nothing. keep_until_ms 0 has no body any more; its row stays a day.
 */
static enum result delete_events(struct store *store, uint64_t now_ms, int *deleted)
{
    static const char find[] =
        "SELECT seq, delivery_first, delivery_count FROM event e WHERE seq < (SELECT ifnull(min(seq), 0) + 20000 FROM event) "
        "AND state <> 0 AND max(keep_until_ms, received_ms + 86400000) < ?1 AND NOT EXISTS (SELECT 1 FROM delivery d "
        "WHERE d.seq BETWEEN e.delivery_first AND e.delivery_first + e.delivery_count - 1 AND d.state = 0) LIMIT ?2";
    static const char *const drop[] = {
        "DELETE FROM attempt WHERE delivery BETWEEN ?2 AND ?2 + ?3 - 1",
        "DELETE FROM delivery WHERE seq BETWEEN ?2 AND ?2 + ?3 - 1",
        "DELETE FROM body WHERE event = ?1",
        "DELETE FROM event WHERE seq = ?1",
    };
    sqlite3_stmt *query = NULL, *statements[4] = { NULL };
    enum result rc = db_prepare(store->write_db, find, &query);
    for (int i = 0; i < 4 && rc == OK; i++)
        rc = db_prepare(store->write_db, drop[i], &statements[i]);
    if (rc == OK) {
        sqlite3_bind_int64(query, 1, (sqlite3_int64)now_ms);
        sqlite3_bind_int(query, 2, EVENTS_A_STEP);
    }
    while (rc == OK && db_row(query, &rc)) {
        for (int i = 0; i < 4 && rc == OK; i++) {
            sqlite3_bind_int64(statements[i], 1, sqlite3_column_int64(query, 0));
            if (i < 2) {
                sqlite3_bind_int64(statements[i], 2, sqlite3_column_int64(query, 1));
                sqlite3_bind_int64(statements[i], 3, sqlite3_column_int64(query, 2));
            }
            rc = db_step(statements[i]);
        }
        (*deleted)++;
    }
    sqlite3_finalize(query);
    for (int i = 0; i < 4; i++)
        sqlite3_finalize(statements[i]);
    return rc;
}

/* The oldest keys leave the set in memory: those whose window is over for good, the others to the table by hash. */
static enum result age_keys(struct store *store, uint64_t now_ms, int *moved)
{
    if (dedupe_count(store) <= KEYS_MOVED_AT)
        return OK;
    sqlite3_stmt *query = NULL;
    enum result rc = db_prepare(store->write_db,
                                "SELECT hash FROM dedupe_recent WHERE seq < (SELECT min(seq) + ?1 FROM dedupe_recent)", &query);
    if (rc == OK)
        sqlite3_bind_int(query, 1, KEYS_A_STEP);
    while (rc == OK && db_row(query, &rc)) {
        struct slice hash = db_slice(query, 0);
        if (hash.len == 16)
            dedupe_forget(store, (const uint8_t *)hash.data);
        (*moved)++;
    }
    sqlite3_finalize(query);
    char move[512];
    snprintf(move, sizeof(move),
             "INSERT OR REPLACE INTO dedupe_old (hash, until, id) SELECT hash, until, id FROM dedupe_recent "
             "WHERE seq < (SELECT min(seq) + %d FROM dedupe_recent) AND until > %llu ORDER BY hash;"
             "DELETE FROM dedupe_recent WHERE seq < (SELECT min(seq) + %d FROM dedupe_recent);",
             KEYS_A_STEP, (unsigned long long)now_ms, KEYS_A_STEP);
    if (rc == OK)
        rc = db_run(store->write_db, move);
    store->has_old_keys = true;
    return rc;
}

static enum result write_duplicates(struct store *store)
{
    struct duplicate counted[DUPLICATES_A_STEP];
    size_t count = dedupe_take_duplicates(store, counted, DUPLICATES_A_STEP);
    sqlite3_stmt *update = NULL;
    enum result rc =
        count ? db_prepare(store->write_db, "UPDATE event SET duplicates = duplicates + ?2 WHERE id = ?1", &update) : OK;
    for (size_t i = 0; i < count && rc == OK; i++) {
        db_bind_id(update, 1, &counted[i].id);
        sqlite3_bind_int64(update, 2, counted[i].count);
        rc = db_step(update);
    }
    sqlite3_finalize(update);
    return rc;
}

enum result retention_step(struct store *store, uint64_t now_ms)
{
    char vacuum[64];
    int done = 0;
    if (now_ms - store->swept_ms < SWEEP_MS)
        return OK;
    enum result rc = db_run(store->write_db, "BEGIN IMMEDIATE");
    if (rc == OK)
        rc = delete_events(store, now_ms, &done);
    if (rc == OK)
        rc = age_keys(store, now_ms, &done);
    if (rc == OK)
        rc = write_duplicates(store);
    if (rc == OK)
        rc = db_run(store->write_db, "COMMIT");
    if (rc != OK)
        return rc;
    if (done == 0)
        store->swept_ms = now_ms; /* otherwise there is more: the next idle moment goes on */
    snprintf(vacuum, sizeof(vacuum), "PRAGMA incremental_vacuum(%d)", PAGES_A_STEP);
    return done ? OK : db_run(store->write_db, vacuum);
}
