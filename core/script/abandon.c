#include "script/abandon.h"

#include <link.h>
#include <string.h>
#include <ucontext.h>

#include "script/heap.h"
#include "script/watchdog.h"

enum { OBJECTS_MAX = 128 };

static struct {
    const char *low, *high;
    bool is_luajit;
} objects[OBJECTS_MAX]; /* executable segments; written once by abandon_setup */
static int object_count;

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    for (int i = 0; i < info->dlpi_phnum && object_count < OBJECTS_MAX; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
            continue;
        objects[object_count].low = (const char *)info->dlpi_addr + segment->p_vaddr;
        objects[object_count].high = objects[object_count].low + segment->p_memsz;
        objects[object_count++].is_luajit = strstr(info->dlpi_name, "luajit") != NULL;
    }
    return 0;
}

void abandon_setup(void)
{
    object_count = 0;
    dl_iterate_phdr(note_object, NULL);
}

static const char *program_counter(const void *context)
{
    const ucontext_t *ucontext = context;
#if defined(__x86_64__)
    return (const char *)ucontext->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (const char *)ucontext->uc_mcontext.pc;
#else
#error "abandon.c has to know where this processor's program counter stands"
#endif
}

bool abandon_is_allowed(const struct watchdog_slot *slot, const void *context)
{
    const char *pc = program_counter(context);
    if (heap_is_busy(slot->heap))
        return false;
    for (int i = 0; i < object_count; i++)
        if (pc >= objects[i].low && pc < objects[i].high)
            return objects[i].is_luajit;
    return true; /* in no object: machine code of the JIT */
}
