/* encode.h: Lua values to JSON, exactly: views as the bytes they were, keys of tables sorted, numbers with the shortest digits
 * (rules.md 10). Never calls anything a rule wrote: metatables are not asked. The state's thread. */
#ifndef TIDEWIRE_ENCODE_H
#define TIDEWIRE_ENCODE_H

#include <lua.h>

#include "base/buf.h"
#include "base/result.h"

enum {
    ENCODE_KEYS_MAX = 1 << 20, /* keys of all tables around one place */
    ENCODE_WHY_SIZE = 512
};

enum secrets {
    SECRETS_REFUSED,  /* out gets text */
    SECRETS_IN_PIECES /* out gets pieces (model/message.h): text, and the places of secrets, escaped for JSON */
};

/* Appends the value at index to out. root: how the value is called in messages ("body": "body.items[3].price is NaN").
 * ERR_INVALID: why says what; ERR_LIMIT: out is full, or too many keys; ERR_MEMORY. why holds ENCODE_WHY_SIZE bytes and is set
 * for every error. Raises only if Lua has no memory, so out must not live on the C stack of the caller alone: it is the
 * registry's, the run's, or freed by somebody else. */
enum result encode_json(lua_State *L, int index, const char *root, enum secrets secrets, struct buf *out, char *why) MUST_CHECK;

#endif
