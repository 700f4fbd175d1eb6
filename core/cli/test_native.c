#include "cli/test_native.h"

#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fnv.h"
#include "cli/side_by_side.h"
#include "script/rule_files.h"

static int push_failure(lua_State *L, const char *why)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

/* ---- test_files(folder) → the paths of all *_test.lua in and below it, or nothing ---- */

static bool has_end(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);
    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* Hidden folders and those of packages hold none; what a link leads to is found where it is. */
static bool may_hold_tests(const struct dirent *entry)
{
    return entry->d_type == DT_DIR && entry->d_name[0] != '.' && strcmp(entry->d_name, "node_modules") != 0;
}

static bool add_test_files(lua_State *L, const char *folder, int depth)
{
    char path[PATH_MAX];
    DIR *dir = opendir(folder);
    if (!dir)
        return false;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path))
            continue;
        if (may_hold_tests(entry) && depth < RULE_DEPTH_MAX) {
            (void)add_test_files(L, path, depth + 1); /* one that cannot be read holds none */
        } else if (entry->d_type != DT_DIR && has_end(entry->d_name, "_test.lua")) {
            lua_pushstring(L, path);
            lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
        }
    }
    closedir(dir);
    return true;
}

static int native_test_files(lua_State *L)
{
    const char *folder = luaL_checkstring(L, 1);
    lua_newtable(L);
    return add_test_files(L, folder, 0) ? 1 : 0;
}

/* ---- stamp(folder) → a number; another one when a file below it that tests may rest on is another ---- */

static uint64_t stamp_of(const char *path, const struct stat *info)
{
    uint64_t hash = fnv(FNV_START, path, strlen(path));
    hash = fnv(hash, &info->st_mtim, sizeof(info->st_mtim));
    return fnv(hash, &info->st_size, sizeof(info->st_size));
}

static void add_stamp(const char *folder, int depth, uint64_t *stamp)
{
    char path[PATH_MAX];
    struct stat info;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path))
            continue;
        if (may_hold_tests(entry) && depth < RULE_DEPTH_MAX)
            add_stamp(path, depth + 1, stamp);
        else if ((has_end(path, ".lua") || has_end(path, ".json")) && stat(path, &info) == 0)
            *stamp += stamp_of(path, &info);
    }
    if (dir)
        closedir(dir);
}

static int native_stamp(lua_State *L)
{
    uint64_t stamp = 0;
    add_stamp(luaL_checkstring(L, 1), 0, &stamp);
    lua_pushnumber(L, (lua_Number)(stamp & ((1ull << 52) - 1)));
    return 1;
}

/* ---- samples_folder(folder of run) → the path of the folder of saved samples, which is there now; or nil and why ---- */
static int native_samples_folder(lua_State *L)
{
    char rules[PATH_MAX], path[PATH_MAX + 16];
    struct rules_place place = { .folder = luaL_checkstring(L, 1) };
    (void)rule_files_folder(&place, rules, sizeof(rules));
    snprintf(path, sizeof(path), "%s/samples", rules);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        lua_pushnil(L);
        lua_pushfstring(L, "%s cannot be made: %s", path, strerror(errno));
        return 2;
    }
    lua_pushstring(L, path);
    return 1;
}

/* ---- side_by_side(count, at_once, work(i, write), on_bytes(i, bytes), on_end(i, signal)) → true, or nil and why; write(text).
 * work runs in a process of its own, on_bytes and on_end in this one; none of them may raise ---- */

enum { WORK = 3, ON_BYTES, ON_END };

static int native_write(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    int fd = (int)lua_tointeger(L, lua_upvalueindex(1));
    while (len > 0) {
        ssize_t written = write(fd, text, len);
        if (written <= 0)
            return luaL_error(L, "nobody reads the results");
        text += written;
        len -= (size_t)written;
    }
    return 0;
}

static void work_on(void *arg, size_t i, int fd)
{
    lua_State *L = arg;
    lua_pushvalue(L, WORK);
    lua_pushinteger(L, (lua_Integer)i + 1);
    lua_pushinteger(L, fd);
    lua_pushcclosure(L, native_write, 1);
    lua_call(L, 2, 0);
}

static void on_bytes(void *arg, size_t i, struct slice bytes)
{
    lua_State *L = arg;
    lua_pushvalue(L, ON_BYTES);
    lua_pushinteger(L, (lua_Integer)i + 1);
    lua_pushlstring(L, bytes.data, bytes.len);
    lua_call(L, 2, 0);
}

static void on_end(void *arg, size_t i, int status)
{
    lua_State *L = arg;
    lua_pushvalue(L, ON_END);
    lua_pushinteger(L, (lua_Integer)i + 1);
    lua_pushinteger(L, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    lua_call(L, 2, 0);
}

static int native_side_by_side(lua_State *L)
{
    lua_Integer at_once = luaL_checkinteger(L, 2);
    struct side_by_side work = {
        .count = (size_t)luaL_checkinteger(L, 1),
        .at_once = at_once < 1                  ? 1
                   : at_once > SIDE_BY_SIDE_MAX ? SIDE_BY_SIDE_MAX
                                                : (size_t)at_once,
        .work = work_on,
        .on_bytes = on_bytes,
        .on_end = on_end,
        .arg = L,
    };
    if (side_by_side_run(&work) != OK)
        return push_failure(L, "no process can be made");
    lua_pushboolean(L, 1);
    return 1;
}

static int native_processors(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)side_by_side_processors());
    return 1;
}

int luaopen_tidewire_test_native(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "test_files", native_test_files },     { "stamp", native_stamp },           { "samples_folder", native_samples_folder },
        { "side_by_side", native_side_by_side }, { "processors", native_processors }, { NULL, NULL },
    };
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    return 1;
}
