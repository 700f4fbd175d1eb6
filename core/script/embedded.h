/* embedded.h: the shape of the generated table; lua_source.c reads it. */
#ifndef TIDEWIRE_EMBEDDED_H
#define TIDEWIRE_EMBEDDED_H

#include <stddef.h>

struct embedded {
    const char *module;
    const unsigned char *text;
    size_t len;
};
extern const struct embedded embedded_files[]; /* ends with module NULL */

#endif
