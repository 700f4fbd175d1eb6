/* templates.h: what a signature covers, as rules make it of `signed` (model/verification.h). */
#ifndef TIDEWIRE_TEMPLATES_H
#define TIDEWIRE_TEMPLATES_H

#include "model/verification.h"

#define PART(kind)                                                                                                               \
    {                                                                                                                            \
        TEMPLATE_##kind,                                                                                                         \
        {                                                                                                                        \
            NULL, 0                                                                                                              \
        }                                                                                                                        \
    }
#define NAMED(kind, name)                                                                                                        \
    {                                                                                                                            \
        TEMPLATE_##kind, SLICE(name)                                                                                             \
    }
#define SIGNED(list) .signed_parts = (list), .signed_count = sizeof(list) / sizeof((list)[0])

#endif
