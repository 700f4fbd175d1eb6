/* edit.h: a changed JSON text from an indexed one: what is not touched keeps its bytes and its order. Pure; any thread.
 * All append to out, which may fail (buf_ok). A result may be nested deeper than JSON allows: index it before it is believed. */
#ifndef TIDEWIRE_JSON_EDIT_H
#define TIDEWIRE_JSON_EDIT_H

#include "base/buf.h"
#include "base/result.h"
#include "json/json.h"

/* root with the JSON `text` at the path (model/lookup.h, without [*]); missing steps are made, null counts as missing.
 * ERR_INVALID: the path cannot be made, *why says it (static). */
enum result edit_set(struct json_value root, struct slice path, struct slice text, struct buf *out, const char **why) MUST_CHECK;

/* root with the members of `changes` (both objects): goes into objects at every depth, replaces everything else whole; new
 * members go last, in the order of `changes`. Of a twice-given name the last one counts and is changed. */
void edit_merge(struct json_value root, struct json_value changes, struct buf *out);

/* For picking and omitting: marks of json_node_count(root.doc) bytes, zeroed. Each path marks its places ([*]: each).
 * false: it leads nowhere. */
bool edit_mark_kept(struct json_value root, struct slice path, unsigned char *marks);
bool edit_mark_dropped(struct json_value root, struct slice path, unsigned char *marks);
/* Only what is marked, with the containers around it; elements of arrays close up. */
void edit_keep(struct json_value root, const unsigned char *marks, struct buf *out);
/* All but what is marked. */
void edit_drop(struct json_value root, const unsigned char *marks, struct buf *out);
/* All, but the JSON `text` in place of what is marked (by edit_mark_dropped; the root too). */
void edit_hide(struct json_value root, const unsigned char *marks, struct slice text, struct buf *out);

#endif
