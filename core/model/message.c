#include "model/message.h"

enum tag {
    TAG_METHOD = 1,
    TAG_PATH,
    TAG_QUERY,
    TAG_CONTENT_TYPE,
    TAG_HEADER, /* name block, pieces block */
    TAG_BODY_OF_EVENT,
    TAG_BODY,
};

enum piece { PIECE_BYTES = 0, PIECE_SECRET = 1 /* escaping byte, name block */ };

/* ---- writing ---- */

void pieces_bytes(struct buf *pieces, struct slice bytes)
{
    if (bytes.len == 0)
        return;
    buf_add_byte(pieces, PIECE_BYTES);
    buf_add_block(pieces, bytes);
}

void pieces_secret(struct buf *pieces, struct slice name, enum escaping escaping)
{
    buf_add_byte(pieces, PIECE_SECRET);
    buf_add_byte(pieces, (char)escaping);
    buf_add_block(pieces, name);
}

static void add_field(struct buf *out, enum tag tag, struct slice value)
{
    buf_add_byte(out, (char)tag);
    buf_add_block(out, value);
}

void message_set_method(struct buf *out, struct slice method)
{
    add_field(out, TAG_METHOD, method);
}

void message_set_path(struct buf *out, struct slice pieces)
{
    add_field(out, TAG_PATH, pieces);
}

void message_set_query(struct buf *out, struct slice pieces)
{
    add_field(out, TAG_QUERY, pieces);
}

void message_set_content_type(struct buf *out, struct slice type)
{
    add_field(out, TAG_CONTENT_TYPE, type);
}

void message_add_header(struct buf *out, struct slice name, struct slice pieces)
{
    add_field(out, TAG_HEADER, name);
    buf_add_block(out, pieces);
}

void message_set_body_of_event(struct buf *out)
{
    buf_add_byte(out, TAG_BODY_OF_EVENT);
}

void message_set_body(struct buf *out, struct slice pieces)
{
    add_field(out, TAG_BODY, pieces);
}

/* ---- reading ---- */

static bool is_unreserved(unsigned char c) /* RFC 3986, 2.3 */
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

static void add_percent(struct buf *out, struct slice value, bool space_is_plus)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (is_unreserved(c))
            buf_add_byte(out, (char)c);
        else if (c == ' ' && space_is_plus)
            buf_add_byte(out, '+');
        else
            buf_addf(out, "%%%02X", c);
    }
}

static void add_xml(struct buf *out, struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        switch (value.data[i]) {
        case '&':
            buf_add_text(out, "&amp;");
            break;
        case '<':
            buf_add_text(out, "&lt;");
            break;
        case '>':
            buf_add_text(out, "&gt;");
            break;
        case '"':
            buf_add_text(out, "&quot;");
            break;
        case '\'':
            buf_add_text(out, "&#39;");
            break;
        default:
            buf_add_byte(out, value.data[i]);
        }
    }
}

static void add_json(struct buf *out, struct slice value)
{
    size_t quote = out->len;
    buf_add_json_string(out, value);
    if (!buf_ok(out))
        return;
    /* the place is inside a string already: without the quotes */
    memmove(out->data + quote, out->data + quote + 1, out->len - quote - 2);
    out->len -= 2;
}

static void add_escaped(struct buf *out, struct slice value, enum escaping escaping)
{
    switch (escaping) {
    case ESCAPE_NONE:
        buf_add_slice(out, value);
        break;
    case ESCAPE_JSON:
        add_json(out, value);
        break;
    case ESCAPE_FORM:
        add_percent(out, value, true);
        break;
    case ESCAPE_XML:
        add_xml(out, value);
        break;
    case ESCAPE_URL:
        add_percent(out, value, false);
        break;
    }
}

static enum result add_piece(struct cursor *cursor, secret_resolve resolve, void *arg, struct buf *out, struct slice *missing)
{
    uint8_t kind = cursor_u8(cursor);
    if (kind == PIECE_BYTES) {
        buf_add_slice(out, cursor_block(cursor));
        return OK;
    }
    if (kind != PIECE_SECRET)
        return ERR_INVALID;
    uint8_t escaping = cursor_u8(cursor);
    struct slice name = cursor_block(cursor), value;
    if (cursor->failed || escaping > ESCAPE_URL)
        return ERR_INVALID;
    if (!resolve(arg, name, &value)) {
        *missing = name;
        return ERR_NOT_FOUND;
    }
    add_escaped(out, value, (enum escaping)escaping);
    return OK;
}

void pieces_text(struct buf *pieces, struct slice text, enum escaping escaping)
{
    struct buf escaped;
    buf_init(&escaped, MESSAGE_MAX);
    add_escaped(&escaped, text, escaping);
    if (buf_ok(&escaped))
        pieces_bytes(pieces, buf_slice(&escaped));
    else
        pieces->failed = true;
    buf_deinit(&escaped);
}

/* The usual case: nothing but bytes. */
static bool is_one_run(struct slice pieces, struct slice *bytes)
{
    struct cursor cursor = { .rest = pieces };
    if (cursor_u8(&cursor) != PIECE_BYTES)
        return false;
    *bytes = cursor_block(&cursor);
    return !cursor.failed && cursor.rest.len == 0;
}

enum result pieces_render(struct slice pieces, secret_resolve resolve, void *arg, struct arena *arena, struct slice *out,
                          struct slice *missing)
{
    struct cursor cursor = { .rest = pieces };
    struct buf text;
    enum result rc = OK;
    if (is_one_run(pieces, out))
        return OK;
    buf_init(&text, MESSAGE_MAX);
    while (cursor.rest.len > 0 && rc == OK && !cursor.failed)
        rc = add_piece(&cursor, resolve, arg, &text, missing);
    if (rc == OK && cursor.failed)
        rc = ERR_INVALID;
    if (rc == OK && !buf_ok(&text))
        rc = ERR_MEMORY;
    if (rc == OK) {
        *out = arena_copy(arena, buf_slice(&text));
        if (!out->data)
            rc = ERR_MEMORY;
    }
    buf_deinit(&text);
    return rc;
}

struct rendering {
    secret_resolve resolve;
    void *arg;
    struct arena *arena;
    struct rendered *out;
    struct slice *missing;
};

static enum result render_pieces(const struct rendering *r, struct slice pieces, struct slice *out)
{
    return pieces_render(pieces, r->resolve, r->arg, r->arena, out, r->missing);
}

static enum result render_header(const struct rendering *r, struct cursor *cursor)
{
    struct slice name = cursor_block(cursor), pieces = cursor_block(cursor);
    if (cursor->failed || r->out->header_count == MESSAGE_HEADERS_MAX)
        return ERR_INVALID;
    struct pair *header = &r->out->headers[r->out->header_count++];
    header->name = name;
    return render_pieces(r, pieces, &header->value);
}

static enum result render_field(const struct rendering *r, struct cursor *cursor)
{
    switch (cursor_u8(cursor)) {
    case TAG_METHOD:
        r->out->method = cursor_block(cursor);
        return OK;
    case TAG_CONTENT_TYPE:
        r->out->content_type = cursor_block(cursor);
        return OK;
    case TAG_PATH:
        return render_pieces(r, cursor_block(cursor), &r->out->path);
    case TAG_QUERY:
        return render_pieces(r, cursor_block(cursor), &r->out->query);
    case TAG_HEADER:
        return render_header(r, cursor);
    case TAG_BODY_OF_EVENT:
        r->out->body_of_event = true;
        return OK;
    case TAG_BODY:
        return render_pieces(r, cursor_block(cursor), &r->out->body);
    default:
        return ERR_INVALID;
    }
}

enum result message_render(struct slice blob, secret_resolve resolve, void *arg, struct arena *arena, struct rendered *out,
                           struct slice *missing)
{
    struct rendering rendering = { resolve, arg, arena, out, missing };
    struct cursor cursor = { .rest = blob };
    enum result rc = OK;
    out->method = out->path = out->query = out->content_type = (struct slice){ NULL, 0 };
    out->body = SLICE("");
    out->body_of_event = false;
    out->header_count = 0; /* the places behind it are not cleared: there are many */
    while (cursor.rest.len > 0 && rc == OK) {
        rc = render_field(&rendering, &cursor);
        if (rc == OK && cursor.failed)
            rc = ERR_INVALID;
    }
    return rc;
}

/* A resolver for screens: the place itself. */
static bool show_name(void *arg, struct slice name, struct slice *value)
{
    struct arena *arena = arg;
    char *text = arena_alloc(arena, sizeof("secret:") + name.len);
    if (!text)
        return false;
    memcpy(text, "secret:", sizeof("secret:") - 1);
    memcpy(text + sizeof("secret:") - 1, name.data, name.len);
    *value = (struct slice){ text, sizeof("secret:") - 1 + name.len };
    return true;
}

enum result message_show_body(struct slice blob, struct buf *out, bool *body_of_event)
{
    struct arena arena = { 0 };
    struct rendered rendered;
    struct slice missing;
    enum result rc = message_render(blob, show_name, &arena, &arena, &rendered, &missing);
    if (rc == OK) {
        *body_of_event = rendered.body_of_event;
        buf_add_slice(out, rendered.body);
    }
    arena_deinit(&arena);
    return rc;
}
