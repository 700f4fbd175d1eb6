/* sqlite.h: the few things we say to SQLite, and how its answers are understood. Private to this folder. */
#ifndef TIDEWIRE_SQLITE_H
#define TIDEWIRE_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"
#include "base/slice.h"
#include "base/uuid.h"

enum { SCHEMA_VERSION = 7, PAGE_BYTES = 16 << 10 };
/* The first makes a store, each other one brings a store of the version before it up to the next. */
extern const char *const schema_steps[SCHEMA_VERSION];

/* What holds for all of SQLite in the process; before anything else is said to it. */
void db_setup(void);

enum db_use { DB_WRITE, DB_READ, DB_OFFLINE };
/* DB_WRITE: from here on nothing outlives a crash. */
enum result db_do_not_sync(sqlite3 *db) MUST_CHECK;
/* Opens, sets every pragma, and with DB_WRITE creates or checks the schema. why: what went wrong and what to do. */
enum result db_open(const char *path, const char *vfs, enum db_use use, sqlite3 **out, char *why, size_t why_size) MUST_CHECK;

/* OK; ERR_DISK_FULL; ERR_INVALID: this statement's own fault (constraint, size); ERR_STORE: nothing more can be trusted. */
enum result db_result(int rc);
enum result db_run(sqlite3 *db, const char *sql) MUST_CHECK;
enum result db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out) MUST_CHECK;
/* Steps a statement that gives no row, and resets it. */
enum result db_step(sqlite3_stmt *statement) MUST_CHECK;
/* true: a row; false: none, or an error (in *rc). */
bool db_row(sqlite3_stmt *statement, enum result *rc);

/* Bound bytes have to live until the statement is reset. */
void db_bind_slice(sqlite3_stmt *statement, int place, struct slice bytes);
void db_bind_text(sqlite3_stmt *statement, int place, struct slice text);
void db_bind_id(sqlite3_stmt *statement, int place, const struct uuid *id);
/* Copies into the arena; data NULL when there is no memory. */
struct slice db_copy(sqlite3_stmt *statement, int column, struct arena *arena);
/* Borrowed until the next step. */
struct slice db_slice(sqlite3_stmt *statement, int column);
struct uuid db_id(sqlite3_stmt *statement, int column);

#endif
