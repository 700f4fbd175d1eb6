#include "deliver/sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "model/standard_key.h"

static bool add(EVP_MAC_CTX *mac, struct slice bytes)
{
    return bytes.len == 0 || EVP_MAC_update(mac, (const unsigned char *)bytes.data, bytes.len) == 1;
}

enum result sign_standard(struct slice secret, struct slice id, struct slice timestamp, struct slice body, struct buf *out)
{
    unsigned char key[STANDARD_KEY_MAX], digest[EVP_MAX_MD_SIZE], text[EVP_MAX_MD_SIZE * 2];
    size_t key_len = standard_key(secret, key), len = 0;
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
