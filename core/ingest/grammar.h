/* grammar.h: the signature headers of providers.md: one value, parts "k=v" by ',' or ';', or a space list of "version,value".
 * Pure, bounded. */
#ifndef TIDEWIRE_GRAMMAR_H
#define TIDEWIRE_GRAMMAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "model/generation.h"

enum { SIGNATURES_MAX = 16, SIGNATURE_HEADER_MAX = 4 << 10 };

struct signatures {
    struct slice values[SIGNATURES_MAX]; /* still encoded, the prefix taken off */
    uint32_t by_key;                     /* bit i: values[i] stands under verify->public_signature */
    size_t count;
    struct slice timestamp, id; /* of the parts that name them; data NULL: none */
};

/* false: longer than SIGNATURE_HEADER_MAX, not of this grammar, a part that must be there once is there twice, or more than
 * SIGNATURES_MAX. Values without the prefix and of unknown versions are skipped: count may be 0. */
bool grammar_parse(const struct verify *verify, struct slice header, struct signatures *out);

#endif
