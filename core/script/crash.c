#include "script/crash.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "script/abandon.h"
#include "script/watchdog.h"

static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };
static struct sigaction before[SIGNALS]; /* a sanitizer's, or none */

static bool is_own(const siginfo_t *info)
{
    return info->si_code > 0 || info->si_pid == getpid(); /* the kernel's word on an instruction, or abort() */
}

static bool is_over_the_stack(const struct watchdog_slot *slot, const siginfo_t *info)
{
    const char *place = info->si_addr;
    return (info->si_signo == SIGSEGV || info->si_signo == SIGBUS) && info->si_code > 0 && place < slot->stack_low &&
           place >= slot->stack_low - slot->guard_bytes;
}

/* As if there had been no handler: what was there before us answers the same fault again. */
static void step_aside(int signo, const siginfo_t *info)
{
    for (int i = 0; i < SIGNALS; i++)
        if (signals[i] == signo)
            sigaction(signo, &before[i], NULL);
    if (info->si_code <= 0)
        raise(signo); /* nothing repeats it by itself; it comes when this handler returns */
}

static void on_fault(int signo, siginfo_t *info, void *context)
{
    struct watchdog_slot *slot = watchdog_own();
    if (slot && is_over_the_stack(slot, info) && watchdog_is_in_lua(slot) && abandon_is_allowed(slot, context))
        siglongjmp(slot->before, JUMP_STACK);
    if (slot && slot->flight && is_own(info))
        atomic_store(&slot->flight->fault, signo);
    step_aside(signo, info);
}

void crash_setup(void)
{
    static bool done;
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    for (int i = 0; i < SIGNALS && !done; i++)
        sigaction(signals[i], &action, &before[i]);
    done = true;
}
