/* encode.h: Lua values to JSON: views as the bytes they came as, tables with sorted keys, everything that JSON has no word for an
 * error that names the path. */
#ifndef TIDEWIRE_ENCODE_H
#define TIDEWIRE_ENCODE_H

#include <lua.h>

#include "base/buf.h"
#include "base/result.h"

enum { ENCODE_DEPTH_MAX = 128, ENCODE_MEMBERS_MAX = 1000000 };

enum encode_mode {
    ENCODE_PLAIN,  /* out gets the text; a secret is an error */
    ENCODE_PIECES, /* out gets pieces of message.h; a secret becomes its place inside a string */
};

struct encode_error {
    char text[256]; /* "body.items[3].price is NaN" */
};

/* ERR_INVALID: error says what and where. ERR_LIMIT: out is full (error says it too). Raises only when Lua has no memory. The
 * value at index is unchanged, the stack too. */
enum result encode_json(lua_State *L, int index, struct buf *out, enum encode_mode mode, struct encode_error *error) MUST_CHECK;

/* Pushes the table whose keys are the tables that json.array marked (weak). */
void encode_push_arrays(lua_State *L);

#endif
