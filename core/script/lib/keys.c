/* keys.c: crypto.sign and crypto.verify: signatures with a private and a public key, PEM as OpenSSL reads it. OpenSSL's objects
 * live between two calls of Lua's functions, never across one. */
#include <lauxlib.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/result.h"
#include "script/lib/crypto_inside.h"

enum { PEM_MAX_BYTES = 16 << 10, RSA_MIN_BITS = 2048, RSA_MAX_BITS = 8192 };

struct algorithm {
    const char *name;
    int kind; /* of the key */
    const EVP_MD *(*digest)(void);
    bool pss; /* RFC 8017, 8.1, with a salt as long as the digest */
};

static const struct algorithm algorithms[] = {
    { "rsa-sha256", EVP_PKEY_RSA, EVP_sha256, false },    { "rsa-sha384", EVP_PKEY_RSA, EVP_sha384, false },
    { "rsa-sha512", EVP_PKEY_RSA, EVP_sha512, false },    { "rsa-pss-sha256", EVP_PKEY_RSA, EVP_sha256, true },
    { "rsa-pss-sha384", EVP_PKEY_RSA, EVP_sha384, true }, { "rsa-pss-sha512", EVP_PKEY_RSA, EVP_sha512, true },
    { "ecdsa-sha256", EVP_PKEY_EC, EVP_sha256, false },   { "ecdsa-sha384", EVP_PKEY_EC, EVP_sha384, false },
    { "ecdsa-sha512", EVP_PKEY_EC, EVP_sha512, false },   { "ed25519", EVP_PKEY_ED25519, NULL, false },
};

static const struct algorithm *algorithm_argument(lua_State *L, const char *word)
{
    const char *name = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : "";
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
        if (strcmp(name, algorithms[i].name) == 0)
            return &algorithms[i];
    luaL_error(
        L, "%s: the algorithm is \"ed25519\", or \"rsa-\", \"rsa-pss-\" or \"ecdsa-\" with \"sha256\", \"sha384\" or \"sha512\"",
        word);
    return NULL;
}

/* ---- keys: NULL and why; nothing of Lua is called ---- */

static int no_password(char *room, int size, int writing, void *arg)
{
    (void)room, (void)size, (void)writing, (void)arg;
    return -1; /* else OpenSSL asks on the terminal */
}

static EVP_PKEY *read_certificate(BIO *pem)
{
    X509 *certificate = PEM_read_bio_X509(pem, NULL, no_password, NULL);
    EVP_PKEY *key = certificate ? X509_get_pubkey(certificate) : NULL;
    X509_free(certificate);
    return key;
}

static EVP_PKEY *read_pem(struct slice text, bool private_one)
{
    BIO *pem = text.len <= PEM_MAX_BYTES ? BIO_new_mem_buf(text.data, (int)text.len) : NULL;
    EVP_PKEY *key = NULL;
    if (!pem)
        return NULL;
    if (private_one)
        key = PEM_read_bio_PrivateKey(pem, NULL, no_password, NULL);
    else if (memmem(text.data, text.len, "BEGIN CERTIFICATE", 17))
        key = read_certificate(pem);
    else
        key = PEM_read_bio_PUBKEY(pem, NULL, no_password, NULL);
    BIO_free(pem);
    return key;
}

static EVP_PKEY *key_for(const struct algorithm *algorithm, struct slice text, bool private_one, const char **why)
{
    EVP_PKEY *key = read_pem(text, private_one);
    if (!key) {
        *why = private_one ? "the key is no private key in PEM without a password"
                           : "the key is no public key or certificate in PEM";
        return NULL;
    }
    int bits = EVP_PKEY_bits(key);
    if (EVP_PKEY_base_id(key) != algorithm->kind)
        *why = "the key is of another kind than the algorithm";
    else if (algorithm->kind == EVP_PKEY_RSA && (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS))
        *why = "an RSA key has from 2048 to 8192 bits";
    else
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

static bool set_padding(const struct algorithm *algorithm, EVP_PKEY_CTX *how)
{
    return !algorithm->pss || (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
                               EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static bool sign(const struct algorithm *algorithm, EVP_PKEY *key, struct slice data, unsigned char *out, size_t *len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how;
    bool done = context && EVP_DigestSignInit(context, &how, algorithm->digest ? algorithm->digest() : NULL, NULL, key) == 1 &&
                set_padding(algorithm, how) && EVP_DigestSign(context, out, len, (const unsigned char *)data.data, data.len) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

static bool verify(const struct algorithm *algorithm, EVP_PKEY *key, struct slice data, struct slice signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how;
    bool valid = context && EVP_DigestVerifyInit(context, &how, algorithm->digest ? algorithm->digest() : NULL, NULL, key) == 1 &&
                 set_padding(algorithm, how) &&
                 EVP_DigestVerify(context, (const unsigned char *)signature.data, signature.len, (const unsigned char *)data.data,
                                  data.len) == 1;
    EVP_MD_CTX_free(context);
    return valid;
}

/* ---- the words ---- */

/* sign(algorithm, private key, data, encoding) */
int crypto_sign(lua_State *L)
{
    unsigned char signature[CRYPTO_BYTES_MAX];
    size_t len = sizeof(signature);
    const char *why = "the signature could not be made";
    const struct algorithm *algorithm = algorithm_argument(L, "crypto.sign");
    struct slice text = crypto_key(L, 2, "crypto.sign"), data = crypto_text(L, 3, "crypto.sign", "the data");
    text = crypto_half(L, 2, text, algorithm->kind, true);
    EVP_PKEY *key = key_for(algorithm, text, true, &why);
    bool done = key && sign(algorithm, key, data, signature, &len);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (!done)
        return luaL_error(L, "crypto.sign: %s", why);
    return crypto_push(L, signature, len, 4, "crypto.sign");
}

/* verify(algorithm, public key, data, signature): the signature's bytes; of a secret with several names any key may fit. A key
 * that is none is the rule's mistake, a signature that is none is not. */
int crypto_verify(lua_State *L)
{
    bool valid = false;
    const char *why = NULL;
    const struct algorithm *algorithm = algorithm_argument(L, "crypto.verify");
    struct key_values keys = crypto_keys(L, 2, "crypto.verify", "the key");
    struct slice data = crypto_text(L, 3, "crypto.verify", "the data"),
                 signature = crypto_text(L, 4, "crypto.verify", "the signature");
    for (size_t i = 0; i < keys.count && !valid && !why; i++) {
        struct slice text = crypto_half(L, 2, keys.list[i], algorithm->kind, false);
        EVP_PKEY *key = key_for(algorithm, text, false, &why);
        valid = key && verify(algorithm, key, data, signature);
        EVP_PKEY_free(key);
    }
    ERR_clear_error();
    if (why)
        return luaL_error(L, "crypto.verify: %s", why);
    lua_pushboolean(L, valid);
    return 1;
}
