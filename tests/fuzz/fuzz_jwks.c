/* Key sets and certificates as a server gives them: nothing crashes, and no more keys come out than were asked for. */
#include <stdint.h>
#include <stdlib.h>

#include "ingest/certificate.h"
#include "ingest/jwks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static X509_STORE *authorities;
    struct slice text = { (const char *)data, size };
    struct named_key keys[4];
    struct certificate certificate;
    size_t count = jwks_read(text, keys, 4, 16);
    if (count > 4)
        abort();
    while (count > 0)
        named_key_free(&keys[--count]);
    if (!authorities)
        authorities = X509_STORE_new();
    if (certificate_read(text, authorities, SLICE(".example.com"), 1750000000000, &certificate) == NULL)
        abort(); /* there is no authority */
    if (certificate_read(text, authorities, SLICE(""), 1750000000000, &certificate) == NULL)
        EVP_PKEY_free(certificate.key);
    return 0;
}
