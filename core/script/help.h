/* help.h: makes an error of a handler say more: the line of the rule, and what the body has where something was missed (rules.md
 * 7, "At run time"). The state's thread. */
#ifndef TIDEWIRE_HELP_H
#define TIDEWIRE_HELP_H

#include "base/buf.h"
#include "json/view.h"
#include "model/event.h"
#include "model/generation.h"

/* Appends text and what helps with it to out. */
void help_with_error(const struct generation *generation, const struct event *event, struct views *views, struct slice text,
                     struct buf *out);

/* Does the text begin with a file of the generation and a line, "rules/a.lua:22: "? */
bool help_has_line(const struct generation *generation, struct slice text);

#endif
