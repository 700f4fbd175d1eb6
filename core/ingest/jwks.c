#include "ingest/jwks.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "base/mem.h"
#include "ingest/encoding.h"
#include "json/json.h"

enum { MODULUS_MAX = 1024, EXPONENT_MAX = 8, COORDINATE = 32 };

/* ---- members: texts without escapes, since base64url and the registered words need none ---- */

static struct slice text_of(struct json_value key, const char *name)
{
    bool escaped = true;
    struct json_value value = json_member(key, slice_of(name));
    struct slice text = { NULL, 0 };
    if (value.doc && json_type(value) == JSON_STRING)
        text = json_string(value, &escaped);
    return escaped ? (struct slice){ NULL, 0 } : text;
}

static bool bytes_of(struct json_value key, const char *name, unsigned char *out, size_t room, size_t *len)
{
    return base64url_decode(text_of(key, name), out, room, len) && *len > 0;
}

/* ---- keys by their kind (RFC 7518, 6; RFC 8037) ---- */

static EVP_PKEY *from_params(const char *kind, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    if (params && context && EVP_PKEY_fromdata_init(context) == 1)
        (void)EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params); /* key stays NULL */
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *read_rsa(struct json_value key)
{
    unsigned char modulus[MODULUS_MAX], exponent[EXPONENT_MAX];
    size_t modulus_len, exponent_len;
    if (!bytes_of(key, "n", modulus, sizeof(modulus), &modulus_len) ||
        !bytes_of(key, "e", exponent, sizeof(exponent), &exponent_len))
        return NULL;
    EVP_PKEY *made = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(modulus, (int)modulus_len, NULL), *e = BN_bin2bn(exponent, (int)exponent_len, NULL);
    if (builder && n && e && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
        made = from_params("RSA", builder);
    BN_free(n);
    BN_free(e);
    OSSL_PARAM_BLD_free(builder);
    return made;
}

static EVP_PKEY *read_p256(struct json_value key)
{
    unsigned char point[1 + 2 * COORDINATE] = { 4 /* uncompressed: SEC 1, 2.3.3 */ };
    size_t x, y;
    if (!slice_is(text_of(key, "crv"), "P-256") || !bytes_of(key, "x", point + 1, COORDINATE, &x) ||
        !bytes_of(key, "y", point + 1 + COORDINATE, COORDINATE, &y) || x != COORDINATE || y != COORDINATE)
        return NULL;
    EVP_PKEY *made = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)))
        made = from_params("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return made;
}

static EVP_PKEY *read_ed25519(struct json_value key)
{
    unsigned char raw[COORDINATE];
    size_t len;
    if (!slice_is(text_of(key, "crv"), "Ed25519") || !bytes_of(key, "x", raw, sizeof(raw), &len) || len != sizeof(raw))
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, len);
}

static EVP_PKEY *read_key(struct json_value key)
{
    struct slice kind = text_of(key, "kty"), use = text_of(key, "use");
    EVP_PKEY *made = NULL;
    if (json_member(key, SLICE("use")).doc && !slice_is(use, "sig"))
        return NULL;
    if (slice_is(kind, "RSA"))
        made = read_rsa(key);
    else if (slice_is(kind, "EC"))
        made = read_p256(key);
    else if (slice_is(kind, "OKP"))
        made = read_ed25519(key);
    if (made && !public_key_is(made, PUBLIC_RSA) && !public_key_is(made, PUBLIC_P256) && !public_key_is(made, PUBLIC_ED25519)) {
        EVP_PKEY_free(made);
        made = NULL;
    }
    return made;
}

/* ---- the set ---- */

size_t jwks_read(struct slice text, struct named_key *keys, size_t room, size_t kid_max)
{
    struct json_doc *doc;
    struct json_error error;
    size_t count = 0;
    if (json_index(text, &doc, &error) != OK)
        return 0;
    struct json_value list = json_member(json_root(doc), SLICE("keys"));
    bool is_list = list.doc && json_type(list) == JSON_ARRAY;
    for (struct json_value one = is_list ? json_first(list) : list; is_list && one.doc && count < room; one = json_next(one)) {
        struct slice kid = text_of(one, "kid");
        EVP_PKEY *key = kid.len > 0 && kid.len <= kid_max ? read_key(one) : NULL;
        if (key)
            keys[count++] = (struct named_key){ mem_text(kid), key };
    }
    json_free(doc);
    ERR_clear_error();
    return count;
}

void named_key_free(struct named_key *key)
{
    mem_free(key->kid);
    EVP_PKEY_free(key->key);
}
