#include "script/lua_source.h"

#include <stdio.h>

#include "base/mem.h"
#include "script/embedded.h"

#ifdef TIDEWIRE_LUA_FOLDER
static struct slice read_from_folder(const char *module)
{
    char path[1024];
    int len = snprintf(path, sizeof(path), "%s/%s", TIDEWIRE_LUA_FOLDER, module);
    for (char *p = path + sizeof(TIDEWIRE_LUA_FOLDER); *p; p++)
        if (*p == '.')
            *p = '/';
    snprintf(path + len, sizeof(path) - (size_t)len, ".lua");
    FILE *file = fopen(path, "rb");
    if (!file)
        return (struct slice){ NULL, 0 };
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = mem_new((size_t)size + 1);
    size_t got = fread(text, 1, (size_t)size, file);
    fclose(file);
    return (struct slice){ text, got };
}
#endif

struct slice lua_source(const char *module)
{
#ifdef TIDEWIRE_LUA_FOLDER
    struct slice text = read_from_folder(module);
    if (text.data)
        return text;
#endif
    for (const struct embedded *file = embedded_files; file->module; file++)
        if (strcmp(file->module, module) == 0)
            return (struct slice){ (const char *)file->text, file->len };
    return (struct slice){ NULL, 0 };
}
