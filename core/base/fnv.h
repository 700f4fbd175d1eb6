/* fnv.h: FNV-1a with 64 bits (RFC 9923): only to see that something is another than before; not against anybody. */
#ifndef TIDEWIRE_FNV_H
#define TIDEWIRE_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_START 0xcbf29ce484222325u

static inline uint64_t fnv(uint64_t hash, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
    return hash;
}

#endif
