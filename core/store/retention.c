/* retention.c: what the writer does when nothing waits: events and values whose time is over go, duplicates are counted, keys
 * grow old (aging.c), room is given back; each step small. */
#include <stdio.h>

#include "store/inside.h"

enum {
    COUNT_MS = 1000, /* between two looks at duplicates and ended values */
    REST_MS = 1000,  /* after a round over all events, for each of its stretches: most of them hold nothing that is over */
    REST_MAX_MS = 60000,
    EVENTS_A_STEP = 200,
    STRETCH = 1000, /* events looked at in one step: some 3 ms, for which a commit has to wait */
    PAGES_A_STEP = 64,
    DUPLICATES_A_STEP = 64,
    DROPS_MAX = 9, /* statements for one event that goes */
};

/* A stretch of the events, in the order they came: [from, to). Stretches follow each other and then begin anew, so that events
 * which stay for years do not hide those behind them. */
struct stretch {
    int64_t from, to;
};

static enum result next_stretch(struct store *store, struct stretch *out, bool *over)
{
    sqlite3_stmt *query = NULL;
    /* two queries in one: asked for both at once SQLite reads the whole table */
    enum result rc = db_prepare(
        store->write_db, "SELECT ifnull((SELECT min(seq) FROM event), 0), ifnull((SELECT max(seq) FROM event), 0)", &query);
    if (rc == OK && db_row(query, &rc)) {
        int64_t first = sqlite3_column_int64(query, 0), last = sqlite3_column_int64(query, 1);
        out->from = store->swept_seq < first ? first : store->swept_seq;
        out->to = out->from + STRETCH;
        *over = out->to > last;
    }
    sqlite3_finalize(query);
    return rc;
}

/* Every row of the query goes through all statements: ?1 the event, ?2 and ?3 its first delivery and how many. */
static enum result delete_found(struct store *store, const char *find, const char *const *drop, struct stretch stretch,
                                uint64_t now_ms, int *deleted)
{
    sqlite3_stmt *query = NULL, *statements[DROPS_MAX] = { NULL };
    int count = 0;
    enum result rc = db_prepare(store->write_db, find, &query);
    for (; rc == OK && drop[count]; count++)
        rc = db_prepare(store->write_db, drop[count], &statements[count]);
    if (rc == OK) {
        sqlite3_bind_int64(query, 1, (sqlite3_int64)now_ms);
        sqlite3_bind_int64(query, 2, stretch.from);
        sqlite3_bind_int64(query, 3, stretch.to);
        sqlite3_bind_int(query, 4, EVENTS_A_STEP);
    }
    while (rc == OK && db_row(query, &rc)) {
        for (int i = 0; i < count && rc == OK; i++) {
            for (int column = 0; column < sqlite3_bind_parameter_count(statements[i]); column++)
                sqlite3_bind_int64(statements[i], column + 1, sqlite3_column_int64(query, column));
            rc = db_step(statements[i]);
        }
        (*deleted)++;
    }
    sqlite3_finalize(query);
    for (int i = 0; i < DROPS_MAX; i++)
        sqlite3_finalize(statements[i]);
    return rc;
}

#define NOTHING_WAITS                                                                                                            \
    "AND state <> 0 AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.seq BETWEEN e.delivery_first "                              \
    "AND e.delivery_first + e.delivery_count - 1 AND d.state = 0) "                                                              \
    "AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = e.seq AND d.notice = 1 AND d.state = 0) "

/* Of events that wait for nothing: the body goes when its time is over, the rows then too, but not before they are a day old. */
static enum result delete_events(struct store *store, struct stretch stretch, uint64_t now_ms, int *deleted)
{
    static const char bodies[] = "SELECT seq FROM event e WHERE seq >= ?2 AND seq < ?3 AND keep_until_ms < ?1 " NOTHING_WAITS
                                 "AND EXISTS (SELECT 1 FROM body WHERE event = e.seq) LIMIT ?4";
    static const char rows[] = "SELECT seq, delivery_first, delivery_first + delivery_count - 1 FROM event e WHERE seq >= ?2 "
                               "AND seq < ?3 AND max(keep_until_ms, received_ms + 86400000) < ?1 " NOTHING_WAITS "LIMIT ?4";
    static const char *const drop_body[] = { "DELETE FROM body WHERE event = ?1", NULL };
    static const char *const drop_rows[] = {
        "DELETE FROM event WHERE seq = ?1",
        "DELETE FROM body WHERE event = ?1",
        "DELETE FROM failure WHERE event = ?1",
        "DELETE FROM lookup WHERE event = ?1",
        "DELETE FROM batch_item WHERE event = ?1",
        "DELETE FROM attempt WHERE ?1 > 0 AND delivery BETWEEN ?2 AND ?3",
        "DELETE FROM delivery WHERE ?1 > 0 AND seq BETWEEN ?2 AND ?3",
        "DELETE FROM attempt WHERE delivery IN (SELECT seq FROM delivery WHERE event = ?1 AND notice = 1)",
        "DELETE FROM delivery WHERE event = ?1 AND notice = 1",
        NULL,
    };
    enum result rc = delete_found(store, bodies, drop_body, stretch, now_ms, deleted);
    return rc == OK ? delete_found(store, rows, drop_rows, stretch, now_ms, deleted) : rc;
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

static enum result sweep(struct store *store, uint64_t now_ms, struct stretch *stretch, bool *over, int *deleted)
{
    enum result rc = next_stretch(store, stretch, over);
    return rc == OK ? delete_events(store, *stretch, now_ms, deleted) : rc;
}

/* Nothing is over in this stretch any more. */
static void leave_stretch(struct store *store, uint64_t now_ms, struct stretch stretch, bool over)
{
    store->swept_seq = over ? 0 : stretch.to;
    store->rest_ms = store->rest_ms + REST_MS < REST_MAX_MS ? store->rest_ms + REST_MS : REST_MAX_MS;
    if (!over)
        return;
    store->rest_until_ms = now_ms + store->rest_ms;
    store->rest_ms = 0;
}

static enum result forget(struct store *store, uint64_t now_ms, bool sweeps, int *deleted)
{
    struct stretch stretch = { 0, 0 };
    bool over = true, more = false;
    enum result rc = db_run(store->write_db, "BEGIN IMMEDIATE");
    if (rc == OK && sweeps)
        rc = sweep(store, now_ms, &stretch, &over, deleted);
    if (rc == OK)
        rc = write_duplicates(store);
    if (rc == OK)
        rc = kv_forget_ended(store, now_ms, &more);
    if (rc == OK)
        rc = db_run(store->write_db, "COMMIT");
    if (rc == OK && !more)
        store->counted_ms = now_ms;
    if (rc == OK && sweeps && !*deleted)
        leave_stretch(store, now_ms, stretch, over);
    return rc;
}

enum result retention_step(struct store *store, uint64_t now_ms)
{
    bool set_back = store->rest_until_ms > now_ms + REST_MAX_MS;
    bool sweeps = now_ms >= store->rest_until_ms || set_back, counts = now_ms - store->counted_ms >= COUNT_MS, ages = false;
    int deleted = 0;
    char vacuum[64];
    enum result rc = sweeps || counts ? forget(store, now_ms, sweeps, &deleted) : OK;
    if (rc == OK)
        rc = aging_step(store, now_ms, &ages);
    if (rc != OK || deleted || ages) /* what a round frees it needs again */
        return rc;
    snprintf(vacuum, sizeof(vacuum), "PRAGMA incremental_vacuum(%d)", PAGES_A_STEP);
    return db_run(store->write_db, vacuum);
}
