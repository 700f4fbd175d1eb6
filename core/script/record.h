/* record.h: one table of the loader, taken apart: its fields as values of the generation, and what several kinds of records have.
 * Private to records.c and record_*.c; the scratch state's thread.
 *
 * A field is asked for by its name, of the table at the top of the stack, which is left as it was. One that is not there reads
 * as none, 0 or false: which must be there, and what they may say, the loader has checked. What is read is copied into the
 * generation's arena. Everything here may raise (memory). */
#ifndef TIDEWIRE_RECORD_H
#define TIDEWIRE_RECORD_H

#include <lua.h>

#include "model/generation.h"
#include "model/message.h"

/* The record that is being read: the table at the top of the stack. */
struct record {
    lua_State *L;
    struct generation *generation;
};

/* Zeroed memory of the generation. */
void *record_take(const struct record *record, size_t size);

/* data NULL: there is none. */
struct slice record_text(const struct record *record, const char *name);
double record_number(const struct record *record, const char *name);
bool record_flag(const struct record *record, const char *name);
/* Which of the words stands there (a list that ends with NULL); 0 when none. */
int record_word(const struct record *record, const char *name, const char *const *words);
/* The same for words that decide what is refused: one that is not known here is a mistake of the loader, and raised. */
int record_known_word(const struct record *record, const char *name, const char *const *words);
/* A text or a secret, as pieces of message.h. */
struct slice record_pieces(const struct record *record, const char *name);
struct slice record_escaped_pieces(const struct record *record, const char *name, enum escaping escaping);
/* A list of texts. */
const struct slice *record_texts(const struct record *record, const char *name, size_t *count);
/* The first `most` of them, into the caller's own array. Their number. */
size_t record_few_texts(const struct record *record, const char *name, struct slice *out, size_t most);
/* { { name, value } … }; values as pieces or as plain text. */
const struct pair *record_pairs(const struct record *record, const char *name, size_t *count, bool as_pieces);

/* The table `name` becomes the one that is read, until record_leave. false: there is none, and nothing is to be left. */
bool record_enter(const struct record *record, const char *name);
/* The same for a list; *count 0 when there is none. */
bool record_enter_list(const struct record *record, const char *name, size_t *count);
/* Item i of a list, from 0; until record_leave. */
void record_enter_item(const struct record *record, size_t i);
void record_leave(const struct record *record);

/* What several kinds of records have. */
struct limits record_limits(const struct record *record, const struct limits *otherwise);
struct retry_policy record_retry(const struct record *record);
const struct cidr *record_ranges(const struct record *record, const char *name, size_t *count);

/* record_verify.c */
struct verify record_verify(const struct record *record, const char *name);
/* record_route.c: the table that is read, as a route */
void record_read_route(const struct record *record, struct route *route);
/* record_task.c: tasks and batches */
void record_read_task(const struct record *record, struct task *task);
void record_read_batch(const struct record *record, struct route *batch);
/* record_target.c */
void record_read_target(const struct record *record, struct target *target);

#endif
