#include "json/encode.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/json.h"
#include "json/secret.h"
#include "json/view.h"
#include "model/message.h"

#define ARRAYS_KEY "tidewire.arrays"
#define NULL_KEY   "tidewire.null"

enum { STACK_PER_LEVEL = 8 };

struct encoder {
    lua_State *L;
    struct buf *out;
    enum encode_mode mode;
    struct buf *text; /* plain bytes: out itself, or a run that becomes a piece */
    struct encode_error *error;
    const void *open[ENCODE_DEPTH_MAX]; /* tables around the present place, against cycles */
    struct {
        const char *name; /* NULL: index */
        int index;
    } path[ENCODE_DEPTH_MAX];
    int depth;
};

static enum result encode_value(struct encoder *e, int index);

/* ---- errors ---- */

static void write_path(const struct encoder *e, char *out, size_t size)
{
    size_t len = (size_t)snprintf(out, size, "the value");
    for (int i = 0; i < e->depth && len < size; i++) {
        const char *format = i == 0 && e->path[i].name ? "%s" : ".%s";
        if (i == 0)
            len = 0;
        if (e->path[i].name)
            len += (size_t)snprintf(out + len, size - len, format, e->path[i].name);
        else
            len += (size_t)snprintf(out + len, size - len, "[%d]", e->path[i].index);
    }
}

static enum result fail(struct encoder *e, const char *what)
{
    char path[160];
    write_path(e, path, sizeof(path));
    snprintf(e->error->text, sizeof(e->error->text), "%s %s", path, what);
    return ERR_INVALID;
}

/* ---- scalars ---- */

static enum result encode_string(struct encoder *e, int index)
{
    struct slice text;
    text.data = lua_tolstring(e->L, index, &text.len);
    return json_write_string(e->text, text) ? OK : fail(e, "is a string that is not UTF-8: encode it with base64.encode");
}

static enum result encode_number(struct encoder *e, int index)
{
    double number = lua_tonumber(e->L, index);
    if (isnan(number))
        return fail(e, "is NaN");
    if (isinf(number))
        return fail(e, "is infinite");
    json_write_number(e->text, number);
    return OK;
}

/* An exact integer: tostring gives its digits (lua/tidewire/views.lua). */
static enum result encode_cdata(struct encoder *e, int index)
{
    lua_State *L = e->L;
    if (!luaL_callmeta(L, index, "__tostring"))
        return fail(e, "is not a value that JSON knows");
    struct slice digits;
    digits.data = lua_tolstring(L, -1, &digits.len);
    if (digits.data)
        buf_add_slice(e->text, digits);
    lua_pop(L, 1);
    return digits.data ? OK : fail(e, "is not a value that JSON knows");
}

static void flush_text(struct encoder *e)
{
    if (e->mode != ENCODE_PIECES)
        return;
    pieces_bytes(e->out, buf_slice(e->text));
    if (!buf_ok(e->text))
        e->out->failed = true;
    buf_clear(e->text);
}

static enum result encode_secret(struct encoder *e, int index)
{
    if (e->mode == ENCODE_PLAIN)
        return fail(e, "is a secret: it can stand in a message given to send, not in text");
    buf_add_byte(e->text, '"');
    flush_text(e);
    secret_pieces(e->L, index, e->out, ESCAPE_JSON);
    buf_add_byte(e->text, '"');
    return OK;
}

static bool is_null(lua_State *L, int index)
{
    lua_getfield(L, LUA_REGISTRYINDEX, NULL_KEY);
    bool same = lua_rawequal(L, index, -1);
    lua_pop(L, 1);
    return same;
}

static enum result encode_userdata(struct encoder *e, int index)
{
    struct json_value value = view_at(e->L, index);
    if (value.doc) {
        buf_add_slice(e->text, json_text(value));
        return OK;
    }
    if (secret_is(e->L, index))
        return encode_secret(e, index);
    if (is_null(e->L, index)) {
        buf_add_text(e->text, "null");
        return OK;
    }
    /* numbers beyond 64 bits are userdata with a __tostring of their own */
    if (luaL_getmetafield(e->L, index, "__digits")) {
        lua_pop(e->L, 1);
        return encode_cdata(e, index);
    }
    return fail(e, "is not a value that JSON knows");
}

/* ---- tables ---- */

void encode_push_arrays(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, ARRAYS_KEY);
    if (!lua_isnil(L, -1))
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, ARRAYS_KEY);
}

static bool is_marked_array(lua_State *L, int index)
{
    encode_push_arrays(L);
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
    bool marked = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return marked;
}

struct shape {
    int strings, numbers; /* keys */
    double largest;
};

static enum result look_at_keys(struct encoder *e, int index, struct shape *shape)
{
    lua_State *L = e->L;
    *shape = (struct shape){ 0, 0, 0 };
    lua_pushnil(L);
    while (lua_next(L, index)) {
        enum result rc = OK;
        int type = lua_type(L, -2);
        if (type == LUA_TSTRING) {
            shape->strings++;
        } else if (type == LUA_TNUMBER && lua_tonumber(L, -2) >= 1 && lua_tonumber(L, -2) == floor(lua_tonumber(L, -2))) {
            shape->numbers++;
            if (lua_tonumber(L, -2) > shape->largest)
                shape->largest = lua_tonumber(L, -2);
        } else {
            rc = fail(e, "has a key that is neither text nor a number from 1");
        }
        lua_pop(L, 1);
        if (rc == OK && shape->strings + shape->numbers > ENCODE_MEMBERS_MAX)
            rc = fail(e, "has more than a million members");
        if (rc != OK) {
            lua_pop(L, 1);
            return rc;
        }
    }
    if (shape->strings && shape->numbers)
        return fail(e, "has both a list and named fields: JSON has no such thing");
    if (shape->largest > shape->numbers)
        return fail(e, "is a list with holes: put json.null into them");
    return OK;
}

static enum result encode_child(struct encoder *e, const char *name, int index)
{
    e->path[e->depth].name = name;
    e->path[e->depth].index = index;
    e->depth++;
    enum result rc = encode_value(e, lua_gettop(e->L));
    e->depth--;
    lua_pop(e->L, 1);
    return rc;
}

static enum result encode_array(struct encoder *e, int index, int count)
{
    enum result rc = OK;
    buf_add_byte(e->text, '[');
    for (int i = 1; i <= count && rc == OK; i++) {
        if (i > 1)
            buf_add_byte(e->text, ',');
        lua_rawgeti(e->L, index, i);
        rc = encode_child(e, NULL, i);
    }
    buf_add_byte(e->text, ']');
    return rc;
}

static int compare_keys(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static enum result encode_member(struct encoder *e, int index, struct slice key)
{
    if (!json_write_string(e->text, key))
        return fail(e, "has a key that is not UTF-8");
    buf_add_byte(e->text, ':');
    lua_pushlstring(e->L, key.data, key.len);
    lua_rawget(e->L, index);
    return encode_child(e, key.data, 0);
}

/* Sorted keys: a second run writes the same bytes. The keys' bytes are the table's own; their list is Lua's memory, so that
 * nothing is lost if Lua raises. */
static enum result encode_object(struct encoder *e, int index, int count)
{
    lua_State *L = e->L;
    struct slice *keys = lua_newuserdata(L, (size_t)(count + 1) * sizeof(*keys));
    int n = 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        keys[n].data = lua_tolstring(L, -2, &keys[n].len);
        n++;
        lua_pop(L, 1);
    }
    qsort(keys, (size_t)n, sizeof(*keys), compare_keys);
    enum result rc = OK;
    buf_add_byte(e->text, '{');
    for (int i = 0; i < n && rc == OK; i++) {
        if (i > 0)
            buf_add_byte(e->text, ',');
        rc = encode_member(e, index, keys[i]);
    }
    buf_add_byte(e->text, '}');
    lua_remove(L, lua_gettop(L));
    return rc;
}

static enum result encode_table(struct encoder *e, int index)
{
    struct shape shape;
    const void *table = lua_topointer(e->L, index);
    for (int i = 0; i < e->depth; i++)
        if (e->open[i] == table)
            return fail(e, "contains itself");
    if (e->depth == ENCODE_DEPTH_MAX - 1)
        return fail(e, "is nested deeper than 128");
    if (lua_getmetatable(e->L, index)) {
        lua_pop(e->L, 1);
        return fail(e, "is a table with a metatable: JSON has plain ones only");
    }
    enum result rc = look_at_keys(e, index, &shape);
    if (rc != OK)
        return rc;
    e->open[e->depth] = table;
    bool is_array = shape.numbers > 0 || (shape.strings == 0 && is_marked_array(e->L, index));
    return is_array ? encode_array(e, index, shape.numbers) : encode_object(e, index, shape.strings);
}

/* ---- any value ---- */

static enum result encode_value(struct encoder *e, int index)
{
    enum { LUA_CDATA = 10 }; /* LuaJIT's own type */
    if (!lua_checkstack(e->L, STACK_PER_LEVEL))
        return fail(e, "is nested too deep");
    switch (lua_type(e->L, index)) {
    case LUA_TNIL:
        buf_add_text(e->text, "null");
        return OK;
    case LUA_TBOOLEAN:
        buf_add_text(e->text, lua_toboolean(e->L, index) ? "true" : "false");
        return OK;
    case LUA_TNUMBER:
        return encode_number(e, index);
    case LUA_TSTRING:
        return encode_string(e, index);
    case LUA_TTABLE:
        return encode_table(e, index);
    case LUA_TUSERDATA:
        return encode_userdata(e, index);
    case LUA_CDATA:
        return encode_cdata(e, index);
    case LUA_TFUNCTION:
        return fail(e, "is a function");
    default:
        return fail(e, "is not a value that JSON knows");
    }
}

enum result encode_json(lua_State *L, int index, struct buf *out, enum encode_mode mode, struct encode_error *error)
{
    struct buf run;
    struct encoder e = { .L = L, .out = out, .mode = mode, .text = out, .error = error };
    error->text[0] = '\0';
    if (mode == ENCODE_PIECES) {
        buf_init(&run, out->max);
        e.text = &run;
    }
    int top = lua_gettop(L);
    enum result rc = encode_value(&e, index < 0 ? top + index + 1 : index);
    lua_settop(L, top);
    flush_text(&e);
    if (mode == ENCODE_PIECES)
        buf_deinit(&run);
    if (rc == OK && !buf_ok(out)) {
        snprintf(error->text, sizeof(error->text), "the result is longer than %zu bytes", out->max);
        return ERR_LIMIT;
    }
    return rc;
}
