/* failure.c: why a stretch in Lua failed: one reason of the list, and a text for people that says where. */
#include <stdio.h>
#include <string.h>

#include "script/inside.h"

static struct slice text_on_top(lua_State *L)
{
    struct slice text = { NULL, 0 };
    if (lua_gettop(L) > 0 && lua_type(L, -1) == LUA_TSTRING)
        text.data = lua_tolstring(L, -1, &text.len);
    return text.data ? text : SLICE("an error that is no text");
}

static bool says(struct slice text, const char *words)
{
    return memmem(text.data, text.len, words, strlen(words)) != NULL;
}

#define TOO_DEEP ": too deep: a callback inside a callback" /* environment.lua */

static enum run_reason reason_of(const struct stretch *stretch, struct slice text)
{
    if (stretch->late)
        return RUN_CPU;
    if (stretch->out_of_memory) /* LuaJIT refuses by itself what is larger than any heap */
        return RUN_MEMORY;
    return slice_ends(text, SLICE(": stack overflow")) || says(text, TOO_DEEP) ? RUN_STACK : RUN_ERROR;
}

bool failure_is_anothers(const struct script *script, const struct stretch *stretch)
{
    const struct heap_account *account = stretch->account;
    return script->abandoned && script->lost == RUN_MEMORY && account->state_refused && !account->refused;
}

static struct slice formatted(char *room, int len)
{
    return slice_make(room, len < 0 ? 0 : (size_t)len < FAILURE_TEXT_SIZE ? (size_t)len : FAILURE_TEXT_SIZE - 1);
}

/* Where it was cannot be asked of a state that was left: the function is named. */
static struct slice lost_text(const struct script *script, const struct stretch *stretch, const char *function, struct slice file,
                              uint32_t line, char *room)
{
    const char *what = script->lost == RUN_STACK ? "a recursion through C functions that does not end"
                                                 : "a loop or a C function that does not come back";
    return formatted(room, snprintf(room, FAILURE_TEXT_SIZE, "%.*s:%u: in '%s': %s (ended after %llu ms)", SLICE_ARGS(file), line,
                                    function, what, (unsigned long long)(stretch->used_ns / 1000000)));
}

struct script_failure failure_of(const struct script *script, const struct stretch *stretch, const struct limits *limits,
                                 lua_State *coroutine, const char *function, struct slice file, uint32_t line, char *room)
{
    if (script->abandoned && script->lost != RUN_MEMORY)
        return (struct script_failure){ script->lost, lost_text(script, stretch, function, file, line, room) };
    struct slice text = script->abandoned ? SLICE("") : text_on_top(coroutine);
    enum run_reason reason = script->abandoned ? RUN_MEMORY : reason_of(stretch, text);
    int shown = text.len > 600 ? 600 : (int)text.len;
    if (reason == RUN_MEMORY)
        text = formatted(room, snprintf(room, FAILURE_TEXT_SIZE, "%.*s:%u: in '%s': more than handler_memory (%llu MiB)",
                                        SLICE_ARGS(file), line, function, (unsigned long long)limits->handler_memory >> 20));
    else if (reason == RUN_CPU)
        text = formatted(room, snprintf(room, FAILURE_TEXT_SIZE, "%.*s: %llu ms (handler_cpu)", shown, text.data,
                                        (unsigned long long)(stretch->whole_ns / 1000000)));
    return (struct script_failure){ reason, text };
}
