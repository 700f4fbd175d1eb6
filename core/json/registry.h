/* registry.h: the open documents of one Lua state, and what all files of this folder need to tell Lua values apart. Private to
 * this folder. */
#ifndef TIDEWIRE_JSON_REGISTRY_H
#define TIDEWIRE_JSON_REGISTRY_H

#include <lauxlib.h>
#include <lua.h>

#include "json/view.h"

enum {
    LUA_TYPE_CDATA = 10, /* LuaJIT's number for it, which its headers keep to themselves */
    MISSED_SIZE = 64,
    PAST_MAX = 64,  /* ended documents whose event is still known */
    PLACES_MAX = 4, /* containers per document in which the last element asked for is remembered */
    DIGITS_MAX = 20 /* of the largest 64-bit integer */
};
#define NO_SLOT UINT32_MAX

/* Where v[i] was found last, so that a loop over v[1], v[2], … does not start from the front each time. */
struct place {
    uint32_t container; /* node */
    uint32_t index;     /* from 1 */
    uint32_t node;      /* 0: nothing remembered (the root is nobody's element) */
};

struct slot {
    const struct json_doc *doc; /* borrowed; NULL: the slot is free */
    uint32_t serial;
    uint32_t next_free; /* of a free slot */
    bool in_lua;        /* it lives in the Lua heap: its views keep it alive by their environment */
    struct place places[PLACES_MAX];
    struct uuid event; /* nil: in_lua */
};

/* What a view is in Lua memory. */
struct view {
    uint32_t slot, serial;
    uint32_t node;
};

struct views {
    struct slot *slots; /* owned */
    uint32_t slot_count, slot_room;
    uint32_t free_slot; /* NO_SLOT: none */
    uint32_t serial;    /* given last */
    struct {
        uint32_t serial;
        struct uuid event;
    } past[PAST_MAX];           /* by serial */
    struct json_doc *moving;    /* owned; on its way into the Lua heap */
    struct buf text, run;       /* under construction, one user at a time; kept between calls */
    struct slice *keys;         /* owned; the encoder's: keys of the tables around the present place */
    size_t key_count, key_room; /* keys point into strings that those tables hold */
    struct view missed;         /* the object that was asked last for a member that it has not; serial 0: none */
    char missed_name[MISSED_SIZE];
    const void *view_meta; /* metatables, by address: they live as long as the state */
    const void *array_meta, *big_meta;
    const void *null;
    int view_ref, array_ref, big_ref, null_ref, anchor_ref; /* in the registry of the state */
    int integer_ref;                                        /* function(digits, high, low, unsigned): an exact integer */
    int digits_ref;                                         /* the tostring of LuaJIT's integers */
};

/* A number beyond 64 bits. */
struct big {
    uint32_t len;
    char digits[];
};

/* Every C function of this folder that Lua sees has the registry as its first upvalue. */
struct views *views_upvalue(lua_State *L);
/* Sets functions as fields of the table on top, with that upvalue. */
void views_register(lua_State *L, struct views *views, const luaL_Reg *functions);

bool is_view(lua_State *L, const struct views *views, int index);
bool is_big(lua_State *L, const struct views *views, int index);
/* The slot of a view, NULL when its document has ended. */
struct slot *view_slot(struct views *views, const struct view *view);
/* "this body belongs to …, which has ended: keep copy(v)" */
void view_ended(const struct views *views, const struct view *view, char *why, size_t size);
/* The place of the view at index; raises when it has ended. The value at index is a view. */
struct json_value view_value(lua_State *L, struct views *views, int index);

/* Element number `index` (from 1; any number), from the place remembered when that is nearer than the front. */
struct json_value view_element(struct slot *slot, struct json_value array, double index);

/* Pushes a value of the document of the view at `parent` (0: of an opened document), which keeps it alive. */
void push_value(lua_State *L, struct views *views, const struct view *at, struct json_value value, bool listed, int parent);
void push_key(lua_State *L, struct views *views, struct json_value member);
/* Pushes a value decoded from the Lua string on top, which it replaces. false: *error is set and the string stays. */
bool push_decoded(lua_State *L, struct views *views, struct json_error *error);
/* Empties a buffer that is kept between calls, and gives back what a large value made it grow to. */
void scratch_clear(struct buf *buf);

/* A table that json.array marked. */
bool is_marked_array(lua_State *L, const struct views *views, int index);

/* A path of lookup.h, else raises; each: [*] may stand in it. */
void check_path(lua_State *L, int index, const char *word, bool each, struct slice *path);
int anchor_gc(lua_State *L);

/* Decimal digits; false: beyond 64 bits. */
bool parse_magnitude(struct slice digits, uint64_t *magnitude);
/* Pushes the operand of `..` as text or number; raises when it is neither. */
void push_joinable(lua_State *L, int index);
/* Sets the metamethods of exact integers in the metatable on top. */
void register_integers(lua_State *L);

/* The words, each of a file: pushes nothing, sets fields of the table on top. */
void register_walking(lua_State *L, struct views *views);
void register_changes(lua_State *L, struct views *views);

#endif
