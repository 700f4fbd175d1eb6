/* waiting.c: what waits: deliveries of a target, events of a route, and how much of it there is. */
#include <stdlib.h>

#include "store/rows.h"

/* ---- deliveries ---- */

static void window_row(sqlite3_stmt *query, struct arena *arena, struct waiting_delivery *row)
{
    *row = (struct waiting_delivery){
        .seq = sqlite3_column_int64(query, 0),
        .id = db_id(query, 1),
        .event_seq = sqlite3_column_int64(query, 2),
        .event_id = db_id(query, 3),
        .since_ms = (uint64_t)sqlite3_column_int64(query, 4),
        .due_ms = (uint64_t)sqlite3_column_int64(query, 5),
        .attempts = (uint32_t)sqlite3_column_int64(query, 6),
        .shard = (uint16_t)sqlite3_column_int(query, 7),
        .target = db_copy(query, 8, arena),
        .route = db_copy(query, 9, arena),
        .order_key = db_copy(query, 10, arena),
        .fixed_id = db_copy(query, 11, arena),
        .notice = sqlite3_column_int(query, 12) != 0,
    };
}

#define WINDOW_COLUMNS                                                                                                           \
    "SELECT d.seq, d.id, d.event, e.id, max(e.received_ms, d.not_before_ms), d.due_ms, d.attempts, d.shard, d.target, e.route, " \
    "d.order_key, d.fixed_id, d.notice FROM delivery d JOIN event e ON e.seq = d.event WHERE d.state = 0 AND d.target = ?1 "

/* Of a key the first one that waits; deliveries without a key ask nothing. */
#define FIRST_OF_ITS_KEY                                                                                                         \
    "AND (d.order_key = '' OR NOT EXISTS (SELECT 1 FROM delivery p WHERE p.state = 0 AND p.target = d.target "                   \
    "AND p.order_key = d.order_key AND p.order_key <> '' AND p.seq < d.seq)) "

static enum result prepare_window(sqlite3 *db, const struct store_read_window *read, sqlite3_stmt **query)
{
    bool of_key = read->order_key.data;
    enum result rc =
        db_prepare(db,
                   of_key ? WINDOW_COLUMNS "AND d.order_key = ?5 AND d.order_key <> '' ORDER BY d.seq LIMIT ?4"
                          : WINDOW_COLUMNS "AND (?2 = 0 OR d.shard % ?2 = ?3) " FIRST_OF_ITS_KEY "ORDER BY d.due_ms LIMIT ?4",
                   query);
    if (rc != OK)
        return rc;
    db_bind_text(*query, 1, read->target);
    sqlite3_bind_int64(*query, 4, read->limit + 1);
    if (of_key) {
        db_bind_text(*query, 5, read->order_key);
    } else {
        sqlite3_bind_int64(*query, 2, read->workers);
        sqlite3_bind_int64(*query, 3, read->worker);
    }
    return OK;
}

enum result rows_window(sqlite3 *db, struct store_read_window *read)
{
    sqlite3_stmt *query = NULL;
    read->count = 0;
    read->next_due_ms = UINT64_MAX;
    read->rows = arena_alloc(&read->arena, (read->limit + 1) * sizeof(*read->rows));
    enum result rc = read->rows ? prepare_window(db, read, &query) : ERR_MEMORY;
    while (rc == OK && db_row(query, &rc)) {
        uint64_t due_ms = (uint64_t)sqlite3_column_int64(query, 5);
        if (read->count == read->limit || due_ms > read->due_before_ms) {
            read->next_due_ms = due_ms;
            break;
        }
        window_row(query, &read->arena, &read->rows[read->count++]);
    }
    sqlite3_finalize(query);
    return rc;
}

/* ---- events that are due, route by route ---- */

static bool is_mine(struct uuid id, uint32_t worker, uint32_t workers)
{
    return workers == 0 || event_worker(id, workers) == worker;
}

/* The routes for which something waits, one after the other: each step is one look into the index, however much waits. */
struct routes_walk {
    sqlite3_stmt *query;
    struct arena *arena;
    struct slice route; /* data NULL before the first */
};

static enum result walk_begin(sqlite3 *db, struct arena *arena, struct routes_walk *walk)
{
    *walk = (struct routes_walk){ .arena = arena };
    return db_prepare(db, "SELECT route FROM event WHERE state = 0 AND route > ?1 ORDER BY route LIMIT 1", &walk->query);
}

static bool walk_next(struct routes_walk *walk, enum result *rc)
{
    db_bind_text(walk->query, 1, walk->route.data ? walk->route : SLICE(""));
    bool found = db_row(walk->query, rc);
    if (found) {
        walk->route = db_copy(walk->query, 0, walk->arena);
        if (!walk->route.data)
            *rc = ERR_MEMORY;
    }
    sqlite3_reset(walk->query);
    return found && *rc == OK;
}

/* Of a walk that has not begun. */
static enum result count_waiting_routes(struct routes_walk walk, size_t *count)
{
    enum result rc = OK;
    for (*count = 0; walk_next(&walk, &rc);)
        ++*count;
    return rc;
}

static int by_seq(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static bool is_held(const struct store_read_due *read, int64_t seq)
{
    return read->held_count && bsearch(&seq, read->held, read->held_count, sizeof(seq), by_seq);
}

/* The first `most` of a route that are this worker's; what is not taken says when to look again. */
static enum result due_of_route(sqlite3_stmt *query, struct store_read_due *read, struct slice route, size_t most)
{
    enum result rc = OK;
    size_t taken = 0;
    db_bind_text(query, 1, route);
    while (db_row(query, &rc)) {
        struct uuid id = db_id(query, 1);
        uint64_t due_ms = (uint64_t)sqlite3_column_int64(query, 2);
        if (!is_mine(id, read->worker, read->workers) || is_held(read, sqlite3_column_int64(query, 0)))
            continue;
        if (taken == most || read->count == STORE_DUE_MAX || due_ms > read->due_before_ms) {
            if (due_ms < read->next_due_ms)
                read->next_due_ms = due_ms;
            break;
        }
        read->rows[read->count++] = (struct due_event){ .seq = sqlite3_column_int64(query, 0),
                                                        .id = id,
                                                        .route = route,
                                                        .due_ms = due_ms,
                                                        .attempt = (uint32_t)sqlite3_column_int64(query, 3) };
        taken++;
    }
    sqlite3_reset(query);
    return rc;
}

static int by_due(const void *a, const void *b)
{
    uint64_t left = ((const struct due_event *)a)->due_ms, right = ((const struct due_event *)b)->due_ms;
    return left < right ? -1 : left > right;
}

enum result rows_due(sqlite3 *db, struct store_read_due *read)
{
    sqlite3_stmt *query = NULL;
    struct routes_walk walk;
    size_t routes = 0;
    read->count = 0;
    read->next_due_ms = UINT64_MAX;
    read->rows = arena_alloc(&read->arena, STORE_DUE_MAX * sizeof(*read->rows));
    enum result rc = walk_begin(db, &read->arena, &walk);
    if (rc == OK)
        rc = db_prepare(db,
                        "SELECT seq, id, due_ms, attempt FROM event WHERE state = 0 AND route = ?1 "
                        "AND due_ms < " STORE_HELD_BACK_SQL " ORDER BY due_ms",
                        &query);
    if (!read->rows)
        rc = ERR_MEMORY;
    if (rc == OK)
        rc = count_waiting_routes(walk, &routes);
    size_t share = routes && routes < STORE_DUE_MAX ? STORE_DUE_MAX / routes : 1;
    while (rc == OK && walk_next(&walk, &rc))
        rc = due_of_route(query, read, walk.route, read->limit < share ? read->limit : share);
    if (rc == OK)
        qsort(read->rows, read->count, sizeof(*read->rows), by_due);
    sqlite3_finalize(walk.query);
    sqlite3_finalize(query);
    return rc;
}

/* ---- how much there is ---- */

enum { BACKLOG_ROUTES_MAX = 1000 };

static enum result count_route(sqlite3_stmt *waiting, sqlite3_stmt *dead, struct backlog_row *row)
{
    enum result rc;
    db_bind_text(waiting, 1, row->route);
    sqlite3_bind_int(waiting, 2, STORE_BACKLOG_MAX);
    if (db_row(waiting, &rc)) {
        row->waiting = (uint32_t)sqlite3_column_int64(waiting, 0);
        row->failed = (uint32_t)sqlite3_column_int64(waiting, 1);
        row->oldest_ms = (uint64_t)sqlite3_column_int64(waiting, 2);
    }
    sqlite3_reset(waiting);
    if (rc != OK)
        return rc;
    db_bind_text(dead, 1, row->route);
    sqlite3_bind_int(dead, 2, STORE_BACKLOG_MAX);
    if (db_row(dead, &rc))
        row->dead = (uint32_t)sqlite3_column_int64(dead, 0);
    sqlite3_reset(dead);
    return rc;
}

/* Routes with something waiting or dead, by name. */
static enum result next_route(sqlite3_stmt *query, struct slice after, struct arena *arena, struct slice *route)
{
    enum result rc;
    *route = (struct slice){ NULL, 0 };
    db_bind_text(query, 1, after);
    if (db_row(query, &rc) && sqlite3_column_type(query, 0) != SQLITE_NULL)
        *route = db_copy(query, 0, arena);
    sqlite3_reset(query);
    return rc;
}

static enum result count_routes(struct store_read_backlog *read, sqlite3_stmt *next, sqlite3_stmt *waiting, sqlite3_stmt *dead)
{
    struct slice route = SLICE("");
    enum result rc = OK;
    while (rc == OK && read->count < BACKLOG_ROUTES_MAX) {
        rc = next_route(next, route, &read->arena, &route);
        if (rc != OK || !route.data)
            break;
        struct backlog_row *row = &read->rows[read->count++];
        *row = (struct backlog_row){ .route = route };
        rc = count_route(waiting, dead, row);
    }
    return rc;
}

static enum result count_target(sqlite3_stmt *waiting, sqlite3_stmt *first, struct backlog_target *target)
{
    enum result rc;
    db_bind_text(waiting, 1, target->name);
    sqlite3_bind_int(waiting, 2, STORE_BACKLOG_MAX);
    target->waiting = db_row(waiting, &rc) ? (uint32_t)sqlite3_column_int64(waiting, 0) : 0;
    target->oldest_ms = 0;
    if (target->waiting > 0)
        sqlite3_bind_int64(first, 1, sqlite3_column_int64(waiting, 1));
    sqlite3_reset(waiting);
    if (target->waiting > 0 && db_row(first, &rc))
        target->oldest_ms = (uint64_t)sqlite3_column_int64(first, 0);
    sqlite3_reset(first);
    return rc;
}

static enum result count_targets(sqlite3 *db, struct store_read_backlog *read)
{
    static const char waiting_sql[] = "SELECT count(*), min(seq) FROM (SELECT seq FROM delivery WHERE state = 0 "
                                      "AND target = ?1 LIMIT ?2)";
    static const char first_sql[] = "SELECT max(e.received_ms, d.not_before_ms) FROM delivery d JOIN event e ON e.seq = d.event "
                                    "WHERE d.seq = ?1";
    sqlite3_stmt *waiting = NULL, *first = NULL;
    if (read->target_count == 0)
        return OK;
    enum result rc = db_prepare(db, waiting_sql, &waiting);
    if (rc == OK)
        rc = db_prepare(db, first_sql, &first);
    for (size_t i = 0; i < read->target_count && rc == OK; i++)
        rc = count_target(waiting, first, &read->targets[i]);
    sqlite3_finalize(waiting);
    sqlite3_finalize(first);
    return rc;
}

enum result rows_backlog(sqlite3 *db, struct store_read_backlog *read)
{
    static const char next_sql[] =
        "SELECT min(route) FROM (SELECT * FROM (SELECT route FROM event WHERE state = 0 AND route > ?1 ORDER BY route LIMIT 1) "
        "UNION ALL SELECT * FROM (SELECT route FROM event WHERE state = 3 AND route > ?1 ORDER BY route LIMIT 1))";
    static const char waiting_sql[] =
        "SELECT count(*), ifnull(sum(attempt > 0), 0), ifnull(min(due_ms), 0) FROM "
        "(SELECT attempt, due_ms FROM event WHERE state = 0 AND route = ?1 ORDER BY due_ms LIMIT ?2)";
    static const char dead_sql[] = "SELECT count(*) FROM (SELECT 1 FROM event WHERE state = 3 AND route = ?1 "
                                   "AND replayed_as IS NULL LIMIT ?2)";
    sqlite3_stmt *next = NULL, *waiting = NULL, *dead = NULL;
    read->count = 0;
    read->rows = arena_alloc(&read->arena, BACKLOG_ROUTES_MAX * sizeof(*read->rows));
    enum result rc = read->rows ? db_prepare(db, next_sql, &next) : ERR_MEMORY;
    if (rc == OK)
        rc = db_prepare(db, waiting_sql, &waiting);
    if (rc == OK)
        rc = db_prepare(db, dead_sql, &dead);
    if (rc == OK)
        rc = count_routes(read, next, waiting, dead);
    if (rc == OK)
        rc = count_targets(db, read);
    sqlite3_finalize(next);
    sqlite3_finalize(waiting);
    sqlite3_finalize(dead);
    return rc;
}
