/* certificate.h: a sender's certificate (RFC 5280), as it was fetched, as the key that it vouches for. Any thread, one at a time.
 */
#ifndef TIDEWIRE_CERTIFICATE_H
#define TIDEWIRE_CERTIFICATE_H

#include <openssl/x509.h>

#include "base/slice.h"

struct certificate {
    EVP_PKEY *key;              /* owned */
    uint64_t from_ms, until_ms; /* wall clock, both included */
};

/* The authorities of the system, and those of ca_file (NULL: none). X509_STORE_free. */
X509_STORE *authorities_new(const char *ca_file);
/* text: PEM, the sender's certificate first, then those that lead to an authority. name_end "": nothing is asked of it but that
 * it is one with an RSA key of 2048 bits or more. Else its common name ends so (".paypal.com"), and at now_ms the chain holds.
 * NULL: *out is filled; else why not, in words. */
const char *certificate_read(struct slice text, X509_STORE *authorities, struct slice name_end, uint64_t now_ms,
                             struct certificate *out);

#endif
