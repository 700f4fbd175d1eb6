/* lookup.h: the paths of rules.md 2: body.items[1].sku, body.labels["app.kubernetes.io/name"], headers.x-id, query.page.
 * They never fail: a step that is not there finds nothing. Pure; any thread. */
#ifndef TIDEWIRE_LOOKUP_H
#define TIDEWIRE_LOOKUP_H

#include "base/slice.h"
#include "body/form.h"
#include "json/json.h"
#include "model/event.h"

/* One step: a name, or an index from 1, or [*]. */
struct step {
    enum { STEP_NAME, STEP_INDEX, STEP_EACH } kind;
    struct slice name; /* escapes inside ["…"] are not known: the bytes between the quotes */
    uint32_t index;
};

/* Takes the next step off *path. false: the path is over, or badly written (*path is then not empty). */
bool path_next(struct slice *path, struct step *step);
/* Well written as a whole? */
bool path_is_valid(struct slice path);

enum found_kind { FOUND_NOTHING, FOUND_TEXT, FOUND_JSON };
struct found {
    enum found_kind kind;
    struct slice text;      /* FOUND_TEXT: a header, parameter or plain field of the event; query values are percent-decoded into
                             * scratch */
    struct json_value json; /* FOUND_JSON: a place in the body */
};

/* scratch: an empty buf with a bound of at least 64 KiB, and of a form's longest value: decoded or joined text lies there until
 * the next call. The first name chooses: id route type provider method path params query headers content_type raw body remote_ip
 * verified. Below body: places of JSON; fields of forms (body.name), files (body.name.bytes); nothing of XML. [*] finds nothing
 * here (lookup_each does). */
struct found event_lookup(const struct event *event, struct slice path, struct buf *scratch);
/* One name of "headers", "query" or "params", whatever bytes it has. */
struct found event_find_named(const struct event *event, struct slice map, struct slice name, struct buf *scratch);
/* The same, walking from a JSON value. */
struct found json_lookup(struct json_value value, struct slice path);
/* Calls `visit` for every place the path names, [*] meaning each element or member; stops when it returns false. */
void json_lookup_each(struct json_value value, struct slice path, bool (*visit)(struct json_value place, void *arg), void *arg);

#endif
