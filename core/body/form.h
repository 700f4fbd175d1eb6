/* form.h: application/x-www-form-urlencoded, and queries, which are written alike (WHATWG URL, section 5). Nothing is kept: names
 * and values are found and decoded when they are asked for. Pure; any thread. */
#ifndef TIDEWIRE_FORM_H
#define TIDEWIRE_FORM_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"
#include "body/body.h"

/* Takes the next name=value off a query (as it arrived, still encoded); a part without '=' has an empty value. false: over. */
bool query_next(struct slice *query, struct slice *name, struct slice *value);
/* application/x-www-form-urlencoded: '+' is a space, %XX a byte, anything else stands for itself. Appends; false: no room. */
bool query_decode(struct slice raw, struct buf *out);
/* Does the raw name mean `wanted`? */
bool query_name_is(struct slice raw, struct slice wanted);

/* ERR_INVALID: more than BODY_FIELDS_MAX fields. */
enum result form_check(struct slice text, struct body_error *error) MUST_CHECK;

#endif
