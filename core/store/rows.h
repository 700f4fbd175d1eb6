/* rows.h: each read of store.h as queries. Reader thread, or the command line's. Private to this folder. */
#ifndef TIDEWIRE_ROWS_H
#define TIDEWIRE_ROWS_H

#include "store/sqlite.h"
#include "store/store.h"

enum result rows_event(sqlite3 *db, struct store_read_event *read) MUST_CHECK;
enum result rows_delivery(sqlite3 *db, struct store_read_delivery *read) MUST_CHECK;
enum result rows_list(sqlite3 *db, struct store_read_list *read) MUST_CHECK;
enum result rows_show(sqlite3 *db, struct store_read_show *read) MUST_CHECK;

/* waiting.c */
enum result rows_due(sqlite3 *db, struct store_read_due *read) MUST_CHECK;
enum result rows_window(sqlite3 *db, struct store_read_window *read) MUST_CHECK;
enum result rows_backlog(sqlite3 *db, struct store_read_backlog *read) MUST_CHECK;

#endif
