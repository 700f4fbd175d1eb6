/* native.c: the module: small functions, and the list of all. */
#include "cli/native.h"

#include <curl/curl.h>
#include <errno.h>
#include <lauxlib.h>
#include <llhttp.h>
#include <luajit.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/uuid.h"
#include "cli/catcher.h"
#include "cli/native_inside.h"
#include "cli/native_sign.h"
#include "cli/yaml.h"
#include "ingest/router.h"

enum { TEXT_MAX = 4 << 20 }; /* of YAML as JSON */

/* ---- small ones ---- */

static int native_isatty(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

static bool is_folder(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* is_folder(path) */
static int native_is_folder(lua_State *L)
{
    lua_pushboolean(L, is_folder(luaL_checkstring(L, 1)));
    return 1;
}

/* make_folder(path) → true, also when it is there; or nil and why */
static int native_make_folder(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    if (mkdir(path, 0777) != 0 && (errno != EEXIST || !is_folder(path)))
        return push_failure(L, strerror(errno));
    lua_pushboolean(L, 1);
    return 1;
}

static int native_uuid(lua_State *L)
{
    struct uuid_maker maker;
    char text[UUID_TEXT_SIZE];
    uuid_maker_init(&maker);
    uuid_format(uuid_v4(&maker.rng), text);
    lua_pushstring(L, text);
    return 1;
}

static int native_base64(lua_State *L)
{
    size_t len;
    const char *data = luaL_checklstring(L, 1, &len);
    unsigned char *out = lua_newuserdata(L, len / 3 * 4 + 5);
    lua_pushlstring(L, (char *)out, (size_t)EVP_EncodeBlock(out, (const unsigned char *)data, (int)len));
    return 1;
}

static int native_pause(lua_State *L)
{
    poll(NULL, 0, (int)luaL_checkinteger(L, 1));
    return 0;
}

/* path_matches(pattern, path) */
static int native_path_matches(lua_State *L)
{
    lua_pushboolean(L, router_pattern_takes(slice_of(luaL_checkstring(L, 1)), slice_of(luaL_checkstring(L, 2))));
    return 1;
}

static int native_version(lua_State *L)
{
    char llhttp[32];
    snprintf(llhttp, sizeof(llhttp), "%d.%d.%d", LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
    lua_createtable(L, 0, 7);
    set_text(L, "version", slice_of(TIDEWIRE_VERSION));
    set_text(L, "lua", slice_of(LUAJIT_VERSION));
    set_text(L, "openssl", slice_of(OpenSSL_version(OPENSSL_VERSION)));
    set_text(L, "curl", slice_of(curl_version_info(CURLVERSION_NOW)->version));
    set_text(L, "sqlite", slice_of(sqlite3_libversion()));
    set_text(L, "uv", slice_of(uv_version_string()));
    set_text(L, "llhttp", slice_of(llhttp));
    return 1;
}

/* ---- signatures, by the rules that were checked last ---- */

static int native_sign(lua_State *L)
{
    size_t index = (size_t)luaL_checkinteger(L, 1);
    const struct generation *checked = native_checked();
    if (!checked || index >= checked->route_count)
        return push_failure(L, "the rules were not checked");
    return native_sign_for(L, &checked->routes[index]);
}

static int native_verify(lua_State *L)
{
    size_t index = (size_t)luaL_checkinteger(L, 1);
    const struct generation *checked = native_checked();
    if (!checked || index >= checked->route_count)
        return push_failure(L, "the rules were not checked");
    return native_verify_for(L, &checked->routes[index], checked);
}

/* ---- what has a module of its own ---- */

/* listen(port, status, delay_ms, json) → true at the end, or nil and why */
static int native_listen(lua_State *L)
{
    struct catcher_config config = {
        .port = (uint16_t)luaL_checkinteger(L, 1),
        .status = (uint16_t)luaL_checkinteger(L, 2),
        .delay_ms = (uint64_t)luaL_checknumber(L, 3),
        .json = lua_toboolean(L, 4),
    };
    char why[256];
    if (catcher_run(&config, why, sizeof(why)) != OK)
        return push_failure(L, why);
    lua_pushboolean(L, 1);
    return 1;
}

/* yaml(text): as JSON; or nil and why. */
static int native_yaml(lua_State *L)
{
    char why[YAML_WHY_SIZE] = "not enough memory";
    struct slice text;
    struct buf out;
    text.data = luaL_checklstring(L, 1, &text.len);
    buf_init(&out, TEXT_MAX);
    enum result rc = yaml_to_json(text, &out, why);
    if (rc == OK)
        push_slice(L, buf_slice(&out));
    buf_deinit(&out);
    return rc == OK ? 1 : push_failure(L, why);
}

int luaopen_tidewire_native(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "isatty", native_isatty },
        { "is_folder", native_is_folder },
        { "make_folder", native_make_folder },
        { "uuid", native_uuid },
        { "base64", native_base64 },
        { "pause", native_pause },
        { "rule_files", native_rule_files },
        { "path_matches", native_path_matches },
        { "version", native_version },
        { "request", native_request },
        { "check", native_check },
        { "sign", native_sign },
        { "verify", native_verify },
        { "store_list", native_store_list },
        { "store_show", native_store_show },
        { "listen", native_listen },
        { "yaml", native_yaml },
        { NULL, NULL },
    };
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    return 1;
}
