/* main.c: `run` is C; every other command is Lua (lua/tidewire/cli), in the same kind of state that rules have. */
#include <curl/curl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "cli/native.h"
#include "cli/prompt_native.h"
#include "cli/run.h"
#include "cli/test_native.h"
#include "cli/trial_native.h"
#include "script/vm.h"

struct command {
    int argc;
    char **argv;
    int code;
};

static int run_command(lua_State *L)
{
    static const luaL_Reg modules[] = {
        { "tidewire.native", luaopen_tidewire_native },
        { "tidewire.trial_native", luaopen_tidewire_trial_native },
        { "tidewire.test_native", luaopen_tidewire_test_native },
        { "tidewire.prompt_native", luaopen_tidewire_prompt_native },
        { NULL, NULL },
    };
    struct command *command = lua_touserdata(L, 1);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    for (const luaL_Reg *module = modules; module->name; module++) {
        lua_pushcfunction(L, module->func);
        lua_setfield(L, -2, module->name);
    }
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidewire.cli.main");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "main");
    lua_createtable(L, command->argc, 0);
    for (int i = 1; i < command->argc; i++) {
        lua_pushstring(L, command->argv[i]);
        lua_rawseti(L, -2, i);
    }
    lua_call(L, 1, 1);
    command->code = (int)lua_tointeger(L, -1);
    return 0;
}

static bool starts_router(int argc, char **argv)
{
    bool run = argc > 1 && (strcmp(argv[1], "run") == 0 || strcmp(argv[1], "serve") == 0);
    for (int i = 2; run && i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return false;
    if (run && strcmp(argv[1], "serve") == 0)
        fprintf(stderr, "tidewire: 'serve' is 'tidewire run' here\n");
    return run;
}

int main(int argc, char **argv)
{
    struct command command = { argc, argv, 1 };
    struct script_config config = { .memory = 512 << 20 };
    struct script *script;
    if (starts_router(argc, argv))
        return run_main(argc, argv);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (script_new(&config, &script) != OK)
        return 1;
    if (script_protected(script, run_command, &command, 0) != OK)
        fprintf(stderr, "tidewire: %s\n", script_error(script));
    native_close();
    script_free(script);
    curl_global_cleanup();
    fflush(stdout);
    return command.code;
}
