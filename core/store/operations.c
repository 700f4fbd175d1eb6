/* operations.c: each operation as its statements, within the batch's transaction. */
#include "model/generation.h"
#include "store/inside.h"

enum {
    META_MAX = 256 << 10,
    RECORD_MAX = 1 << 20,
};

static const char *const sql[STATEMENTS] = {
    [INSERT_EVENT] = "INSERT INTO event (id, route, type, state, received_ms, due_ms, attempt, generation, run_reason, reason, "
                     "keep_until_ms, body_bytes, delivery_first, delivery_count, meta, order_key) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    [INSERT_BODY] = "INSERT INTO body (event, bytes) VALUES (?1, ?2)",
    [INSERT_DELIVERY] = "INSERT INTO delivery (id, event, target, order_key, fixed_id, shard, state, due_ms, attempts, message, "
                        "seq, notice, not_before_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10, ?11, ?12)",
    [INSERT_DEDUPE] = "INSERT INTO dedupe_recent (hash, until, id) VALUES (?1, ?2, ?3)",
    [FORGET_KEY] = "DELETE FROM dedupe_recent WHERE seq = ?1 AND id = ?2",
    [FIND_OLD] = "SELECT id, until FROM dedupe_old WHERE hash = ?1 AND until > ?2",
    [SETTLE_EVENT] = "UPDATE event SET state = ?2, due_ms = ?3, attempt = ?4, generation = ?5, run_reason = ?6, reason = ?7, "
                     "delivery_first = ?8, delivery_count = ?9 WHERE seq = ?1 AND state = 0 AND attempt = ?10",
    [FIND_BEFORE] = "SELECT 1 FROM event WHERE state = 0 AND order_key = ?1 LIMIT 1",
    [RELEASE_NEXT] =
        "UPDATE event SET due_ms = received_ms WHERE seq = (SELECT seq FROM event WHERE state = 0 AND order_key = ?1 "
        "ORDER BY seq LIMIT 1) AND due_ms = " STORE_HELD_BACK_SQL,
    [INSERT_FAILURE] = "INSERT OR REPLACE INTO failure (event, n, at_ms, generation, run_reason, reason) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [INSERT_LOOKUP] = "INSERT OR REPLACE INTO lookup (event, n, record) VALUES (?1, ?2, ?3)",
    [MARK_REPLAYED] = "UPDATE event SET replayed_as = ?2 WHERE id = ?1",
    [WAKE_EVENT] = "UPDATE event SET due_ms = ?2 WHERE seq = ?1 AND state = 0 AND due_ms > ?2 "
                   "AND due_ms <> " STORE_HELD_BACK_SQL,
    [WRITE_NOTE] = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
    [FIRST_RESULT] = "UPDATE delivery SET state = ?2, due_ms = ?3, attempts = 1, reason = ?4, last = ?5 "
                     "WHERE seq = ?1 AND state = 0",
    [LATER_RESULT] = "UPDATE delivery SET state = ?2, due_ms = ?3, attempts = ?5, reason = ?4 WHERE seq = ?1 AND state = 0",
    [INSERT_ATTEMPT] = "INSERT OR REPLACE INTO attempt (delivery, n, record) VALUES (?1, ?2, ?3)",
    [FORGET_BODY] = "DELETE FROM body WHERE event = ?1 AND NOT EXISTS (SELECT 1 FROM event e WHERE e.seq = ?1 AND (e.state = 0 "
                    "OR EXISTS (SELECT 1 FROM delivery d WHERE d.seq BETWEEN e.delivery_first "
                    "AND e.delivery_first + e.delivery_count - 1 AND d.state = 0) "
                    "OR EXISTS (SELECT 1 FROM delivery d WHERE d.event = ?1 AND d.notice = 1 AND d.state = 0)))",
    [FIND_KV] = KV_FIND_SQL,
    [PUT_KV] = "INSERT INTO kv (key, until_ms, value) VALUES (?1, ?2, ?3) "
               "ON CONFLICT (key) DO UPDATE SET until_ms = ?2, value = ?3",
    [REMOVE_KV] = "DELETE FROM kv WHERE key = ?1",
    [FIND_RUN] = "SELECT e.seq FROM run_name n JOIN event e ON e.seq = n.event "
                 "WHERE n.route = ?1 AND n.name = ?2 AND e.state = 0 AND e.due_ms > ?3",
    [FIND_UNTRIED] = "SELECT 1 FROM run_name n JOIN event e ON e.seq = n.event "
                     "WHERE n.route = ?1 AND n.name = '' AND e.state = 0 AND e.attempt = 0",
    [FIND_GROUP] = "SELECT b.event, b.items, b.bytes, e.id, e.due_ms FROM batch_open b JOIN event e ON e.seq = b.event "
                   "WHERE b.route = ?1 AND b.key = ?2 AND e.state = 0 AND e.attempt = 0 AND e.due_ms > ?3",
    [OPEN_GROUP] = "INSERT OR REPLACE INTO batch_open (route, key, event, items, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
    [CLOSE_GROUP] = "DELETE FROM batch_open WHERE route = ?1 AND key = ?2 AND event = ?3",
    [ADD_ITEM] = "INSERT INTO batch_item (event, n, item) VALUES (?1, ?2, ?3)",
    [DUE_NOW] = "UPDATE event SET due_ms = ?2 WHERE seq = ?1",
    [BODY_OF_ITEMS] = "SELECT sum(length(item)) + count(*) + 1 FROM batch_item WHERE event = ?1",
    [LAST_TICK] = "SELECT last_ms FROM task_clock WHERE route = ?1 AND schedule = ?2",
    [KEEP_TICK] = "INSERT OR REPLACE INTO task_clock (route, schedule, last_ms) VALUES (?1, ?2, ?3)",
    [NAME_RUN] = "INSERT OR REPLACE INTO run_name (route, name, event) VALUES (?1, ?2, ?3)",
    [UNNAME_RUN] = "DELETE FROM run_name WHERE route = ?1 AND name = ?2 AND event = ?3",
    [DROP_RUN] = "DELETE FROM event WHERE seq = ?1",
    [DROP_BODY] = "DELETE FROM body WHERE event = ?1",
    [DROP_FAILURES] = "DELETE FROM failure WHERE event = ?1",
    [KEEP_RULES] = "INSERT OR REPLACE INTO generation (number, hash, loaded_ms, files) VALUES (?1, ?2, ?3, ?4)",
    [FORGET_RULES] = "DELETE FROM generation WHERE number <= ?1",
    [SAVEPOINT] = "SAVEPOINT op",
    [RELEASE] = "RELEASE op",
    [ROLLBACK_TO] = "ROLLBACK TO op",
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
};

/* ---- events ---- */

static struct new_delivery *deliveries_of(const struct outcome *outcome)
{
    return outcome->unsaid ? NULL : outcome->deliveries;
}

/* Their numbers follow each other: the event's row names the first, and how many; but for notices. */
static enum result insert_deliveries(struct store *store, int64_t event_seq, const struct outcome *outcome)
{
    sqlite3_stmt *insert = store->statements[INSERT_DELIVERY];
    for (struct new_delivery *delivery = deliveries_of(outcome); delivery; delivery = delivery->next) {
        delivery->seq = store->next_delivery++;
        db_bind_id(insert, 1, &delivery->id);
        sqlite3_bind_int64(insert, 2, event_seq);
        db_bind_text(insert, 3, delivery->target);
        db_bind_text(insert, 4, delivery->order_key);
        db_bind_text(insert, 5, delivery->fixed_id);
        sqlite3_bind_int(insert, 6, delivery->shard);
        sqlite3_bind_int(insert, 7, delivery->state);
        sqlite3_bind_int64(insert, 8, (sqlite3_int64)delivery->due_ms);
        db_bind_slice(insert, 9, delivery->message);
        sqlite3_bind_int64(insert, 10, delivery->seq);
        sqlite3_bind_int(insert, 11, delivery->notice);
        sqlite3_bind_int64(insert, 12, (sqlite3_int64)delivery->not_before_ms);
        enum result rc = db_step(insert);
        if (rc != OK)
            return rc;
    }
    return OK;
}

/* The number that insert_deliveries will begin with. */
static int64_t first_delivery(const struct store *store, const struct outcome *outcome)
{
    return outcome && deliveries_of(outcome) ? store->next_delivery : 0;
}

/* Of the handler: what is sent by one that failed are notices. */
static int64_t own_deliveries(const struct outcome *outcome)
{
    return outcome && outcome->state == EVENT_HANDLED ? outcome->delivery_count : 0;
}

/* Before its deliveries, so that nothing was written when it is stale. */
static enum result update_settled(struct store *store, const struct event *event, const struct outcome *outcome)
{
    sqlite3_stmt *update = store->statements[SETTLE_EVENT];
    sqlite3_bind_int64(update, 1, event->seq);
    sqlite3_bind_int(update, 2, outcome->state);
    sqlite3_bind_int64(update, 3, (sqlite3_int64)outcome->due_ms);
    sqlite3_bind_int64(update, 4, outcome->attempt);
    sqlite3_bind_int64(update, 5, outcome->generation);
    sqlite3_bind_int(update, 6, outcome->reason);
    db_bind_text(update, 7, outcome->text);
    sqlite3_bind_int64(update, 8, first_delivery(store, outcome));
    sqlite3_bind_int64(update, 9, own_deliveries(outcome));
    sqlite3_bind_int64(update, 10, (sqlite3_int64)outcome->attempt - 1);
    enum result rc = db_step(update);
    if (rc == OK && sqlite3_changes(store->write_db) == 0)
        rc = ERR_STALE;
    return rc;
}

/* Of an outcome that has lost only the event is written. */
static const struct outcome *written_outcome(const struct store_accept *accept)
{
    return accept->lost ? NULL : accept->outcome;
}

/* When it is due; one of its key that waits holds it back. */
static enum result find_due(struct store *store, const struct store_accept *accept, uint64_t *due_ms)
{
    const struct event *event = accept->event;
    sqlite3_stmt *find = store->statements[FIND_BEFORE];
    enum result rc = OK;
    const struct outcome *outcome = written_outcome(accept);
    *due_ms = outcome ? outcome->due_ms : event->received_ms;
    if (event->order_key == 0 || (outcome && outcome->state != EVENT_WAITING))
        return OK;
    sqlite3_bind_int64(find, 1, (sqlite3_int64)event->order_key);
    if (db_row(find, &rc))
        *due_ms = STORE_HELD_BACK;
    sqlite3_reset(find);
    return rc;
}

/* One of a key has ended: the next of it is due. */
static enum result release_next(struct store *store, const struct event *event, const struct outcome *outcome)
{
    sqlite3_stmt *update = store->statements[RELEASE_NEXT];
    if (event->order_key == 0 || outcome->state == EVENT_WAITING)
        return OK;
    sqlite3_bind_int64(update, 1, (sqlite3_int64)event->order_key);
    return db_step(update);
}

static enum result insert_event(struct store *store, const struct store_accept *accept, const struct slice meta)
{
    struct event *event = accept->event;
    const struct outcome *outcome = written_outcome(accept);
    sqlite3_stmt *insert = store->statements[INSERT_EVENT];
    uint64_t due_ms;
    enum result rc = find_due(store, accept, &due_ms);
    if (rc != OK)
        return rc;
    db_bind_id(insert, 1, &event->id);
    db_bind_text(insert, 2, event->route);
    db_bind_text(insert, 3, event->type);
    sqlite3_bind_int(insert, 4, outcome ? outcome->state : EVENT_WAITING);
    sqlite3_bind_int64(insert, 5, (sqlite3_int64)event->received_ms);
    sqlite3_bind_int64(insert, 6, (sqlite3_int64)due_ms);
    sqlite3_bind_int64(insert, 7, outcome ? outcome->attempt : 0);
    sqlite3_bind_int64(insert, 8, outcome ? outcome->generation : event->generation);
    sqlite3_bind_int(insert, 9, outcome ? outcome->reason : RUN_OK);
    db_bind_text(insert, 10, outcome ? outcome->text : SLICE(""));
    sqlite3_bind_int64(insert, 11, (sqlite3_int64)accept->keep_until_ms);
    sqlite3_bind_int64(insert, 12, (sqlite3_int64)event->body.len);
    sqlite3_bind_int64(insert, 13, first_delivery(store, outcome));
    sqlite3_bind_int64(insert, 14, own_deliveries(outcome));
    db_bind_slice(insert, 15, meta);
    if (event->order_key)
        sqlite3_bind_int64(insert, 16, (sqlite3_int64)event->order_key);
    else
        sqlite3_bind_null(insert, 16);
    rc = db_step(insert);
    if (rc == OK)
        event->seq = sqlite3_last_insert_rowid(store->write_db);
    return rc;
}

/* A try that failed keeps its own reason, beside the last one in the event's row. */
static enum result insert_failure(struct store *store, int64_t event_seq, const struct outcome *outcome)
{
    sqlite3_stmt *insert = store->statements[INSERT_FAILURE];
    if (outcome->reason == RUN_OK)
        return OK;
    sqlite3_bind_int64(insert, 1, event_seq);
    sqlite3_bind_int64(insert, 2, outcome->attempt);
    sqlite3_bind_int64(insert, 3, (sqlite3_int64)outcome->at_ms);
    sqlite3_bind_int64(insert, 4, outcome->generation);
    sqlite3_bind_int(insert, 5, outcome->reason);
    db_bind_text(insert, 6, outcome->text);
    return db_step(insert);
}

/* Only of events that were stored before: who asks others waits, and who waits is stored first. */
static enum result insert_lookups(struct store *store, int64_t event_seq, const struct outcome *outcome)
{
    sqlite3_stmt *insert = store->statements[INSERT_LOOKUP];
    struct buf record;
    if (!outcome->fetches)
        return OK;
    buf_init(&record, RECORD_MAX);
    for (const struct fetch_record *fetch = outcome->fetches; fetch; fetch = fetch->next)
        fetch_record_write(fetch, &record);
    sqlite3_bind_int64(insert, 1, event_seq);
    sqlite3_bind_int64(insert, 2, outcome->attempt);
    db_bind_slice(insert, 3, buf_slice(&record));
    enum result rc = buf_ok(&record) ? db_step(insert) : ERR_INVALID;
    buf_deinit(&record);
    return rc;
}

static enum result mark_replayed(struct store *store, const struct event *event)
{
    sqlite3_stmt *mark = store->statements[MARK_REPLAYED];
    if (uuid_is_nil(event->replay_of))
        return OK;
    db_bind_id(mark, 1, &event->replay_of);
    db_bind_id(mark, 2, &event->id);
    return db_step(mark);
}

/* A body is needed as long as something waits, or as long as the route keeps it. */
static bool needs_body(const struct store_accept *accept)
{
    const struct outcome *outcome = written_outcome(accept);
    if (accept->keep_body || !outcome || outcome->state == EVENT_WAITING)
        return true;
    for (const struct new_delivery *delivery = deliveries_of(outcome); delivery; delivery = delivery->next)
        if (delivery->state == DELIVERY_WAITING)
            return true;
    return false;
}

static enum result insert_body(struct store *store, const struct event *event)
{
    sqlite3_stmt *insert = store->statements[INSERT_BODY];
    sqlite3_bind_int64(insert, 1, event->seq);
    db_bind_slice(insert, 2, event->body);
    return db_step(insert);
}

/* ERR_EXISTS: an old key; accept->winner is its event. */
static enum result write_keys(struct store *store, struct store_accept *accept)
{
    for (size_t i = 0; i < accept->key_count && accept->key_use != KEYS_RELEASE; i++) {
        sqlite3_stmt *insert = store->statements[INSERT_DEDUPE];
        sqlite3_bind_blob(insert, 1, accept->keys[i].hash, sizeof(accept->keys[i].hash), SQLITE_STATIC);
        sqlite3_bind_int64(insert, 2, (sqlite3_int64)accept->keys[i].until_ms);
        db_bind_id(insert, 3, &accept->event->id);
        enum result rc = db_step(insert);
        if (rc != OK)
            return rc;
        if (accept->key_use == KEYS_HOLD)
            accept->key_rows[i] = sqlite3_last_insert_rowid(store->write_db);
    }
    return OK;
}

static enum result find_old_keys(struct store *store, struct store_accept *accept)
{
    for (size_t i = 0; i < accept->key_count; i++) {
        if (!dedupe_may_be_old(store, accept->keys[i].hash))
            continue;
        sqlite3_stmt *find = store->statements[FIND_OLD];
        enum result rc;
        sqlite3_bind_blob(find, 1, accept->keys[i].hash, sizeof(accept->keys[i].hash), SQLITE_STATIC);
        sqlite3_bind_int64(find, 2, (sqlite3_int64)accept->event->received_ms);
        bool found = db_row(find, &rc);
        if (found) {
            accept->winner = db_id(find, 0);
            accept->winner_until_ms = (uint64_t)sqlite3_column_int64(find, 1);
        }
        sqlite3_reset(find);
        if (found)
            return ERR_EXISTS;
        if (rc != OK)
            return rc;
    }
    return OK;
}

/* Does what on_error and on_dead have decided still hold? What failed is written in any case. */
static enum result check_notices(struct store *store, struct outcome *outcome)
{
    enum result rc = kv_check(store, outcome->kv);
    outcome->unsaid = rc == ERR_STALE;
    return outcome->unsaid ? OK : rc;
}

/* Does what the handler has decided still hold? */
static enum result check_outcome(struct store *store, struct outcome *outcome)
{
    return outcome->reason == RUN_OK ? kv_check(store, outcome->kv) : check_notices(store, outcome);
}

static enum result check_accepted(struct store *store, struct store_accept *accept)
{
    enum result rc = accept->outcome ? check_outcome(store, accept->outcome) : OK;
    accept->lost = rc == ERR_STALE;
    return accept->lost ? OK : rc;
}

static enum result write_kv(struct store *store, const struct outcome *outcome)
{
    return outcome->unsaid ? OK : kv_write(store, outcome->kv);
}

/* What an outcome brings beside the event's own row. */
static enum result insert_notes(struct store *store, const struct event *event, const struct outcome *outcome)
{
    if (!outcome)
        return OK;
    enum result rc = insert_deliveries(store, event->seq, outcome);
    if (rc == OK)
        rc = insert_failure(store, event->seq, outcome);
    if (rc == OK)
        rc = insert_lookups(store, event->seq, outcome);
    if (rc == OK)
        rc = write_kv(store, outcome);
    if (rc == OK)
        rc = runs_write(store, outcome->runs);
    return rc == OK && outcome->state != EVENT_WAITING ? runs_ended(store, event) : rc;
}

static enum result write_accept(struct store *store, struct store_accept *accept)
{
    struct buf meta;
    enum result rc = find_old_keys(store, accept);
    if (rc == OK)
        rc = check_accepted(store, accept);
    if (rc != OK)
        return rc;
    buf_init(&meta, META_MAX);
    event_meta_write(accept->event, &meta);
    rc = buf_ok(&meta) ? insert_event(store, accept, buf_slice(&meta)) : ERR_INVALID;
    if (rc == OK && needs_body(accept))
        rc = insert_body(store, accept->event);
    if (rc == OK)
        rc = insert_notes(store, accept->event, written_outcome(accept));
    if (rc == OK)
        rc = mark_replayed(store, accept->event);
    if (rc == OK)
        rc = write_keys(store, accept);
    buf_deinit(&meta);
    return rc;
}

/* By its event too: a row's number may be given again when the row has gone. */
static enum result forget_keys(struct store *store, const struct store_settle *settle)
{
    sqlite3_stmt *forget = store->statements[FORGET_KEY];
    enum result rc = OK;
    for (size_t i = 0; i < DEDUPE_KEYS_MAX && settle->forget_keys[i] != 0 && rc == OK; i++) {
        sqlite3_bind_int64(forget, 1, settle->forget_keys[i]);
        db_bind_id(forget, 2, &settle->event->id);
        rc = db_step(forget);
    }
    return rc;
}

static enum result write_settle(struct store *store, struct store_settle *settle)
{
    enum result rc = check_outcome(store, settle->outcome);
    if (rc == OK)
        rc = runs_check_items(store, settle->event);
    if (rc == OK)
        rc = update_settled(store, settle->event, settle->outcome);
    if (rc == OK)
        rc = insert_notes(store, settle->event, settle->outcome);
    if (rc == OK)
        rc = forget_keys(store, settle);
    return rc == OK ? release_next(store, settle->event, settle->outcome) : rc;
}

/* ---- what waits, and notes of the router's own ---- */

static enum result write_wake(struct store *store, const struct store_wake *wake)
{
    sqlite3_stmt *update = store->statements[WAKE_EVENT];
    sqlite3_bind_int64(update, 1, wake->seq);
    sqlite3_bind_int64(update, 2, (sqlite3_int64)wake->due_ms);
    return db_step(update);
}

static enum result write_note(struct store *store, const struct store_note *note)
{
    sqlite3_stmt *insert = store->statements[WRITE_NOTE];
    db_bind_text(insert, 1, slice_of(note->name));
    db_bind_slice(insert, 2, note->value);
    return db_step(insert);
}

/* ---- delivery results ---- */

static enum result write_attempt(struct store *store, const struct store_result *result, struct slice record)
{
    sqlite3_stmt *insert = store->statements[INSERT_ATTEMPT];
    sqlite3_bind_int64(insert, 1, result->delivery_seq);
    sqlite3_bind_int64(insert, 2, result->attempt.n);
    db_bind_slice(insert, 3, record);
    return db_step(insert);
}

/* Nothing, if the delivery had ended before. */
static enum result write_says(struct store *store, const struct store_result *result, bool ended)
{
    if (!result->says)
        return OK;
    enum result rc = check_notices(store, result->says);
    result->says->unsaid |= !ended;
    if (rc == OK)
        rc = insert_deliveries(store, result->event_seq, result->says);
    return rc == OK ? write_kv(store, result->says) : rc;
}

static enum result write_result(struct store *store, struct store_result *result)
{
    bool is_first = result->attempt.n == 1;
    sqlite3_stmt *update = store->statements[is_first ? FIRST_RESULT : LATER_RESULT];
    struct buf record;
    buf_init(&record, RECORD_MAX);
    attempt_write(&result->attempt, &record);
    sqlite3_bind_int64(update, 1, result->delivery_seq);
    sqlite3_bind_int(update, 2, result->state);
    sqlite3_bind_int64(update, 3, (sqlite3_int64)result->due_ms);
    db_bind_text(update, 4, result->reason);
    if (is_first)
        db_bind_slice(update, 5, buf_slice(&record));
    else
        sqlite3_bind_int64(update, 5, result->attempt.n);
    enum result rc = buf_ok(&record) ? db_step(update) : ERR_INVALID;
    if (rc == OK)
        rc = write_says(store, result, sqlite3_changes(store->write_db) > 0);
    if (rc == OK && !is_first)
        rc = write_attempt(store, result, buf_slice(&record));
    if (rc == OK && result->forget_body && result->state != DELIVERY_WAITING) {
        sqlite3_bind_int64(store->statements[FORGET_BODY], 1, result->event_seq);
        rc = db_step(store->statements[FORGET_BODY]);
    }
    buf_deinit(&record);
    return rc;
}

/* ---- rules ---- */

static enum result write_rules(struct store *store, const struct store_rules *rules)
{
    sqlite3_stmt *keep = store->statements[KEEP_RULES], *forget = store->statements[FORGET_RULES];
    sqlite3_bind_int64(keep, 1, rules->number);
    db_bind_text(keep, 2, rules->hash);
    sqlite3_bind_int64(keep, 3, (sqlite3_int64)rules->loaded_ms);
    db_bind_slice(keep, 4, rules->files);
    enum result rc = db_step(keep);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(forget, 1, (sqlite3_int64)rules->number - STORE_RULES_KEPT);
    return db_step(forget);
}

/* ---- any of them ---- */

enum result operation_write(struct store *store, struct store_op *op)
{
    switch (op->kind) {
    case STORE_ACCEPT:
        return write_accept(store, (struct store_accept *)op);
    case STORE_SETTLE:
        return write_settle(store, (struct store_settle *)op);
    case STORE_RESULT:
        return write_result(store, (struct store_result *)op);
    case STORE_RULES:
        return write_rules(store, (struct store_rules *)op);
    case STORE_WAKE:
        return write_wake(store, (struct store_wake *)op);
    case STORE_TICK:
        return runs_tick(store, (struct store_tick *)op);
    case STORE_NOTE:
        return write_note(store, (struct store_note *)op);
    default:
        return ERR_INVALID;
    }
}

/* ---- statements ---- */

enum result operations_prepare(struct store *store)
{
    enum result rc = OK;
    for (int i = 0; i < STATEMENTS && rc == OK; i++)
        rc = db_prepare(store->write_db, sql[i], &store->statements[i]);
    return rc;
}

void operations_finish(struct store *store)
{
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(store->statements[i]);
}
