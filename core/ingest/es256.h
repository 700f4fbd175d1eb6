/* es256.h: the two forms of an ECDSA signature over P-256: r and s side by side, as tokens have it (RFC 7518, 3.4), and DER, as
 * OpenSSL does. Pure. */
#ifndef TIDEWIRE_ES256_H
#define TIDEWIRE_ES256_H

#include <stdbool.h>
#include <stddef.h>

enum { ES256_PAIR_BYTES = 64, ES256_DER_MAX = 80 };

/* Into der (ES256_DER_MAX bytes); how many, 0: it is no pair. */
size_t es256_to_der(const unsigned char *pair, size_t len, unsigned char *der);
/* Into pair (ES256_PAIR_BYTES bytes). false: it is no such DER. */
bool es256_from_der(const unsigned char *der, size_t len, unsigned char *pair);

#endif
