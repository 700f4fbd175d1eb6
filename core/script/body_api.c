/* body_api.c: bodies that become tables in Lua: forms, multipart, XML; and what the libraries form and xml need of C.
 *
 * Nothing is kept of a body between its arrival and here: it is read anew, once for an event (event_body.c keeps the table). What
 * is read stays in the event or in buffers of the script while Lua is called, so a state may be left at any moment. */
#include <lauxlib.h>

#include "body/form.h"
#include "body/multipart.h"
#include "body/xml.h"
#include "script/body_api.h"
#include "script/inside.h"
#include "script/lib/libs.h"

enum { RECORDS_KEPT_MAX = 256 << 10 /* bytes of memory that stay for the next document */ };

static void push_slice(lua_State *L, struct slice text)
{
    lua_pushlstring(L, text.data ? text.data : "", text.len);
}

/* Is the name on top a field of the table below it already? */
static bool is_known(lua_State *L)
{
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    bool known = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return known;
}

/* ---- forms ---- */

/* A name or value as it is meant. */
static void push_decoded(lua_State *L, struct slice raw)
{
    struct buf *scratch = &script_of(L)->scratch;
    if (raw.len == 0 || (!memchr(raw.data, '%', raw.len) && !memchr(raw.data, '+', raw.len))) {
        push_slice(L, raw);
        return;
    }
    buf_clear(scratch);
    if (!query_decode(raw, scratch))
        luaL_error(L, "a form's field is longer than %d MiB", SCRATCH_MAX >> 20);
    push_slice(L, buf_slice(scratch));
}

/* name → first value */
static void push_form(lua_State *L, struct slice text)
{
    struct slice name, value;
    lua_newtable(L);
    while (query_next(&text, &name, &value)) {
        push_decoded(L, name);
        if (is_known(L)) {
            lua_pop(L, 1);
            continue;
        }
        push_decoded(L, value);
        lua_rawset(L, -3);
    }
}

static void push_form_all(lua_State *L, struct slice text, struct slice wanted)
{
    struct slice name, value;
    int n = 0;
    lua_newtable(L);
    while (query_next(&text, &name, &value)) {
        if (!query_name_is(name, wanted))
            continue;
        push_decoded(L, value);
        lua_rawseti(L, -2, ++n);
    }
}

/* ---- multipart ---- */

static void push_unquoted(lua_State *L, struct slice raw)
{
    struct buf *scratch = &script_of(L)->scratch;
    buf_clear(scratch);
    multipart_unquote(raw, scratch); /* of a head, which is bounded */
    push_slice(L, buf_slice(scratch));
}

/* A string, or of a file { filename, content_type, bytes }. */
static void push_part(lua_State *L, const struct part *part)
{
    if (!part->filename.data) {
        push_slice(L, part->bytes);
        return;
    }
    lua_createtable(L, 0, 3);
    push_unquoted(L, part->filename);
    lua_setfield(L, -2, "filename");
    if (part->content_type.len) {
        push_slice(L, part->content_type);
        lua_setfield(L, -2, "content_type");
    }
    push_slice(L, part->bytes);
    lua_setfield(L, -2, "bytes");
}

/* The body was well made when it arrived; of what is damaged now, what comes before is shown. */
static void push_multipart(lua_State *L, const struct event *event)
{
    struct multipart multipart;
    struct body_error error;
    struct part part;
    lua_newtable(L);
    if (multipart_open(&multipart, event->content_type, event->text, &error) != OK)
        return;
    while (multipart_next(&multipart, &part, &error) == OK) {
        push_unquoted(L, part.name);
        if (is_known(L)) {
            lua_pop(L, 1);
            continue;
        }
        push_part(L, &part);
        lua_rawset(L, -3);
    }
}

static void push_multipart_all(lua_State *L, const struct event *event, struct slice wanted)
{
    struct multipart multipart;
    struct body_error error;
    struct part part;
    int n = 0;
    lua_newtable(L);
    if (multipart_open(&multipart, event->content_type, event->text, &error) != OK)
        return;
    while (multipart_next(&multipart, &part, &error) == OK) {
        if (!multipart_name_is(part.name, wanted))
            continue;
        push_part(L, &part);
        lua_rawseti(L, -2, ++n);
    }
}

/* ---- XML ---- */

static bool push_element(lua_State *L, struct cursor *cursor)
{
    bool keeps_blank = cursor_u8(cursor);
    uint32_t attributes = cursor_u32(cursor);
    lua_createtable(L, 0, 2);
    push_slice(L, cursor_block(cursor));
    lua_setfield(L, -2, "name");
    lua_createtable(L, 0, (int)attributes);
    for (uint32_t i = 0; i < attributes && !cursor->failed; i++) {
        push_slice(L, cursor_block(cursor));
        push_slice(L, cursor_block(cursor));
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "attr");
    return keeps_blank;
}

/* { name =, attr = {}, …children } of the records of one element. */
static void push_node(lua_State *L, struct cursor cursor)
{
    struct {
        int children;
        bool keeps_blank;
    } open[XML_DEPTH_MAX];
    int depth = -1;
    luaL_checkstack(L, XML_DEPTH_MAX + 8, "XML");
    while (!cursor.failed) {
        switch (cursor_u8(&cursor)) {
        case XML_ELEMENT:
            open[++depth].children = 0;
            open[depth].keeps_blank = push_element(L, &cursor);
            break;
        case XML_TEXT: {
            bool blank = cursor_u8(&cursor);
            struct slice text = cursor_block(&cursor);
            if (blank && !open[depth].keeps_blank)
                break;
            push_slice(L, text);
            lua_rawseti(L, -2, ++open[depth].children);
            break;
        }
        case XML_END:
            if (depth-- == 0)
                return;
            lua_rawseti(L, -2, ++open[depth].children);
            break;
        }
    }
}

/* false: it is not XML, and nothing was pushed. */
static bool push_xml(lua_State *L, struct slice text, struct slice content_type, struct body_error *error)
{
    struct buf *records = &script_of(L)->records;
    enum result rc = xml_read(text, content_type, records, error);
    if (rc == ERR_MEMORY)
        luaL_error(L, "not enough memory");
    if (rc != OK)
        return false;
    push_node(L, (struct cursor){ .rest = buf_slice(records) });
    if (records->cap > RECORDS_KEPT_MAX)
        buf_deinit(records);
    return true;
}

void body_push(lua_State *L, const struct event *event)
{
    struct body_error error;
    if (event->kind == BODY_FORM)
        push_form(L, event->text);
    else if (event->kind == BODY_MULTIPART)
        push_multipart(L, event);
    else if (!push_xml(L, event->text, event->content_type, &error))
        luaL_error(L, "the body is not valid XML: %s at byte %d", error.what, (int)error.offset);
}

/* ---- for lua/tidewire/form.lua and xml.lua ---- */

static struct slice text_at(lua_State *L, int index, const char *word)
{
    struct slice text;
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s wants text, got %s", word, luaL_typename(L, index));
    text.data = lua_tolstring(L, index, &text.len);
    if (text.len > LIBS_TEXT_MAX)
        luaL_error(L, "%s: more than %d MiB", word, LIBS_TEXT_MAX >> 20);
    return text;
}

/* form_decode(text) */
static int l_form_decode(lua_State *L)
{
    push_form(L, text_at(L, 1, "form.decode"));
    return 1;
}

/* form_all(event or text, name) */
static int l_form_all(lua_State *L)
{
    const struct event *event = event_api_event(L, 1);
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "form.all wants an event and a name: form.all(event, \"item\")");
    struct slice name = text_at(L, 2, "form.all");
    if (!event)
        push_form_all(L, text_at(L, 1, "form.all"), name);
    else if (event->kind == BODY_FORM)
        push_form_all(L, event->text, name);
    else if (event->kind == BODY_MULTIPART)
        push_multipart_all(L, event, name);
    else if (event->kind == BODY_EMPTY)
        lua_newtable(L);
    else
        return luaL_error(L, "form.all wants an event whose body is a form, and this body is none");
    return 1;
}

/* xml_decode(text) */
static int l_xml_decode(lua_State *L)
{
    struct body_error error;
    if (push_xml(L, text_at(L, 1, "xml.decode"), SLICE(""), &error))
        return 1;
    return luaL_error(L, "xml.decode: %s at byte %d", error.what, (int)error.offset);
}

int luaopen_tidewire_bodies(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "form_decode", l_form_decode },
        { "form_all", l_form_all },
        { "xml_decode", l_xml_decode },
        { NULL, NULL },
    };
    lua_createtable(L, 0, 3);
    luaL_register(L, NULL, functions);
    return 1;
}
