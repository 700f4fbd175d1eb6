#include "ingest/es256.h"

#include <openssl/ecdsa.h>

enum { HALF = ES256_PAIR_BYTES / 2 };

size_t es256_to_der(const unsigned char *pair, size_t len, unsigned char *der)
{
    if (len != ES256_PAIR_BYTES)
        return 0;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(pair, HALF, NULL), *s = BN_bin2bn(pair + HALF, HALF, NULL);
    int written = 0;
    if (signature && r && s && ECDSA_SIG_set0(signature, r, s)) {
        r = s = NULL; /* the signature's now */
        unsigned char *at = der;
        if (i2d_ECDSA_SIG(signature, NULL) <= ES256_DER_MAX)
            written = i2d_ECDSA_SIG(signature, &at);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(signature);
    return written > 0 ? (size_t)written : 0;
}

bool es256_from_der(const unsigned char *der, size_t len, unsigned char *pair)
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool ok = signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), pair, HALF) == HALF &&
              BN_bn2binpad(ECDSA_SIG_get0_s(signature), pair + HALF, HALF) == HALF;
    ECDSA_SIG_free(signature);
    return ok;
}
