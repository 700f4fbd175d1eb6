#include "ingest/handshake.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "base/log.h"
#include "ingest/when.h"
#include "model/lookup.h"

enum { DIGEST_BYTES = 32, SHOWN_BODY_MAX = 4 << 10 };

bool handshake_takes(const struct route *route, struct slice method)
{
    for (size_t i = 0; i < route->handshake_count; i++)
        if (slice_eq(route->handshakes[i].method, method))
            return true;
    return false;
}

/* ---- values ---- */

static bool is_word_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

/* The bytes that are given back: of a verified sender anything visible. */
static bool is_harmless(struct slice value, bool verified)
{
    if (value.len == 0 || value.len > HANDSHAKE_VALUE_MAX)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (!is_word_byte(c) && c != '.' && !(verified && c > ' ' && c < 0x7F))
            return false;
    }
    return true;
}

/* What Zoom sends to be signed: wider, it would be a way to have other texts signed. */
static bool is_token(struct slice value)
{
    if (value.len == 0 || value.len > HANDSHAKE_TOKEN_MAX)
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (!is_word_byte(value.data[i]))
            return false;
    return true;
}

/* A header, a query value or a string of the body without escapes; data NULL: nothing. In event or scratch. */
static struct slice find(const struct event *event, struct slice path, struct buf *scratch)
{
    struct found found = event_lookup(event, path, scratch);
    bool escaped = false;
    struct slice value = { NULL, 0 };
    if (found.kind == FOUND_TEXT)
        value = found.text;
    else if (found.kind == FOUND_JSON && json_type(found.json) == JSON_STRING)
        value = json_string(found.json, &escaped);
    return escaped ? (struct slice){ NULL, 0 } : value;
}

/* An address, which may stand in the body with escapes. */
static struct slice find_address(const struct event *event, struct slice path, struct buf *scratch)
{
    struct found found = event_lookup(event, path, scratch);
    bool escaped;
    if (found.kind != FOUND_JSON || json_type(found.json) != JSON_STRING)
        return (struct slice){ NULL, 0 };
    struct slice raw = json_string(found.json, &escaped);
    if (!escaped)
        return raw;
    buf_clear(scratch);
    json_unescape(raw, scratch);
    return buf_ok(scratch) ? buf_slice(scratch) : (struct slice){ NULL, 0 };
}

/* Hashes are compared, so that lengths tell nothing. */
static bool is_equal(struct slice given, struct slice secret)
{
    unsigned char a[DIGEST_BYTES], b[DIGEST_BYTES];
    return secret.len > 0 && EVP_Digest(given.data, given.len, a, NULL, EVP_sha256(), NULL) &&
           EVP_Digest(secret.data, secret.len, b, NULL, EVP_sha256(), NULL) && CRYPTO_memcmp(a, b, DIGEST_BYTES) == 0;
}

/* ---- answers ---- */

static void begin(struct reply *reply, const char *content_type)
{
    reply_init(reply, 200);
    reply->content_type = slice_of(content_type);
    (void)reply_add_header(reply, SLICE("X-Content-Type-Options"), SLICE("nosniff")); /* the first one */
}

static void set_body(struct reply *reply, int len)
{
    reply->body = slice_make(reply->room, (size_t)len);
}

/* The value's bytes are such that they stand for themselves in JSON, but for these two. */
static enum handshake_end answer_value(const struct handshake *handshake, struct slice value, struct reply *reply)
{
    bool json = handshake->answer == HANDSHAKE_JSON;
    if (!is_harmless(value, handshake->method.len == 0))
        return HANDSHAKE_REFUSED;
    if (json && (memchr(value.data, '"', value.len) || memchr(value.data, '\\', value.len)))
        return HANDSHAKE_REFUSED;
    begin(reply, json ? "application/json" : "text/plain");
    set_body(reply, json ? snprintf(reply->room, sizeof(reply->room), "{\"%.*s\":\"%.*s\"}", SLICE_ARGS(handshake->name),
                                    SLICE_ARGS(value))
                         : snprintf(reply->room, sizeof(reply->room), "%.*s", SLICE_ARGS(value)));
    return HANDSHAKE_ANSWERED;
}

/* With the secret that signed the question: while two are set the sender checks with its own. */
static enum handshake_end answer_hmac(const struct generation *generation, struct slice name, struct slice value,
                                      struct reply *reply)
{
    unsigned char mac[DIGEST_BYTES];
    char hex[2 * DIGEST_BYTES + 1];
    struct slice secret = { NULL, 0 };
    (void)generation_secret((void *)generation, name, &secret); /* else none */
    if (!is_token(value) || secret.len == 0 ||
        !HMAC(EVP_sha256(), secret.data, (int)secret.len, (const unsigned char *)value.data, value.len, mac, NULL))
        return HANDSHAKE_REFUSED;
    for (size_t i = 0; i < sizeof(mac); i++)
        snprintf(hex + 2 * i, 3, "%02x", mac[i]);
    begin(reply, "application/json");
    set_body(reply, snprintf(reply->room, sizeof(reply->room), "{\"plainToken\":\"%.*s\",\"encryptedToken\":\"%s\"}",
                             SLICE_ARGS(value), hex));
    return HANDSHAKE_ANSWERED;
}

/* CloudEvents, HTTP webhooks 1.0, 4. A callback that the sender offers is never called. */
static enum handshake_end answer_origin(const struct handshake *handshake, struct slice allow, struct slice origin,
                                        struct reply *reply)
{
    bool allowed = false;
    for (size_t i = 0; i < handshake->origin_count; i++)
        allowed |= slice_is(handshake->origins[i], "*") || slice_eq_nocase(handshake->origins[i], origin);
    if (!allowed || !is_harmless(origin, false))
        return HANDSHAKE_REFUSED;
    begin(reply, "");
    /* room enough: these are the first four */
    (void)reply_add_header(reply, SLICE("WebHook-Allowed-Origin"), origin);
    (void)reply_add_header(reply, SLICE("WebHook-Allowed-Rate"), SLICE("*"));
    (void)reply_add_header(reply, SLICE("Allow"), allow);
    return HANDSHAKE_ANSWERED;
}

static enum handshake_end answer_fixed(const struct response *fixed, struct reply *reply)
{
    reply_init(reply, fixed->status);
    reply->content_type = fixed->content_type;
    reply->body = fixed->body;
    return HANDSHAKE_ANSWERED;
}

static enum handshake_end check_token(const struct handshake *handshake, const struct generation *generation,
                                      const struct event *event, struct buf *scratch)
{
    struct slice given = find(event, handshake->token_path, scratch), secret;
    bool matches = false, any = false;
    for (size_t i = 0; i < handshake->token_secret_count; i++) {
        if (!generation_secret((void *)generation, handshake->token_secrets[i], &secret))
            continue;
        any = true;
        matches |= given.len > 0 && is_equal(given, secret);
    }
    return !any ? HANDSHAKE_UNSET : matches ? HANDSHAKE_ANSWERED : HANDSHAKE_REFUSED;
}

static enum handshake_end answer(const struct handshake *handshake, const struct route *route,
                                 const struct generation *generation, const struct handshake_asker *asker, struct buf *scratch,
                                 struct reply *reply, struct slice *url)
{
    const struct event *event = asker->event;
    if (handshake->token_path.len) {
        enum handshake_end end = check_token(handshake, generation, event, scratch);
        if (end != HANDSHAKE_ANSWERED)
            return end;
    }
    struct slice value = find(event, handshake->value_path, scratch);
    switch (handshake->answer) {
    case HANDSHAKE_FIXED:
    case HANDSHAKE_SHOW: /* verified: the secret is set already */
        return answer_fixed(&handshake->reply, reply);
    case HANDSHAKE_ECHO:
    case HANDSHAKE_JSON:
        return answer_value(handshake, value, reply);
    case HANDSHAKE_HMAC:
        return answer_hmac(generation, asker->secret, value, reply);
    case HANDSHAKE_ORIGINS:
        return answer_origin(handshake, route->allow, value, reply);
    case HANDSHAKE_ASK:
        *url = find_address(event, handshake->value_path, scratch);
        (void)answer_fixed(&handshake->reply, reply); /* always writes it */
        return HANDSHAKE_ASKS;
    }
    return HANDSHAKE_REFUSED;
}

enum handshake_end handshake_answer(const struct route *route, const struct generation *generation,
                                    const struct handshake_asker *asker, struct buf *scratch, struct reply *reply,
                                    struct slice *url)
{
    for (size_t i = 0; i < route->handshake_count; i++) {
        const struct handshake *handshake = &route->handshakes[i];
        if (slice_eq(handshake->method, asker->method) &&
            when_holds(handshake->when, handshake->when_count, asker->event, scratch))
            return answer(handshake, route, generation, asker, scratch, reply, url);
    }
    return HANDSHAKE_NONE;
}

/* ---- the secret itself ---- */

static void log_shown(const struct route *route, struct slice value, struct slice remote_ip)
{
    struct slice name = route->verify.secret_count ? route->verify.secrets[0] : SLICE("");
    LOG(LOG_WARN, "the sender has said its secret: set it, and confirm it there", LOG_S("route", route->path),
        LOG_S("secret", name), LOG_S("value", value), LOG_S("remote_ip", remote_ip));
}

enum handshake_end handshake_show(const struct route *route, struct slice body, struct slice remote_ip, struct reply *reply)
{
    enum handshake_end end = HANDSHAKE_NONE;
    struct json_doc *doc;
    struct json_error error;
    size_t i = 0;
    while (i < route->handshake_count && route->handshakes[i].answer != HANDSHAKE_SHOW)
        i++;
    if (i == route->handshake_count || body.len > SHOWN_BODY_MAX || json_index(body, &doc, &error) != OK)
        return HANDSHAKE_NONE;
    bool escaped = true;
    struct slice path = slice_from(route->handshakes[i].value_path, sizeof("body.") - 1), value = { NULL, 0 };
    struct found found = json_lookup(json_root(doc), path);
    if (found.kind == FOUND_JSON && json_type(found.json) == JSON_STRING)
        value = json_string(found.json, &escaped);
    if (!escaped && is_harmless(value, false)) {
        log_shown(route, value, remote_ip);
        end = answer_fixed(&route->handshakes[i].reply, reply);
    }
    json_free(doc);
    return end;
}
