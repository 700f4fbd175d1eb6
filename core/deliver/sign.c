#include "deliver/sign.h"

#include <curl/curl.h>
#include <openssl/rand.h>
#include <stdio.h>

#include "base/buf.h"
#include "ingest/encoding.h"
#include "ingest/signer.h"

enum { VALUE_MAX = 16 << 10, JTI_BYTES = 16, DIGEST_BYTES = 32 };

static enum result refuse(enum result rc, const char *text, const char **why)
{
    *why = text;
    return rc;
}

static void add_header(struct sign_headers *out, struct slice name, struct slice value)
{
    out->list[out->count++] = (struct pair){ name, value };
}

/* ---- the request, as its receiver will see it ---- */

static bool refers_to_url(const struct verify *how)
{
    for (size_t i = 0; i < how->signed_count; i++) {
        const struct template_part *part = &how->signed_parts[i];
        switch (part->kind) {
        case TEMPLATE_URL:
        case TEMPLATE_PATH:
        case TEMPLATE_QUERY:
            return true;
        case TEMPLATE_HEADER:
            if (slice_eq_nocase(part->text, SLICE("host")))
                return true;
            break;
        default:
            break;
        }
    }
    return false;
}

/* data NULL: there is none. */
static struct slice part_of(CURLU *url, CURLUPart part, unsigned flags, struct arena *arena)
{
    char *text = NULL;
    struct slice kept = { NULL, 0 };
    if (curl_url_get(url, part, &text, flags) == CURLUE_OK)
        kept = arena_copy(arena, slice_of(text));
    curl_free(text);
    return kept;
}

/* What libcurl will write for it: the host, and the port unless it is the usual one. */
static struct slice host_of(CURLU *url, struct arena *arena)
{
    struct slice host = part_of(url, CURLUPART_HOST, 0, arena), port = part_of(url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT, arena);
    char *text = host.data && port.data ? arena_take(arena, host.len + 1 + port.len) : NULL;
    if (!text)
        return host;
    memcpy(text, host.data, host.len);
    text[host.len] = ':';
    memcpy(text + host.len + 1, port.data, port.len);
    return (struct slice){ text, host.len + 1 + port.len };
}

/* By libcurl's own parser: what is signed is what it sends. host: data NULL on failure. */
static void read_url(const char *text, struct arena *arena, struct verify_input *input, struct slice *host)
{
    CURLU *url = curl_url();
    *host = (struct slice){ NULL, 0 };
    if (url && curl_url_set(url, CURLUPART_URL, text, CURLU_GUESS_SCHEME) == CURLUE_OK) {
        input->url = part_of(url, CURLUPART_URL, CURLU_URLENCODE, arena);
        input->path = part_of(url, CURLUPART_PATH, CURLU_URLENCODE, arena);
        input->query = part_of(url, CURLUPART_QUERY, 0, arena);
        *host = host_of(url, arena);
    }
    curl_url_cleanup(url);
}

static enum result describe(const struct sign_request *request, struct arena *arena, struct verify_input *out, const char **why)
{
    struct pair *headers = arena_take(arena, (request->header_count + 1) * sizeof(*headers));
    *out = (struct verify_input){ .method = request->method, .query = SLICE(""), .headers = headers, .body = request->body };
    if (!headers)
        return ERR_MEMORY;
    if (request->header_count)
        memcpy(headers, request->headers, request->header_count * sizeof(*headers));
    out->header_count = request->header_count;
    if (!refers_to_url(&request->signing->how))
        return OK;
    struct slice host;
    read_url(request->url, arena, out, &host);
    if (!host.data || !out->url.data || !out->path.data)
        return refuse(ERR_INVALID, "its URL is no address, so that it cannot be signed", why);
    headers[out->header_count++] = (struct pair){ SLICE("host"), host };
    return OK;
}

/* ---- a signature of the request ---- */

static enum result explain(enum result rc, const char **why)
{
    if (rc == ERR_NOT_FOUND)
        return refuse(ERR_INVALID, "its signature covers a header, query name or field that this message has not", why);
    if (rc == ERR_INVALID)
        *why = "the signing secret of its target is not of the form that its signature needs";
    return rc;
}

static enum result sign_text(const struct sign_request *request, const struct signer_key *key, struct arena *arena,
                             struct sign_headers *out, const char **why)
{
    const struct verify *how = &request->signing->how;
    struct verify_input input;
    struct asked asked = { .input = &input };
    char stamp[CLOCK_ISO_SIZE];
    struct buf value;
    signer_stamp(how->timestamp_format, request->now_ms, stamp);
    struct slice time = arena_copy(arena, slice_of(stamp));
    enum result rc = time.data ? describe(request, arena, &input, why) : ERR_MEMORY;
    if (rc != OK)
        return rc;
    buf_init(&value, VALUE_MAX);
    rc = signer_value(how, key, &asked, time, request->id, &value);
    struct slice kept = rc == OK ? arena_copy(arena, buf_slice(&value)) : (struct slice){ NULL, 0 };
    asked_end(&asked);
    buf_deinit(&value);
    if (rc != OK)
        return explain(rc, why);
    add_header(out, how->header, kept);
    if (how->timestamp.header.data)
        add_header(out, how->timestamp.header, time);
    if (how->id.header.data)
        add_header(out, how->id.header, request->id);
    return kept.data ? OK : ERR_MEMORY;
}

/* ---- a token ---- */

static bool add_body_hash(const struct sign_request *request, struct buf *claims)
{
    unsigned char digest[DIGEST_BYTES];
    if (!request->signing->body_hash.data)
        return true;
    buf_add_byte(claims, ',');
    buf_add_json_string(claims, request->signing->body_hash);
    buf_add_text(claims, ":\"");
    bool ok = EVP_Digest(request->body.len ? request->body.data : "", request->body.len, digest, NULL, EVP_sha256(), NULL) == 1;
    hex_encode(digest, sizeof(digest), claims);
    buf_add_byte(claims, '"');
    return ok;
}

static bool write_claims(const struct sign_request *request, struct buf *claims)
{
    unsigned char jti[JTI_BYTES];
    unsigned long long now_s = request->now_ms / 1000;
    if (RAND_bytes(jti, sizeof(jti)) != 1)
        return false;
    buf_addf(claims, "{\"iat\":%llu,\"exp\":%llu,\"jti\":\"", now_s, now_s + request->signing->ttl_ms / 1000);
    hex_encode(jti, sizeof(jti), claims);
    buf_add_byte(claims, '"');
    bool ok = add_body_hash(request, claims);
    buf_add_slice(claims, request->signing->token_claims);
    buf_add_byte(claims, '}');
    return ok && buf_ok(claims);
}

static enum result sign_token(const struct sign_request *request, const struct signer_key *key, struct arena *arena,
                              struct sign_headers *out, const char **why)
{
    const struct signing *signing = request->signing;
    struct buf claims, token;
    struct slice kept = { NULL, 0 };
    buf_init(&claims, VALUE_MAX);
    buf_init(&token, VALUE_MAX);
    buf_add_slice(&token, signing->how.prefix);
    enum result rc = write_claims(request, &claims) ? OK : ERR_MEMORY;
    if (rc == OK)
        rc = signer_token(&signing->how, key, signing->token_header, buf_slice(&claims), &token);
    if (rc == OK)
        kept = arena_copy(arena, buf_slice(&token));
    buf_deinit(&claims);
    buf_deinit(&token);
    if (rc != OK)
        return explain(rc, why);
    add_header(out, signing->how.header, kept);
    return kept.data ? OK : ERR_MEMORY;
}

enum result sign_headers_make(const struct sign_request *request, struct arena *arena, struct sign_headers *out, const char **why)
{
    const struct verify *how = &request->signing->how;
    struct signer_key key = { .key = request->signing->key };
    out->count = 0;
    if (!generation_secret((void *)request->generation, how->secrets[0], &key.secret))
        return refuse(ERR_NOT_FOUND, "the signing secret of its target is not set", why);
    return how->scheme == VERIFY_JWT ? sign_token(request, &key, arena, out, why) : sign_text(request, &key, arena, out, why);
}
