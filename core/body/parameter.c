#include "body/parameter.h"

#include <string.h>

/* at: behind the opening quote. data NULL: it is not closed. */
static struct slice quoted_end(struct slice at)
{
    for (size_t i = 0; i < at.len; i++) {
        if (at.data[i] == '\\')
            i++;
        else if (at.data[i] == '"')
            return slice_make(at.data, i);
    }
    return (struct slice){ NULL, 0 };
}

/* Takes the next parameter off *rest, which stands behind a ';'. false: there is none, or it is badly written. */
static bool take_parameter(struct slice *rest, struct slice *name, struct slice *value)
{
    struct slice at = slice_trim(*rest);
    const char *equals = at.len ? memchr(at.data, '=', at.len) : NULL;
    if (!equals)
        return false;
    *name = slice_trim(slice_make(at.data, (size_t)(equals - at.data)));
    at = slice_from(at, (size_t)(equals - at.data) + 1);
    if (at.len > 0 && at.data[0] == '"') {
        *value = quoted_end(slice_from(at, 1));
        if (!value->data)
            return false;
        at = slice_trim(slice_from(at, value->len + 2));
        if (at.len > 0 && at.data[0] != ';')
            return false;
        *rest = slice_from(at, 1);
        return true;
    }
    const char *end = at.len ? memchr(at.data, ';', at.len) : NULL;
    value->data = at.data;
    value->len = end ? (size_t)(end - at.data) : at.len;
    *rest = slice_from(at, value->len + 1);
    *value = slice_trim(*value);
    return true;
}

struct slice parameters_of(struct slice value)
{
    const char *semicolon = value.len ? memchr(value.data, ';', value.len) : NULL;
    return semicolon ? slice_from(value, (size_t)(semicolon - value.data) + 1) : (struct slice){ NULL, 0 };
}

struct slice parameter_find(struct slice value, struct slice wanted)
{
    struct slice rest = parameters_of(value), name, found;
    while (take_parameter(&rest, &name, &found))
        if (slice_eq_nocase(name, wanted))
            return found;
    return (struct slice){ NULL, 0 };
}
