/* stand_ins.h: values for settings and secrets that are not set, for tests of rules: a clean checkout passes its tests. The same
 * name has the same value each time. All lie in the arena; data NULL: no memory. */
#ifndef TIDEWIRE_STAND_INS_H
#define TIDEWIRE_STAND_INS_H

#include "base/arena.h"
#include "base/slice.h"
#include "model/generation.h"

/* "https://crm-url.test" for CRM_URL and other names of addresses, "chat-id" for CHAT_ID. */
struct slice stand_in_setting(struct arena *arena, struct slice name);
/* What they begin with, unless stand_ins_fit gave them another form. */
#define STAND_IN_SECRET "stand-in-for-"
struct slice stand_in_secret(struct arena *arena, struct slice name);
/* The secrets that have a stand-in get one that fits what uses them: an address where a target's URL begins with it, and of the
 * form that a scheme's key has ("whsec_" and base64, hex, base64). Where a sender signs with a key of its
 * own, see stand_in_keys.h. secrets: of the generation, with room for one more for each route. The generation is whole, and
 * nobody has it yet. */
void stand_ins_fit(struct generation *generation, struct secret *secrets);

#endif
