/* runs.c: what a handler asks of tasks. lua/tidewire/task.lua checks the words. */
#include <lauxlib.h>

#include "base/clock.h"
#include "json/encode.h"
#include "script/inside.h"

#define KEEP_MS (30 * 86400000ull) /* of its body, from when it is due: as of routes that say nothing */

static struct slice keep(lua_State *L, struct event *event, struct slice bytes)
{
    struct slice kept = bytes.len ? arena_copy(&event->arena, bytes) : SLICE("");
    if (!kept.data)
        luaL_error(L, "not enough memory");
    return kept;
}

static int refuse(lua_State *L, const char *why)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

static struct slice text_at(lua_State *L, int index)
{
    struct slice text = SLICE("");
    if (!lua_isnoneornil(L, index))
        text.data = luaL_checklstring(L, index, &text.len);
    return text;
}

/* NULL: there are too many. */
static struct run_note *add_note(lua_State *L, struct inside_run *inside)
{
    if (inside->run_notes == RUN_NOTES_MAX)
        return NULL;
    struct run_note *note = arena_alloc(&inside->run->event->arena, sizeof(*note));
    if (!note)
        luaL_error(L, "not enough memory");
    return note;
}

/* The last thing that is done: a pcall around it never leaves half a note. */
static int link_note(lua_State *L, struct inside_run *inside, struct run_note *note)
{
    *inside->last_run_note = note;
    inside->last_run_note = &note->next;
    inside->run_notes++;
    lua_pushboolean(L, true);
    return 1;
}

static struct slice make_meta(lua_State *L, struct inside_run *inside, uint64_t now_ms, bool has_body)
{
    const struct event event = { .method = SLICE(""),
                                 .path = SLICE(""),
                                 .query = SLICE(""),
                                 .remote_ip = SLICE(""),
                                 .content_type = has_body ? SLICE("application/json") : SLICE(""),
                                 .provider = SLICE(""),
                                 .verified = SLICE("task"),
                                 .time_ms = now_ms,
                                 .kind = has_body ? BODY_JSON : BODY_EMPTY };
    struct buf *meta = &inside->script->scratch;
    buf_clear(meta);
    event_meta_write(&event, meta);
    if (!buf_ok(meta))
        luaL_error(L, "not enough memory");
    return keep(L, inside->run->event, buf_slice(meta));
}

/* start(route, delay_ms, at_ms, name, data): at_ms nil: in delay_ms; name, data: nil: none. true; nil and why. */
static int l_start(lua_State *L)
{
    struct script *script = script_of(L);
    struct inside_run *inside = script->current;
    struct event *event = inside->run->event;
    struct buf *data = &script->pieces;
    uint64_t now_ms = clock_wall_ms();
    uint64_t due_ms = lua_isnil(L, 3) ? now_ms + (uint64_t)luaL_checknumber(L, 2) : (uint64_t)luaL_checknumber(L, 3);
    char why[ENCODE_WHY_SIZE];
    buf_clear(data);
    if (!lua_isnoneornil(L, 5) && encode_json(L, 5, "data", SECRETS_REFUSED, data, why) != OK)
        return refuse(L, why);
    if (data->len > RUN_DATA_MAX)
        return refuse(L, "data has at most 64 KiB as JSON: keep the rest in kv");
    if (inside->run_bytes + data->len > RUN_NOTED_MAX)
        return refuse(L, "a handler gives tasks at most 16 MiB of data");
    struct run_note *note = add_note(L, inside);
    if (!note)
        return refuse(L, "a handler asks for at most 1000 runs of tasks");
    *note = (struct run_note){ .kind = RUN_START,
                               .id = event_id_make(script->config.ids, now_ms, script->config.worker, script->config.workers),
                               .made_ms = now_ms,
                               .due_ms = due_ms > now_ms ? due_ms : now_ms,
                               .route = keep(L, event, text_at(L, 1)),
                               .name = keep(L, event, text_at(L, 4)),
                               .body = keep(L, event, buf_slice(data)) };
    note->keep_until_ms = note->due_ms + KEEP_MS;
    note->meta = make_meta(L, inside, now_ms, data->len > 0);
    inside->run_bytes += data->len;
    return link_note(L, inside, note);
}

/* cancel(route, name): true; nil and why. */
static int l_cancel(lua_State *L)
{
    struct inside_run *inside = script_of(L)->current;
    struct event *event = inside->run->event;
    struct run_note *note = add_note(L, inside);
    if (!note)
        return refuse(L, "a handler asks for at most 1000 runs of tasks");
    note->kind = RUN_CANCEL;
    note->route = keep(L, event, text_at(L, 1));
    note->name = keep(L, event, text_at(L, 2));
    return link_note(L, inside, note);
}

int luaopen_tidewire_task_native(lua_State *L)
{
    static const luaL_Reg functions[] = { { "start", l_start }, { "cancel", l_cancel }, { NULL, NULL } };
    lua_createtable(L, 0, 2);
    for (const luaL_Reg *function = functions; function->name; function++) {
        lua_pushcfunction(L, function->func);
        lua_setfield(L, -2, function->name);
    }
    return 1;
}
