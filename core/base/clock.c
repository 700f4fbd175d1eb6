#include "base/clock.h"

#include <errno.h>
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

/* There is one time in a process, as the system's own is one. */
static struct {
    bool stands;
    uint64_t wall_ms, mono_ms;
} frozen;

static uint64_t read_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_wall_ms(void)
{
    return frozen.stands ? frozen.wall_ms : read_ns(CLOCK_REALTIME) / 1000000u;
}

uint64_t clock_mono_ms(void)
{
    return frozen.stands ? frozen.mono_ms : read_ns(CLOCK_MONOTONIC) / 1000000u;
}

uint64_t clock_mono_ns(void)
{
    return frozen.stands ? frozen.mono_ms * 1000000u : read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_work_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

void clock_freeze(uint64_t wall_ms)
{
    frozen.mono_ms = clock_mono_ms();
    frozen.wall_ms = wall_ms;
    frozen.stands = true;
}

void clock_sleep_ms(uint64_t ms)
{
    struct timespec left = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

void clock_pass(uint64_t ms)
{
    assert(frozen.stands);
    frozen.wall_ms += ms;
    frozen.mono_ms += ms;
}

uint64_t clock_thread_cpu_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

void clock_iso(uint64_t wall_ms, char out[CLOCK_ISO_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[64];
    gmtime_r(&seconds, &tm);
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
             tm.tm_min, tm.tm_sec, (int)(wall_ms % 1000));
    snprintf(out, CLOCK_ISO_SIZE, "%.24s", text);
}
