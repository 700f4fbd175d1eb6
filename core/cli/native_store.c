/* native_store.c: what a store holds, read while no router runs: JSON as of the admin API, or nil and why. */
#include <lauxlib.h>
#include <stdlib.h>

#include "admin/render.h"
#include "cli/native_inside.h"
#include "store/store.h"

enum { ANSWER_MAX = 64 << 20 };

static void nothing_done(struct store_op *op)
{
}

static int push_read(lua_State *L, const char *path, struct store_op *op)
{
    char why[512] = "";
    struct store *store;
    struct buf out;
    if (store_open_offline(path, &store, why, sizeof(why)) != OK)
        return push_failure(L, why);
    op->on_done = nothing_done;
    store_read_offline(store, op);
    enum result rc = op->result;
    buf_init(&out, ANSWER_MAX);
    if (rc == OK && op->kind == STORE_READ_LIST) {
        render_list((struct store_read_list *)op, &out);
    } else if (rc == OK) {
        struct store_read_show *show = (struct store_read_show *)op;
        render_event(show, &out);
        if (show->event)
            event_unref(show->event);
    }
    store_read_free(op);
    store_close_offline(store);
    if (rc == OK)
        return push_buf(L, &out);
    buf_deinit(&out);
    return push_failure(L, rc == ERR_NOT_FOUND ? "not found" : "it could not be read");
}

static struct slice option(lua_State *L, const char *name)
{
    struct slice text = { NULL, 0 };
    lua_getfield(L, 2, name);
    text.data = lua_tolstring(L, -1, &text.len);
    lua_pop(L, 1);
    return text;
}

int native_store_list(lua_State *L)
{
    struct store_read_list list = { .op.kind = STORE_READ_LIST, .filter = { .state = -1, .limit = 50 } };
    struct slice state = option(L, "state"), limit = option(L, "limit"), cursor = option(L, "cursor");
    list.filter.route = option(L, "route");
    list.filter.type = option(L, "type");
    for (int shown = SHOWN_WAITING; state.data && shown <= SHOWN_DEAD; shown++)
        if (slice_is(state, shown_state_name((enum shown_state)shown)))
            list.filter.state = shown;
    if (limit.data && strtol(limit.data, NULL, 10) > 0)
        list.filter.limit = (uint32_t)strtol(limit.data, NULL, 10);
    if (cursor.data)
        list.filter.before_seq = strtoll(cursor.data, NULL, 10);
    return push_read(L, luaL_checkstring(L, 1), &list.op);
}

int native_store_show(lua_State *L)
{
    struct store_read_show show = { .op.kind = STORE_READ_SHOW };
    if (!uuid_parse(slice_of(luaL_checkstring(L, 2)), &show.id))
        return push_failure(L, "not found");
    return push_read(L, luaL_checkstring(L, 1), &show.op);
}
