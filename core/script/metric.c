/* metric.c: metric.* on its way to the worker's numbers. lua/tidewire/metric.lua checks what is given; here it becomes text. */
#include <lauxlib.h>

#include "model/metric.h"
#include "script/inside.h"

enum { LABEL_VALUE_MAX = 128 };

/* A label's value: quote, backslash and line end are escaped; what is no UTF-8 is '?', what is too long is cut. */
static void add_label(struct buf *out, struct slice name, struct slice value)
{
    buf_addf(out, "%s%.*s=\"", out->len ? "," : "", SLICE_ARGS(name));
    for (size_t i = 0; i < value.len;) {
        size_t step = utf8_length((const unsigned char *)value.data + i, value.len - i);
        if (i + (step ? step : 1) > LABEL_VALUE_MAX)
            break;
        char c = value.data[i];
        if (c == '"' || c == '\\')
            buf_add_byte(out, '\\');
        if (c == '\n')
            buf_add_text(out, "\\n");
        else if (step == 0)
            buf_add_byte(out, '?');
        else
            buf_add_slice(out, slice_make(value.data + i, step));
        i += step ? step : 1;
    }
    buf_add_byte(out, '"');
}

static struct slice text_at(lua_State *L, int list, int i)
{
    struct slice text = { NULL, 0 };
    lua_rawgeti(L, list, i);
    text.data = lua_tolstring(L, -1, &text.len);
    lua_pop(L, 1); /* the list keeps it */
    return text;
}

/* note(kind, name, value, labels): labels is a list of name, value, name, value …, sorted, all text. Returns nil, or what is
 * wrong.
 */
static int l_note(lua_State *L)
{
    static const char *const kinds[] = { "count", "gauge", "observe", NULL };
    struct script *script = script_of(L);
    struct metric_note note = { .kind = (enum metric_kind)luaL_checkoption(L, 1, NULL, kinds), .value = luaL_checknumber(L, 3) };
    note.name.data = luaL_checklstring(L, 2, &note.name.len);
    luaL_checktype(L, 4, LUA_TTABLE);
    if (!script->config.on_metric || !script->current)
        return 0;
    buf_clear(&script->scratch);
    buf_clear(&script->pieces);
    const struct route *route = script->current->run->route;
    add_label(&script->scratch, SLICE("route"), route ? route->path : SLICE("_none"));
    add_label(&script->pieces, SLICE("route"), SLICE("_other"));
    for (int i = 1; i < (int)lua_objlen(L, 4); i += 2) {
        add_label(&script->scratch, text_at(L, 4, i), text_at(L, 4, i + 1));
        add_label(&script->pieces, text_at(L, 4, i), SLICE("_other"));
    }
    note.labels = buf_slice(&script->scratch);
    note.folded = buf_slice(&script->pieces);
    enum result rc = script->config.on_metric(script->config.arg, &note);
    if (rc == ERR_INVALID)
        lua_pushliteral(L, "has another kind already");
    return rc == ERR_INVALID;
}

int luaopen_tidewire_metric_native(lua_State *L)
{
    static const luaL_Reg functions[] = { { "note", l_note }, { NULL, NULL } };
    lua_createtable(L, 0, 1);
    luaL_register(L, NULL, functions);
    return 1;
}
