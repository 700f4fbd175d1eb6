/* parameter.h: parameters of a header's value: "text/xml; charset=utf-8", "form-data; name=\"va\\\"lue\"". Pure; any thread. */
#ifndef TIDEWIRE_PARAMETER_H
#define TIDEWIRE_PARAMETER_H

#include <stdbool.h>

#include "base/slice.h"

/* What stands behind the first ';'. */
struct slice parameters_of(struct slice value);
/* The first one of that name, letter case ignored; of a quoted one what stands between the quotes, as it is. data NULL: there is
 * none, or what comes before it is badly written. */
struct slice parameter_find(struct slice value, struct slice wanted);

#endif
