#include "helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "script/abandon.h"

enum { GUARD_BYTES = 1 << 20 };

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    printf("#   cannot go on: %s\n", what);
    fflush(stdout);
    abort();
}

/* ---- rules ---- */

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    must(file && fputs(text, file) >= 0 && fclose(file) == 0, path);
}

struct generation *try_rules(const char *a, const char *b, struct load_report *report)
{
    char folder[] = "/tmp/tidewire-script-XXXXXX", command[64];
    struct generation *made = NULL;
    must(mkdtemp(folder), "a folder for rules");
    write_file(folder, "tidewire.lua", limits);
    write_file(folder, "a.lua", a);
    if (b)
        write_file(folder, "b.lua", b);
    struct load_options options = { .place = { .folder = folder } };
    enum result rc = load_generation(&options, &made, report);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    must(system(command) == 0, command);
    return rc == OK ? made : NULL;
}

struct generation *load_rules(const char *a)
{
    struct load_report report;
    struct generation *made = try_rules(a, NULL, &report);
    if (!made) {
        struct buf text;
        buf_init(&text, 1 << 20);
        load_report_print(&report, &text, false);
        buf_add_byte(&text, '\0');
        must(false, text.data);
    }
    load_report_deinit(&report);
    made->number = 1;
    return made;
}

struct script *load_state(const struct script_config *config)
{
    struct script *state = NULL;
    must(script_new(config, &state) == OK, "a state");
    enum result rc;
    while ((rc = script_load(state, 5)) == ERR_FULL) {
    }
    must(rc == OK, script_error(state));
    return state;
}

struct event *event_of(struct uuid_maker *maker, struct event_parts parts)
{
    struct event *event = NULL;
    struct json_error error;
    uint64_t now_ms = clock_wall_ms();
    parts.id = uuid_v7(maker, now_ms);
    parts.method = SLICE("POST");
    parts.path = parts.route;
    parts.content_type = SLICE("application/json");
    parts.remote_ip = SLICE("127.0.0.1");
    parts.verified = SLICE("none");
    parts.received_ms = now_ms;
    must(event_new(&parts, &event) == OK && event_index(event, &error) == OK, "an event");
    return event;
}

pthread_t start_thread(size_t stack_bytes, void *(*run)(void *), void *arg)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_attr_setguardsize(&attributes, GUARD_BYTES);
    must(pthread_create(&thread, &attributes, run, arg) == 0, "a thread");
    pthread_attr_destroy(&attributes);
    return thread;
}

/* ---- one worker ---- */

uv_loop_t loop;
struct uuid_maker ids;
struct generation *generation;
struct script *script;
uint32_t abandonments;
void (*configure)(struct script_config *config);
struct store *rules_store;
struct handoff *rules_handoff;
uint32_t rules_reads;
static struct watchdog_slot *slot;

void fresh_state(void)
{
    struct script_config config = { .loop = &loop,
                                    .generation = generation,
                                    .ids = &ids,
                                    .workers = 1,
                                    .slot = slot,
                                    .store = rules_store,
                                    .handoff = rules_handoff,
                                    .reads = &rules_reads };
    if (configure)
        configure(&config);
    script_free(script);
    script = load_state(&config);
}

void use_rules(const char *a)
{
    generation_unref(generation);
    generation = load_rules(a);
    fresh_state();
}

struct end {
    struct outcome *outcome;
    bool came;
};

static void on_done(struct run *run, struct outcome *outcome)
{
    *(struct end *)run->owner = (struct end){ outcome, true };
}

enum run_state run_to_end(struct event *event, struct outcome **outcome)
{
    struct end end = { 0 };
    struct run run = { .event = event, .route = generation_route(generation, event->route), .on_done = on_done, .owner = &end };
    enum run_state state = script_run(script, &run);
    for (uint64_t end_ms = clock_mono_ms() + DEADLINE_MS; !end.came && clock_mono_ms() < end_ms;)
        uv_run(&loop, UV_RUN_ONCE);
    must(end.came, "a run does not end");
    if (script_is_abandoned(script)) {
        abandonments++;
        fresh_state();
    }
    *outcome = end.outcome;
    return state;
}

static void *on_thread(void *arg)
{
    void (*test)(void) = *(void (**)(void))arg;
    uv_loop_init(&loop);
    uuid_maker_init(&ids);
    slot = watchdog_slot_new();
    test();
    script_free(script);
    script = NULL;
    generation_unref(generation);
    generation = NULL;
    uv_run(&loop, UV_RUN_DEFAULT);
    watchdog_slot_free(slot);
    must(uv_loop_close(&loop) == 0, "something is left on the loop");
    return NULL;
}

void as_worker(void (*test)(void))
{
    static bool ready;
    if (!ready)
        abandon_setup();
    ready = true;
    must(watchdog_start() == OK, "a watchdog");
    pthread_join(start_thread(WORKER_STACK_BYTES, on_thread, &test), NULL);
    watchdog_stop();
}
