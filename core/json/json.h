/* json.h: JSON over the bytes that arrived: one pass validates and makes a compact index; what is looked at is decoded then;
 * what is not is passed on as the bytes it was. RFC 8259; limits below. Pure: no I/O, any thread; a finished document is
 * immutable and may be read by several threads. */
#ifndef TIDEWIRE_JSON_H
#define TIDEWIRE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"

enum { JSON_DEPTH_MAX = 128 };

struct json_doc; /* the index; borrows the text it was made from */

struct json_error {
    size_t offset;    /* byte in the text, from 0 */
    const char *what; /* a static sentence part: "expected ',' or '}'" */
};

/* A value in a document: doc and the number of its node. doc NULL: no value. */
struct json_value {
    const struct json_doc *doc;
    uint32_t node;
};

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* text must outlive the document, and is below 4 GiB. A byte order mark at the start is skipped. One value, white space round it.
 * ERR_INVALID with *error; ERR_MEMORY. Free with json_free. */
enum result json_index(struct slice text, struct json_doc **out, struct json_error *error) MUST_CHECK;
void json_free(struct json_doc *doc);
/* Memory of the index, for accounts. */
size_t json_memory(const struct json_doc *doc);
/* Gives back what the index has not used. */
void json_trim(struct json_doc *doc);
/* Gives all of it back but the document itself, which nobody may look into until json_refill: from is the index of the same
 * bytes, wherever they lie now, and is taken. */
void json_empty(struct json_doc *doc);
void json_refill(struct json_doc *doc, struct json_doc *from);
/* A copy of the index in one block of the caller's, aligned for a pointer, of json_packed_bytes(doc); over the same text. It ends
 * with the block: json_free is not for it. */
size_t json_packed_bytes(const struct json_doc *doc);
struct json_doc *json_pack(const struct json_doc *doc, void *block);
/* Nodes of the document: every json_value.node is below it. Keys have nodes of their own. */
uint32_t json_node_count(const struct json_doc *doc);

struct json_value json_root(const struct json_doc *doc);
enum json_type json_type(struct json_value value);
/* Its bytes exactly as they came, without white space around. */
struct slice json_text(struct json_value value);
/* Elements of an array, members of an object (twice-given keys counted twice); 0 otherwise. Constant time. */
uint32_t json_count(struct json_value value);
/* The member of that decoded name; of a twice-given name the last. doc NULL: absent, or not an object. */
struct json_value json_member(struct json_value object, struct slice name);
/* i from 0. doc NULL: beyond the end, or not an array. Amortised constant time for walks is json_first/json_next. */
struct json_value json_element(struct json_value array, uint32_t i);
/* Walking: first child (for objects: the value of the first member), then the next one; doc NULL at the end. */
struct json_value json_first(struct json_value container);
struct json_value json_next(struct json_value child);
/* The key of a member found by walking: its raw bytes between the quotes; escaped says whether it needs json_unescape. */
struct slice json_key(struct json_value member, bool *escaped);
/* A string's raw bytes between the quotes. */
struct slice json_string(struct json_value string, bool *escaped);
/* Decodes escapes; never longer than the raw form. \u0000 gives a zero byte, a lone surrogate U+FFFD. */
void json_unescape(struct slice raw, struct buf *out);
/* Does the decoded string equal text? Allocates nothing. */
bool json_string_is(struct slice raw, bool escaped, struct slice text);

/* Numbers: is it a plain integer (no '.', 'e'), and how many digits without the sign? */
bool json_is_integer(struct json_value number, unsigned *digits);
double json_number(struct json_value number);

/* The shortest digits that read back equal, without ".0"; number must be finite. */
void json_write_number(struct buf *out, double number);
/* A string with quotes and the needed escapes. Bytes that are not UTF-8: false, nothing written. Slashes stay. */
bool json_write_string(struct buf *out, struct slice text);

#endif
