#include "script/watchdog.h"

#include <lauxlib.h>
#include <lua.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "script/abandon.h"
#include "script/crash.h"
#include "script/heap.h"

enum { SIGNAL_STACK_BYTES = 64 << 10, LEVELS_MAX = 50 };

static struct {
    pthread_mutex_t lock; /* guards slots and stopping */
    pthread_cond_t stop;
    struct watchdog_slot *slots[WATCHDOG_SLOTS_MAX];
    bool stopping;
    pthread_t thread;
} dog = { .lock = PTHREAD_MUTEX_INITIALIZER };

static __thread struct watchdog_slot *own_slot;
static __thread void *signal_stack;

static int time_signal(void)
{
    return SIGRTMIN;
}

/* ---- on the worker ---- */

/* With the line of the rule that is nearest: what runs may be a function of ours that it called. */
static void raise_time_limit(lua_State *L, lua_Debug *ar)
{
    static const char why[] = "more processor time than it may have";
    for (int level = 0; level < LEVELS_MAX && lua_getstack(L, level, ar); level++) {
        lua_getinfo(L, "Sl", ar);
        if (ar->currentline <= 0 || strncmp(ar->source, "=tidewire.", 10) == 0)
            continue;
        lua_pushfstring(L, "%s:%d: %s", ar->source + (ar->source[0] == '='), ar->currentline, why);
        lua_error(L);
    }
    lua_pushstring(L, why);
    lua_error(L);
}

static void on_time_signal(int signo, siginfo_t *info, void *context)
{
    struct watchdog_slot *slot = own_slot;
    (void)signo;
    (void)info;
    if (!slot || atomic_load(&slot->late_run) != atomic_load(&slot->run))
        return;
    lua_sethook(slot->state, raise_time_limit, LUA_MASKCOUNT, 1);
    if (atomic_load(&slot->past_grace) && abandon_is_allowed(slot, context))
        siglongjmp(slot->before, JUMP_TIME);
}

struct watchdog_slot *watchdog_own(void)
{
    return own_slot;
}

bool watchdog_is_in_lua(const struct watchdog_slot *slot)
{
    return atomic_load(&slot->run) % 2 == 1;
}

void watchdog_enter(struct watchdog_slot *slot, lua_State *state, const struct heap *heap, uint64_t now_ns, uint64_t budget_ns,
                    uint64_t grace_ns)
{
    slot->state = state;
    slot->heap = heap;
    atomic_store_explicit(&slot->started_ns, now_ns, memory_order_relaxed);
    atomic_store_explicit(&slot->budget_ns, budget_ns, memory_order_relaxed);
    atomic_store_explicit(&slot->grace_ns, grace_ns, memory_order_relaxed);
    atomic_fetch_add(&slot->run, 1);
}

bool watchdog_leave(struct watchdog_slot *slot)
{
    unsigned long run = atomic_fetch_add(&slot->run, 1);
    bool late = atomic_load(&slot->late_run) == run;
    if (late)
        lua_sethook(slot->state, NULL, 0, 0);
    return late;
}

void watchdog_after_jump(struct watchdog_slot *slot)
{
    sigset_t signals;
    atomic_fetch_add(&slot->run, 1);
    sigemptyset(&signals);
    sigaddset(&signals, time_signal());
    sigaddset(&signals, SIGSEGV);
    sigaddset(&signals, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

/* ---- the watchdog's thread ---- */

static uint64_t thread_cpu_ns(const struct watchdog_slot *slot)
{
    struct timespec used;
    if (clock_gettime(slot->cpu_clock, &used) != 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* A run that is seen for the first time as old: what it has used so far is at most its age. */
static void begin_watching(struct watchdog_slot *slot, unsigned long run, uint64_t age_ns)
{
    uint64_t cpu_ns = thread_cpu_ns(slot);
    slot->seen_run = run;
    slot->cpu_base_ns = cpu_ns > age_ns ? cpu_ns - age_ns : 0;
    slot->late_ns = 0;
}

static bool is_late(struct watchdog_slot *slot)
{
    return thread_cpu_ns(slot) - slot->cpu_base_ns > atomic_load(&slot->budget_ns);
}

/* How soon it has to be looked at again. */
static int look_at(struct watchdog_slot *slot, uint64_t now_ns)
{
    unsigned long run = atomic_load(&slot->run);
    uint64_t age_ns = now_ns - atomic_load(&slot->started_ns);
    if (run % 2 == 0 || age_ns > (uint64_t)1 << 62 || age_ns < (uint64_t)WATCHDOG_YOUNG_MS * 1000000)
        return WATCHDOG_LOOK_MS;
    if (slot->seen_run != run)
        begin_watching(slot, run, age_ns);
    if (slot->late_ns == 0) {
        if (!is_late(slot))
            return WATCHDOG_LOOK_MS;
        slot->late_ns = now_ns;
        atomic_store(&slot->past_grace, false);
        atomic_store(&slot->late_run, run);
    } else if (now_ns - slot->late_ns > atomic_load(&slot->grace_ns)) {
        atomic_store(&slot->past_grace, true);
    }
    pthread_kill(slot->thread, time_signal());
    return 1;
}

static void *watch(void *arg)
{
    int wait_ms = WATCHDOG_LOOK_MS;
    (void)arg;
    pthread_setname_np(pthread_self(), "tw-watchdog");
    pthread_mutex_lock(&dog.lock);
    while (!dog.stopping) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += wait_ms * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&dog.stop, &dog.lock, &until);
        uint64_t now_ns = clock_work_ns();
        wait_ms = WATCHDOG_LOOK_MS;
        for (int i = 0; i < WATCHDOG_SLOTS_MAX; i++) {
            int wanted_ms = dog.slots[i] ? look_at(dog.slots[i], now_ns) : WATCHDOG_LOOK_MS;
            if (wanted_ms < wait_ms)
                wait_ms = wanted_ms;
        }
    }
    pthread_mutex_unlock(&dog.lock);
    return NULL;
}

/* ---- life ---- */

static void block_signal(int how)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, time_signal());
    pthread_sigmask(how, &signals, NULL);
}

enum result watchdog_start(void)
{
    struct sigaction action = { .sa_sigaction = on_time_signal, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };
    pthread_condattr_t attributes;
    abandon_setup();
    crash_setup();
    sigaction(time_signal(), &action, NULL);
    block_signal(SIG_BLOCK); /* threads that are made from here on inherit it; each slot lets it through for its own */
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&dog.stop, &attributes);
    pthread_condattr_destroy(&attributes);
    dog.stopping = false;
    return pthread_create(&dog.thread, NULL, watch, NULL) == 0 ? OK : ERR_MEMORY;
}

void watchdog_stop(void)
{
    pthread_mutex_lock(&dog.lock);
    dog.stopping = true;
    pthread_cond_signal(&dog.stop);
    pthread_mutex_unlock(&dog.lock);
    pthread_join(dog.thread, NULL);
}

static bool add_slot(struct watchdog_slot *slot)
{
    bool added = false;
    pthread_mutex_lock(&dog.lock);
    for (int i = 0; i < WATCHDOG_SLOTS_MAX && !added; i++) {
        if (!dog.slots[i]) {
            dog.slots[i] = slot;
            added = true;
        }
    }
    pthread_mutex_unlock(&dog.lock);
    return added;
}

/* A fault on the worker's own stack must find another one to be handled on. */
static void make_signal_stack(void)
{
    signal_stack = mem_new(SIGNAL_STACK_BYTES);
    sigaltstack(&(stack_t){ .ss_sp = signal_stack, .ss_size = SIGNAL_STACK_BYTES }, NULL);
}

static void drop_signal_stack(void)
{
    sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, NULL);
    mem_free(signal_stack);
    signal_stack = NULL;
}

static void find_stack_end(struct watchdog_slot *slot)
{
    pthread_attr_t attributes;
    void *low = NULL;
    size_t size;
    if (pthread_getattr_np(slot->thread, &attributes) != 0)
        return;
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_getguardsize(&attributes, &slot->guard_bytes);
    pthread_attr_destroy(&attributes);
    slot->stack_low = low;
}

struct watchdog_slot *watchdog_slot_new(void)
{
    struct watchdog_slot *slot = MEM_NEW(struct watchdog_slot);
    slot->thread = pthread_self();
    find_stack_end(slot);
    pthread_getcpuclockid(slot->thread, &slot->cpu_clock);
    if (!add_slot(slot)) {
        mem_free(slot);
        return NULL;
    }
    make_signal_stack();
    own_slot = slot;
    block_signal(SIG_UNBLOCK);
    return slot;
}

void watchdog_slot_free(struct watchdog_slot *slot)
{
    pthread_mutex_lock(&dog.lock);
    for (int i = 0; i < WATCHDOG_SLOTS_MAX; i++)
        if (dog.slots[i] == slot)
            dog.slots[i] = NULL;
    pthread_mutex_unlock(&dog.lock);
    block_signal(SIG_BLOCK);
    own_slot = NULL;
    drop_signal_stack();
    mem_free(slot);
}
