/* encode.c: one walk over a Lua value. The path to the present place is kept for messages; the keys of the tables around it lie
 * in one array of the registry, so that nothing is lost when Lua runs out of memory in the middle. */
#include "json/encode.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "json/registry.h"
#include "json/secret.h"

enum {
    KEYS_FIRST = 256,
    STACK_PER_TABLE = 16,
    SORTED_BY_HAND = 16,
    RUN_MAX = 64 << 10, /* of text gathered before it becomes a piece */
    KEY_SHOWN_MAX = 64,
    LEVELS_FIRST = 6, /* shown of the path to a place that is deeper than both together */
    LEVELS_LAST = 3
};

/* A table around the present place, and where in it that is. */
struct level {
    const void *table;
    struct slice key; /* data NULL: an array, then: */
    size_t index;
};

struct encoder {
    lua_State *L;
    struct views *views;
    enum secrets secrets;
    struct buf *out;
    struct buf *text; /* where text goes: out, or the run that becomes a piece */
    const char *root;
    char *why;
    unsigned depth;
    struct level path[JSON_DEPTH_MAX]; /* `depth` of them; large: never cleared */
};

static enum result encode_value(struct encoder *e, int index);

/* ---- messages ---- */

static bool is_identifier(struct slice key)
{
    if (key.len == 0 || key.len > KEY_SHOWN_MAX || isdigit((unsigned char)key.data[0]))
        return false;
    for (size_t i = 0; i < key.len; i++)
        if (!isalnum((unsigned char)key.data[i]) && key.data[i] != '_')
            return false;
    return true;
}

/* Whole characters of it, with controls escaped: the bytes of a rule's key go to logs and screens. */
static void show_key(struct buf *out, struct slice key)
{
    size_t end = 0, step;
    while (end < key.len && end < KEY_SHOWN_MAX && (step = utf8_length((const unsigned char *)key.data + end, key.len - end)) > 0)
        end += step;
    buf_add_byte(out, '[');
    buf_add_json_string(out, slice_make(key.data, end));
    buf_add_text(out, end < key.len ? "…]" : "]");
}

static void show_level(struct buf *out, const struct level *level)
{
    if (!level->key.data)
        buf_addf(out, "[%zu]", level->index);
    else if (is_identifier(level->key))
        buf_addf(out, ".%.*s", SLICE_ARGS(level->key));
    else
        show_key(out, level->key);
}

/* Of a deep place the beginning and the end. */
static void show_path(struct buf *out, const struct encoder *e)
{
    buf_add_text(out, e->root);
    for (unsigned i = 0; i < e->depth; i++) {
        if (i == LEVELS_FIRST && e->depth > LEVELS_FIRST + LEVELS_LAST) {
            buf_add_text(out, "…");
            i = e->depth - LEVELS_LAST;
        }
        show_level(out, &e->path[i]);
    }
}

/* "body.items[3].price" and what is wrong there. A path too long for half of `why` loses its end. */
static enum result fail(struct encoder *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static enum result fail(struct encoder *e, const char *format, ...)
{
    char what[ENCODE_WHY_SIZE / 2];
    struct buf path;
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    buf_init(&path, ENCODE_WHY_SIZE / 2);
    show_path(&path, e);
    snprintf(e->why, ENCODE_WHY_SIZE, "%.*s %s", SLICE_ARGS(buf_slice(&path)), what);
    buf_deinit(&path);
    return ERR_INVALID;
}

/* ---- pieces ---- */

static void flush_run(struct encoder *e)
{
    if (e->secrets != SECRETS_IN_PIECES)
        return;
    if (buf_ok(e->text))
        pieces_bytes(e->out, buf_slice(e->text));
    else
        e->out->failed = true;
    buf_clear(e->text);
}

static bool is_full(struct encoder *e)
{
    if (e->secrets == SECRETS_IN_PIECES && e->text->len > RUN_MAX)
        flush_run(e);
    return !buf_ok(e->text) || !buf_ok(e->out);
}

static enum result encode_secret(struct encoder *e, int index)
{
    if (e->secrets == SECRETS_REFUSED)
        return fail(e,
                    "is a secret, which only a message can hold: send(target, { json = t }), where t is a plain table (copy(v))");
    buf_add_byte(e->text, '"');
    flush_run(e);
    secret_pieces(e->L, index, e->out, ESCAPE_JSON);
    buf_add_byte(e->text, '"');
    return OK;
}

/* ---- scalars and views ---- */

static enum result encode_number(struct encoder *e, double number)
{
    if (isnan(number))
        return fail(e, "is NaN, which JSON does not know: json.null writes null");
    if (isinf(number))
        return fail(e, "is infinite, which JSON does not know: json.null writes null");
    json_write_number(e->text, number);
    return OK;
}

static enum result encode_string(struct encoder *e, int index)
{
    struct slice text;
    text.data = lua_tolstring(e->L, index, &text.len);
    return json_write_string(e->text, text) ? OK : fail(e, "is not UTF-8: base64.encode makes text of any bytes");
}

static enum result encode_view(struct encoder *e, int index)
{
    const struct view *view = lua_touserdata(e->L, index);
    const struct slot *slot = view_slot(e->views, view);
    if (!slot) {
        view_ended(e->views, view, e->why, ENCODE_WHY_SIZE);
        return ERR_INVALID;
    }
    struct slice text = json_text((struct json_value){ slot->doc, view->node });
    if (e->secrets == SECRETS_REFUSED) {
        buf_add_slice(e->text, text);
        return OK;
    }
    flush_run(e);
    pieces_bytes(e->out, text);
    return OK;
}

static enum result encode_digits(struct encoder *e, int index)
{
    struct slice digits;
    if (!view_push_digits(e->L, index))
        return fail(e, "is a number that JSON does not know");
    digits.data = lua_tolstring(e->L, -1, &digits.len);
    buf_add_slice(e->text, digits);
    lua_pop(e->L, 1);
    return OK;
}

/* The metafield __instead of a userdata: what to write for it. */
static enum result refuse(struct encoder *e, int index)
{
    const char *type = luaL_typename(e->L, index), *hint = "leave it out, or write tostring(…)";
    if (luaL_getmetafield(e->L, index, "__type") && lua_type(e->L, -1) == LUA_TSTRING)
        type = lua_tostring(e->L, -1);
    if (luaL_getmetafield(e->L, index, "__instead") && lua_type(e->L, -1) == LUA_TSTRING)
        hint = lua_tostring(e->L, -1);
    return fail(e, "is %s %s, which JSON does not know: %s", strchr("aeiou", type[0]) ? "an" : "a", type, hint);
}

static enum result encode_userdata(struct encoder *e, int index)
{
    if (is_view(e->L, e->views, index))
        return encode_view(e, index);
    if (lua_touserdata(e->L, index) == e->views->null) {
        buf_add_text(e->text, "null");
        return OK;
    }
    if (is_big(e->L, e->views, index))
        return encode_digits(e, index);
    if (secret_is(e->L, index))
        return encode_secret(e, index);
    return refuse(e, index);
}

/* ---- tables ---- */

static enum result add_key(struct encoder *e, struct slice key)
{
    struct views *views = e->views;
    if (views->key_count == ENCODE_KEYS_MAX) {
        (void)fail(e, "has too many keys"); /* the words; the result is another */
        return ERR_LIMIT;
    }
    if (views->key_count == views->key_room) {
        size_t room = views->key_room ? views->key_room * 2 : KEYS_FIRST;
        struct slice *keys = mem_realloc(views->keys, room * sizeof(*keys));
        if (!keys) {
            (void)fail(e, "needs more memory than there is");
            return ERR_MEMORY;
        }
        views->keys = keys;
        views->key_room = room;
    }
    views->keys[views->key_count++] = key;
    return OK;
}

struct shape {
    size_t names, numbers; /* keys of each kind */
    double last;           /* the largest number */
};

static enum result take_key(struct encoder *e, struct shape *shape)
{
    struct slice name;
    if (lua_type(e->L, -1) == LUA_TSTRING) {
        shape->names++;
        name.data = lua_tolstring(e->L, -1, &name.len);
        return add_key(e, name);
    }
    if (lua_type(e->L, -1) != LUA_TNUMBER)
        return fail(e, "has a %s as a key: keys are text, or 1 to n (tostring(key) makes text)", luaL_typename(e->L, -1));
    double number = lua_tonumber(e->L, -1);
    if (!(number >= 1) || isinf(number) || number != floor(number))
        return fail(e, "has %.14g as a key: keys are text, or 1 to n (tostring(key) makes text)", number);
    shape->numbers++;
    if (number > shape->last)
        shape->last = number;
    return OK;
}

/* What the table is as JSON; its names are at the end of the registry's keys then. */
static enum result take_shape(struct encoder *e, int table, struct shape *shape)
{
    enum result rc = OK;
    *shape = (struct shape){ 0 };
    lua_pushnil(e->L);
    while (rc == OK && lua_next(e->L, table)) {
        lua_pop(e->L, 1);
        rc = take_key(e, shape);
    }
    if (rc != OK)
        return rc;
    if (shape->names && shape->numbers)
        return fail(e, "has both names and numbers as keys: an array has no names");
    if (shape->names && is_marked_array(e->L, e->views, table))
        return fail(e, "is a json.array and has names as keys: an array has no names");
    if (shape->last > (double)shape->numbers)
        return fail(e, "has holes: an array has all of 1 to %.14g (json.null writes null)", shape->last);
    return OK;
}

static enum result encode_array(struct encoder *e, int table, size_t count)
{
    struct level *level = &e->path[e->depth++];
    enum result rc = OK;
    *level = (struct level){ .table = lua_topointer(e->L, table) };
    buf_add_byte(e->text, '[');
    for (size_t i = 1; i <= count && rc == OK; i++) {
        if (i > 1)
            buf_add_byte(e->text, ',');
        level->index = i;
        lua_rawgeti(e->L, table, (int)i);
        rc = encode_value(e, lua_gettop(e->L));
        lua_pop(e->L, 1);
    }
    buf_add_byte(e->text, ']');
    if (rc == OK)
        e->depth--;
    return rc;
}

static int compare_keys(const void *left, const void *right)
{
    const struct slice *a = left, *b = right;
    size_t common = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->data, b->data, common);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static enum result encode_member(struct encoder *e, int table, struct slice key)
{
    e->path[e->depth - 1].key = key;
    if (!json_write_string(e->text, key))
        return fail(e, "has a name that is not UTF-8: base64.encode makes text of any bytes");
    buf_add_byte(e->text, ':');
    lua_pushlstring(e->L, key.data, key.len);
    lua_rawget(e->L, table);
    enum result rc = encode_value(e, lua_gettop(e->L));
    lua_pop(e->L, 1);
    return rc;
}

/* By bytes. Most tables have a few names. */
static void sort_keys(struct slice *keys, size_t count)
{
    if (count > SORTED_BY_HAND) {
        qsort(keys, count, sizeof(*keys), compare_keys);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct slice key = keys[i];
        size_t place = i;
        for (; place > 0 && compare_keys(&keys[place - 1], &key) > 0; place--)
            keys[place] = keys[place - 1];
        keys[place] = key;
    }
}

/* The names are the last `count` of the registry's keys. */
static enum result encode_object(struct encoder *e, int table, size_t count)
{
    size_t first = e->views->key_count - count;
    enum result rc = OK;
    sort_keys(e->views->keys + first, count);
    e->path[e->depth++] = (struct level){ .table = lua_topointer(e->L, table) };
    buf_add_byte(e->text, '{');
    for (size_t i = 0; i < count && rc == OK; i++) {
        if (i > 0)
            buf_add_byte(e->text, ',');
        rc = encode_member(e, table, e->views->keys[first + i]); /* looked up again: keys may have moved */
    }
    buf_add_byte(e->text, '}');
    e->views->key_count = first;
    if (rc == OK)
        e->depth--;
    return rc;
}

static enum result encode_table(struct encoder *e, int table)
{
    struct shape shape;
    const void *address = lua_topointer(e->L, table);
    for (unsigned i = 0; i < e->depth; i++)
        if (e->path[i].table == address)
            return fail(e, "contains itself: such a table has no end");
    if (e->depth == JSON_DEPTH_MAX)
        return fail(e, "is nested deeper than %d: make it flatter, or send the inside as text", JSON_DEPTH_MAX);
    luaL_checkstack(e->L, STACK_PER_TABLE, "no stack to write JSON"); /* level by level: most values are flat */
    enum result rc = take_shape(e, table, &shape);
    if (rc != OK)
        return rc;
    if (shape.numbers || is_marked_array(e->L, e->views, table))
        return encode_array(e, table, shape.numbers);
    return encode_object(e, table, shape.names);
}

/* ---- any value ---- */

static enum result encode_value(struct encoder *e, int index)
{
    if (is_full(e))
        return ERR_LIMIT;
    switch (lua_type(e->L, index)) {
    case LUA_TNIL:
        buf_add_text(e->text, "null");
        return OK;
    case LUA_TBOOLEAN:
        buf_add_text(e->text, lua_toboolean(e->L, index) ? "true" : "false");
        return OK;
    case LUA_TNUMBER:
        return encode_number(e, lua_tonumber(e->L, index));
    case LUA_TSTRING:
        return encode_string(e, index);
    case LUA_TTABLE:
        return encode_table(e, index);
    case LUA_TUSERDATA:
        return encode_userdata(e, index);
    case LUA_TYPE_CDATA:
        return encode_digits(e, index);
    default:
        return refuse(e, index);
    }
}

enum result encode_json(lua_State *L, int index, const char *root, enum secrets secrets, struct buf *out, char *why)
{
    struct views *views = views_of(L);
    struct encoder e;
    int top = lua_gettop(L);
    e.L = L;
    e.views = views;
    e.secrets = secrets;
    e.out = e.text = out;
    e.root = root;
    e.why = why;
    e.depth = 0;
    if (secrets == SECRETS_IN_PIECES) {
        scratch_clear(&views->run);
        e.text = &views->run;
    }
    views->key_count = 0;
    why[0] = '\0';
    lua_pushvalue(L, index);
    enum result rc = encode_value(&e, top + 1);
    flush_run(&e);
    lua_settop(L, top);
    if (rc == OK && !buf_ok(out))
        rc = ERR_LIMIT;
    if (rc == ERR_LIMIT && why[0] == '\0')
        snprintf(why, ENCODE_WHY_SIZE, "%s is larger than %zu MiB", root, out->max >> 20);
    return rc;
}
