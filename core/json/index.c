/* index.c: one pass over the text, iterative: an explicit stack of open containers, no recursion. */
#include "json/index.h"

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/mem.h"

enum { NODES_FIRST = 64, BYTES_PER_NODE = 24 /* a first guess, measured on webhook bodies */ };

struct parser {
    struct json_doc *doc;
    const unsigned char *text;
    size_t at, len;
    const char *what;              /* of the error */
    uint32_t open[JSON_DEPTH_MAX]; /* containers around the present place */
    uint32_t last[JSON_DEPTH_MAX]; /* their latest child; 0: none yet */
    unsigned depth;
};

static enum result fail(struct parser *p, const char *what)
{
    p->what = what;
    return ERR_INVALID;
}

static void skip_space(struct parser *p)
{
    while (p->at < p->len) {
        unsigned char c = p->text[p->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return;
        p->at++;
    }
}

static enum result add_node(struct parser *p, enum json_type type, size_t start, uint32_t *out)
{
    struct json_doc *doc = p->doc;
    if (doc->count == doc->room) {
        uint32_t room = doc->room * 2;
        struct node *nodes = room > doc->room ? mem_realloc(doc->nodes, room * sizeof(*nodes)) : NULL;
        if (!nodes)
            return ERR_MEMORY;
        doc->nodes = nodes;
        doc->room = room;
    }
    doc->nodes[doc->count] = (struct node){ .start = (uint32_t)start, .type = (uint32_t)type };
    *out = doc->count++;
    return OK;
}

/* ---- strings ---- */

/* Moves over bytes of a string that need no look: not '"', '\\', a control or the start of a longer UTF-8 sequence. */
static void skip_plain(struct parser *p)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
    while (p->at + 16 <= p->len) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(p->text + p->at));
        /* signed: below ' ' are the controls and everything from 0x80 on */
        __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                                    _mm_cmplt_epi8(bytes, space));
        int mask = _mm_movemask_epi8(stop);
        if (mask) {
            p->at += (size_t)__builtin_ctz((unsigned)mask);
            return;
        }
        p->at += 16;
    }
#endif
    while (p->at < p->len) {
        unsigned char c = p->text[p->at];
        if (c == '"' || c == '\\' || c < ' ' || c >= 0x80)
            return;
        p->at++;
    }
}

static bool is_hex(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static enum result skip_escape(struct parser *p)
{
    if (p->at + 1 >= p->len)
        return fail(p, "unfinished string");
    switch (p->text[p->at + 1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        p->at += 2;
        return OK;
    case 'u':
        for (size_t i = 2; i < 6; i++)
            if (p->at + i >= p->len || !is_hex(p->text[p->at + i]))
                return fail(p, "\\u wants four hex digits");
        p->at += 6;
        return OK;
    default:
        return fail(p, "unknown escape");
    }
}

static enum result skip_utf8(struct parser *p)
{
    size_t len = utf8_length(p->text + p->at, p->len - p->at);
    p->at += len;
    return len ? OK : fail(p, "not UTF-8");
}

/* at: the opening quote. */
static enum result add_string(struct parser *p, uint32_t *out)
{
    bool escaped = false;
    size_t start = ++p->at;
    for (;;) {
        enum result rc = OK;
        skip_plain(p);
        if (p->at >= p->len)
            return fail(p, "unfinished string");
        unsigned char c = p->text[p->at];
        if (c == '"')
            break;
        if (c == '\\') {
            escaped = true;
            rc = skip_escape(p);
        } else if (c < ' ') {
            rc = fail(p, "a control character in a string");
        } else {
            rc = skip_utf8(p);
        }
        if (rc != OK)
            return rc;
    }
    enum result rc = add_node(p, JSON_STRING, start, out);
    if (rc != OK)
        return rc;
    p->doc->nodes[*out].end = (uint32_t)p->at++;
    p->doc->nodes[*out].escaped = escaped;
    return OK;
}

/* ---- numbers and words ---- */

static bool skip_digits(struct parser *p)
{
    size_t start = p->at;
    while (p->at < p->len && p->text[p->at] >= '0' && p->text[p->at] <= '9')
        p->at++;
    return p->at > start;
}

static bool next_is(const struct parser *p, char a, char b)
{
    return p->at < p->len && (p->text[p->at] == a || p->text[p->at] == b);
}

static enum result add_number(struct parser *p, uint32_t *out)
{
    size_t start = p->at;
    if (next_is(p, '-', '-'))
        p->at++;
    if (next_is(p, '0', '0'))
        p->at++;
    else if (!skip_digits(p))
        return fail(p, "a number wants a digit");
    if (next_is(p, '.', '.')) {
        p->at++;
        if (!skip_digits(p))
            return fail(p, "a fraction wants a digit");
    }
    if (next_is(p, 'e', 'E')) {
        p->at++;
        if (next_is(p, '+', '-'))
            p->at++;
        if (!skip_digits(p))
            return fail(p, "an exponent wants a digit");
    }
    enum result rc = add_node(p, JSON_NUMBER, start, out);
    if (rc == OK)
        p->doc->nodes[*out].end = (uint32_t)p->at;
    return rc;
}

static enum result add_word(struct parser *p, const char *word, enum json_type type, uint32_t *out)
{
    size_t len = strlen(word);
    if (p->len - p->at < len || memcmp(p->text + p->at, word, len) != 0)
        return fail(p, "expected a value");
    enum result rc = add_node(p, type, p->at, out);
    p->at += len;
    if (rc == OK)
        p->doc->nodes[*out].end = (uint32_t)p->at;
    return rc;
}

/* ---- containers ---- */

static enum result open_container(struct parser *p, enum json_type type, uint32_t *out)
{
    if (p->depth == JSON_DEPTH_MAX)
        return fail(p, "nested deeper than 128");
    enum result rc = add_node(p, type, p->at, out);
    if (rc != OK)
        return rc;
    p->open[p->depth] = *out;
    p->last[p->depth++] = 0;
    p->at++;
    return OK;
}

static void close_container(struct parser *p)
{
    p->at++;
    p->doc->nodes[p->open[--p->depth]].end = (uint32_t)p->at;
}

static enum result link_child(struct parser *p, uint32_t child, bool keyed)
{
    struct node *nodes = p->doc->nodes;
    uint32_t parent = p->open[p->depth - 1], last = p->last[p->depth - 1];
    if (nodes[parent].count == JSON_CHILDREN_MAX)
        return fail(p, "too many elements");
    nodes[parent].count++;
    nodes[child].keyed = keyed;
    if (last)
        nodes[last].next = child;
    p->last[p->depth - 1] = child;
    return OK;
}

static enum result add_key(struct parser *p)
{
    uint32_t key;
    if (p->at >= p->len || p->text[p->at] != '"')
        return fail(p, "expected a name in quotes");
    enum result rc = add_string(p, &key);
    if (rc != OK)
        return rc;
    skip_space(p);
    if (p->at >= p->len || p->text[p->at] != ':')
        return fail(p, "expected ':'");
    p->at++;
    skip_space(p);
    return OK;
}

static enum result add_value(struct parser *p, uint32_t *out)
{
    if (p->at >= p->len)
        return fail(p, "expected a value");
    switch (p->text[p->at]) {
    case '{':
        return open_container(p, JSON_OBJECT, out);
    case '[':
        return open_container(p, JSON_ARRAY, out);
    case '"':
        return add_string(p, out);
    case 't':
        return add_word(p, "true", JSON_TRUE, out);
    case 'f':
        return add_word(p, "false", JSON_FALSE, out);
    case 'n':
        return add_word(p, "null", JSON_NULL, out);
    case '-':
    case '0' ... '9':
        return add_number(p, out);
    default:
        return fail(p, "expected a value");
    }
}

/* One child, with its key in an object. A container that it opens is then the innermost one. */
static enum result add_child(struct parser *p)
{
    bool keyed = p->doc->nodes[p->open[p->depth - 1]].type == JSON_OBJECT;
    unsigned depth = p->depth;
    uint32_t child;
    enum result rc = keyed ? add_key(p) : OK;
    if (rc == OK)
        rc = add_value(p, &child);
    if (rc != OK)
        return rc;
    unsigned inner = p->depth;
    p->depth = depth; /* linked to the container it stands in, not to itself */
    rc = link_child(p, child, keyed);
    p->depth = inner;
    return rc;
}

/* In the innermost container: a child, or its end. */
static enum result step(struct parser *p)
{
    uint32_t open = p->open[p->depth - 1];
    bool is_object = p->doc->nodes[open].type == JSON_OBJECT;
    bool first = p->last[p->depth - 1] == 0;
    skip_space(p);
    if (p->at >= p->len)
        return fail(p, is_object ? "unfinished object" : "unfinished array");
    if (p->text[p->at] == (is_object ? '}' : ']')) {
        close_container(p);
        return OK;
    }
    if (first)
        return add_child(p);
    if (p->text[p->at] != ',')
        return fail(p, is_object ? "expected ',' or '}'" : "expected ',' or ']'");
    p->at++;
    skip_space(p);
    return add_child(p);
}

static enum result parse(struct parser *p)
{
    static const unsigned char mark[] = { 0xEF, 0xBB, 0xBF };
    uint32_t root;
    if (p->len >= sizeof(mark) && memcmp(p->text, mark, sizeof(mark)) == 0)
        p->at = sizeof(mark);
    skip_space(p);
    enum result rc = add_value(p, &root);
    while (rc == OK && p->depth > 0)
        rc = step(p);
    if (rc != OK)
        return rc;
    skip_space(p);
    return p->at == p->len ? OK : fail(p, "something follows the value");
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
    struct parser parser = { .doc = doc, .text = (const unsigned char *)text.data, .len = text.len };
    enum result rc = parse(&parser);
    if (rc != OK) {
        *error = (struct json_error){ parser.at, parser.what };
        json_free(doc);
        return rc;
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
