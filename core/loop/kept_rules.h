/* kept_rules.h: generations in the store: their numbers go on over restarts, and a server that has to start again over broken
 * files runs the last good ones. Main thread. */
#ifndef TIDEWIRE_KEPT_RULES_H
#define TIDEWIRE_KEPT_RULES_H

#include "loop/handoff.h"
#include "script/load.h"
#include "store/store.h"

/* Keeps what came into force. handoff: of main. When the store is full of events just then, the next generation is kept instead.
 */
void kept_rules_write(struct store *store, struct handoff *handoff, struct generation *generation);
/* Before store_start. *rules: what the files gave, which gets its number; NULL when they have mistakes: then the last good ones,
 * and *from_store. false: there are none. */
bool kept_rules_choose(struct store *store, const struct load_options *options, struct generation **rules, bool *from_store);

#endif
