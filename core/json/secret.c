#include "json/secret.h"

#include <lauxlib.h>

#include "json/json.h"

#define SECRET_TYPE "tidewire.secret"

enum { PARTS_MAX = 8, TEXT_MAX = 4096 };

/* A run of parts in one block: text, or the name of a secret. */
struct part {
    bool is_name;
    uint16_t start, len;
};
struct secret {
    uint32_t count;
    uint32_t used;
    struct part parts[PARTS_MAX];
    char text[]; /* `used` bytes */
};

static struct secret *secret_at(lua_State *L, int index)
{
    void *value = lua_touserdata(L, index);
    if (!value || !lua_getmetatable(L, index))
        return NULL;
    luaL_getmetatable(L, SECRET_TYPE);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? value : NULL;
}

bool secret_is(lua_State *L, int index)
{
    return secret_at(L, index) != NULL;
}

static struct secret *push_empty(lua_State *L, size_t text)
{
    struct secret *secret = lua_newuserdata(L, sizeof(*secret) + text);
    secret->count = secret->used = 0;
    luaL_getmetatable(L, SECRET_TYPE);
    lua_setmetatable(L, -2);
    return secret;
}

static void add_part(struct secret *secret, bool is_name, struct slice text)
{
    secret->parts[secret->count++] = (struct part){ is_name, (uint16_t)secret->used, (uint16_t)text.len };
    memcpy(secret->text + secret->used, text.data, text.len);
    secret->used += (uint32_t)text.len;
}

void secret_push(lua_State *L, struct slice name)
{
    add_part(push_empty(L, name.len), true, name);
}

struct slice secret_name(lua_State *L, int index)
{
    const struct secret *secret = secret_at(L, index);
    if (!secret || secret->count != 1)
        return (struct slice){ NULL, 0 };
    return (struct slice){ secret->text, secret->used };
}

static struct slice part_text(const struct secret *secret, const struct part *part)
{
    return (struct slice){ secret->text + part->start, part->len };
}

/* Text beside a secret inside a JSON string needs JSON's escapes; elsewhere the place says nothing about it. */
static void add_text_piece(struct buf *pieces, struct slice text, enum escaping escaping)
{
    struct buf escaped;
    if (escaping != ESCAPE_JSON) {
        pieces_bytes(pieces, text);
        return;
    }
    buf_init(&escaped, TEXT_MAX * 6 + 2);
    buf_add_json_string(&escaped, text);
    if (buf_ok(&escaped))
        pieces_bytes(pieces, (struct slice){ escaped.data + 1, escaped.len - 2 });
    else
        pieces->failed = true;
    buf_deinit(&escaped);
}

void secret_pieces(lua_State *L, int index, struct buf *pieces, enum escaping escaping)
{
    const struct secret *secret = secret_at(L, index);
    for (uint32_t i = 0; i < secret->count; i++) {
        const struct part *part = &secret->parts[i];
        if (part->is_name)
            pieces_secret(pieces, part_text(secret, part), escaping);
        else
            add_text_piece(pieces, part_text(secret, part), escaping);
    }
}

void secret_push_shown(lua_State *L, int index)
{
    const struct secret *secret = secret_at(L, index);
    luaL_Buffer shown;
    luaL_buffinit(L, &shown);
    for (uint32_t i = 0; i < secret->count; i++) {
        if (secret->parts[i].is_name)
            luaL_addstring(&shown, "secret:");
        luaL_addlstring(&shown, secret->text + secret->parts[i].start, secret->parts[i].len);
    }
    luaL_pushresult(&shown);
}

static int on_tostring(lua_State *L)
{
    if (!secret_is(L, 1))
        return luaL_error(L, "not a secret");
    secret_push_shown(L, 1);
    return 1;
}

struct operand {
    const struct secret *secret;
    struct slice text;
};

static struct operand operand_at(lua_State *L, int index)
{
    struct operand operand = { secret_at(L, index), { NULL, 0 } };
    if (operand.secret)
        operand.text.len = operand.secret->used;
    else if (lua_type(L, index) == LUA_TSTRING || lua_type(L, index) == LUA_TNUMBER)
        operand.text.data = lua_tolstring(L, index, &operand.text.len);
    else
        luaL_error(L, "only text can be joined to a secret, not a %s", luaL_typename(L, index));
    return operand;
}

static void add_operand(struct secret *to, const struct operand *from)
{
    if (!from->secret) {
        add_part(to, false, from->text);
        return;
    }
    for (uint32_t i = 0; i < from->secret->count; i++)
        add_part(to, from->secret->parts[i].is_name, part_text(from->secret, &from->secret->parts[i]));
}

static int on_concat(lua_State *L)
{
    struct operand a = operand_at(L, 1), b = operand_at(L, 2);
    uint32_t count = (a.secret ? a.secret->count : 1) + (b.secret ? b.secret->count : 1);
    if (count > PARTS_MAX || a.text.len + b.text.len > TEXT_MAX)
        return luaL_error(L, "too much is joined to a secret: at most %d parts and %d bytes", PARTS_MAX, TEXT_MAX);
    struct secret *joined = push_empty(L, a.text.len + b.text.len);
    add_operand(joined, &a);
    add_operand(joined, &b);
    return 1;
}

static int on_other(lua_State *L)
{
    return luaL_error(L, "a secret is opaque: put it into an option, a message or crypto.hmac as it is");
}

void secret_open(lua_State *L)
{
    static const char *const refused[] = { "__index", "__newindex", "__len", "__lt",  "__le",  "__add", "__sub",
                                           "__mul",   "__div",      "__mod", "__pow", "__unm", "__call" };
    luaL_newmetatable(L, SECRET_TYPE);
    lua_pushcfunction(L, on_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushcfunction(L, on_concat);
    lua_setfield(L, -2, "__concat");
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        lua_pushcfunction(L, on_other);
        lua_setfield(L, -2, refused[i]);
    }
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
