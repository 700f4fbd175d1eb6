/* fill.c: makes the first event of a store into many, as if they had come over the last hours: same rows, ids and times of their
 * own. The store is one that a router has made and left with one event that is delivered to one target.
 *
 *   bench_fill STORE COUNT                COUNT more events, delivered
 *   bench_fill STORE COUNT TARGET...      their deliveries wait for these targets, in turn, and are due */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/uuid.h"

/* ?1 how many, ?2 now, ?3 how long ago the first one came, ?4 how many keys stay recent (as retention.c leaves them) */
#define MANY   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
#define AT     "(?2 - ?3 + ?3 * i / ?1)"
#define HASHES "(e.seq + i) * (SELECT count(*) FROM one_key) + k.seq"

enum { RECENT_KEYS = 900000 };
static const sqlite3_int64 span_ms = 12 * 3600000; /* inside the window of dedupe, and long before anything expires */

static const char prepare[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                              "PRAGMA cache_size = -200000;"
                              "CREATE TEMP TABLE one_event AS SELECT * FROM event LIMIT 1;"
                              "CREATE TEMP TABLE one_body AS SELECT * FROM body LIMIT 1;"
                              "CREATE TEMP TABLE one_delivery AS SELECT * FROM delivery LIMIT 1;"
                              "CREATE TEMP TABLE one_key AS SELECT * FROM dedupe_recent;"
                              "CREATE TEMP TABLE target (n INTEGER PRIMARY KEY, name TEXT);"
                              "BEGIN";

static const char add_target[] = "INSERT INTO target (name) VALUES (?1)";

static const char *const steps[] = {
    MANY "INSERT INTO event (seq, id, route, type, state, received_ms, due_ms, attempt, generation, run_reason, reason, "
         "keep_until_ms, duplicates, body_bytes, delivery_first, delivery_count, meta) "
         "SELECT e.seq + i, new_id(" AT "), route, type, state, " AT ", " AT ", attempt, generation, run_reason, reason, "
         "keep_until_ms - received_ms + " AT ", duplicates, body_bytes, delivery_first + i, delivery_count, meta "
         "FROM n CROSS JOIN one_event e",
    MANY "INSERT INTO body (event, bytes) SELECT event + i, bytes FROM n CROSS JOIN one_body",
    MANY
    "INSERT INTO delivery (seq, id, event, target, order_key, fixed_id, shard, state, due_ms, attempts, reason, message, last) "
    "SELECT d.seq + i, new_id(" AT "), event + i, coalesce(t.name, target), order_key, fixed_id, shard, "
    "iif(t.n, 0, state), " AT ", iif(t.n, 0, attempts), reason, message, iif(t.n, NULL, last) "
    "FROM n CROSS JOIN one_delivery d LEFT JOIN target t ON t.n = i % (SELECT count(*) FROM target) + 1",
    MANY "INSERT INTO dedupe_recent (seq, hash, until, id) "
         "SELECT " HASHES ", randomblob(16), k.until - e.received_ms + " AT ", new_id(" AT
         ") FROM n CROSS JOIN one_key k CROSS JOIN one_event e "
         "WHERE (?1 - i) * (SELECT count(*) FROM one_key) < ?4",
    MANY "INSERT INTO dedupe_old (hash, until, id) "
         "SELECT randomblob(16) AS hash, k.until - e.received_ms + " AT ", new_id(" AT
         ") FROM n CROSS JOIN one_key k CROSS JOIN one_event e "
         "WHERE (?1 - i) * (SELECT count(*) FROM one_key) >= ?4 ORDER BY hash",
};

static void new_id(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct uuid id = uuid_v7(sqlite3_user_data(context), (uint64_t)sqlite3_value_int64(values[0]));
    sqlite3_result_blob(context, id.bytes, sizeof(id.bytes), SQLITE_TRANSIENT);
}

static int add_targets(sqlite3 *db, char *const *names, int count)
{
    sqlite3_stmt *insert = NULL;
    int rc = sqlite3_prepare_v2(db, add_target, -1, &insert, NULL);
    for (int i = 0; i < count && rc == SQLITE_OK; i++) {
        sqlite3_bind_text(insert, 1, names[i], -1, SQLITE_STATIC);
        sqlite3_step(insert);
        rc = sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    return rc;
}

static int run_step(sqlite3 *db, const char *sql, sqlite3_int64 count)
{
    struct uuid_maker maker; /* for each table anew: its ids begin with the first event's time */
    sqlite3_stmt *insert = NULL;
    uuid_maker_init(&maker);
    int rc = sqlite3_create_function(db, "new_id", 1, SQLITE_UTF8, &maker, new_id, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, sql, -1, &insert, NULL);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_bind_int64(insert, 1, count);
    sqlite3_bind_int64(insert, 2, (sqlite3_int64)clock_wall_ms());
    sqlite3_bind_int64(insert, 3, span_ms);
    sqlite3_bind_int(insert, 4, RECENT_KEYS); /* not all have it */
    rc = sqlite3_step(insert);
    sqlite3_finalize(insert);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int fill(sqlite3 *db, sqlite3_int64 count, char *const *targets, int target_count)
{
    int rc = sqlite3_exec(db, prepare, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = add_targets(db, targets, target_count);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == SQLITE_OK; i++)
        rc = run_step(db, steps[i], count);
    return rc == SQLITE_OK ? sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) : rc;
}

int main(int argc, char **argv)
{
    sqlite3 *db = NULL;
    long long count = argc > 2 ? strtoll(argv[2], NULL, 10) : 0;
    if (count < 1) {
        fputs("bench_fill STORE COUNT [TARGET...]\n", stderr);
        return 2;
    }
    int rc = sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL);
    if (rc == SQLITE_OK)
        rc = fill(db, count, argv + 3, argc - 3);
    if (rc != SQLITE_OK)
        fprintf(stderr, "%s: %s\n", argv[1], db ? sqlite3_errmsg(db) : "no memory");
    sqlite3_close(db);
    return rc == SQLITE_OK ? 0 : 1;
}
