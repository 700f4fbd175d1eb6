#include "deliver/attempt_request.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "deliver/sign.h"
#include "model/message.h"

/* URL_MAX_BYTES: a path and a query of 8 KiB each (lua/tidewire/actions.lua) behind the target's own. */
enum {
    LINE_MAX_BYTES = 16 << 10,
    URL_MAX_BYTES = 32 << 10,
    LINES_MAX = SENDER_HEADERS_MAX - 1 /* the last place is for "no Content-Type" */
};

struct building {
    const struct attempt_source *source;
    struct arena *arena;
    struct rendered message;
    const char *lines[SENDER_HEADERS_MAX];
    struct slice names[SENDER_HEADERS_MAX];
    size_t count;
    const char **why;
};

static enum result render(const struct building *b, struct slice pieces, struct slice *out)
{
    struct slice missing = { NULL, 0 };
    enum result rc = pieces_render(pieces, generation_secret, (void *)b->source->generation, b->arena, out, &missing);
    if (rc == ERR_NOT_FOUND)
        *b->why = "a secret of its target is not set";
    return rc;
}

/* ---- headers: the message's win over the target's, those over ours ---- */

static bool has(const struct building *b, struct slice name)
{
    for (size_t i = 0; i < b->count; i++)
        if (slice_eq_nocase(b->names[i], name))
            return true;
    return false;
}

static bool is_clean(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\r' || text.data[i] == '\n' || text.data[i] == '\0')
            return false;
    return true;
}

static enum result refuse(const struct building *b, const char *why)
{
    *b->why = why;
    return ERR_INVALID;
}

/* With a zero behind it. */
static struct slice joined(struct arena *arena, struct slice a, struct slice middle, struct slice b)
{
    size_t len = a.len + middle.len + b.len;
    char *text = arena_take(arena, len + 1), *end = text;
    if (!text)
        return (struct slice){ NULL, 0 };
    end = mempcpy(end, a.data, a.len);
    end = mempcpy(end, middle.data, middle.len);
    end = mempcpy(end, b.data, b.len);
    *end = '\0';
    return (struct slice){ text, len };
}

static enum result add_header(struct building *b, struct slice name, struct slice value)
{
    value = slice_trim(value); /* what libcurl sees as empty, it would take for "without this header" */
    if (has(b, name))
        return OK;
    if (!is_clean(name) || !is_clean(value))
        return refuse(b, "a header with a line end or a zero byte in it");
    if (name.len + value.len > LINE_MAX_BYTES)
        return refuse(b, "a header of more than 16 KiB");
    if (b->count >= LINES_MAX)
        return refuse(b, "too many headers, its target's counted");
    /* libcurl takes "Name;" for a header without a value */
    struct slice line = joined(b->arena, name, value.len ? SLICE(": ") : SLICE(";"), value);
    if (!line.data)
        return ERR_MEMORY;
    b->names[b->count] = name;
    b->lines[b->count++] = line.data;
    return OK;
}

static enum result add_message_headers(struct building *b)
{
    enum result rc = OK;
    for (size_t i = 0; i < b->message.header_count && rc == OK; i++)
        rc = add_header(b, b->message.headers[i].name, b->message.headers[i].value);
    return rc;
}

static enum result add_target_headers(struct building *b)
{
    const struct target *target = b->source->target;
    enum result rc = OK;
    for (size_t i = 0; i < target->header_count && rc == OK; i++) {
        struct slice value;
        rc = render(b, target->headers[i].value, &value);
        if (rc == OK)
            rc = add_header(b, target->headers[i].name, value);
    }
    return rc;
}

static enum result add_basic(struct building *b, struct slice user, struct slice password)
{
    struct slice pair = joined(b->arena, user, SLICE(":"), password);
    char *text = arena_alloc(b->arena, pair.len * 2 + 16);
    if (!pair.data || !text)
        return ERR_MEMORY;
    int len = sprintf(text, "Basic ");
    len += EVP_EncodeBlock((unsigned char *)text + len, (const unsigned char *)pair.data, (int)pair.len);
    return add_header(b, SLICE("authorization"), (struct slice){ text, (size_t)len });
}

static enum result add_auth(struct building *b)
{
    const struct target *target = b->source->target;
    struct slice user = SLICE(""), value;
    enum result rc = OK;
    if (target->auth == AUTH_NONE)
        return OK;
    if (target->auth == AUTH_OAUTH2)
        value = b->source->token;
    else
        rc = render(b, target->auth_value, &value);
    if (rc == OK && target->auth == AUTH_BASIC)
        rc = render(b, target->auth_user, &user);
    if (rc != OK)
        return rc;
    if (target->auth == AUTH_BASIC)
        return add_basic(b, user, value);
    struct slice line = joined(b->arena, SLICE("Bearer "), SLICE(""), value);
    return line.data ? add_header(b, SLICE("authorization"), line) : ERR_MEMORY;
}

/* The bytes of an event go on as they arrived, and so does what undoes them. */
static enum result add_coding(struct building *b)
{
    struct slice coding = event_header(b->source->event, SLICE("content-encoding"));
    return coding.len > 0 ? add_header(b, SLICE("content-encoding"), coding) : OK;
}

static enum result add_own_headers(struct building *b)
{
    struct slice type = b->message.body_of_event ? b->source->event->content_type : b->message.content_type;
    enum result rc = b->source->id.len ? add_header(b, SLICE("idempotency-key"), b->source->id) : OK;
    if (rc == OK)
        rc = add_header(b, SLICE("user-agent"), SLICE("tidewire/" TIDEWIRE_VERSION));
    if (rc == OK && type.len > 0)
        rc = add_header(b, SLICE("content-type"), type);
    if (rc == OK && b->message.body_of_event)
        rc = add_coding(b);
    if (rc == OK && !has(b, SLICE("content-type"))) { /* else libcurl would name one by itself */
        b->names[b->count] = SLICE("content-type");
        b->lines[b->count++] = "Content-Type:";
    }
    return rc;
}

/* ---- the URL: the target's, a path behind its path, a query behind its query ---- */

static enum result build_url(const struct building *b, const char **out)
{
    struct slice url;
    struct buf text;
    enum result rc = render(b, b->source->target->url, &url);
    if (rc != OK)
        return rc;
    const char *fragment = url.len ? memchr(url.data, '#', url.len) : NULL;
    if (fragment) /* never sent; a path behind it would not be either */
        url.len = (size_t)(fragment - url.data);
    const char *mark = url.len ? memchr(url.data, '?', url.len) : NULL;
    struct slice before = { url.data, mark ? (size_t)(mark - url.data) : url.len },
                 own_query = slice_from(url, before.len + (mark != NULL));
    struct slice path = b->message.path, query = b->message.query;
    buf_init(&text, URL_MAX_BYTES);
    if (path.len > 0) {
        while (before.len > 0 && before.data[before.len - 1] == '/')
            before.len--;
        buf_add_slice(&text, before);
        if (path.data[0] != '/')
            buf_add_byte(&text, '/');
        buf_add_slice(&text, path);
    } else {
        buf_add_slice(&text, before);
    }
    if (own_query.len + query.len > 0)
        buf_add_byte(&text, '?');
    buf_add_slice(&text, own_query);
    if (own_query.len > 0 && query.len > 0)
        buf_add_byte(&text, '&');
    buf_add_slice(&text, query);
    struct slice whole =
        buf_ok(&text) && is_clean(buf_slice(&text)) ? arena_copy(b->arena, buf_slice(&text)) : (struct slice){ NULL, 0 };
    buf_deinit(&text);
    *out = whole.data;
    return whole.data ? OK : refuse(b, "its URL is longer than 32 KiB, or has a line end in it");
}

/* ---- the signature, of all that ---- */

/* Those with a value. */
static struct pair *made_headers(const struct building *b, size_t *count)
{
    struct pair *headers = arena_take(b->arena, b->count * sizeof(*headers) + 1);
    *count = 0;
    for (size_t i = 0; headers && i < b->count; i++) {
        struct slice line = slice_of(b->lines[i]), name = b->names[i];
        if (line.len > name.len + 2 && line.data[name.len] == ':')
            headers[(*count)++] = (struct pair){ name, slice_from(line, name.len + 2) };
    }
    return headers;
}

/* What a message says in the place of a signature, or of what it covers, would only make it wrong. */
static enum result put_header(struct building *b, struct slice name, struct slice value)
{
    for (size_t i = 0; i < b->count; i++) {
        if (!slice_eq_nocase(b->names[i], name))
            continue;
        b->count--;
        b->names[i] = b->names[b->count];
        b->lines[i] = b->lines[b->count];
        break;
    }
    return add_header(b, name, value);
}

static enum result sign(struct building *b, const struct outgoing *out)
{
    const struct attempt_source *source = b->source;
    struct sign_headers made;
    struct sign_request request = { .signing = source->target->signing,
                                    .generation = source->generation,
                                    .method = slice_of(out->method),
                                    .body = out->body,
                                    .id = source->id,
                                    .url = out->url,
                                    .now_ms = source->now_ms };
    request.headers = made_headers(b, &request.header_count);
    enum result rc = request.headers ? sign_headers_make(&request, b->arena, &made, b->why) : ERR_MEMORY;
    for (size_t i = 0; rc == OK && i < made.count; i++)
        rc = put_header(b, made.list[i].name, made.list[i].value);
    return rc;
}

/* ---- the whole ---- */

static enum result build_headers(struct building *b)
{
    enum result rc = add_message_headers(b);
    if (rc == OK)
        rc = add_auth(b);
    if (rc == OK)
        rc = add_target_headers(b);
    return rc == OK ? add_own_headers(b) : rc;
}

static void set_target(const struct attempt_source *source, struct outgoing *out)
{
    const struct target *target = source->target;
    out->target = target->name;
    if (source->event)
        out->event_id = source->event->id;
    out->delivery_id = source->delivery_id;
    out->timeout_ms = target->timeout_ms;
    out->connect_timeout_ms = target->connect_timeout_ms;
    out->tls = target->tls;
    out->allow_private = target->allow_private;
    out->redirects = target->redirects;
    out->max_response_bytes = target->max_response_bytes;
}

enum result attempt_request_build(const struct attempt_source *source, struct arena *arena, struct outgoing *out,
                                  const char **why)
{
    struct building *b = arena_take(arena, sizeof(*b)); /* large: not cleared */
    struct slice missing;
    if (!b)
        return ERR_MEMORY;
    b->source = source;
    b->arena = arena;
    b->why = why;
    b->count = 0;
    *why = "its stored message is damaged";
    enum result rc = message_render(source->message, generation_secret, (void *)source->generation, arena, &b->message, &missing);
    if (rc == ERR_NOT_FOUND)
        *why = "a secret of its message is not set";
    if (rc != OK)
        return rc;
    struct slice method = b->message.method.data ? b->message.method : source->target->method;
    out->method = arena_copy(arena, method).data;
    out->body = b->message.body_of_event ? source->event->body : b->message.body;
    rc = out->method ? build_headers(b) : ERR_MEMORY;
    if (rc == OK)
        rc = build_url(b, &out->url);
    if (rc == OK && source->target->signing)
        rc = sign(b, out);
    out->header_lines = b->lines;
    out->header_count = b->count;
    set_target(source, out);
    return rc;
}
