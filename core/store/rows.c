#include "store/rows.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"

enum {
    FAILURES_SHOWN = 100, /* the latest tries of an event */
    LOOKUPS_SHOWN = 500,
};

const char *shown_state_name(enum shown_state state)
{
    static const char *const names[] = { "waiting", "delivering", "done", "dropped", "dead" };
    return names[state];
}

/* ---- an event as it was ---- */

enum { ITEMS_BYTES_MAX = 2 * BATCH_BYTES_MAX };

/* The items of a batch as one array, owned by the caller; NULL: there are none. */
static enum result items_of(sqlite3 *db, int64_t event, char **memory, size_t *len)
{
    sqlite3_stmt *query = NULL;
    struct buf array;
    enum result rc = db_prepare(db, "SELECT item FROM batch_item WHERE event = ?1 ORDER BY n", &query);
    *memory = NULL;
    buf_init(&array, ITEMS_BYTES_MAX);
    sqlite3_bind_int64(query, 1, event);
    while (rc == OK && db_row(query, &rc)) {
        buf_add_byte(&array, array.len ? ',' : '[');
        buf_add_slice(&array, db_slice(query, 0));
    }
    sqlite3_finalize(query);
    if (rc == OK && array.len)
        buf_add_byte(&array, ']');
    if (rc == OK && !buf_ok(&array))
        rc = ERR_MEMORY;
    if (rc == OK)
        *memory = buf_take(&array, len);
    buf_deinit(&array);
    return rc;
}

static bool is_batch(struct slice route)
{
    return route.len > 6 && memcmp(route.data, "batch:", 6) == 0;
}

static enum result event_from_row(sqlite3_stmt *query, struct event **out)
{
    struct pair headers[HEADERS_MAX], params[PARAMS_MAX];
    struct event_parts parts = { 0 };
    struct decode_error error;
    enum body_kind kind;
    if (sqlite3_column_type(query, 7) == SQLITE_NULL && sqlite3_column_int64(query, 8) > 0)
        return ERR_NOT_FOUND; /* its body is gone */
    enum result rc = event_meta_read(db_slice(query, 6), &parts, headers, params, &kind);
    if (rc != OK)
        return rc;
    parts.id = db_id(query, 1);
    parts.route = db_slice(query, 2);
    parts.type = db_slice(query, 3);
    parts.received_ms = (uint64_t)sqlite3_column_int64(query, 4);
    parts.body = db_slice(query, 7);
    parts.order_key = (uint64_t)sqlite3_column_int64(query, 11);
    if (parts.body.len == 0 && is_batch(parts.route))
        rc = items_of(sqlite3_db_handle(query), sqlite3_column_int64(query, 0), &parts.body_memory, &parts.body.len);
    else if (parts.body.len > 0)
        parts.body_memory = mem_text(parts.body); /* of its own: event_return */
    if (parts.body_memory)
        parts.body.data = parts.body_memory;
    if (rc == OK)
        rc = event_new(&parts, out);
    if (rc != OK) {
        mem_free(parts.body_memory);
        return rc;
    }
    (*out)->seq = sqlite3_column_int64(query, 0);
    (*out)->stored = true;
    (*out)->attempt = (uint32_t)sqlite3_column_int64(query, 5);
    (*out)->generation = (uint32_t)sqlite3_column_int64(query, 9);
    rc = event_decode(*out, (int)kind, DECODED_MAX, &error);
    if ((rc == ERR_INVALID || rc == ERR_NOT_FOUND) && kind == BODY_TEXT) /* stored by a version that undid no Content-Encoding */
        rc = event_decode(*out, BODY_RAW, DECODED_MAX, &error);
    if (rc != OK) {
        event_unref(*out);
        *out = NULL;
    }
    return rc;
}

#define EVENT_COLUMNS                                                                                                            \
    "e.seq, e.id, e.route, e.type, e.received_ms, e.attempt, e.meta, b.bytes, e.body_bytes, e.generation, e.state, "             \
    "e.order_key"

enum result rows_event(sqlite3 *db, struct store_read_event *read)
{
    sqlite3_stmt *query = NULL;
    read->event = NULL;
    enum result rc =
        db_prepare(db,
                   read->seq > 0 ? "SELECT " EVENT_COLUMNS " FROM event e LEFT JOIN body b ON b.event = e.seq WHERE e.seq = ?1"
                                 : "SELECT " EVENT_COLUMNS " FROM event e LEFT JOIN body b ON b.event = e.seq WHERE e.id = ?2",
                   &query);
    if (rc == OK) {
        if (read->seq > 0)
            sqlite3_bind_int64(query, 1, read->seq);
        else
            db_bind_id(query, 2, &read->id);
    }
    if (rc == OK && db_row(query, &rc)) {
        read->state = (enum event_state)sqlite3_column_int(query, 10);
        rc = event_from_row(query, &read->event);
    } else if (rc == OK) {
        rc = ERR_NOT_FOUND;
    }
    sqlite3_finalize(query);
    return rc;
}

enum result rows_delivery(sqlite3 *db, struct store_read_delivery *read)
{
    sqlite3_stmt *query = NULL;
    enum result rc = db_prepare(db,
                                "SELECT " EVENT_COLUMNS ", d.message, d.state FROM delivery d JOIN event e ON e.seq = d.event "
                                "LEFT JOIN body b ON b.event = e.seq WHERE d.seq = ?1",
                                &query);
    read->event = NULL;
    if (rc == OK)
        sqlite3_bind_int64(query, 1, read->seq);
    if (rc == OK && db_row(query, &rc)) {
        read->state = (enum delivery_state)sqlite3_column_int(query, 13);
        read->message = db_copy(query, 12, &read->arena);
        rc = read->message.data ? event_from_row(query, &read->event) : ERR_MEMORY;
    } else if (rc == OK) {
        rc = ERR_NOT_FOUND;
    }
    sqlite3_finalize(query);
    return rc;
}

/* ---- for people ---- */

#define RANGE           "d.seq BETWEEN e.delivery_first AND e.delivery_first + e.delivery_count - 1"
#define COUNT_OF(state) "(SELECT count(*) FROM delivery d WHERE " RANGE " AND d.state = " state ")"
#define ROW_COLUMNS                                                                                                              \
    "e.seq, e.id, e.route, e.type, e.state, e.received_ms, e.due_ms, e.attempt, e.generation, e.run_reason, e.reason, "          \
    "e.duplicates, e.body_bytes, e.delivery_count, " COUNT_OF("0") ", " COUNT_OF("1") ", " COUNT_OF(                             \
        "2") ", e.meta, e.replayed_as"

static enum shown_state derive_state(enum event_state state, int64_t waiting, int64_t dead)
{
    if (state == EVENT_WAITING)
        return SHOWN_WAITING;
    if (state == EVENT_DROPPED)
        return SHOWN_DROPPED;
    if (waiting > 0)
        return SHOWN_DELIVERING;
    return state == EVENT_FAILED || dead > 0 ? SHOWN_DEAD : SHOWN_DONE;
}

static struct slice describe_reason(sqlite3_stmt *query, struct arena *arena)
{
    char text[1200];
    enum run_reason reason = (enum run_reason)sqlite3_column_int(query, 9);
    struct slice detail = db_slice(query, 10);
    if (reason == RUN_OK)
        return arena_copy(arena, detail);
    snprintf(text, sizeof(text), "%s%s%.*s", run_reason_name(reason), detail.len ? ": " : "",
             detail.len > 1000 ? 1000 : (int)detail.len, detail.data ? detail.data : "");
    return arena_copy(arena, slice_of(text));
}

static void add_meta(sqlite3_stmt *query, struct arena *arena, struct event_row *row)
{
    struct pair headers[HEADERS_MAX], params[PARAMS_MAX];
    struct event_parts parts = { 0 };
    enum body_kind kind;
    if (event_meta_read(db_slice(query, 17), &parts, headers, params, &kind) != OK)
        return; /* a damaged row is shown with what is known of it */
    row->provider = arena_copy(arena, parts.provider);
    row->verified = arena_copy(arena, parts.verified);
    row->redacted = parts.redact.len > 0;
    row->remote_ip = arena_copy(arena, parts.remote_ip);
    row->content_type = arena_copy(arena, parts.content_type);
    row->method = arena_copy(arena, parts.method);
    row->path = arena_copy(arena, parts.path);
    row->query = arena_copy(arena, parts.query);
}

static void event_row(sqlite3_stmt *query, struct arena *arena, struct event_row *row)
{
    int64_t waiting = sqlite3_column_int64(query, 14), delivered = sqlite3_column_int64(query, 15),
            dead = sqlite3_column_int64(query, 16);
    *row = (struct event_row){
        .seq = sqlite3_column_int64(query, 0),
        .id = db_id(query, 1),
        .replayed_as = db_id(query, 18),
        .route = db_copy(query, 2, arena),
        .type = db_copy(query, 3, arena),
        .state = derive_state((enum event_state)sqlite3_column_int(query, 4), waiting, dead),
        .received_ms = (uint64_t)sqlite3_column_int64(query, 5),
        .due_ms = (uint64_t)sqlite3_column_int64(query, 6),
        .attempt = (uint32_t)sqlite3_column_int64(query, 7),
        .generation = (uint32_t)sqlite3_column_int64(query, 8),
        .reason = describe_reason(query, arena),
        .duplicates = (uint32_t)sqlite3_column_int64(query, 11),
        .body_bytes = (uint64_t)sqlite3_column_int64(query, 12),
        .delivery_count = (uint32_t)sqlite3_column_int64(query, 13),
        .waiting_count = (uint32_t)waiting,
        .delivered_count = (uint32_t)delivered,
        .dead_count = (uint32_t)dead,
    };
    add_meta(query, arena, row);
}

/* As derive_state, for the filter. */
static const char *const state_sql[] = {
    [SHOWN_WAITING] = " AND e.state = 0",
    [SHOWN_DELIVERING] = " AND e.state = 1 AND EXISTS (SELECT 1 FROM delivery d WHERE " RANGE " AND d.state = 0)",
    [SHOWN_DONE] = " AND e.state = 1 AND NOT EXISTS (SELECT 1 FROM delivery d WHERE " RANGE " AND d.state IN (0, 2))",
    [SHOWN_DROPPED] = " AND e.state = 2",
    [SHOWN_DEAD] = " AND (e.state = 3 OR (e.state = 1 AND EXISTS (SELECT 1 FROM delivery d WHERE " RANGE " AND d.state = 2) "
                   "AND NOT EXISTS (SELECT 1 FROM delivery d WHERE " RANGE " AND d.state = 0)))",
};

static void list_sql(const struct event_filter *filter, char *out, size_t size)
{
    snprintf(out, size, "SELECT " ROW_COLUMNS " FROM event e WHERE (?1 = 0 OR e.seq < ?1)%s%s%s%s%s ORDER BY e.seq DESC LIMIT ?2",
             filter->route.data ? " AND e.route = ?3" : "", filter->type.data ? " AND e.type = ?4" : "",
             filter->since_ms ? " AND e.received_ms >= ?5" : "", filter->until_ms ? " AND e.received_ms < ?6" : "",
             filter->state >= 0 ? state_sql[filter->state] : "");
}

static void bind_filter(sqlite3_stmt *query, const struct event_filter *filter)
{
    sqlite3_bind_int64(query, 1, filter->before_seq);
    sqlite3_bind_int64(query, 2, filter->limit + 1);
    if (filter->route.data)
        db_bind_text(query, 3, filter->route);
    if (filter->type.data)
        db_bind_text(query, 4, filter->type);
    if (filter->since_ms)
        sqlite3_bind_int64(query, 5, (sqlite3_int64)filter->since_ms);
    if (filter->until_ms)
        sqlite3_bind_int64(query, 6, (sqlite3_int64)filter->until_ms);
}

enum result rows_list(sqlite3 *db, struct store_read_list *read)
{
    char sql[2048];
    sqlite3_stmt *query = NULL;
    list_sql(&read->filter, sql, sizeof(sql));
    enum result rc = db_prepare(db, sql, &query);
    read->count = 0;
    read->next_before_seq = 0;
    read->rows = arena_alloc(&read->arena, (read->filter.limit + 1) * sizeof(*read->rows));
    if (!read->rows)
        rc = ERR_MEMORY;
    if (rc == OK)
        bind_filter(query, &read->filter);
    while (rc == OK && db_row(query, &rc)) {
        if (read->count == read->filter.limit) {
            read->next_before_seq = read->rows[read->count - 1].seq;
            break;
        }
        event_row(query, &read->arena, &read->rows[read->count++]);
    }
    sqlite3_finalize(query);
    return rc;
}

/* The first attempt stands in the delivery, the others in their table. */
static enum result read_attempts(sqlite3 *db, struct delivery_row *row, struct slice first, struct arena *arena)
{
    sqlite3_stmt *query = NULL;
    uint32_t room = row->attempt_count;
    row->attempts = arena_alloc(arena, (room + 1) * sizeof(*row->attempts));
    row->attempt_count = 0;
    if (!row->attempts)
        return ERR_MEMORY;
    if (room > 0 && attempt_read(arena_copy(arena, first), &row->attempts[0]) == OK)
        row->attempt_count = 1;
    enum result rc = db_prepare(db, "SELECT record FROM attempt WHERE delivery = ?1 ORDER BY n", &query);
    if (rc == OK)
        sqlite3_bind_int64(query, 1, row->seq);
    while (rc == OK && db_row(query, &rc) && row->attempt_count < room)
        if (attempt_read(db_copy(query, 0, arena), &row->attempts[row->attempt_count]) == OK)
            row->attempt_count++;
    sqlite3_finalize(query);
    return rc;
}

static enum result count_notices(sqlite3 *db, int64_t event, size_t *count)
{
    sqlite3_stmt *query = NULL;
    enum result rc = db_prepare(db, "SELECT count(*) FROM delivery WHERE event = ?1 AND notice = 1", &query);
    if (rc == OK)
        sqlite3_bind_int64(query, 1, event);
    if (rc == OK && db_row(query, &rc))
        *count = (size_t)sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return rc;
}

#define DELIVERY_COLUMNS                                                                                                         \
    "d.seq, d.id, d.target, d.order_key, d.reason, d.state, d.due_ms, d.attempts, d.message, d.last, d.notice, d.state = 0 AND " \
    "d.order_key <> '' AND EXISTS (SELECT 1 FROM delivery p WHERE p.state = 0 AND p.target = d.target AND "                      \
    "p.order_key = d.order_key AND p.order_key <> '' AND p.seq < d.seq)"

/* Its own, and the notices, in the order they were sent. */
static enum result read_deliveries(sqlite3 *db, struct store_read_show *read)
{
    static const char sql[] = "SELECT " DELIVERY_COLUMNS " FROM event e JOIN delivery d ON " RANGE " WHERE e.seq = ?1 UNION ALL "
                              "SELECT " DELIVERY_COLUMNS " FROM delivery d WHERE d.event = ?1 AND d.notice = 1 ORDER BY 1";
    sqlite3_stmt *query = NULL;
    size_t room = 0;
    enum result rc = count_notices(db, read->row.seq, &room);
    if (rc == OK)
        rc = db_prepare(db, sql, &query);
    room += read->row.delivery_count;
    read->deliveries = arena_alloc(&read->arena, (room + 1) * sizeof(*read->deliveries));
    if (!read->deliveries)
        rc = ERR_MEMORY;
    if (rc == OK)
        sqlite3_bind_int64(query, 1, read->row.seq);
    while (rc == OK && db_row(query, &rc) && read->delivery_count < room) {
        struct delivery_row *row = &read->deliveries[read->delivery_count++];
        *row = (struct delivery_row){
            .seq = sqlite3_column_int64(query, 0),
            .id = db_id(query, 1),
            .target = db_copy(query, 2, &read->arena),
            .order_key = db_copy(query, 3, &read->arena),
            .reason = db_copy(query, 4, &read->arena),
            .state = (enum delivery_state)sqlite3_column_int(query, 5),
            .due_ms = (uint64_t)sqlite3_column_int64(query, 6),
            .attempt_count = (uint32_t)sqlite3_column_int64(query, 7),
            .message = db_copy(query, 8, &read->arena),
            .notice = sqlite3_column_int(query, 10) != 0,
            .blocked = sqlite3_column_int(query, 11) != 0,
        };
        rc = read_attempts(db, row, db_slice(query, 9), &read->arena);
    }
    sqlite3_finalize(query);
    return rc;
}

static enum result read_failures(sqlite3 *db, struct store_read_show *read)
{
    sqlite3_stmt *query = NULL;
    enum result rc = db_prepare(
        db, "SELECT n, at_ms, generation, run_reason, reason FROM failure WHERE event = ?1 ORDER BY n DESC LIMIT ?2", &query);
    read->failures = arena_alloc(&read->arena, FAILURES_SHOWN * sizeof(*read->failures));
    if (!read->failures)
        rc = ERR_MEMORY;
    if (rc == OK) {
        sqlite3_bind_int64(query, 1, read->row.seq);
        sqlite3_bind_int(query, 2, FAILURES_SHOWN);
    }
    while (rc == OK && db_row(query, &rc))
        read->failures[read->failure_count++] = (struct failure_row){
            .n = (uint32_t)sqlite3_column_int64(query, 0),
            .at_ms = (uint64_t)sqlite3_column_int64(query, 1),
            .generation = (uint32_t)sqlite3_column_int64(query, 2),
            .reason = (enum run_reason)sqlite3_column_int(query, 3),
            .text = db_copy(query, 4, &read->arena),
        };
    sqlite3_finalize(query);
    return rc;
}

/* What is damaged ends a try's list. */
static void read_records(struct store_read_show *read, uint32_t n, struct slice blob)
{
    while (blob.len > 0 && read->lookup_count < LOOKUPS_SHOWN) {
        struct lookup_row *row = &read->lookups[read->lookup_count];
        row->n = n;
        if (fetch_record_read(&blob, &row->record) != OK)
            return;
        read->lookup_count++;
    }
}

static enum result read_lookups(sqlite3 *db, struct store_read_show *read)
{
    sqlite3_stmt *query = NULL;
    enum result rc = db_prepare(db, "SELECT n, record FROM lookup WHERE event = ?1 ORDER BY n DESC", &query);
    if (rc == OK)
        sqlite3_bind_int64(query, 1, read->row.seq);
    while (rc == OK && read->lookup_count < LOOKUPS_SHOWN && db_row(query, &rc)) {
        if (!read->lookups)
            read->lookups = arena_alloc(&read->arena, LOOKUPS_SHOWN * sizeof(*read->lookups));
        struct slice blob = db_copy(query, 1, &read->arena);
        if (read->lookups && blob.data)
            read_records(read, (uint32_t)sqlite3_column_int64(query, 0), blob);
        else
            rc = ERR_MEMORY;
    }
    sqlite3_finalize(query);
    return rc;
}

enum result rows_show(sqlite3 *db, struct store_read_show *read)
{
    sqlite3_stmt *query = NULL;
    enum result rc = db_prepare(db, "SELECT " ROW_COLUMNS " FROM event e WHERE e.id = ?1", &query);
    read->event = NULL;
    read->delivery_count = read->failure_count = read->lookup_count = 0;
    read->lookups = NULL;
    if (rc == OK)
        db_bind_id(query, 1, &read->id);
    if (rc == OK && db_row(query, &rc))
        event_row(query, &read->arena, &read->row);
    else if (rc == OK)
        rc = ERR_NOT_FOUND;
    sqlite3_finalize(query);
    if (rc == OK)
        rc = read_deliveries(db, read);
    if (rc == OK)
        rc = read_failures(db, read);
    if (rc == OK)
        rc = read_lookups(db, read);
    if (rc != OK)
        return rc;
    struct store_read_event whole = { .seq = read->row.seq };
    if (rows_event(db, &whole) == OK) /* else its body is gone: the row alone is shown */
        read->event = whole.event;
    return OK;
}

static struct arena *arena_of(struct store_op *op)
{
    switch (op->kind) {
    case STORE_READ_WINDOW:
        return &((struct store_read_window *)op)->arena;
    case STORE_READ_DUE:
        return &((struct store_read_due *)op)->arena;
    case STORE_READ_DELIVERY:
        return &((struct store_read_delivery *)op)->arena;
    case STORE_READ_LIST:
        return &((struct store_read_list *)op)->arena;
    case STORE_READ_SHOW:
        return &((struct store_read_show *)op)->arena;
    case STORE_READ_BACKLOG:
        return &((struct store_read_backlog *)op)->arena;
    case STORE_READ_KV:
        return &((struct store_read_kv *)op)->arena;
    default:
        return NULL;
    }
}

void store_read_free(struct store_op *op)
{
    struct arena *arena = arena_of(op);
    if (arena)
        arena_deinit(arena);
}
