#include "script/coverage.h"

#include <lua.h>
#include <string.h>

#include "base/mem.h"
#include "script/inside.h"

struct covered {
    struct slice name; /* borrowed from the generation */
    bool *run;         /* owned; by line, from 1 */
    uint32_t lines;
};

struct coverage {
    size_t count;
    struct covered files[];
};

static uint32_t count_lines(struct slice text)
{
    uint32_t lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    return lines;
}

struct coverage *coverage_new(const struct generation *generation)
{
    struct coverage *coverage = mem_new(sizeof(*coverage) + generation->file_count * sizeof(coverage->files[0]));
    coverage->count = generation->file_count;
    for (size_t i = 0; i < coverage->count; i++) {
        const struct rule_file *file = &generation->files[i];
        uint32_t lines = count_lines(file->text);
        coverage->files[i] = (struct covered){ file->name, mem_new((lines + 1) * sizeof(bool)), lines };
    }
    return coverage;
}

void coverage_free(struct coverage *coverage)
{
    for (size_t i = 0; coverage && i < coverage->count; i++)
        mem_free(coverage->files[i].run);
    mem_free(coverage);
}

static void on_line(lua_State *L, lua_Debug *ar)
{
    struct coverage *coverage = script_of(L)->config.coverage;
    lua_getinfo(L, "S", ar);
    if (ar->source[0] != '=')
        return;
    struct slice name = slice_of(ar->source + 1);
    for (size_t i = 0; i < coverage->count; i++) {
        struct covered *file = &coverage->files[i];
        if (slice_eq(file->name, name) && ar->currentline > 0 && (uint32_t)ar->currentline <= file->lines)
            file->run[ar->currentline] = true;
    }
}

void coverage_hook(lua_State *L)
{
    lua_sethook(L, on_line, LUA_MASKLINE, 0);
}

bool coverage_has(const struct coverage *coverage, size_t file, uint32_t line)
{
    return line <= coverage->files[file].lines && coverage->files[file].run[line];
}

uint32_t coverage_lines(const struct coverage *coverage, size_t file)
{
    return coverage->files[file].lines;
}
