/* registry.c: which documents are open in a state, and telling a live view from one that was kept too long. */
#include "json/registry.h"

#include <stdio.h>

#include "base/mem.h"
#include "json/index.h"

enum { SLOTS_FIRST = 16, SCRATCH_KEPT = 64 << 10 };

static char registry_key; /* its address is the key */

struct views *views_of(lua_State *L)
{
    lua_pushlightuserdata(L, &registry_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    struct views *views = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (views)
        return views;
    /* the entry first: making it may raise, filling it cannot */
    lua_pushlightuserdata(L, &registry_key);
    lua_pushboolean(L, false);
    lua_rawset(L, LUA_REGISTRYINDEX);
    views = MEM_NEW(struct views);
    views->free_slot = NO_SLOT;
    buf_init(&views->text, VIEW_TEXT_MAX);
    buf_init(&views->run, UINT32_MAX); /* never longer than the text it is decoded from */
    lua_pushlightuserdata(L, &registry_key);
    lua_pushlightuserdata(L, views);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return views;
}

void views_free(struct views *views)
{
    if (!views)
        return;
    json_free(views->moving);
    buf_deinit(&views->text);
    buf_deinit(&views->run);
    mem_free(views->keys);
    mem_free(views->slots);
    mem_free(views);
}

struct views *views_upvalue(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

void views_register(lua_State *L, struct views *views, const luaL_Reg *functions)
{
    for (; functions->name; functions++) {
        lua_pushlightuserdata(L, views);
        lua_pushcclosure(L, functions->func, 1);
        lua_setfield(L, -2, functions->name);
    }
}

void scratch_clear(struct buf *buf)
{
    if (buf->cap > SCRATCH_KEPT)
        buf_deinit(buf);
    buf_clear(buf);
}

/* ---- slots ---- */

static bool take_slot(struct views *views, uint32_t *index)
{
    if (views->free_slot != NO_SLOT) {
        *index = views->free_slot;
        views->free_slot = views->slots[*index].next_free;
        return true;
    }
    if (views->slot_count == views->slot_room) {
        uint32_t room = views->slot_room ? views->slot_room * 2 : SLOTS_FIRST;
        struct slot *slots = mem_realloc(views->slots, room * sizeof(*slots));
        if (!slots)
            return false;
        views->slots = slots;
        views->slot_room = room;
    }
    *index = views->slot_count++;
    return true;
}

uint64_t view_open(struct views *views, const struct json_doc *doc, struct uuid event)
{
    uint32_t index;
    if (!take_slot(views, &index))
        return 0;
    if (++views->serial == 0)
        views->serial = 1;
    struct slot *slot = &views->slots[index];
    *slot = (struct slot){ .doc = doc, .serial = views->serial, .event = event };
    return (uint64_t)slot->serial << 32 | index;
}

static struct view view_of_handle(uint64_t handle)
{
    return (struct view){ .slot = (uint32_t)handle, .serial = (uint32_t)(handle >> 32) };
}

static struct slot *open_slot(const struct views *views, const struct view *view)
{
    if (view->slot >= views->slot_count)
        return NULL;
    struct slot *slot = &views->slots[view->slot];
    return slot->doc && slot->serial == view->serial ? slot : NULL;
}

struct slot *view_slot(struct views *views, const struct view *view)
{
    struct slot *slot = open_slot(views, view);
    return slot && !json_is_empty(slot->doc) ? slot : NULL;
}

void view_close(struct views *views, uint64_t handle)
{
    struct view view = view_of_handle(handle);
    struct slot *slot = open_slot(views, &view);
    if (!slot)
        return;
    unsigned place = slot->serial % PAST_MAX;
    if (!slot->in_lua) { /* views of the others keep their document, so nobody can ask whose it was */
        views->past[place].serial = slot->serial;
        views->past[place].event = slot->event;
    }
    slot->doc = NULL;
    slot->next_free = views->free_slot;
    views->free_slot = view.slot;
}

void view_ended(const struct views *views, const struct view *view, char *why, size_t size)
{
    unsigned place = view->serial % PAST_MAX;
    char id[UUID_TEXT_SIZE] = "";
    bool known = views->past[place].serial == view->serial;
    if (open_slot(views, view)) { /* but empty */
        snprintf(why, size, "this body belongs to an event whose handler waits: keep copy(v)");
        return;
    }
    if (known)
        uuid_format(views->past[place].event, id);
    snprintf(why, size, "this body belongs to %s%s, which has ended: keep copy(v)", known ? "event " : "an earlier event", id);
}

/* ---- telling values apart ---- */

static bool has_metatable(lua_State *L, int index, const void *wanted)
{
    if (!lua_getmetatable(L, index))
        return false;
    bool same = lua_topointer(L, -1) == wanted;
    lua_pop(L, 1);
    return same;
}

bool is_view(lua_State *L, const struct views *views, int index)
{
    return lua_type(L, index) == LUA_TUSERDATA && has_metatable(L, index, views->view_meta);
}

bool is_big(lua_State *L, const struct views *views, int index)
{
    return lua_type(L, index) == LUA_TUSERDATA && has_metatable(L, index, views->big_meta);
}

bool is_marked_array(lua_State *L, const struct views *views, int index)
{
    return lua_type(L, index) == LUA_TTABLE && has_metatable(L, index, views->array_meta);
}

bool view_is_null(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TUSERDATA && lua_touserdata(L, index) == views_of(L)->null;
}

struct json_value view_value(lua_State *L, struct views *views, int index)
{
    const struct view *view = lua_touserdata(L, index);
    struct slot *slot = view_slot(views, view);
    if (slot)
        return (struct json_value){ slot->doc, view->node };
    char why[sizeof("this body belongs to event , which has ended: keep copy(v)") + UUID_TEXT_SIZE];
    view_ended(views, view, why, sizeof(why));
    luaL_error(L, "%s", why);
    return (struct json_value){ NULL, 0 }; /* not reached */
}

bool view_at(lua_State *L, int index, struct json_value *value)
{
    struct views *views = views_of(L);
    if (!is_view(L, views, index))
        return false;
    *value = view_value(L, views, index);
    return true;
}
