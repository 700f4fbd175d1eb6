/* index.c: one pass over the text, iterative: an explicit stack of open containers, no recursion. */
#include "json/index.h"

#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/mem.h"

enum { NODES_FIRST = 64, BYTES_PER_NODE = 16 /* a first guess, measured on webhook bodies */ };

typedef const unsigned char *place; /* in the text */

/* A container around the present place. */
struct level {
    uint32_t node, last; /* its own; that of its latest child, 0: none yet */
    uint32_t count;
    bool is_object;
};

/* Places are handed from function to function, not kept here: they stay in registers. */
struct parser {
    struct json_doc *doc;
    place text, end;
    place failed_at;
    const char *what; /* of the error; NULL: no memory */
    struct level open[JSON_DEPTH_MAX];
    unsigned depth;
};

/* NULL, which every function gives after a failure. */
static place fail(struct parser *p, place at, const char *what)
{
    p->failed_at = at;
    p->what = what;
    return NULL;
}

static inline place space_end(const struct parser *p, place at)
{
    while (at < p->end && *at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

static inline uint32_t offset(const struct parser *p, place at)
{
    return (uint32_t)(at - p->text);
}

/* Room for a key and its value. */
static bool grow(struct json_doc *doc)
{
    uint32_t room = doc->room * 2;
    struct node *nodes = room > doc->room ? mem_realloc(doc->nodes, room * sizeof(*nodes)) : NULL;
    if (!nodes)
        return false;
    doc->nodes = nodes;
    doc->room = room;
    return true;
}

static inline bool has_room(struct json_doc *doc)
{
    return doc->room - doc->count >= 2 || grow(doc);
}

/* ---- strings ---- */

/* Past bytes of a string that need no look: not '"', '\\', a control or the start of a longer UTF-8 sequence. */
static inline place plain_end(place at, place end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)at);
        /* signed: below ' ' are the controls and everything from 0x80 on */
        __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                                    _mm_cmplt_epi8(bytes, space));
        int mask = _mm_movemask_epi8(stop);
        if (mask)
            return at + __builtin_ctz((unsigned)mask);
    }
#endif
    while (at < end && *at != '"' && *at != '\\' && *at >= ' ' && *at < 0x80)
        at++;
    return at;
}

static bool is_hex(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* at: the backslash. */
static place escape_end(struct parser *p, place at)
{
    if (p->end - at < 2)
        return fail(p, at, "unfinished string");
    switch (at[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return at + 2;
    case 'u':
        for (int i = 2; i < 6; i++)
            if (p->end - at <= i || !is_hex(at[i]))
                return fail(p, at, "\\u wants four hex digits");
        return at + 6;
    default:
        return fail(p, at, "unknown escape");
    }
}

static place utf8_end(struct parser *p, place at)
{
    size_t len = utf8_length(at, (size_t)(p->end - at));
    return len ? at + len : fail(p, at, "not UTF-8");
}

/* What is neither plain nor the closing quote. */
static place special_end(struct parser *p, place at, bool *escaped)
{
    if (at == p->end)
        return fail(p, at, "unfinished string");
    if (*at < ' ')
        return fail(p, at, "a control character in a string");
    *escaped = *escaped || *at == '\\';
    return *at == '\\' ? escape_end(p, at) : utf8_end(p, at);
}

static inline place add_string_node(struct parser *p, place start, place end, bool escaped, bool keyed)
{
    p->doc->nodes[p->doc->count++] = (struct node){
        .start = offset(p, start), .end = offset(p, end), .type = JSON_STRING, .escaped = escaped, .keyed = keyed
    };
    return end + 1;
}

/* at: where the plain bytes end. Apart from add_string, so that the usual string costs no more than a look. */
static __attribute__((noinline)) place add_special_string(struct parser *p, place start, place at, bool keyed)
{
    bool escaped = false;
    for (; at == p->end || *at != '"'; at = plain_end(at, p->end)) {
        at = special_end(p, at, &escaped);
        if (!at)
            return NULL;
    }
    return add_string_node(p, start, at, escaped, keyed);
}

/* at: the opening quote. */
static inline place add_string(struct parser *p, place at, bool keyed)
{
    place end = plain_end(at + 1, p->end);
    if (end == p->end || *end != '"')
        return add_special_string(p, at + 1, end, keyed);
    return add_string_node(p, at + 1, end, false, keyed);
}

/* ---- numbers and words ---- */

static place digits_end(const struct parser *p, place at)
{
    while (at < p->end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

static bool is_one_of(const struct parser *p, place at, char a, char b)
{
    return at < p->end && (*at == a || *at == b);
}

/* The digits that have to stand here. */
static place need_digits(struct parser *p, place at, const char *otherwise)
{
    place end = digits_end(p, at);
    return end > at ? end : fail(p, at, otherwise);
}

static place number_end(struct parser *p, place at)
{
    if (*at == '-')
        at++;
    at = is_one_of(p, at, '0', '0') ? at + 1 : need_digits(p, at, "a number wants a digit");
    if (at && is_one_of(p, at, '.', '.'))
        at = need_digits(p, at + 1, "a fraction wants a digit");
    if (at && is_one_of(p, at, 'e', 'E'))
        at = need_digits(p, at + 1 + is_one_of(p, at + 1, '+', '-'), "an exponent wants a digit");
    return at;
}

static place add_scalar(struct parser *p, place at, place end, enum json_type type, bool keyed)
{
    if (end)
        p->doc->nodes[p->doc->count++] =
            (struct node){ .start = offset(p, at), .end = offset(p, end), .type = type, .keyed = keyed };
    return end;
}

static place word_end(struct parser *p, place at, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(p->end - at) < len || memcmp(at, word, len) != 0)
        return fail(p, at, "expected a value");
    return at + len;
}

/* ---- containers ---- */

static place open_container(struct parser *p, place at, enum json_type type, bool keyed)
{
    struct json_doc *doc = p->doc;
    if (p->depth == JSON_DEPTH_MAX)
        return fail(p, at, "nested deeper than 128");
    p->open[p->depth++] = (struct level){ .node = doc->count, .is_object = type == JSON_OBJECT };
    doc->nodes[doc->count++] = (struct node){ .start = offset(p, at), .type = type, .keyed = keyed };
    return at + 1;
}

/* at: its bracket. */
static inline place close_container(struct parser *p, const struct level *level, place at)
{
    struct node *node = &p->doc->nodes[level->node];
    node->end = offset(p, at) + 1;
    node->count = level->count;
    p->depth--;
    return at + 1;
}

static inline place add_value(struct parser *p, place at, bool keyed)
{
    if (at == p->end)
        return fail(p, at, "expected a value");
    switch (*at) {
    case '"':
        return add_string(p, at, keyed);
    case '{':
        return open_container(p, at, JSON_OBJECT, keyed);
    case '[':
        return open_container(p, at, JSON_ARRAY, keyed);
    case 't':
        return add_scalar(p, at, word_end(p, at, "true"), JSON_TRUE, keyed);
    case 'f':
        return add_scalar(p, at, word_end(p, at, "false"), JSON_FALSE, keyed);
    case 'n':
        return add_scalar(p, at, word_end(p, at, "null"), JSON_NULL, keyed);
    case '-':
    case '0' ... '9':
        return add_scalar(p, at, number_end(p, at), JSON_NUMBER, keyed);
    default:
        return fail(p, at, "expected a value");
    }
}

/* A name and its colon. */
static inline place add_key(struct parser *p, place at)
{
    if (at == p->end || *at != '"')
        return fail(p, at, "expected a name in quotes");
    at = add_string(p, at, false);
    if (!at)
        return NULL;
    at = space_end(p, at);
    if (at == p->end || *at != ':')
        return fail(p, at, "expected ':'");
    return space_end(p, at + 1);
}

/* One child, with its key in an object. A container that it opens is then the innermost one. */
static inline place add_child(struct parser *p, struct level *level, place at)
{
    if (level->count == JSON_CHILDREN_MAX)
        return fail(p, at, "too many elements");
    if (!has_room(p->doc))
        return fail(p, at, NULL);
    if (level->is_object && !(at = add_key(p, at)))
        return NULL;
    uint32_t child = p->doc->count;
    if (level->count++ > 0)
        p->doc->nodes[level->last].next = child;
    level->last = child;
    return add_value(p, at, level->is_object);
}

/* In the innermost container: a child, or its end. */
static inline place step(struct parser *p, place at)
{
    struct level *level = &p->open[p->depth - 1];
    at = space_end(p, at);
    if (at == p->end)
        return fail(p, at, level->is_object ? "unfinished object" : "unfinished array");
    if (*at == (level->is_object ? '}' : ']'))
        return close_container(p, level, at);
    if (level->count == 0)
        return add_child(p, level, at);
    if (*at != ',')
        return fail(p, at, level->is_object ? "expected ',' or '}'" : "expected ',' or ']'");
    return add_child(p, level, space_end(p, at + 1));
}

/* false: p says where and why. */
static bool parse(struct parser *p)
{
    static const unsigned char mark[] = { 0xEF, 0xBB, 0xBF };
    place at = p->text;
    if (p->end - at >= (ptrdiff_t)sizeof(mark) && memcmp(at, mark, sizeof(mark)) == 0)
        at += sizeof(mark);
    at = add_value(p, space_end(p, at), false);
    while (at && p->depth > 0)
        at = step(p, at);
    if (!at)
        return false;
    at = space_end(p, at);
    return at == p->end || fail(p, at, "something follows the value");
}

static struct json_doc *doc_new(struct slice text)
{
    size_t room = text.len / BYTES_PER_NODE + NODES_FIRST;
    struct json_doc *doc = mem_alloc(sizeof(*doc));
    if (!doc)
        return NULL;
    *doc = (struct json_doc){ .text = text, .nodes = mem_alloc(room * sizeof(struct node)), .room = (uint32_t)room };
    if (!doc->nodes) {
        mem_free(doc);
        return NULL;
    }
    return doc;
}

enum result json_index(struct slice text, struct json_doc **out, struct json_error *error)
{
    if (text.len >= UINT32_MAX) {
        *error = (struct json_error){ 0, "longer than 4 GiB" };
        return ERR_INVALID;
    }
    struct json_doc *doc = doc_new(text);
    if (!doc)
        return ERR_MEMORY;
    struct parser parser; /* its levels are large and filled as they are opened */
    parser.doc = doc;
    parser.text = (place)(text.len ? text.data : "");
    parser.end = parser.text + text.len;
    parser.depth = 0;
    if (!parse(&parser)) {
        *error = (struct json_error){ offset(&parser, parser.failed_at), parser.what };
        json_free(doc);
        return parser.what ? ERR_INVALID : ERR_MEMORY;
    }
    *out = doc;
    return OK;
}

void json_free(struct json_doc *doc)
{
    if (!doc)
        return;
    mem_free(doc->nodes);
    mem_free(doc);
}

size_t json_memory(const struct json_doc *doc)
{
    return sizeof(*doc) + doc->room * sizeof(struct node);
}

void json_trim(struct json_doc *doc)
{
    size_t bytes = doc->count * sizeof(struct node);
    struct node *nodes = mem_alloc(bytes); /* a block that shrinks to half of it may stay where it is, as large as it was */
    if (!nodes)
        return;
    memcpy(nodes, doc->nodes, bytes);
    mem_free(doc->nodes);
    doc->nodes = nodes;
    doc->room = doc->count;
}

void json_empty(struct json_doc *doc)
{
    mem_free(doc->nodes);
    *doc = (struct json_doc){ .nodes = NULL };
}

void json_refill(struct json_doc *doc, struct json_doc *from)
{
    *doc = *from;
    mem_free(from);
}

size_t json_packed_bytes(const struct json_doc *doc)
{
    return sizeof(*doc) + doc->count * sizeof(struct node);
}

struct json_doc *json_pack(const struct json_doc *doc, void *block)
{
    struct json_doc *packed = block;
    *packed = *doc;
    packed->nodes = (struct node *)(packed + 1);
    packed->room = doc->count;
    memcpy(packed->nodes, doc->nodes, doc->count * sizeof(struct node));
    return packed;
}

uint32_t json_node_count(const struct json_doc *doc)
{
    return doc->count;
}
