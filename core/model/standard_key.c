#include "model/standard_key.h"

#include <openssl/evp.h>

/* EVP_DecodeBlock takes '=' anywhere and reads it as zeros: "====" would be a key that anybody knows. */
static bool has_odd_padding(struct slice text)
{
    return memchr(text.data, '=', text.len - 2) || (text.data[text.len - 2] == '=' && text.data[text.len - 1] != '=');
}

size_t standard_key(struct slice secret, unsigned char *key)
{
    static const struct slice prefix = SLICE("whsec_");
    if (slice_starts(secret, prefix))
        secret = slice_from(secret, prefix.len);
    if (secret.len == 0 || secret.len % 4 || secret.len > STANDARD_KEY_MAX || has_odd_padding(secret))
        return 0;
    int len = EVP_DecodeBlock(key, (const unsigned char *)secret.data, (int)secret.len);
    for (size_t i = secret.len; len > 0 && i > secret.len - 2 && secret.data[i - 1] == '='; i--)
        len--;
    return len > 0 ? (size_t)len : 0;
}
