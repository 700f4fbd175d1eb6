/* count.c: preloaded into the router (LD_PRELOAD), counts allocations and copies by the library that asks for them.
 *
 * BENCH_COUNTS names a file of COUNT_ROWS rows (struct row), which stages.js makes before and reads while the processes run; all
 * of them count in it. Copies that the compiler has written out are not seen, nor those inside the C library. */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { COUNT_ROWS = 64, NAME_SIZE = 48, EARLY_SIZE = 64 << 10, RANGES_MAX = 128 };

struct row {
    char name[NAME_SIZE]; /* of the library; "": free. The last row is everybody else's */
    atomic_ullong allocations, bytes, frees, copies, copied;
};

/* Where code lies that calls us. */
struct range {
    uintptr_t start, end;
    struct row *row;
};

static struct row nowhere[COUNT_ROWS];               /* until the file is there */
static struct row *rows = nowhere, *heaps = nowhere; /* all, and that of the heaps of Lua */
static struct range ranges[RANGES_MAX];
static size_t range_count;

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*heap_realloc)(void *, void *, size_t); /* mimalloc's, for the heaps of Lua */
    void (*free)(void *);
    void (*heap_free)(void *);
    void *(*memcpy)(void *, const void *, size_t);
    void *(*memmove)(void *, const void *, size_t);
} real;

/* What dlsym itself asks for while the functions are looked up; never given back. */
static _Alignas(16) char early[EARLY_SIZE];
static size_t early_used;

static void *early_alloc(size_t size)
{
    size_t start = early_used;
    early_used += (size + 15) & ~(size_t)15;
    if (early_used > sizeof(early))
        abort();
    return early + start;
}

static bool is_early(const void *ptr)
{
    return (const char *)ptr >= early && (const char *)ptr < early + sizeof(early);
}

static struct row *row_of(const void *caller)
{
    uintptr_t address = (uintptr_t)caller;
    for (size_t i = 0; i < range_count; i++)
        if (address >= ranges[i].start && address < ranges[i].end)
            return ranges[i].row;
    return &rows[COUNT_ROWS - 1];
}

static void count_allocation(const void *caller, size_t size)
{
    struct row *row = row_of(caller);
    atomic_fetch_add_explicit(&row->allocations, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&row->bytes, size, memory_order_relaxed);
}

static void count_free(const void *caller)
{
    atomic_fetch_add_explicit(&row_of(caller)->frees, 1, memory_order_relaxed);
}

static void count_copy(const void *caller, size_t size)
{
    struct row *row = row_of(caller);
    atomic_fetch_add_explicit(&row->copies, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&row->copied, size, memory_order_relaxed);
}

/* ---- start ---- */

static struct row *row_named(const char *name)
{
    for (size_t i = 0; i + 1 < COUNT_ROWS; i++) {
        if (!rows[i].name[0])
            strncpy(rows[i].name, name, NAME_SIZE - 1);
        if (strncmp(rows[i].name, name, NAME_SIZE - 1) == 0)
            return &rows[i];
    }
    return &rows[COUNT_ROWS - 1];
}

static int add_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *name = slash ? slash + 1 : info->dlpi_name[0] ? info->dlpi_name : "tidewire"; /* the program has no name */
    for (size_t i = 0; i < info->dlpi_phnum && range_count < RANGES_MAX; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        uintptr_t start = info->dlpi_addr + part->p_vaddr;
        ranges[range_count++] = (struct range){ start, start + part->p_memsz, row_named(name) };
    }
    return 0;
}

static void find_functions(void)
{
    real.malloc = dlsym(RTLD_NEXT, "malloc");
    real.calloc = dlsym(RTLD_NEXT, "calloc");
    real.realloc = dlsym(RTLD_NEXT, "realloc");
    real.free = dlsym(RTLD_NEXT, "free");
    real.heap_realloc = dlsym(RTLD_NEXT, "mi_heap_realloc");
    real.heap_free = dlsym(RTLD_NEXT, "mi_free");
    real.memcpy = dlsym(RTLD_NEXT, "memcpy");
    real.memmove = dlsym(RTLD_NEXT, "memmove");
}

/* false: not yet. Others' constructors allocate before ours runs, while there is one thread. */
static bool is_ready(void)
{
    static volatile enum { FIRST, LOOKING, READY } state; /* volatile: dlsym is declared never to call back */
    if (state == FIRST) {
        state = LOOKING;
        find_functions();
        state = READY;
    }
    return state == READY;
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("BENCH_COUNTS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *shared = mmap(NULL, sizeof(nowhere), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared == MAP_FAILED)
        return;
    rows = shared;
    dl_iterate_phdr(add_object, NULL);
    heaps = row_named("heaps of Lua");
}

/* ---- what is counted ---- */

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    if (!is_ready())
        return early_alloc(size);
    count_allocation(CALLER, size);
    return real.malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (!is_ready())
        return early_alloc(count * size); /* zero as it is */
    count_allocation(CALLER, count * size);
    return real.calloc(count, size);
}

void *realloc(void *ptr, size_t size)
{
    if (is_early(ptr) || !is_ready()) {
        void *moved = malloc(size);
        size_t room = ptr ? (size_t)(early + sizeof(early) - (char *)ptr) : 0;
        return ptr && moved ? memmove(moved, ptr, size < room ? size : room) : moved;
    }
    count_allocation(CALLER, size);
    return real.realloc(ptr, size);
}

void free(void *ptr)
{
    if (!ptr || is_early(ptr) || !is_ready())
        return;
    count_free(CALLER);
    real.free(ptr);
}

/* As mimalloc.h declares them; a build that does not use them never gets here. */
void *mi_heap_realloc(void *heap, void *ptr, size_t size);
void *mi_heap_realloc(void *heap, void *ptr, size_t size)
{
    atomic_fetch_add_explicit(&heaps->allocations, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&heaps->bytes, size, memory_order_relaxed);
    return real.heap_realloc(heap, ptr, size);
}

void mi_free(void *ptr);
void mi_free(void *ptr)
{
    atomic_fetch_add_explicit(&heaps->frees, ptr != NULL, memory_order_relaxed);
    real.heap_free(ptr);
}

static void *copy_early(char *to, const char *from, size_t size)
{
    volatile char *out = to; /* or the loop would become a call of memcpy */
    if (to < from)
        for (size_t i = 0; i < size; i++)
            out[i] = from[i];
    else
        for (size_t i = size; i > 0; i--)
            out[i - 1] = from[i - 1];
    return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
    if (!is_ready())
        return copy_early(to, from, size);
    count_copy(CALLER, size);
    return real.memcpy(to, from, size);
}

void *memmove(void *to, const void *from, size_t size)
{
    if (!is_ready())
        return copy_early(to, from, size);
    count_copy(CALLER, size);
    return real.memmove(to, from, size);
}

/* As libraries built with _FORTIFY_SOURCE call them. */
void *__memcpy_chk(void *to, const void *from, size_t size, size_t room);
void *__memcpy_chk(void *to, const void *from, size_t size, size_t room)
{
    if (size > room)
        abort();
    if (!is_ready())
        return copy_early(to, from, size);
    count_copy(CALLER, size);
    return real.memcpy(to, from, size);
}

void *__memmove_chk(void *to, const void *from, size_t size, size_t room);
void *__memmove_chk(void *to, const void *from, size_t size, size_t room)
{
    if (size > room)
        abort();
    if (!is_ready())
        return copy_early(to, from, size);
    count_copy(CALLER, size);
    return real.memmove(to, from, size);
}
