#include <math.h>
#include <openssl/crypto.h>

#include "ingest/encoding.h"
#include "ingest/es256.h"
#include "ingest/verifier.h"

enum { TOKEN_MAX = 8 << 10, SIGNATURE_MAX = 512, LEEWAY_S = 60 };

/* "header.claims.signature", each in base64url. */
struct token {
    struct slice header, claims, signature;
    struct slice covered; /* "header.claims" */
};

static bool split(struct slice text, struct token *token)
{
    const char *first = memchr(text.data, '.', text.len);
    if (!first)
        return false;
    token->header = (struct slice){ text.data, (size_t)(first - text.data) };
    struct slice rest = slice_from(text, token->header.len + 1);
    const char *second = rest.len ? memchr(rest.data, '.', rest.len) : NULL;
    if (!second)
        return false;
    token->claims = (struct slice){ rest.data, (size_t)(second - rest.data) };
    token->signature = slice_from(rest, token->claims.len + 1);
    token->covered = (struct slice){ text.data, token->header.len + 1 + token->claims.len };
    return true; /* a dot more is no base64url */
}

/* A part as the JSON object that it is, in `json` as if it were a body; bytes: TOKEN_MAX of them. */
static bool open_part(struct slice part, unsigned char *bytes, struct verify_input *as_body, struct asked *json)
{
    size_t len;
    if (!base64url_decode(part, bytes, TOKEN_MAX, &len))
        return false;
    *as_body = (struct verify_input){ .body = slice_make((char *)bytes, len) };
    *json = (struct asked){ .input = as_body };
    return asked_is_json(json, TOKEN_MAX) && json_type(json_root(json->json)) == JSON_OBJECT;
}

static struct json_value member(const struct asked *json, struct slice name)
{
    return json_member(json_root(json->json), name);
}

/* The one algorithm of the scheme; extensions that are marked critical are not known here (RFC 7515, 4.1.11). */
static bool header_fits(const struct verify *verify, struct slice part, struct buf *kid)
{
    unsigned char bytes[TOKEN_MAX];
    struct verify_input as_body;
    struct asked json = { .input = NULL };
    struct slice algorithm, name;
    bool fits = open_part(part, bytes, &as_body, &json) && asked_field(&json, SLICE("alg"), TOKEN_MAX, &algorithm) &&
                slice_eq(algorithm, verify->algorithm) && !member(&json, SLICE("crit")).doc;
    if (fits && verify->jwks.data && asked_field(&json, SLICE("kid"), TOKEN_MAX, &name))
        buf_add_slice(kid, name);
    asked_end(&json);
    return fits;
}

/* ---- the signature ---- */

static bool mac_agrees(EVP_MAC_CTX *keyed, struct slice covered, const unsigned char *given, size_t given_len)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t len;
    return EVP_MAC_init(keyed, NULL, 0, NULL) == 1 &&
           EVP_MAC_update(keyed, (const unsigned char *)covered.data, covered.len) == 1 &&
           EVP_MAC_final(keyed, digest, &len, sizeof(digest)) == 1 && len == given_len && CRYPTO_memcmp(digest, given, len) == 0;
}

static bool key_agrees(EVP_PKEY *key, bool is_pair, const unsigned char *given, size_t len, struct slice covered)
{
    unsigned char der[ES256_DER_MAX];
    if (!is_pair)
        return public_key_agrees(key, given, len, covered);
    len = es256_to_der(given, len, der);
    return len > 0 && public_key_agrees(key, der, len, covered);
}

/* key: of a key set; NULL: the verifier's own. */
static bool signature_agrees(struct verifier *verifier, const struct token *token, EVP_PKEY *key)
{
    unsigned char given[SIGNATURE_MAX];
    size_t len;
    bool agrees = false, is_pair = slice_is(verifier->verify->algorithm, "ES256");
    if (!base64url_decode(token->signature, given, sizeof(given), &len))
        return false;
    for (size_t i = 0; i < verifier->secret_count; i++)
        agrees |= mac_agrees(verifier->secrets[i].keyed, token->covered, given, len);
    for (size_t i = 0; i < verifier->public_key_count && !agrees; i++)
        agrees = key_agrees(verifier->public_keys[i], is_pair, given, len, token->covered);
    if (key)
        agrees = key_agrees(key, is_pair, given, len, token->covered);
    return agrees;
}

/* ---- the claims ---- */

/* NAN: absent, or no number. */
static double number_claim(const struct asked *claims, struct slice name)
{
    struct json_value value = member(claims, name);
    return value.doc && json_type(value) == JSON_NUMBER ? json_number(value) : NAN;
}

static enum verdict check_times(const struct asked *claims, uint64_t now_ms)
{
    double now_s = (double)now_ms / 1000, expires = number_claim(claims, SLICE("exp"));
    if (isnan(expires))
        return VERDICT_MISSING;
    bool not_yet = member(claims, SLICE("nbf")).doc && !(number_claim(claims, SLICE("nbf")) <= now_s + LEEWAY_S);
    return now_s < expires + LEEWAY_S && !not_yet ? VERDICT_VALID : VERDICT_STALE;
}

static bool is_text(struct json_value value, struct slice text)
{
    bool escaped;
    if (!value.doc || json_type(value) != JSON_STRING)
        return false;
    struct slice raw = json_string(value, &escaped);
    return json_string_is(raw, escaped, text);
}

/* One text or a list of them (RFC 7519, 4.1.3). */
static bool is_for(const struct asked *claims, struct slice audience)
{
    struct json_value value = member(claims, SLICE("aud"));
    if (is_text(value, audience))
        return true;
    if (!value.doc || json_type(value) != JSON_ARRAY)
        return false;
    for (struct json_value one = json_first(value); one.doc; one = json_next(one))
        if (is_text(one, audience))
            return true;
    return false;
}

static enum verdict check_claims(const struct verify *verify, const struct asked *claims, uint64_t now_ms)
{
    enum verdict verdict = check_times(claims, now_ms);
    bool fits = verify->audience_count == 0;
    for (size_t i = 0; i < verify->audience_count; i++)
        fits = fits || is_for(claims, verify->audiences[i]);
    if (verdict != VERDICT_VALID)
        return verdict;
    if (verify->issuer.data && !is_text(member(claims, SLICE("iss")), verify->issuer))
        return VERDICT_MISMATCH;
    return fits ? VERDICT_VALID : VERDICT_MISMATCH;
}

/* *key NULL: the scheme has keys of its own. */
static enum verdict find_key(const struct verify *verify, const struct verify_input *input, const struct token *token,
                             struct verify_result *result, EVP_PKEY **key)
{
    struct buf kid;
    enum verdict verdict = VERDICT_VALID;
    *key = NULL;
    buf_init(&kid, KID_MAX);
    if (!header_fits(verify, token->header, &kid)) {
        verdict = VERDICT_MALFORMED;
    } else if (verify->jwks.data) {
        struct key_query query = {
            .url = verify->jwks, .kid = buf_slice(&kid), .kind = public_key_kind_of(verify), .now_ms = input->now_ms
        };
        verdict = kid.len == 0 ? VERDICT_MISSING : sender_key_ask(input, &query, result, key);
    }
    buf_deinit(&kid);
    return verdict;
}

enum verdict jwt_verify(struct verifier *verifier, const struct verify_input *input, struct verify_result *result)
{
    unsigned char bytes[TOKEN_MAX];
    struct verify_input as_body;
    struct asked claims = { .input = NULL };
    struct slice text;
    struct token token;
    EVP_PKEY *key;
    enum verdict verdict = authorization_find(input, SLICE("Bearer "), &text);
    if (verdict != VERDICT_VALID)
        return verdict;
    if (text.len > TOKEN_MAX || !split(text, &token))
        return VERDICT_MALFORMED;
    verdict = find_key(verifier->verify, input, &token, result, &key);
    if (verdict != VERDICT_VALID)
        return verdict;
    if (!signature_agrees(verifier, &token, key))
        return VERDICT_MISMATCH;
    verdict = VERDICT_MALFORMED; /* only what is signed is read as claims */
    if (open_part(token.claims, bytes, &as_body, &claims))
        verdict = check_claims(verifier->verify, &claims, input->now_ms);
    asked_end(&claims);
    return verdict;
}
