/* encoding.h: hex and base64 as signatures and keys are written. Strict: one text for each run of bytes (but for the letter case
 * of hex), nothing skipped. Pure. */
#ifndef TIDEWIRE_ENCODING_H
#define TIDEWIRE_ENCODING_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* Into out (room bytes), *len how many; false: not of that form, or more than room. The empty text is no bytes. */
bool hex_decode(struct slice text, unsigned char *out, size_t room, size_t *len);
/* RFC 4648, 4: with padding, spare bits zero. */
bool base64_decode(struct slice text, unsigned char *out, size_t room, size_t *len);
/* RFC 4648, 5: without padding, as in RFC 7515. */
bool base64url_decode(struct slice text, unsigned char *out, size_t room, size_t *len);

/* The same the other way; in small letters. */
void hex_encode(const unsigned char *bytes, size_t len, struct buf *out);
void base64_encode(const unsigned char *bytes, size_t len, struct buf *out);
void base64url_encode(const unsigned char *bytes, size_t len, struct buf *out);

#endif
