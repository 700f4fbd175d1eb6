/* Runs the specs that are written in Lua in a state as rules have it. */
#include "check.h"

#include <lauxlib.h>

#include "script/lib/libs.h"
#include "script/vm.h"

/* JEFE, and keys of keys.lua by their names in capitals. */
static bool resolve(void *arg, struct slice name, struct slice *value)
{
    lua_State *L = arg;
    if (slice_is(name, "JEFE"))
        *value = SLICE("Jefe");
    else if (slice_is(name, "RSA") || slice_is(name, "RSA_PUBLIC") || slice_is(name, "EC_PUBLIC")) {
        lua_getglobal(L, "keys");
        lua_getfield(L, -1, slice_is(name, "RSA") ? "rsa" : slice_is(name, "EC_PUBLIC") ? "ec_public" : "rsa_public");
        value->data = lua_tolstring(L, -1, &value->len);
        lua_pop(L, 2);
    } else
        return false;
    return true;
}

static int run_spec(lua_State *L)
{
    const char *file = lua_touserdata(L, 1);
    libs_set_secrets(L, resolve, L);
    if (luaL_loadfile(L, file) != 0)
        return lua_error(L);
    lua_call(L, 0, 1);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_pcall(L, 0, 0, 0) != 0) {
            CHECK_FAIL("%s: %s", lua_tostring(L, -2), lua_tostring(L, -1));
            lua_pop(L, 1);
        }
        printf("#   %s\n", lua_tostring(L, -1));
    }
    return 0;
}

static void spec(const char *file)
{
    struct script_config config = { .memory = 256 << 20 };
    struct script *script;
    CHECK_EQ("a state", script_new(&config, &script), OK);
    if (script_protected(script, run_spec, (void *)file, 0) != OK)
        CHECK_FAIL("%s", script_error(script));
    script_free(script);
}

TEST(the_small_libraries_keep_what_their_documents_say)
{
    spec("tests/core/script/libs_spec.lua");
}

TEST(the_parts_of_the_loader_see_what_is_written)
{
    spec("tests/core/script/loader_spec.lua");
}

TEST(mistakes_of_one_edit_get_the_right_suggestion)
{
    spec("tests/core/script/typos_spec.lua");
}

TEST(the_reference_says_every_word_and_no_other)
{
    spec("tests/core/script/reference_spec.lua");
}

TEST(the_matchers_of_test_files_mean_what_their_names_say)
{
    spec("tests/core/script/trial_spec.lua");
}

TEST_MAIN()
