/* kv.c: values that rules keep, as a handler sees them: its own notes, what is committed and in memory, what has to be read.
 * lua/tidewire/kv.lua checks the words. */
#include <lauxlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "json/encode.h"
#include "loop/handoff.h"
#include "script/inside.h"
#include "store/kv.h"

/* One value on its way from the store, and then until the run asks for another. */
struct kv_reading {
    struct store_read_kv read;
    struct handed handed;
    struct handoff *handoff;
    uint32_t *reads;
    struct inside_run *inside; /* NULL: the run has ended meanwhile */
    bool back;
    char key[KV_KEY_MAX];
};

/* ---- reading ---- */

static void reading_free(struct kv_reading *reading)
{
    store_read_free(&reading->read.op);
    mem_free(reading);
}

static void on_back(struct handed *handed)
{
    struct kv_reading *reading = (struct kv_reading *)((char *)handed - offsetof(struct kv_reading, handed));
    --*reading->reads;
    reading->back = true;
    if (reading->inside)
        run_go_on(reading->inside);
    else
        reading_free(reading);
}

/* Reader thread. */
static void on_read(struct store_op *op)
{
    struct kv_reading *reading = op->owner;
    reading->handed.run = on_back;
    if (handoff_send(reading->handoff, &reading->handed) != OK)
        return; /* the worker waits for its reads before it closes */
}

void kv_end(struct inside_run *inside)
{
    struct kv_reading *reading = inside->kv_reading;
    inside->kv_reading = NULL;
    if (reading && reading->back)
        reading_free(reading);
    else if (reading)
        reading->inside = NULL;
}

bool kv_start_reading(struct inside_run *inside, struct slice key)
{
    const struct script_config *config = &inside->script->config;
    kv_end(inside);
    struct kv_reading *reading = MEM_NEW(struct kv_reading);
    memcpy(reading->key, key.data, key.len);
    reading->read = (struct store_read_kv){ .op = { .kind = STORE_READ_KV, .on_done = on_read, .owner = reading },
                                            .key = slice_make(reading->key, key.len) };
    reading->handoff = config->handoff;
    reading->reads = config->reads;
    if (!store_submit_read(config->store, &reading->read.op)) {
        mem_free(reading);
        return false;
    }
    reading->inside = inside;
    inside->kv_reading = reading;
    ++*config->reads;
    return true;
}

/* ---- what the handler sees ---- */

static struct kv_note *note_of(const struct inside_run *inside, struct slice key)
{
    struct kv_note *note = inside->outcome->kv;
    while (note && !slice_eq(note->key, key))
        note = note->next;
    return note;
}

static struct slice text_at(lua_State *L, int index)
{
    struct slice text;
    text.data = luaL_checklstring(L, index, &text.len);
    return text;
}

/* What look gives of a value; data NULL: there is none. */
static int push_found(lua_State *L, struct slice value)
{
    if (!value.data) {
        lua_pushliteral(L, "absent");
        return 1;
    }
    lua_pushliteral(L, "found");
    lua_pushlstring(L, value.data, value.len);
    return 2;
}

static int push_fault(lua_State *L, const char *why)
{
    lua_pushliteral(L, "fault");
    lua_pushstring(L, why);
    return 2;
}

/* look(key): "found" and the JSON; "absent"; "fault" and why; nothing: it was read meanwhile, look again. */
static int l_look(lua_State *L)
{
    struct script *script = script_of(L);
    struct inside_run *inside = script->current;
    struct slice key = text_at(L, 1);
    const struct kv_note *note = note_of(inside, key);
    const struct kv_reading *reading = inside->kv_reading;
    if (!lua_isyieldable(L))
        return push_fault(L, "may have to wait, so it cannot stand inside a callback of string.gsub or table.sort");
    if (note)
        return push_found(L, note->value);
    if (reading && slice_eq(reading->read.key, key))
        return reading->read.op.result == OK ? push_found(L, reading->read.value) : push_fault(L, "the store could not be read");
    buf_clear(&script->pieces);
    switch (kv_look(script->config.store, key, clock_wall_ms(), &script->pieces)) {
    case KV_FOUND:
        return buf_ok(&script->pieces) ? push_found(L, buf_slice(&script->pieces)) : luaL_error(L, "not enough memory");
    case KV_ABSENT:
        return push_found(L, (struct slice){ NULL, 0 });
    case KV_UNKNOWN:
        if (script->phase == PHASE_TELLING)
            return push_fault(L, "would have to wait for the disk, which on_error and on_dead cannot");
        break;
    }
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    return yield_ending(L, ENDING_KV);
}

/* decode(json) */
static int l_decode(lua_State *L)
{
    if (!view_decode(L, 1))
        return lua_error(L); /* it was written by encode_json */
    return 1;
}

/* ---- notes ---- */

/* The note of this key, made when there is none; NULL: there are too many, and why. */
static struct kv_note *note_for(lua_State *L, struct inside_run *inside, struct slice key)
{
    struct arena *arena = &inside->run->event->arena;
    struct kv_note *note = note_of(inside, key);
    if (note)
        return note;
    if (inside->kv_count == KV_NOTES_MAX) {
        lua_pushnil(L);
        lua_pushfstring(L, "a handler changes at most %d keys", KV_NOTES_MAX);
        return NULL;
    }
    note = arena_alloc(arena, sizeof(*note));
    struct slice kept = note ? arena_copy(arena, key) : key;
    if (!note || !kept.data)
        luaL_error(L, "not enough memory");
    note->key = kept;
    note->effect = KV_REMOVE;
    note->next = inside->outcome->kv;
    inside->outcome->kv = note;
    inside->kv_count++;
    inside->kv_bytes += key.len;
    return note;
}

/* Into the event's arena, over what this note has had there where it fits: a loop over one key takes no more and more. NULL:
 * too much, or no memory. */
static char *room_for(struct inside_run *inside, struct kv_note *note, size_t len)
{
    if (len <= note->room)
        return note->memory;
    if (inside->kv_bytes + len > KV_NOTED_MAX)
        return NULL;
    char *room = arena_take(&inside->run->event->arena, len);
    if (room) {
        inside->kv_bytes += len;
        note->memory = room;
        note->room = len;
    }
    return room;
}

static uint64_t until_of(lua_State *L, int index)
{
    double ttl_ms = luaL_checknumber(L, index);
    return ttl_ms > 0 ? clock_wall_ms() + (uint64_t)ttl_ms : 0;
}

static int refuse(lua_State *L, const char *why)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

/* What the handler has decided by its own notes rests on nothing that is committed. */
static void only_if(lua_State *L, struct inside_run *inside, struct kv_note *note, int condition)
{
    if (lua_isnoneornil(L, condition))
        return;
    if (lua_isboolean(L, condition)) {
        note->only_if = KV_IS_ABSENT;
        return;
    }
    note->expected = arena_copy(&inside->run->event->arena, text_at(L, condition));
    if (!note->expected.data)
        luaL_error(L, "not enough memory");
    inside->kv_bytes += note->expected.len;
    note->only_if = KV_IS;
}

/* put(key, value, ttl_ms, condition): ttl_ms 0: for ever; condition nil, true: it is absent, or the JSON that it is. true; nil
 * and why. */
static int l_put(lua_State *L)
{
    struct script *script = script_of(L);
    struct inside_run *inside = script->current;
    char why[ENCODE_WHY_SIZE];
    uint64_t until_ms = until_of(L, 3);
    buf_clear(&script->pieces);
    if (encode_json(L, 2, "the value", SECRETS_REFUSED, &script->pieces, why) != OK)
        return refuse(L, why);
    struct slice value = buf_slice(&script->pieces);
    if (value.len > KV_VALUE_MAX)
        return refuse(L, "a value has at most 64 KiB as JSON: keep what is needed of it, or several keys");
    bool is_new = !note_of(inside, text_at(L, 1));
    struct kv_note *note = note_for(L, inside, text_at(L, 1));
    if (!note)
        return 2;
    char *room = room_for(inside, note, value.len);
    if (!room)
        return refuse(L, "a handler notes at most 8 MiB of keys and values");
    if (is_new)
        only_if(L, inside, note, 4);
    memcpy(room, value.data, value.len);
    note->value = slice_make(room, value.len);
    note->until_ms = until_ms;
    note->effect = KV_PUT;
    lua_pushboolean(L, true);
    return 1;
}

/* remove(key, condition): true; nil and why. */
static int l_remove(lua_State *L)
{
    struct inside_run *inside = script_of(L)->current;
    bool is_new = !note_of(inside, text_at(L, 1));
    struct kv_note *note = note_for(L, inside, text_at(L, 1));
    if (!note)
        return 2;
    if (is_new)
        only_if(L, inside, note, 2);
    note->value = (struct slice){ NULL, 0 };
    note->effect = KV_REMOVE;
    lua_pushboolean(L, true);
    return 1;
}

/* add_up(key, by, sum, ttl_ms): sum: what the handler sees. true; nil and why. */
static int l_add_up(lua_State *L)
{
    struct inside_run *inside = script_of(L)->current;
    double by = luaL_checknumber(L, 2), sum = luaL_checknumber(L, 3);
    uint64_t until_ms = until_of(L, 4);
    bool is_new = !note_of(inside, text_at(L, 1));
    struct kv_note *note = note_for(L, inside, text_at(L, 1));
    struct buf *text = &inside->script->pieces;
    if (!note)
        return 2;
    buf_clear(text);
    json_write_number(text, sum);
    if (!buf_ok(text))
        return luaL_error(L, "not enough memory");
    if (is_new || !note->value.data)
        note->until_ms = until_ms;
    if (is_new)
        note->effect = KV_ADD_UP;
    else if (note->effect == KV_REMOVE)
        note->effect = KV_PUT;
    note->by += by;
    memcpy(note->sum, text->data, text->len);
    note->value = slice_make(note->sum, text->len);
    lua_pushboolean(L, true);
    return 1;
}

/* is_sum(key): only added to so far, so that what it rests on is not known. */
static int l_is_sum(lua_State *L)
{
    const struct kv_note *note = note_of(script_of(L)->current, text_at(L, 1));
    lua_pushboolean(L, note && note->effect == KV_ADD_UP);
    return 1;
}

int luaopen_tidewire_kv_native(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "look", l_look },     { "decode", l_decode }, { "put", l_put }, { "remove", l_remove },
        { "add_up", l_add_up }, { "is_sum", l_is_sum }, { NULL, NULL },
    };
    lua_createtable(L, 0, 6);
    for (const luaL_Reg *function = functions; function->name; function++) {
        lua_pushcfunction(L, function->func);
        lua_setfield(L, -2, function->name);
    }
    return 1;
}
