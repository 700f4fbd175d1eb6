/* standard_key.h: the key of Standard Webhooks 1.0.0: what stands behind "whsec_" is its base64. Pure. */
#ifndef TIDEWIRE_STANDARD_KEY_H
#define TIDEWIRE_STANDARD_KEY_H

#include "base/slice.h"

enum { STANDARD_KEY_MAX = 1024 };

/* The key's bytes into key (STANDARD_KEY_MAX); how many, 0: the secret is not of that form. */
size_t standard_key(struct slice secret, unsigned char *key);

#endif
