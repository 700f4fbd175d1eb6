#include "cli/prompt_native.h"

#include <lauxlib.h>

#include "base/clock.h"
#include "cli/native.h"
#include "ingest/decode.h"
#include "ingest/router.h"
#include "ingest/spot.h"
#include "script/vm.h"

enum { SCRATCH_MAX = 1 << 20 };

/* ---- event { id, path, method, query, remote_ip, type, verified, received_at, headers = { { name, value } … }, body } → the
 * event that a rule would see, or nil and why none would. What is nil is as if it came now; nobody verifies it ---- */

struct making {
    struct event_parts parts;
    struct pair headers[HEADERS_MAX], params[PARAMS_MAX];
    const struct route *route;
    struct buf scratch;
};

static struct slice text_field(lua_State *L, const char *name, const char *otherwise)
{
    struct slice text = slice_of(otherwise);
    lua_getfield(L, 1, name);
    if (lua_isstring(L, -1))
        text.data = lua_tolstring(L, -1, &text.len);
    lua_pop(L, 1); /* the table keeps it */
    return text;
}

static void read_headers(lua_State *L, struct making *making)
{
    struct event_parts *parts = &making->parts;
    lua_getfield(L, 1, "headers");
    for (int i = 1; i <= (int)lua_objlen(L, -1) && parts->header_count < HEADERS_MAX; i++) {
        struct pair *header = &making->headers[parts->header_count++];
        lua_rawgeti(L, -1, i);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        header->name.data = luaL_checklstring(L, -2, &header->name.len);
        header->value.data = luaL_checklstring(L, -1, &header->value.len);
        if (slice_eq_nocase(header->name, SLICE("content-type")))
            parts->content_type = header->value;
        lua_pop(L, 3); /* the pair keeps both */
    }
    lua_pop(L, 1);
}

/* May raise; what it points to is the table's. */
static void read_request(lua_State *L, struct making *making)
{
    struct event_parts *parts = &making->parts;
    struct uuid_maker maker;
    uint64_t now_ms = clock_wall_ms();
    lua_getfield(L, 1, "received_at");
    parts->received_ms = lua_isnumber(L, -1) ? (uint64_t)(lua_tonumber(L, -1) * 1000) : now_ms;
    lua_pop(L, 1);
    uuid_maker_init(&maker);
    if (!uuid_parse(text_field(L, "id", ""), &parts->id))
        parts->id = uuid_v7(&maker, now_ms);
    parts->path = text_field(L, "path", "/");
    parts->method = text_field(L, "method", "POST");
    parts->query = text_field(L, "query", "");
    parts->remote_ip = text_field(L, "remote_ip", "127.0.0.1");
    parts->type = text_field(L, "type", "");
    parts->verified = text_field(L, "verified", "");
    parts->body = text_field(L, "body", "");
    parts->content_type = SLICE("");
    parts->headers = making->headers;
    parts->params = making->params;
    read_headers(L, making);
}

/* A path that no route takes is one of its own. */
static void find_route(struct making *making)
{
    static const struct route none = { .content = CONTENT_BY_TYPE, .max_body_bytes = DECODED_MAX };
    struct event_parts *parts = &making->parts;
    const struct route *route = router_match(native_checked(), parts->path);
    if (route)
        parts->param_count = router_params(route, parts->path, making->params, &making->scratch);
    making->route = route ? route : &none;
    parts->route = route ? route->path : parts->path;
    parts->provider = route ? route->provider : SLICE("");
    if (route && parts->verified.len == 0)
        parts->verified = route->verify.name;
}

static enum result make(struct making *making, struct event **out, char why[DECODE_WHY_SIZE])
{
    find_route(making);
    enum result rc = event_new(&making->parts, out);
    if (rc != OK)
        return rc;
    rc = body_decode(making->route, *out, why);
    if (rc == OK && making->route->type.count && (*out)->type.len == 0) {
        struct slice type = spot_type(&making->route->type, *out, &making->scratch);
        (*out)->type = type.data ? type : SLICE("");
    }
    if (rc != OK)
        event_unref(*out);
    return rc;
}

static int native_event(lua_State *L)
{
    struct making making = { 0 };
    struct event *event;
    char why[DECODE_WHY_SIZE] = "there is no memory for it";
    luaL_checktype(L, 1, LUA_TTABLE);
    read_request(L, &making);
    buf_init(&making.scratch, SCRATCH_MAX);
    enum result rc = make(&making, &event, why);
    buf_deinit(&making.scratch);
    if (rc != OK) {
        lua_pushnil(L);
        lua_pushstring(L, why);
        return 2;
    }
    script_push_event(L, event);
    event_unref(event);
    return 1;
}

/* limited(function) → as pcall, with the processor time of a handler */
static int native_limited(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    int status = script_call_limited(L, (uint32_t)native_checked()->limits.handler_cpu_ms);
    lua_pushboolean(L, status == 0);
    lua_insert(L, 1);
    return lua_gettop(L);
}

int luaopen_tidewire_prompt_native(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "event", native_event },
        { "limited", native_limited },
        { NULL, NULL },
    };
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    return 1;
}
