#include "super/recorder.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct recorder {
    uint32_t workers;
    struct recorder_end end;
    struct recorder_slot slots[];
};

static size_t size_for(uint32_t workers)
{
    return sizeof(struct recorder) + workers * sizeof(struct recorder_slot);
}

static enum result map(int fd, uint32_t workers, struct recorder **out)
{
    void *page = mmap(NULL, size_for(workers), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return ERR_IO;
    *out = page;
    return OK;
}

enum result recorder_make(uint32_t workers, struct recorder **out, int *fd)
{
    *fd = memfd_create("tidewire-recorder", MFD_CLOEXEC);
    if (*fd < 0 || ftruncate(*fd, (off_t)size_for(workers)) != 0 || map(*fd, workers, out) != OK)
        return ERR_IO;
    (*out)->workers = workers;
    recorder_forget(*out);
    return OK;
}

enum result recorder_map(int fd, uint32_t workers, struct recorder **out)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || (size_t)info.st_size != size_for(workers) || map(fd, workers, out) != OK)
        return ERR_IO;
    return (*out)->workers == workers ? OK : ERR_IO;
}

struct recorder_slot *recorder_slot(struct recorder *recorder, uint32_t worker)
{
    return &recorder->slots[worker];
}

void recorder_reset(struct recorder *recorder)
{
    for (uint32_t i = 0; i < recorder->workers; i++) {
        atomic_store_explicit(&recorder->slots[i].tick, 0, memory_order_relaxed);
        atomic_store_explicit(&recorder->slots[i].ended, false, memory_order_relaxed);
    }
}

struct recorder_end *recorder_end(struct recorder *recorder)
{
    return &recorder->end;
}

void recorder_forget(struct recorder *recorder)
{
    recorder->end = (struct recorder_end){ .stalled = -1 };
    for (uint32_t i = 0; i < recorder->workers; i++) {
        atomic_store(&recorder->slots[i].flight.in_lua, false);
        atomic_store(&recorder->slots[i].flight.fault, 0);
    }
}
