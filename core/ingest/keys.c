#include "ingest/keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "ingest/encoding.h"
#include "model/standard_key.h"

enum { PUBLIC_DER_MAX = 2 << 10, ED25519_BYTES = 32, RSA_BITS_LEAST = 2048, RSA_BITS_MOST = 4096, PEM_MAX = 16 << 10 };

/* ---- secrets ---- */

struct slice key_bytes(enum verify_key form, struct slice secret, unsigned char *bytes)
{
    size_t len = 0;
    bool ok = true;
    switch (form) {
    case KEY_TEXT:
        return secret.len ? secret : (struct slice){ NULL, 0 };
    case KEY_STANDARD:
        len = standard_key(secret, bytes);
        break;
    case KEY_HEX:
        ok = hex_decode(secret, bytes, KEY_BYTES_MAX, &len);
        break;
    case KEY_BASE64:
        ok = base64_decode(secret, bytes, KEY_BYTES_MAX, &len);
        break;
    }
    return ok && len ? slice_make((char *)bytes, len) : (struct slice){ NULL, 0 };
}

static const char *digest_of(struct slice algorithm)
{
    return slice_is(algorithm, "sha1") ? "SHA1" : slice_is(algorithm, "sha512") ? "SHA512" : "SHA256";
}

EVP_MAC_CTX *key_mac(const struct verify *verify, struct slice secret)
{
    unsigned char bytes[KEY_BYTES_MAX];
    struct slice key = key_bytes(verify->key, secret, bytes);
    if (!key.data)
        return NULL;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest_of(verify->algorithm), 0),
                            OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    if (context && !EVP_MAC_init(context, (const unsigned char *)key.data, key.len, params)) {
        EVP_MAC_CTX_free(context);
        context = NULL;
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return context;
}

/* ---- public keys ---- */

/* The 32 bytes alone. */
static EVP_PKEY *read_raw_ed25519(struct slice text)
{
    static const struct slice standard = SLICE("whpk_");
    unsigned char raw[ED25519_BYTES];
    size_t len = 0;
    bool ok = slice_starts(text, standard) ? base64_decode(slice_from(text, standard.len), raw, sizeof(raw), &len)
                                           : hex_decode(text, raw, sizeof(raw), &len);
    return ok && len == sizeof(raw) ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, len) : NULL;
}

static EVP_PKEY *read_pem(struct slice text)
{
    BIO *memory = BIO_new_mem_buf(text.data, (int)text.len);
    EVP_PKEY *key = memory ? PEM_read_bio_PUBKEY(memory, NULL, NULL, NULL) : NULL;
    BIO_free(memory);
    return key;
}

static EVP_PKEY *read_base64(struct slice text)
{
    unsigned char der[PUBLIC_DER_MAX];
    const unsigned char *at = der;
    size_t len;
    if (!base64_decode(text, der, sizeof(der), &len) || len == 0)
        return NULL;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)len);
    if (key && at != der + len) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

/* Without the line ends that files have. */
static struct slice without_space(struct slice text)
{
    while (text.len && (unsigned char)text.data[0] <= ' ')
        text = slice_from(text, 1);
    while (text.len && (unsigned char)text.data[text.len - 1] <= ' ')
        text.len--;
    return text;
}

bool secret_is_public(struct slice secret)
{
    secret = without_space(secret);
    if (slice_starts(secret, SLICE("-----BEGIN ")))
        return true;
    EVP_PKEY *key = read_base64(secret);
    ERR_clear_error();
    EVP_PKEY_free(key);
    return key != NULL;
}

bool public_key_is(const EVP_PKEY *key, enum public_key_kind kind)
{
    char group[32] = "";
    switch (kind) {
    case PUBLIC_ED25519:
        return EVP_PKEY_is_a(key, "ED25519");
    case PUBLIC_RSA:
        return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= RSA_BITS_LEAST;
    case PUBLIC_P256:
        return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) &&
               strcmp(group, "prime256v1") == 0;
    }
    return false;
}

EVP_PKEY *public_key_read(enum public_key_kind kind, struct slice text)
{
    EVP_PKEY *key = NULL;
    if (kind == PUBLIC_ED25519)
        key = read_raw_ed25519(text);
    if (!key)
        key = slice_starts(text, SLICE("-----BEGIN PUBLIC KEY-----")) ? read_pem(text) : read_base64(text);
    if (key && !public_key_is(key, kind)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    ERR_clear_error();
    return key;
}

/* ---- private keys ---- */

static int no_password(char *room, int size, int writing, void *arg)
{
    (void)room, (void)size, (void)writing, (void)arg;
    return -1; /* else OpenSSL asks on the terminal */
}

EVP_PKEY *private_key_read(enum public_key_kind kind, struct slice pem)
{
    BIO *memory = pem.len <= PEM_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    EVP_PKEY *key = memory ? PEM_read_bio_PrivateKey(memory, NULL, no_password, NULL) : NULL;
    BIO_free(memory);
    if (key && (!public_key_is(key, kind) || (kind == PUBLIC_RSA && EVP_PKEY_get_bits(key) > RSA_BITS_MOST))) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    ERR_clear_error();
    return key;
}

/* ---- what signs, and what agrees ---- */

enum public_key_kind public_key_kind_of(const struct verify *verify)
{
    if (verify->scheme == VERIFY_ECDSA || slice_is(verify->algorithm, "ES256"))
        return PUBLIC_P256;
    return verify->scheme == VERIFY_RSA || slice_is(verify->algorithm, "RS256") ? PUBLIC_RSA : PUBLIC_ED25519;
}

bool signs_by_key(const struct verify *verify)
{
    switch (verify->scheme) {
    case VERIFY_ED25519:
    case VERIFY_ECDSA:
    case VERIFY_RSA:
        return true;
    case VERIFY_JWT:
        return !slice_is(verify->algorithm, "HS256");
    default:
        return false;
    }
}

static bool agrees(EVP_PKEY *key, const EVP_MD *digest, const unsigned char *signature, size_t len, struct slice covered)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context && EVP_DigestVerifyInit(context, NULL, digest, NULL, key) == 1 &&
              EVP_DigestVerify(context, signature, len, (const unsigned char *)covered.data, covered.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error(); /* what this thread's TLS connections would take for their own */
    return ok;
}

bool public_key_agrees(EVP_PKEY *key, const unsigned char *signature, size_t len, struct slice covered)
{
    return agrees(key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256(), signature, len, covered);
}

bool rsa_sha1_agrees(EVP_PKEY *key, const unsigned char *signature, size_t len, struct slice covered)
{
    return agrees(key, EVP_sha1(), signature, len, covered);
}
