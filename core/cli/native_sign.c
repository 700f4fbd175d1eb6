#include "cli/native_sign.h"

#include <lauxlib.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "cli/sample.h"

enum { TEXT_MAX = 1 << 20, MORE = 4 };

static struct slice more_text(lua_State *L, const char *name, struct slice otherwise)
{
    struct slice text = otherwise;
    if (!lua_istable(L, MORE))
        return text;
    lua_getfield(L, MORE, name);
    if (lua_isstring(L, -1))
        text.data = lua_tolstring(L, -1, &text.len);
    lua_pop(L, 1); /* the table keeps it */
    return text;
}

static size_t more_headers(lua_State *L, struct pair *headers, size_t room)
{
    size_t count = 0;
    if (!lua_istable(L, MORE))
        return 0;
    lua_getfield(L, MORE, "headers");
    for (int i = 1; lua_istable(L, -1) && i <= (int)lua_objlen(L, -1) && count < room; i++, count++) {
        lua_rawgeti(L, -1, i);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        headers[count].name.data = luaL_checklstring(L, -2, &headers[count].name.len);
        headers[count].value.data = luaL_checklstring(L, -1, &headers[count].value.len);
        lua_pop(L, 3); /* the pair keeps both */
    }
    lua_pop(L, 1);
    return count;
}

static void push_lines(lua_State *L, struct slice lines)
{
    lua_newtable(L);
    for (int n = 1; lines.len > 0; n++) {
        const char *end = memchr(lines.data, '\n', lines.len);
        size_t len = end ? (size_t)(end - lines.data) : lines.len;
        lua_pushlstring(L, lines.data, len);
        lua_rawseti(L, -2, n);
        lines = slice_from(lines, len + 1);
    }
}

int native_sign_for(lua_State *L, const struct route *route)
{
    struct pair headers[HEADERS_MAX];
    struct verify_input request = { .method = route->methods[0], .headers = headers, .now_ms = clock_wall_ms() };
    struct sample_keys keys;
    struct uuid_maker maker;
    char id[UUID_TEXT_SIZE];
    const char *why;
    struct buf lines, field;
    lua_settop(L, MORE);
    keys.secret.data = luaL_checklstring(L, 2, &keys.secret.len);
    keys.also = more_text(L, "also", SLICE(""));
    request.body.data = luaL_checklstring(L, 3, &request.body.len);
    request.path = more_text(L, "path", route->path);
    request.query = more_text(L, "query", SLICE(""));
    request.header_count = more_headers(L, headers, HEADERS_MAX);
    uuid_maker_init(&maker);
    uuid_format(uuid_v4(&maker.rng), id);
    buf_init(&lines, TEXT_MAX);
    buf_init(&field, TEXT_MAX);
    enum result rc = sample_sign(&route->verify, &keys, &request, slice_of(id), &lines, &field, &why);
    if (rc == OK) {
        push_lines(L, buf_slice(&lines));
        if (field.len > 0)
            lua_pushlstring(L, field.data, field.len);
    } else {
        lua_pushnil(L);
        lua_pushstring(L, why);
    }
    int pushed = rc == OK && field.len == 0 ? 1 : 2;
    buf_deinit(&lines);
    buf_deinit(&field);
    return pushed;
}

int native_verify_for(lua_State *L, const struct route *route, const struct generation *generation)
{
    static const char *const names[] = { "valid", "missing",     "malformed",        "mismatch",         "stale",
                                         "topic", "certificate", "certificate away", "certificate away", "no_secret" };
    struct pair headers[HEADERS_MAX];
    struct verify_input request = { .headers = headers, .now_ms = clock_wall_ms() };
    struct verify_result result;
    lua_settop(L, MORE);
    request.method = slice_of(luaL_checkstring(L, 2));
    request.body.data = luaL_checklstring(L, 3, &request.body.len);
    request.path = more_text(L, "path", route->path);
    request.query = more_text(L, "query", SLICE(""));
    request.header_count = more_headers(L, headers, HEADERS_MAX);
    struct verifier *verifier = verifier_new(&route->verify, generation);
    lua_pushstring(L, names[verify_request(verifier, &request, &result)]);
    verifier_free(verifier);
    return 1;
}
