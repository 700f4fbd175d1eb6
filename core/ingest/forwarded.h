/* forwarded.h: the sender's address where trusted proxies stand before us. Pure. */
#ifndef TIDEWIRE_FORWARDED_H
#define TIDEWIRE_FORWARDED_H

#include "http/request.h"
#include "model/generation.h"

/* peer: who is connected. If that is a trusted proxy: the last address of X-Forwarded-For that is none, since each proxy appends
 * whom it heard; what stands before it, the sender may have made up. An entry that is no address ends the search at the one
 * behind it. The result points into the request, or is peer. */
struct slice forwarded_address(const struct request *request, struct slice peer, const struct cidr *trusted, size_t count);

#endif
