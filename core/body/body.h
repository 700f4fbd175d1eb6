/* body.h: what the readers of foreign bodies in this folder say of a fault. */
#ifndef TIDEWIRE_BODY_H
#define TIDEWIRE_BODY_H

#include <stddef.h>

struct body_error {
    size_t offset;    /* byte in the text that was read, from 0 */
    const char *what; /* a static sentence part: "a part without a name" */
};

enum { BODY_FIELDS_MAX = 1000 /* of a form, parts of a multipart body */ };

#endif
