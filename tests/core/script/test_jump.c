/* The conditions of abandon.h, by asking for jumps at every moment: a thread signals a worker at random while it is inside the
 * allocator, inside each C function of ours, inside the unwinder while an error is thrown, in libc, between two runs. After each
 * jump the fresh state throws and catches, and another worker does so all the time. Under the address sanitizer what a jump left
 * behind would be a leak. */
#include <alloca.h>
#include <link.h>
#include <luajit.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../../support/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "helpers.h"
#include "script/abandon.h"
#include "script/heap.h"
#include "script/inside.h"

enum {
    SMALL_STACK_BYTES = 96 << 10,
    USED_STACK_BYTES = 64 << 10, /* of these */
    JUMPS_EACH = 6,
    LATEST_US = 3000,
    ASK_EVERY_US = 40,
    CODE_MAX = 64 << 10,
    OBJECTS_MAX = 128
};

const char limits[] = "limits { handler_cpu = '5s', handler_memory = '128MiB', state_memory = '512MiB' }";

/* Loops: each says in its name what it spends its time in. */
static const char *const loops[][2] = {
    { "empty", "while true do end" },
    { "interpreted", "while true do local f = function() return event end f() end" },
    { "allocating_tables", "while true do local t = {} for i = 1, 100 do t[i] = { i } end end" },
    { "allocating_texts", "local s = '' while true do s = s .. 'x' if #s > 100000 then s = '' end end" },
    { "error", "while true do pcall(error, 'x') end" },
    { "error_table", "while true do pcall(error, {}) end" },
    { "runtime_error", "while true do pcall(function() local n return n.x end) end" },
    { "error_of_ours", "while true do pcall(json.decode, '[1,') end" },
    { "error_deep", "local function f(n) if n == 0 then error 'x' end return 1 + f(n - 1) end while true do pcall(f, 100) end" },
    { "xpcall", "while true do xpcall(error, function(e) return e end, 'x') end" },
    { "pattern", "while true do (('a'):rep(25)):find(('.-'):rep(8) .. 'b') end" },
    { "gsub_callback", "while true do (('a'):rep(50)):gsub('a', function(c) return c end) end" },
    { "sort", "while true do local t = {} for i = 1, 200 do t[i] = -i end table.sort(t) end" },
    { "sort_callback",
      "while true do local t = {} for i = 1, 200 do t[i] = -i end table.sort(t, function(a, b) return a < b end) end" },
    { "rep", "while true do local s = ('x'):rep(100000) end" },
    { "find_plain", "local s = ('a'):rep(100000) while true do s:find('b', 1, true) end" },
    { "format", "while true do local s = ('%s %d %g'):format('x', 1, 1.5) end" },
    { "concat", "local t = {} for i = 1, 1000 do t[i] = 'x' end while true do local s = table.concat(t, ',') end" },
    { "tostring", "while true do local s = tostring(event.body) end" },
    { "json_decode", "local s = json.encode(event.body) while true do local v = json.decode(s) end" },
    { "json_encode", "local t = { a = { 1, 2, { b = 'c' } } } while true do local s = json.encode(t) end" },
    { "json_encode_view", "while true do local s = json.encode({ x = event.body, y = { event.body.list } }) end" },
    { "view_index", "while true do local v = event.body.object.name end" },
    { "view_element", "while true do local v = event.body.list[2] end" },
    { "view_integer", "while true do local v = event.body.id .. '' end" },
    { "view_pairs", "while true do for k, v in pairs(event.body) do end end" },
    { "view_ipairs", "while true do for i, v in ipairs(event.body.list) do end end" },
    { "view_next", "while true do local k = next(event.body) end" },
    { "view_unpack", "while true do local a, b = unpack(event.body.list) end" },
    { "view_length", "while true do local n = #event.body.list end" },
    { "copy", "while true do local t = copy(event.body) end" },
    { "merge", "while true do local t = merge(event.body, { a = 1 }) end" },
    { "pick", "while true do local t = pick(event.body, 'id', 'list') end" },
    { "omit", "while true do local t = omit(event.body, 'id') end" },
    { "set", "while true do local t = set(event.body, 'object.name', 'y') end" },
    { "get", "while true do local t = get(event.body, 'object.name') end" },
    { "map", "while true do local t = map(event.body.list, function(x) return x end) end" },
    { "filter", "while true do local t = filter(event.body.list, function(x) return true end) end" },
    { "event_fields", "while true do local s = event.id .. event.path .. event.raw end" },
    { "event_headers", "while true do local s = event.headers['x-one'] end" },
    { "event_query", "while true do local s = event.query.a end" },
    { "event_get", "while true do local s = event:get('body.list[1]') end" },
    { "event_all", "while true do local s = event:all('headers.x-one') end" },
    { "send_event", "while true do pcall(send, t, event) end" },
    { "send_json", "while true do pcall(send, t, { json = event.body, headers = { a = 'b' }, query = { c = 'd' } }) end" },
    { "send_wrong", "while true do pcall(send, t, { json = { print } }) end" },
    { "log", "while true do log.debug('x', { a = 1, b = event.body }) end" },
    { "hash", "local s = ('x'):rep(10000) while true do crypto.hash('sha256', s) end" },
    { "hmac", "while true do crypto.hmac('sha256', 'key', 'text') end" },
    { "random", "while true do crypto.random(64) end" },
    { "equal", "while true do crypto.equal('abc', 'abd') end" },
    { "base64", "while true do base64.decode(base64.encode(('x'):rep(1000))) end" },
    { "hex", "while true do hex.decode(hex.encode(('x'):rep(1000))) end" },
    { "uuid", "while true do local s = uuid.v7() .. uuid.v4() end" },
    { "time", "while true do local s = time.iso(time.now()) end" },
    { "time_parse", "while true do local s = time.parse('2026-11-20T09:14:02Z') end" },
    { "url", "while true do local s = url.escape('a b/c') end" },
    { "url_parse", "while true do local s = url.parse('https://a.example.com/b?c=d') end" },
    { "text", "while true do local s = text.fill('{a} {b}', { a = 1, b = 2 }) end" },
    { "text_split", "while true do local s = text.split('a,b,c', ',') end" },
    { "secret", "while true do local s = 'Bearer ' .. secret 'JUMP_SECRET' end" },
    { "metatables",
      "local m = setmetatable({}, { __index = function() return 1 end, __call = function() end }) while true do m(m.x) end" },
};

/* ---- a worker ---- */

struct worker {
    uv_loop_t loop;
    struct uuid_maker ids;
    struct watchdog_slot *slot;
    struct script *script;
    struct run run;
    struct outcome *outcome;
    bool ended;
};

static void on_done(struct run *run, struct outcome *outcome)
{
    struct worker *worker = run->owner;
    worker->outcome = outcome;
    worker->ended = true;
}

static void renew_state(struct worker *worker)
{
    struct script_config config = { .loop = &worker->loop, .generation = generation, .ids = &worker->ids, .slot = worker->slot };
    script_free(worker->script);
    worker->script = load_state(&config);
}

static void begin(struct worker *worker)
{
    *worker = (struct worker){ 0 };
    uv_loop_init(&worker->loop);
    uuid_maker_init(&worker->ids);
    worker->slot = watchdog_slot_new();
    renew_state(worker);
}

static void end(struct worker *worker)
{
    script_free(worker->script);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    watchdog_slot_free(worker->slot);
    uv_loop_close(&worker->loop);
}

static struct event *make_event(struct worker *worker, const char *route)
{
    static const struct pair headers[] = { { SLICE("X-One"), SLICE("1") }, { SLICE("x-one"), SLICE("2") } };
    struct event_parts parts = {
        .route = slice_of(route),
        .query = SLICE("a=b"),
        .headers = headers,
        .header_count = COUNT(headers),
        .body = SLICE("{\"id\":12345678901234567,\"list\":[1,null,{\"a\":\"b\"}],\"object\":{\"name\":\"x\",\"e\":\"\\u00e9\"}}"),
    };
    return event_of(&worker->ids, parts);
}

/* How it ended; RUN_OK: well. */
static enum run_reason run(struct worker *worker, const char *route)
{
    struct event *event = make_event(worker, route);
    worker->run =
        (struct run){ .event = event, .route = generation_route(generation, event->route), .on_done = on_done, .owner = worker };
    worker->ended = false;
    (void)script_run(worker->script, &worker->run);
    while (!worker->ended)
        uv_run(&worker->loop, UV_RUN_ONCE);
    enum run_reason reason = worker->outcome ? worker->outcome->reason : RUN_CRASH;
    if (script_is_abandoned(worker->script))
        renew_state(worker);
    event_unref(event);
    return reason;
}

/* ---- where the signals land ---- */

enum place { IN_LUA, IN_OURS, IN_UNWINDER, IN_LIBC, ELSEWHERE, PLACES };
static const char *const place_names[PLACES] = { "LuaJIT", "our own code", "the unwinder", "libc", "elsewhere" };
static struct {
    const char *low, *high;
    enum place place;
} objects[OBJECTS_MAX];
static int object_count;
static atomic_uint landed[PLACES], in_allocator, between_runs;
static struct sigaction real;

static enum place place_named(const char *name)
{
    return strstr(name, "luajit")    ? IN_LUA
           : name[0] == '\0'         ? IN_OURS
           : strstr(name, "libgcc")  ? IN_UNWINDER
           : strstr(name, "libc.so") ? IN_LIBC
                                     : ELSEWHERE;
}

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
        objects[object_count++].place = place_named(info->dlpi_name);
    }
    return 0;
}

static const char *program_counter(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (const char *)context->uc_mcontext.gregs[REG_RIP];
#else
    return (const char *)context->uc_mcontext.pc;
#endif
}

/* In front of the real handler, which may not come back. */
static void on_signal(int signo, siginfo_t *info, void *context)
{
    const struct watchdog_slot *slot = watchdog_own();
    const char *pc = program_counter(context);
    enum place place = IN_LUA; /* in no object: machine code */
    for (int i = 0; i < object_count; i++)
        if (pc >= objects[i].low && pc < objects[i].high)
            place = objects[i].place;
    if (!slot || !watchdog_is_in_lua(slot)) {
        atomic_fetch_add(&between_runs, 1);
    } else {
        atomic_fetch_add(&landed[place], 1);
        if (heap_is_busy(slot->heap))
            atomic_fetch_add(&in_allocator, 1);
        CHECK("nothing but LuaJIT is left by a jump", place == IN_LUA || !abandon_is_allowed(slot, context));
        CHECK("nor the allocator", !heap_is_busy(slot->heap) || !abandon_is_allowed(slot, context));
    }
    real.sa_sigaction(signo, info, context);
}

/* ---- the one who asks ---- */

static struct worker victim;
static atomic_ulong asked_for; /* the run that may be ended */
static atomic_bool asking_is_over, other_is_over;
static atomic_uint other_runs;

/* Each run has a random while of its own; then it is asked to end until it does. */
static void *ask(void *arg)
{
    struct rng rng;
    (void)arg;
    rng_seed_random(&rng);
    while (!atomic_load(&asking_is_over)) {
        unsigned long run = atomic_load(&asked_for);
        usleep((useconds_t)rng_below(&rng, LATEST_US));
        atomic_store(&victim.slot->past_grace, true);
        atomic_store(&victim.slot->late_run, run); /* also when it is over: then nobody may be hit */
        for (int n = 0; n < 2 || (run % 2 == 1 && atomic_load(&victim.slot->run) == run); n++) {
            pthread_kill(victim.slot->thread, SIGRTMIN);
            usleep(ASK_EVERY_US);
        }
    }
    return NULL;
}

static void *run_beside(void *arg)
{
    struct worker other;
    (void)arg;
    begin(&other);
    while (!atomic_load(&other_is_over)) {
        CHECK_EQ("another worker throws and catches", run(&other, "/innocent"), RUN_OK);
        atomic_fetch_add(&other_runs, 1);
    }
    end(&other);
    return NULL;
}

static void torment(void)
{
    char route[64];
    pthread_t asker;
    for (size_t i = 0; i < COUNT(loops); i++) {
        snprintf(route, sizeof(route), "/%s", loops[i][0]);
        atomic_store(&asking_is_over, false);
        pthread_create(&asker, NULL, ask, NULL);
        for (int n = 0; n < JUMPS_EACH; n++) {
            atomic_store(&asked_for, atomic_load(&victim.slot->run) + 1);
            CHECK_EQ(loops[i][0], run(&victim, route), RUN_CPU);
        }
        atomic_store(&asking_is_over, true);
        pthread_join(asker, NULL);
        atomic_store(&victim.slot->late_run, 0);
        CHECK_EQ(loops[i][0], run(&victim, "/innocent"), RUN_OK);
    }
}

static void *be_worker(void *arg)
{
    (void)arg;
    begin(&victim);
    torment();
    end(&victim);
    return NULL;
}

/* ---- rules ---- */

static void make_rules(void)
{
    static char code[CODE_MAX];
    size_t len =
        (size_t)snprintf(code, sizeof(code),
                         "local none = verify.none 'test'\nlocal t = target 't' { url = 'http://a.example.com' }\n"
                         "route '/innocent' { verify = none, handle = function(event)\n"
                         "  local ok, why = pcall(error, 'x') assert(not ok and why == 'x')\n"
                         "  ok = pcall(function() local n return n.x end) assert(not ok)\n"
                         "  assert((('abc'):gsub('b', function(c) return c:upper() end)) == 'aBc')\n"
                         "  local l = { 2, 1 } table.sort(l, function(a, b) return a < b end) assert(l[1] == 1)\n"
                         "  send(t, { json = event.body }) end }\n"
                         "local function dive(n) return (('x'):gsub('x', function() if n > 0 then dive(n - 1) end end)) end\n"
                         "route '/nested' { verify = none, handle = function(event) dive(98) end }\n");
    for (size_t i = 0; i < COUNT(loops); i++)
        len += (size_t)snprintf(code + len, sizeof(code) - len,
                                "route '/%s' { verify = none, handle = function(event) %s end }\n", loops[i][0], loops[i][1]);
    setenv("JUMP_SECRET", "s", 1);
    generation = load_rules(code);
}

/* ---- the guard area: a thread whose stack is too small for what the counters allow ---- */

static void dive_often(unsigned *left)
{
    struct worker worker;
    begin(&worker);
    for (int n = 0; n < 20; n++) {
        /* what it compiles hangs on addresses, and a trace that is given up near the end is left through the unwinder */
        luaJIT_setmode(worker.script->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
        *left += run(&worker, "/nested") == RUN_STACK;
        CHECK_EQ("after it", run(&worker, "/innocent"), RUN_OK);
    }
    end(&worker);
}

/* Its frames lie always as far from the guard: else chance says whether the end is met in LuaJIT or, once in some twenty runs, in
 * the allocator below it, out of which no jump is allowed (abandon.h). */
static void *overflow(void *arg)
{
    pthread_attr_t attributes;
    void *low;
    size_t size;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    size_t above = (size_t)((char *)__builtin_frame_address(0) - (char *)low) - USED_STACK_BYTES;
    volatile char *filled = alloca(above);
    filled[0] = 0;
    dive_often(arg);
    return NULL;
}

TEST(what_runs_over_the_end_of_the_stack_costs_its_event_only)
{
#ifdef __SANITIZE_ADDRESS__
    printf("# the sanitizer's own functions lie on the stack: no jump is allowed out of them\n");
    return;
#endif
    unsigned left = 0;
    make_rules();
    CHECK_EQ("watchdog", watchdog_start(), OK);
    pthread_join(start_thread(SMALL_STACK_BYTES, overflow, &left), NULL);
    watchdog_stop();
    generation_unref(generation);
    CHECK_EQ("all of them", left, 20);
}

TEST(a_jump_is_made_where_it_harms_nobody_and_nowhere_else)
{
    struct sigaction counting = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };
    make_rules();
    CHECK_EQ("watchdog", watchdog_start(), OK);
    dl_iterate_phdr(note_object, NULL);
    sigaction(SIGRTMIN, &counting, &real);
    pthread_t other = start_thread(WORKER_STACK_BYTES, run_beside, NULL);
    pthread_join(start_thread(WORKER_STACK_BYTES, be_worker, NULL), NULL);
    unsigned runs = atomic_load(&other_runs);
    uint64_t end_ms = clock_mono_ms() + 10000;
    while (atomic_load(&other_runs) < runs + 10 && clock_mono_ms() < end_ms)
        usleep(1000);
    CHECK("the other worker goes on", atomic_load(&other_runs) >= runs + 10);
    atomic_store(&other_is_over, true);
    pthread_join(other, NULL);
    watchdog_stop();
    generation_unref(generation);
    for (int place = 0; place < PLACES; place++)
        printf("# signals in %s: %u\n", place_names[place], atomic_load(&landed[place]));
    printf("# with the allocator at work: %u, between two runs: %u, runs of the other worker: %u\n", atomic_load(&in_allocator),
           atomic_load(&between_runs), atomic_load(&other_runs));
    CHECK("some landed in our own code", atomic_load(&landed[IN_OURS]) > 0);
    CHECK("some in libc", atomic_load(&landed[IN_LIBC]) > 0);
    CHECK("some in the unwinder", atomic_load(&landed[IN_UNWINDER]) > 0);
    CHECK("some in the allocator", atomic_load(&in_allocator) > 0);
    CHECK("some between two runs", atomic_load(&between_runs) > 0);
}
TEST_MAIN()
