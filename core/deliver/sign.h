/* sign.h: signatures on what leaves. Standard Webhooks 1.0.0, scheme v1. Any thread. */
#ifndef TIDEWIRE_SIGN_H
#define TIDEWIRE_SIGN_H

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"

/* Appends "v1," and the base64 of HMAC-SHA256(key, id.timestamp.body); the key is the base64 behind "whsec_". ERR_INVALID: the
 * secret is not of that form. */
enum result sign_standard(struct slice secret, struct slice id, struct slice timestamp, struct slice body,
                          struct buf *out) MUST_CHECK;

#endif
