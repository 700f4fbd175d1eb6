/* runs.c: what a handler asks of tasks and batches. lua/tidewire/task.lua and batch.lua check the words. */
#include <lauxlib.h>
#include <stdio.h>

#include "base/clock.h"
#include "json/encode.h"
#include "script/inside.h"

#define KEEP_MS (30 * 86400000ull) /* of its body, from when it is due: as of routes that say nothing */

#define TOO_MANY "a handler says at most 1000 things to tasks and batches"

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

static struct slice make_meta(lua_State *L, struct inside_run *inside, uint64_t now_ms, struct slice made_by, bool has_body)
{
    const struct event event = { .method = SLICE(""),
                                 .path = SLICE(""),
                                 .query = SLICE(""),
                                 .remote_ip = SLICE(""),
                                 .content_type = has_body ? SLICE("application/json") : SLICE(""),
                                 .provider = SLICE(""),
                                 .verified = made_by,
                                 .time_ms = now_ms,
                                 .kind = has_body ? BODY_JSON : BODY_EMPTY };
    struct buf *meta = &inside->script->scratch;
    buf_clear(meta);
    event_meta_write(&event, meta);
    if (!buf_ok(meta))
        luaL_error(L, "not enough memory");
    return keep(L, inside->run->event, buf_slice(meta));
}

/* Data as JSON in script->pieces; false: it is refused, and nil and why are pushed. */
static bool take_data(lua_State *L, struct inside_run *inside, int index, const char *name)
{
    struct buf *data = &inside->script->pieces;
    char why[ENCODE_WHY_SIZE] = "";
    buf_clear(data);
    if (!lua_isnoneornil(L, index) && encode_json(L, index, name, SECRETS_REFUSED, data, why) != OK)
        ; /* it has said why */
    else if (data->len > RUN_DATA_MAX)
        snprintf(why, sizeof(why), "%s has at most 64 KiB as JSON: keep the rest in kv", name);
    else if (inside->run_bytes + data->len > RUN_NOTED_MAX)
        snprintf(why, sizeof(why), "a handler gives tasks and batches at most 16 MiB of data");
    if (why[0])
        (void)refuse(L, why);
    return !why[0];
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
    if (!take_data(L, inside, 5, "data"))
        return 2;
    struct run_note *note = add_note(L, inside);
    if (!note)
        return refuse(L, TOO_MANY);
    *note = (struct run_note){ .kind = RUN_START,
                               .id = event_id_make(script->config.ids, now_ms, script->config.worker, script->config.workers),
                               .made_ms = now_ms,
                               .due_ms = due_ms > now_ms ? due_ms : now_ms,
                               .route = keep(L, event, text_at(L, 1)),
                               .name = keep(L, event, text_at(L, 4)),
                               .body = keep(L, event, buf_slice(data)) };
    note->keep_until_ms = note->due_ms + KEEP_MS;
    note->meta = make_meta(L, inside, now_ms, SLICE("task"), data->len > 0);
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
        return refuse(L, TOO_MANY);
    note->kind = RUN_CANCEL;
    note->route = keep(L, event, text_at(L, 1));
    note->name = keep(L, event, text_at(L, 2));
    return link_note(L, inside, note);
}

/* add(route, group, item, every_ms, items_max). true; nil and why. */
static int l_add(lua_State *L)
{
    struct script *script = script_of(L);
    struct inside_run *inside = script->current;
    struct event *event = inside->run->event;
    uint64_t now_ms = clock_wall_ms();
    if (!take_data(L, inside, 3, "item"))
        return 2;
    struct run_note *note = add_note(L, inside);
    if (!note)
        return refuse(L, TOO_MANY);
    *note = (struct run_note){ .kind = RUN_ADD,
                               .id = event_id_make(script->config.ids, now_ms, script->config.worker, script->config.workers),
                               .made_ms = now_ms,
                               .due_ms = now_ms + (uint64_t)luaL_checknumber(L, 4),
                               .items_max = (uint32_t)luaL_checknumber(L, 5),
                               .route = keep(L, event, text_at(L, 1)),
                               .name = keep(L, event, text_at(L, 2)),
                               .body = keep(L, event, buf_slice(&script->pieces)) };
    note->keep_until_ms = note->due_ms + KEEP_MS;
    note->meta = make_meta(L, inside, now_ms, SLICE("batch"), true);
    inside->run_bytes += note->body.len;
    return link_note(L, inside, note);
}

int luaopen_tidewire_task_native(lua_State *L)
{
    static const luaL_Reg functions[] = { { "start", l_start }, { "cancel", l_cancel }, { "add", l_add }, { NULL, NULL } };
    lua_createtable(L, 0, 3);
    for (const luaL_Reg *function = functions; function->name; function++) {
        lua_pushcfunction(L, function->func);
        lua_setfield(L, -2, function->name);
    }
    return 1;
}
