/* runs.c: events that no request has brought: runs of tasks and batches. One that is due is somebody's, or soon will be; one that
 * is not can still be replaced or cancelled, or gets another item. */
#include "base/clock.h"
#include "model/run_note.h"
#include "store/inside.h"

/* *seq 0: none waits under this name, or it is due. */
static enum result find_named(struct store *store, const struct run_note *note, int64_t *seq)
{
    sqlite3_stmt *find = store->statements[FIND_RUN];
    enum result rc;
    *seq = 0;
    db_bind_text(find, 1, note->route);
    db_bind_text(find, 2, note->name);
    sqlite3_bind_int64(find, 3, (sqlite3_int64)clock_wall_ms());
    if (db_row(find, &rc))
        *seq = sqlite3_column_int64(find, 0);
    sqlite3_reset(find);
    return rc;
}

/* It has not begun: nothing but its rows knows of it. */
static enum result drop(struct store *store, int64_t seq)
{
    static const enum statement drops[] = { DROP_RUN, DROP_BODY, DROP_FAILURES };
    enum result rc = OK;
    for (size_t i = 0; i < sizeof(drops) / sizeof(drops[0]) && rc == OK; i++) {
        sqlite3_bind_int64(store->statements[drops[i]], 1, seq);
        rc = db_step(store->statements[drops[i]]);
    }
    return rc;
}

static enum result insert(struct store *store, const struct run_note *note, int64_t *seq)
{
    sqlite3_stmt *statement = store->statements[INSERT_EVENT];
    db_bind_id(statement, 1, &note->id);
    db_bind_text(statement, 2, note->route);
    db_bind_text(statement, 3, note->name);
    sqlite3_bind_int(statement, 4, EVENT_WAITING);
    sqlite3_bind_int64(statement, 5, (sqlite3_int64)note->made_ms);
    sqlite3_bind_int64(statement, 6, (sqlite3_int64)note->due_ms);
    for (int place = 7; place <= 9; place++) /* attempt, generation, run_reason */
        sqlite3_bind_int64(statement, place, 0);
    db_bind_text(statement, 10, SLICE(""));
    sqlite3_bind_int64(statement, 11, (sqlite3_int64)note->keep_until_ms);
    sqlite3_bind_int64(statement, 12, (sqlite3_int64)note->body.len);
    for (int place = 13; place <= 14; place++) /* deliveries */
        sqlite3_bind_int64(statement, place, 0);
    db_bind_slice(statement, 15, note->meta);
    sqlite3_bind_null(statement, 16); /* it has no order */
    enum result rc = db_step(statement);
    *seq = sqlite3_last_insert_rowid(store->write_db);
    if (rc != OK || note->body.len == 0)
        return rc;
    statement = store->statements[INSERT_BODY];
    sqlite3_bind_int64(statement, 1, *seq);
    db_bind_slice(statement, 2, note->body);
    return db_step(statement);
}

static enum result write_one(struct store *store, const struct run_note *note)
{
    int64_t seq = 0;
    enum result rc = note->name.len ? find_named(store, note, &seq) : OK;
    if (rc == OK && seq)
        rc = drop(store, seq);
    if (rc != OK || (note->kind == RUN_CANCEL && !seq))
        return rc;
    if (note->kind == RUN_START)
        rc = insert(store, note, &seq);
    if (rc != OK || !note->name.len)
        return rc;
    sqlite3_stmt *name = store->statements[note->kind == RUN_START ? NAME_RUN : UNNAME_RUN];
    db_bind_text(name, 1, note->route);
    db_bind_text(name, 2, note->name);
    sqlite3_bind_int64(name, 3, seq);
    return db_step(name);
}

/* ---- batches: a group that collects is an event that waits ---- */

struct group {
    int64_t seq; /* 0: none collects */
    int64_t items, bytes;
    struct uuid id;
    uint64_t due_ms;
};

static enum result find_group(struct store *store, const struct run_note *note, struct group *group)
{
    sqlite3_stmt *find = store->statements[FIND_GROUP];
    enum result rc;
    *group = (struct group){ 0 };
    db_bind_text(find, 1, note->route);
    db_bind_text(find, 2, note->name);
    sqlite3_bind_int64(find, 3, (sqlite3_int64)clock_wall_ms());
    if (db_row(find, &rc))
        *group = (struct group){ .seq = sqlite3_column_int64(find, 0),
                                 .items = sqlite3_column_int64(find, 1),
                                 .bytes = sqlite3_column_int64(find, 2),
                                 .id = db_id(find, 3),
                                 .due_ms = (uint64_t)sqlite3_column_int64(find, 4) };
    sqlite3_reset(find);
    return rc;
}

/* From now on it gets nothing more. */
static enum result close_group(struct store *store, struct group *group)
{
    sqlite3_stmt *due = store->statements[DUE_NOW];
    group->due_ms = clock_wall_ms();
    sqlite3_bind_int64(due, 1, group->seq);
    sqlite3_bind_int64(due, 2, (sqlite3_int64)group->due_ms);
    return db_step(due);
}

static enum result begin_group(struct store *store, const struct run_note *note, struct group *group)
{
    struct run_note event = *note;
    event.body = SLICE(""); /* its items are */
    *group = (struct group){ .id = note->id, .due_ms = note->due_ms };
    return insert(store, &event, &group->seq);
}

static enum result add_item(struct store *store, const struct run_note *note, struct group *group)
{
    sqlite3_stmt *add = store->statements[ADD_ITEM], *open = store->statements[OPEN_GROUP];
    sqlite3_bind_int64(add, 1, group->seq);
    sqlite3_bind_int64(add, 2, group->items++);
    db_bind_slice(add, 3, note->body);
    enum result rc = db_step(add);
    if (rc != OK)
        return rc;
    db_bind_text(open, 1, note->route);
    db_bind_text(open, 2, note->name);
    sqlite3_bind_int64(open, 3, group->seq);
    sqlite3_bind_int64(open, 4, group->items);
    sqlite3_bind_int64(open, 5, group->bytes + (int64_t)note->body.len);
    return db_step(open);
}

static enum result write_item(struct store *store, struct run_note *note)
{
    struct group group;
    enum result rc = find_group(store, note, &group);
    bool full = group.seq && group.bytes + (int64_t)note->body.len > BATCH_BYTES_MAX;
    if (rc == OK && full)
        rc = close_group(store, &group);
    if (rc == OK && (full || !group.seq))
        rc = begin_group(store, note, &group);
    if (rc == OK)
        rc = add_item(store, note, &group);
    if (rc == OK && group.items >= note->items_max)
        rc = close_group(store, &group);
    note->id = group.id;
    note->due_ms = group.due_ms;
    return rc;
}

enum result runs_check_items(struct store *store, const struct event *event)
{
    sqlite3_stmt *sum = store->statements[BODY_OF_ITEMS];
    enum result rc;
    if (event->route.data[0] == '/')
        return OK;
    sqlite3_bind_int64(sum, 1, event->seq);
    /* no items: no batch, or a replay, which has a body of its own */
    bool differs = db_row(sum, &rc) && sqlite3_column_type(sum, 0) != SQLITE_NULL &&
                   sqlite3_column_int64(sum, 0) != (int64_t)event->body.len;
    sqlite3_reset(sum);
    return rc == OK && differs ? ERR_STALE : rc;
}

enum result runs_write(struct store *store, struct run_note *notes)
{
    enum result rc = OK;
    for (struct run_note *note = notes; note && rc == OK; note = note->next)
        rc = note->kind == RUN_ADD ? write_item(store, note) : write_one(store, note);
    return rc;
}

/* ---- on a clock: the name of these runs is "" ---- */

enum { DAY_MS = 86400000 };

static enum result find_last(struct store *store, const struct store_tick *tick, uint64_t *last_ms)
{
    sqlite3_stmt *find = store->statements[LAST_TICK];
    enum result rc;
    *last_ms = 0;
    db_bind_text(find, 1, tick->run->route);
    db_bind_text(find, 2, tick->schedule);
    if (db_row(find, &rc))
        *last_ms = (uint64_t)sqlite3_column_int64(find, 0);
    sqlite3_reset(find);
    return rc;
}

static enum result keep_last(struct store *store, struct store_tick *tick, uint64_t last_ms)
{
    sqlite3_stmt *keep = store->statements[KEEP_TICK];
    tick->last_ms = last_ms;
    db_bind_text(keep, 1, tick->run->route);
    db_bind_text(keep, 2, tick->schedule);
    sqlite3_bind_int64(keep, 3, (sqlite3_int64)last_ms);
    return db_step(keep);
}

/* One that takes longer than its time, or that nobody can run just now, is not joined by another. */
static enum result start_tick(struct store *store, struct store_tick *tick)
{
    sqlite3_stmt *find = store->statements[FIND_UNTRIED], *name = store->statements[NAME_RUN];
    enum result rc;
    int64_t seq;
    db_bind_text(find, 1, tick->run->route);
    bool is_there = db_row(find, &rc);
    sqlite3_reset(find);
    if (rc != OK || is_there)
        return rc;
    tick->started = true;
    rc = insert(store, tick->run, &seq);
    if (rc != OK)
        return rc;
    db_bind_text(name, 1, tick->run->route);
    db_bind_text(name, 2, SLICE(""));
    sqlite3_bind_int64(name, 3, seq);
    return db_step(name);
}

enum result runs_tick(struct store *store, struct store_tick *tick)
{
    tick->started = false;
    enum result rc = find_last(store, tick, &tick->last_ms);
    if (rc != OK)
        return rc;
    /* one of the far future is that of a clock that was wrong */
    if (tick->last_ms == 0 || tick->last_ms > tick->now_ms + DAY_MS)
        return keep_last(store, tick, tick->now_ms);
    if (tick->tick_ms <= tick->last_ms)
        return OK;
    rc = keep_last(store, tick, tick->tick_ms);
    return rc == OK ? start_tick(store, tick) : rc;
}

enum result runs_ended(struct store *store, const struct event *event)
{
    static const enum statement frees[] = { UNNAME_RUN, CLOSE_GROUP };
    enum result rc = OK;
    if (event->route.data[0] == '/')
        return OK;
    for (size_t i = 0; i < sizeof(frees) / sizeof(frees[0]) && rc == OK; i++) {
        sqlite3_stmt *statement = store->statements[frees[i]];
        db_bind_text(statement, 1, event->route);
        db_bind_text(statement, 2, event->type);
        sqlite3_bind_int64(statement, 3, event->seq);
        rc = db_step(statement);
    }
    return rc;
}
