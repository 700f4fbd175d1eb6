/* cidr.h: addresses and their ranges (RFC 4632, RFC 4291). Pure. */
#ifndef TIDEWIRE_CIDR_H
#define TIDEWIRE_CIDR_H

#include "model/generation.h"

/* "10.0.0.0/8", "2001:db8::/32", or one address. IPv4 stands as ::ffff:a.b.c.d. */
bool cidr_parse(struct slice text, struct cidr *out);
/* Is this address (text, as a connection says it) in one of the ranges? */
bool cidr_contains_any(const struct cidr *ranges, size_t count, struct slice address);

#endif
