/* router.h: which route a path belongs to. A generation's routes are sorted so that the first match is the right one: fixed
 * segments before ":param" before "*rest", segment by segment (router_order); many are searched, not tried one by one. Pure. */
#ifndef TIDEWIRE_ROUTER_H
#define TIDEWIRE_ROUTER_H

#include "base/buf.h"
#include "model/generation.h"

/* Segments are percent-decoded one by one, so %2F stays inside its segment; letter case counts, a slash at the end counts.
 * Disabled routes match nothing. NULL: no route. */
const struct route *router_match(const struct generation *generation, struct slice path);
/* The values of ":param" and "*rest" in a path that the route takes. params: room for PARAMS_MAX; the values lie in text, behind
 * what is there, decoded, never longer than the path. How many there are; 0 also when text has no room. */
size_t router_params(const struct route *route, struct slice path, struct pair *params, struct buf *text);
/* Does one pattern take this path? For the command line. */
bool router_pattern_takes(struct slice pattern, struct slice path);
/* Compares two patterns for sorting: below 0 when a is to be tried before b. */
int router_order(struct slice a, struct slice b);

#endif
