#include "deliver/sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { KEY_MAX = 1024 };

static size_t decode_key(struct slice secret, unsigned char *key)
{
    static const struct slice prefix = SLICE("whsec_");
    if (slice_starts(secret, prefix))
        secret = slice_from(secret, prefix.len);
    if (secret.len == 0 || secret.len % 4 || secret.len > KEY_MAX)
        return 0;
    int len = EVP_DecodeBlock(key, (const unsigned char *)secret.data, (int)secret.len);
    for (size_t i = secret.len; len > 0 && i > secret.len - 2 && secret.data[i - 1] == '='; i--)
        len--;
    return len > 0 ? (size_t)len : 0;
}

static bool add(EVP_MAC_CTX *mac, struct slice bytes)
{
    return bytes.len == 0 || EVP_MAC_update(mac, (const unsigned char *)bytes.data, bytes.len) == 1;
}

enum result sign_standard(struct slice secret, struct slice id, struct slice timestamp, struct slice body, struct buf *out)
{
    unsigned char key[KEY_MAX], digest[EVP_MAX_MD_SIZE], text[EVP_MAX_MD_SIZE * 2];
    size_t key_len = decode_key(secret, key), len = 0;
    if (key_len == 0)
        return ERR_INVALID;
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(algorithm);
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", (char *)"sha256", 0), OSSL_PARAM_construct_end() };
    bool ok = mac && EVP_MAC_init(mac, key, key_len, params) && add(mac, id) && add(mac, SLICE(".")) && add(mac, timestamp) &&
              add(mac, SLICE(".")) && add(mac, body) && EVP_MAC_final(mac, digest, &len, sizeof(digest));
    EVP_MAC_CTX_free(mac);
    EVP_MAC_free(algorithm);
    OPENSSL_cleanse(key, sizeof(key));
    if (!ok)
        return ERR_MEMORY;
    int text_len = EVP_EncodeBlock(text, digest, (int)len);
    buf_add_text(out, "v1,");
    buf_add(out, text, (size_t)text_len);
    return buf_ok(out) ? OK : ERR_MEMORY;
}
