#include "store/sqlite.h"

#include <stdio.h>

enum { BUSY_MS = 5000 };

enum result db_result(int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return OK;
    case SQLITE_FULL:
        return ERR_DISK_FULL;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
        return ERR_INVALID;
    default:
        return ERR_STORE;
    }
}

enum result db_run(sqlite3 *db, const char *sql)
{
    return db_result(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

enum result db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out)
{
    return db_result(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL));
}

enum result db_step(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    int reset = sqlite3_reset(statement);
    return db_result(rc == SQLITE_DONE || rc == SQLITE_ROW ? reset : rc);
}

bool db_row(sqlite3_stmt *statement, enum result *rc)
{
    int step = sqlite3_step(statement);
    *rc = db_result(step);
    return step == SQLITE_ROW;
}

void db_bind_slice(sqlite3_stmt *statement, int place, struct slice bytes)
{
    sqlite3_bind_blob64(statement, place, bytes.len ? bytes.data : "", bytes.len, SQLITE_STATIC);
}

void db_bind_text(sqlite3_stmt *statement, int place, struct slice text)
{
    sqlite3_bind_text64(statement, place, text.len ? text.data : "", text.len, SQLITE_STATIC, SQLITE_UTF8);
}

void db_bind_id(sqlite3_stmt *statement, int place, const struct uuid *id)
{
    sqlite3_bind_blob(statement, place, id->bytes, sizeof(id->bytes), SQLITE_STATIC);
}

struct slice db_slice(sqlite3_stmt *statement, int column)
{
    const char *data = sqlite3_column_blob(statement, column);
    return (struct slice){ data, (size_t)sqlite3_column_bytes(statement, column) };
}

struct slice db_copy(sqlite3_stmt *statement, int column, struct arena *arena)
{
    return arena_copy(arena, db_slice(statement, column));
}

struct uuid db_id(sqlite3_stmt *statement, int column)
{
    struct uuid id = { { 0 } };
    struct slice bytes = db_slice(statement, column);
    if (bytes.len == sizeof(id.bytes))
        memcpy(id.bytes, bytes.data, bytes.len);
    return id;
}

/* ---- opening ---- */

void db_setup(void)
{
    /* Its counts of memory, which nobody reads, take a lock at every allocation. Refused when SQLite is in use already, as it is
     * when a second store is opened. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int user_version(sqlite3 *db)
{
    sqlite3_stmt *query = NULL;
    int version = -1;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &query, NULL) == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW)
        version = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    return version;
}

/* All steps that are missing, or none. */
static enum result bring_up_to_date(sqlite3 *db, int from)
{
    char version[64];
    snprintf(version, sizeof(version), "PRAGMA user_version = %d", SCHEMA_VERSION);
    enum result rc = db_run(db, "BEGIN IMMEDIATE");
    for (int step = from; step < SCHEMA_VERSION && rc == OK; step++)
        rc = db_run(db, schema_steps[step]);
    if (rc == OK)
        rc = db_run(db, version);
    return rc == OK ? db_run(db, "COMMIT") : rc;
}

/* What waited in the log of a former process is copied into the file; only then is it known to be readable. */
static enum result prepare_for_writing(sqlite3 *db, char *why, size_t why_size)
{
    enum result rc = db_run(db, "PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
                                "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = OFF;");
    int version = rc == OK ? user_version(db) : -1;
    if (rc == OK && version < SCHEMA_VERSION)
        rc = bring_up_to_date(db, version);
    else if (version > SCHEMA_VERSION) {
        snprintf(why, why_size, "it was written by a newer tidewire (schema %d, this one knows %d): run that version", version,
                 SCHEMA_VERSION);
        return ERR_INVALID;
    }
    if (rc == OK)
        rc = db_result(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
    return rc;
}

enum result db_do_not_sync(sqlite3 *db)
{
    return db_run(db, "PRAGMA synchronous = OFF");
}

enum result db_open(const char *path, const char *vfs, enum db_use use, sqlite3 **out, char *why, size_t why_size)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= use == DB_WRITE  ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
             : use == DB_READ ? SQLITE_OPEN_READWRITE
                              : SQLITE_OPEN_READONLY;
    sqlite3 *db = NULL;
    why[0] = '\0';
    enum result rc = db_result(sqlite3_open_v2(path, &db, flags, vfs));
    if (rc == OK) {
        sqlite3_busy_timeout(db, BUSY_MS);
        rc = db_run(db, "PRAGMA temp_store = MEMORY;");
    }
    if (rc == OK && use == DB_WRITE)
        rc = prepare_for_writing(db, why, why_size);
    else if (rc == OK && use == DB_READ)
        rc = db_run(db, "PRAGMA query_only = 1; PRAGMA wal_autocheckpoint = 0; PRAGMA schema_version;");
    /* once the file has said how large its pages are: until then SQLite counts with those of 4 KB, and keeps four times as much
     */
    if (rc == OK)
        rc = db_run(db, use == DB_WRITE ? "PRAGMA cache_size = -8000" : "PRAGMA cache_size = -2000");
    if (rc != OK) {
        if (!why[0])
            snprintf(why, why_size, "%s", db ? sqlite3_errmsg(db) : "no memory");
        sqlite3_close(db);
        return rc;
    }
    *out = db;
    return OK;
}
