/* native_check.c: rules read and checked for a command, and told as tables. */
#include <lauxlib.h>
#include <stdlib.h>

#include "cli/native.h"
#include "cli/native_inside.h"
#include "cli/sample.h"
#include "script/load.h"
#include "script/vm.h"
#include "script/watchdog.h"

enum { TEXT_MAX = 4 << 20 };

/* The rules of the last check: `sign` works on its routes. */
static struct generation *checked;

struct generation *native_checked(void)
{
    return checked;
}

void native_close(void)
{
    generation_unref(checked);
    checked = NULL;
}

/* Patterns without end at the top of a file are ended here too. NULL: no threads; then only what hooks reach. */
struct watchdog_slot *native_watched(void)
{
    static struct watchdog_slot *slot;
    if (!slot && watchdog_start() == OK)
        slot = watchdog_slot_new();
    return slot;
}

/* ---- what is told of them ---- */

static void push_texts(lua_State *L, const struct slice *texts, size_t count)
{
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_slice(L, texts[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static void push_verify(lua_State *L, const struct verify *verify)
{
    static const char *const schemes[] = { "none", "hmac", "bearer", "hash", "token", "basic", "ed25519", "ecdsa", "jwt", "rsa" };
    static const char *const keys[] = { "text", "standard", "hex", "base64" };
    lua_createtable(L, 0, 8);
    set_text(L, "scheme", slice_of(schemes[verify->scheme]));
    set_text(L, "key", slice_of(keys[verify->key]));
    push_texts(L, verify->secrets, verify->secret_count);
    lua_setfield(L, -2, "secrets");
    if (verify->timestamp.field.data)
        set_text(L, "timestamp_field", verify->timestamp.field);
    if (verify->field.data)
        set_text(L, "signature_field", verify->field);
    if (verify->body_sha256.data)
        set_text(L, "body_sha256", verify->body_sha256);
    lua_pushboolean(L, sample_by_key(verify));
    lua_setfield(L, -2, "by_key");
    if (verify->also) {
        push_verify(L, verify->also);
        lua_setfield(L, -2, "also");
    }
}

static void push_route(lua_State *L, const struct route *route)
{
    lua_createtable(L, 0, 6);
    set_text(L, "path", route->path);
    set_number(L, "index", route->index);
    set_text(L, "provider", route->provider);
    if (route->host.len)
        set_text(L, "host", route->host);
    set_text(L, "ack", slice_of(route->ack == ACK_RECEIVED ? "received" : "stored"));
    push_texts(L, route->methods, route->method_count);
    lua_setfield(L, -2, "methods");
    push_verify(L, &route->verify);
    lua_setfield(L, -2, "verify");
}

static void push_report(lua_State *L, const struct load_report *report, bool colour)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    load_report_print(report, &text, colour);
    push_buf(L, &text);
    lua_setfield(L, -2, "text");
    buf_init(&text, TEXT_MAX);
    load_report_json(report, &text);
    push_buf(L, &text);
    lua_setfield(L, -2, "json");
    set_number(L, "errors", (double)report->error_count);
    set_number(L, "warnings", (double)(report->finding_count - report->error_count));
}

static void push_files(lua_State *L)
{
    lua_createtable(L, (int)checked->file_count, 0);
    for (size_t i = 0; i < checked->file_count; i++) {
        lua_createtable(L, 0, 2);
        set_text(L, "name", checked->files[i].name);
        set_text(L, "text", checked->files[i].text);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static void push_targets(lua_State *L)
{
    lua_createtable(L, (int)checked->target_count, 0);
    for (size_t i = 0; i < checked->target_count; i++) {
        push_slice(L, checked->targets[i].name);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

/* ---- functions of the module ---- */

int native_check(lua_State *L)
{
    struct load_options options = {
        .slot = native_watched(),
        .place = { .folder = luaL_checkstring(L, 1) },
        .production = lua_toboolean(L, 2),
        .stand_ins = lua_toboolean(L, 4),
        .no_secrets = lua_toboolean(L, 5),
        .secrets_folder = getenv("CREDENTIALS_DIRECTORY"),
    };
    struct load_report report;
    native_close();
    enum result rc = load_generation(&options, &checked, &report);
    lua_createtable(L, 0, 7);
    push_report(L, &report, lua_toboolean(L, 3));
    load_report_deinit(&report);
    lua_newtable(L);
    for (size_t i = 0; rc == OK && i < checked->route_count; i++) {
        push_route(L, &checked->routes[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "routes");
    if (rc == OK) {
        push_files(L);
        lua_setfield(L, -2, "files");
        push_targets(L);
        lua_setfield(L, -2, "targets");
    }
    return 1;
}

/* rule_files() → { { name, module, text } … } of the rules that were checked last, or nil */
int native_rule_files(lua_State *L)
{
    if (!checked)
        return 0;
    script_push_files(L, checked);
    return 1;
}
