/* runs.c: events that no request has brought: runs of tasks. One that is due is somebody's, or soon will be; one that is not can
 * still be replaced or cancelled. */
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

enum result runs_write(struct store *store, const struct run_note *notes)
{
    enum result rc = OK;
    for (const struct run_note *note = notes; note && rc == OK; note = note->next)
        rc = write_one(store, note);
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
    sqlite3_stmt *unname = store->statements[UNNAME_RUN];
    if (event->type.len == 0 || event->route.data[0] == '/')
        return OK;
    db_bind_text(unname, 1, event->route);
    db_bind_text(unname, 2, event->type);
    sqlite3_bind_int64(unname, 3, event->seq);
    return db_step(unname);
}
