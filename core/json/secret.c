/* secret.c: a userdata of parts: text, and names of secrets. */
#include "json/secret.h"

#include <lauxlib.h>

#include "json/view.h"

#define META "tidewire.secret"

/* What follows a part's tag is its length in 32 bits and its bytes. A bare secret is a PART_NAME and its PART_OTHER. */
enum tag { PART_TEXT, PART_NAME, PART_OTHER /* a further name of the one before: verifies only */ };
enum { PART_HEAD = 1 + sizeof(uint32_t) };

struct secret {
    uint32_t bytes; /* of parts */
    char parts[];
};

/* ---- parts ---- */

static void put_part(struct secret *secret, enum tag tag, struct slice bytes)
{
    char *at = secret->parts + secret->bytes;
    uint32_t len = (uint32_t)bytes.len;
    at[0] = (char)tag;
    memcpy(at + 1, &len, sizeof(len));
    memcpy(at + PART_HEAD, bytes.data, bytes.len);
    secret->bytes += PART_HEAD + len;
}

/* Walks; *at starts at 0. */
static bool next_part(const struct secret *secret, uint32_t *at, enum tag *tag, struct slice *bytes)
{
    uint32_t len;
    if (*at >= secret->bytes)
        return false;
    *tag = (enum tag)secret->parts[*at];
    memcpy(&len, secret->parts + *at + 1, sizeof(len));
    *bytes = (struct slice){ secret->parts + *at + PART_HEAD, len };
    *at += PART_HEAD + len;
    return true;
}

static struct secret *push_empty(lua_State *L, size_t room)
{
    if (room > SECRET_TEXT_MAX)
        luaL_error(L, "a secret joined with text is at most %d bytes long", SECRET_TEXT_MAX);
    struct secret *secret = lua_newuserdata(L, sizeof(*secret) + room);
    secret->bytes = 0;
    luaL_getmetatable(L, META);
    lua_setmetatable(L, -2);
    return secret;
}

/* ---- what C asks ---- */

void secret_push(lua_State *L, const struct slice *names, size_t n)
{
    size_t room = 0;
    for (size_t i = 0; i < n; i++)
        room += PART_HEAD + names[i].len;
    struct secret *secret = push_empty(L, room);
    for (size_t i = 0; i < n; i++)
        put_part(secret, i == 0 ? PART_NAME : PART_OTHER, names[i]);
}

bool secret_is(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
        return false;
    luaL_getmetatable(L, META);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

bool secret_name(lua_State *L, int index, size_t i, struct slice *name)
{
    const struct secret *secret = lua_touserdata(L, index);
    enum tag tag;
    struct slice bytes;
    size_t n = 0;
    bool found = false;
    for (uint32_t at = 0; next_part(secret, &at, &tag, &bytes); n++) {
        if (tag == PART_TEXT || (tag == PART_NAME && n > 0))
            return false;
        if (n == i) {
            *name = bytes;
            found = true;
        }
    }
    return found;
}

void secret_pieces(lua_State *L, int index, struct buf *pieces, enum escaping escaping)
{
    const struct secret *secret = lua_touserdata(L, index);
    enum tag tag;
    struct slice bytes;
    for (uint32_t at = 0; next_part(secret, &at, &tag, &bytes);) {
        if (tag == PART_TEXT)
            pieces_text(pieces, bytes, escaping);
        else if (tag == PART_NAME)
            pieces_secret(pieces, bytes, escaping);
    }
}

/* ---- what Lua does with it ---- */

static int secret_tostring(lua_State *L)
{
    const struct secret *secret = luaL_checkudata(L, 1, META);
    enum tag tag;
    struct slice bytes;
    int count = 0;
    for (uint32_t at = 0; next_part(secret, &at, &tag, &bytes);) {
        if (tag == PART_OTHER)
            continue;
        luaL_checkstack(L, 2, "a secret of too many parts");
        if (tag == PART_NAME) {
            lua_pushliteral(L, "secret:");
            count++;
        }
        lua_pushlstring(L, bytes.data, bytes.len);
        count++;
    }
    lua_concat(L, count);
    return 1;
}

/* Makes the operand a secret or text; returns the bytes it takes as parts. */
static size_t operand(lua_State *L, int index)
{
    if (secret_is(L, index))
        return ((const struct secret *)lua_touserdata(L, index))->bytes;
    if (view_push_digits(L, index))
        lua_replace(L, index);
    if (!lua_isstring(L, index))
        luaL_error(L, "a secret can be joined with text only, not with a %s", luaL_typename(L, index));
    size_t len;
    lua_tolstring(L, index, &len);
    return PART_HEAD + len;
}

static void put_operand(lua_State *L, struct secret *secret, int index)
{
    if (secret_is(L, index)) {
        const struct secret *part = lua_touserdata(L, index);
        memcpy(secret->parts + secret->bytes, part->parts, part->bytes);
        secret->bytes += part->bytes;
        return;
    }
    struct slice text;
    text.data = lua_tolstring(L, index, &text.len);
    put_part(secret, PART_TEXT, text);
}

static int secret_concat(lua_State *L)
{
    size_t room = operand(L, 1) + operand(L, 2);
    struct secret *secret = push_empty(L, room);
    put_operand(L, secret, 1);
    put_operand(L, secret, 2);
    return 1;
}

static int secret_opaque(lua_State *L)
{
    return luaL_error(L, "a secret is opaque: it can be joined with text by '..' and given to options and messages");
}

/* secret.new(name, …) */
static int secret_new(lua_State *L)
{
    struct slice names[SECRET_NAMES_MAX];
    int n = lua_gettop(L);
    if (n < 1 || n > SECRET_NAMES_MAX)
        return luaL_error(L, "a secret has one to %d names", SECRET_NAMES_MAX);
    for (int i = 0; i < n; i++) {
        luaL_checktype(L, i + 1, LUA_TSTRING);
        names[i].data = lua_tolstring(L, i + 1, &names[i].len);
    }
    secret_push(L, names, (size_t)n);
    return 1;
}

static const luaL_Reg metamethods[] = {
    { "__tostring", secret_tostring }, { "__concat", secret_concat },
    { "__index", secret_opaque },      { "__newindex", secret_opaque },
    { "__len", secret_opaque },        { "__lt", secret_opaque },
    { "__le", secret_opaque },         { NULL, NULL },
};

void secret_open(lua_State *L)
{
    luaL_newmetatable(L, META);
    for (const luaL_Reg *method = metamethods; method->name; method++) {
        lua_pushcfunction(L, method->func);
        lua_setfield(L, -2, method->name);
    }
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pushliteral(L, "secret");
    lua_setfield(L, -2, "__type");
    lua_pop(L, 1);
    lua_pushcfunction(L, secret_new);
}
