#include "loop/rules.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/verify.h"

/* One generation with its state in this worker. */
struct alive {
    struct alive *next; /* older */
    struct ingest_rules view;
    struct script *script;       /* owned */
    struct verifier **verifiers; /* owned, by route index */
    bool jump_noted;
};

enum { BUILD_AGAIN_MS = 1000 };

struct rules {
    struct rules_config config;
    struct alive *newest;      /* the one in force first; NULL: none yet */
    struct alive *building;    /* owned; not in the list yet */
    struct generation *wanted; /* counted: to be built after `building`; NULL: none */
    uint64_t build_again_ms;   /* not before: monotonic */
    uv_idle_t idle;            /* runs while something is being built */
    void (*on_closed)(void *arg);
};

static void build_slice(uv_idle_t *idle);

/* ---- one generation ---- */

static void alive_free(struct alive *alive)
{
    script_free(alive->script);
    for (size_t i = 0; i < alive->view.generation->route_count; i++)
        verifier_free(alive->verifiers[i]);
    mem_free(alive->verifiers);
    generation_unref(alive->view.generation);
    mem_free(alive);
}

static enum result make_script(const struct rules *rules, struct generation *generation, struct script **out)
{
    struct script_config config = {
        .loop = rules->config.loop,
        .generation = generation,
        .ids = rules->config.ids,
        .worker = rules->config.worker,
        .workers = rules->config.workers,
        .slot = rules->config.slot,
        .store = rules->config.store,
        .handoff = rules->config.handoff,
        .reads = rules->config.reads,
        .coverage = rules->config.coverage,
        .on_ended = rules->config.on_ended,
        .fetch = rules->config.fetch,
        .fetch_cancel = rules->config.fetch_cancel,
        .on_fetched = rules->config.on_fetched,
        .on_metric = rules->config.on_metric,
        .arg = rules->config.arg,
    };
    return script_new(&config, out);
}

static struct alive *alive_new(const struct rules *rules, struct generation *generation)
{
    struct alive *alive = MEM_NEW(struct alive);
    if (make_script(rules, generation, &alive->script) != OK) {
        mem_free(alive);
        return NULL;
    }
    alive->verifiers = mem_new((generation->route_count + 1) * sizeof(*alive->verifiers));
    for (size_t i = 0; i < generation->route_count; i++)
        alive->verifiers[i] = verifier_new(&generation->routes[i].verify, generation);
    alive->view = (struct ingest_rules){ generation_ref(generation), alive->verifiers };
    return alive;
}

/* ---- building ---- */

static void start_building(struct rules *rules, struct generation *generation)
{
    rules->building = alive_new(rules, generation);
    if (!rules->building) {
        rules->config.on_ready(rules->config.arg, generation, "no memory for another Lua state");
        return;
    }
    uv_idle_start(&rules->idle, build_slice);
}

static void start_wanted(struct rules *rules)
{
    struct generation *generation = rules->wanted;
    rules->wanted = NULL;
    if (!generation)
        return;
    start_building(rules, generation);
    generation_unref(generation);
}

/* At most RULES_ALIVE_MAX: the oldest one's waits end, and their events run again by the newest rules. */
static void end_oldest(struct rules *rules)
{
    struct alive **place = &rules->newest;
    for (int n = 0; *place && n < RULES_ALIVE_MAX; n++)
        place = &(*place)->next;
    while (*place) {
        struct alive *alive = *place;
        *place = alive->next;
        alive_free(alive);
    }
}

static void put_in_force(struct rules *rules)
{
    struct alive *alive = rules->building;
    rules->building = NULL;
    alive->next = rules->newest;
    rules->newest = alive;
    rules->build_again_ms = 0;
    end_oldest(rules);
    rules->config.on_ready(rules->config.arg, alive->view.generation, NULL);
}

static void give_up(struct rules *rules)
{
    struct alive *alive = rules->building;
    rules->building = NULL;
    rules->config.on_ready(rules->config.arg, alive->view.generation, script_error(alive->script));
    alive_free(alive);
}

static void build_slice(uv_idle_t *idle)
{
    struct rules *rules = idle->data;
    enum result rc = script_load(rules->building->script, RULES_SLICE_MS);
    if (rc == ERR_FULL)
        return;
    uv_idle_stop(idle);
    if (rc == OK)
        put_in_force(rules);
    else
        give_up(rules);
    start_wanted(rules);
}

void rules_load(struct rules *rules, struct generation *generation)
{
    if (!rules->building) {
        start_building(rules, generation);
        return;
    }
    generation_unref(rules->wanted);
    rules->wanted = generation_ref(generation);
}

/* ---- what the worker asks ---- */

static bool is_usable(const struct alive *alive)
{
    return alive && !script_is_abandoned(alive->script);
}

const struct ingest_rules *rules_current(const struct rules *rules)
{
    return rules->newest ? &rules->newest->view : NULL;
}

bool rules_can_run(const struct rules *rules)
{
    return is_usable(rules->newest) && script_has_room(rules->newest->script);
}

enum run_state rules_run(struct rules *rules, struct run *run)
{
    return script_run(rules->newest->script, run);
}

void rules_cancel(struct rules *rules, struct run *run)
{
    (void)rules;
    script_cancel(run);
}

enum result rules_when(struct rules *rules, const struct route *route, struct event *event, bool on_probation, bool *holds,
                       struct script_failure *failure)
{
    return script_when(rules->newest->script, route, event, on_probation, holds, failure);
}

enum result rules_key(struct rules *rules, const struct route *route, enum key_question what, struct event *event,
                      struct slice *key, struct script_failure *failure)
{
    return script_key(rules->newest->script, route, what, event, key, failure);
}

enum result rules_success(struct rules *rules, const struct target *target, const struct script_answer *answer,
                          struct arena *arena, bool *success, struct script_failure *failure)
{
    if (!is_usable(rules->newest))
        return ERR_FULL;
    return script_success(rules->newest->script, target, answer, arena, success, failure);
}

enum result rules_tell(struct rules *rules, const struct script_notice *notice, struct script_failure *failure)
{
    return is_usable(rules->newest) ? script_tell(rules->newest->script, notice, failure) : ERR_FULL;
}

uint32_t rules_waiting(const struct rules *rules)
{
    uint32_t waiting = 0;
    for (const struct alive *alive = rules->newest; alive; alive = alive->next)
        waiting += script_waiting(alive->script);
    return waiting;
}

uint32_t rules_alive(const struct rules *rules)
{
    uint32_t count = 0;
    for (const struct alive *alive = rules->newest; alive; alive = alive->next)
        count++;
    return count;
}

uint64_t rules_memory(const struct rules *rules)
{
    uint64_t memory = 0;
    for (const struct alive *alive = rules->newest; alive; alive = alive->next)
        memory += script_memory(alive->script);
    return memory;
}

static void note_jumps(struct rules *rules)
{
    for (struct alive *alive = rules->newest; alive; alive = alive->next) {
        if (!script_was_jumped(alive->script) || alive->jump_noted)
            continue;
        alive->jump_noted = true;
        rules->config.on_jumped(rules->config.arg);
    }
}

/* A state that was lost is replaced by a fresh one of the same generation. What failed to be built is tried again each second. */
static void replace_abandoned(struct rules *rules)
{
    struct alive *lost = rules->newest;
    if (!lost || is_usable(lost) || rules->building || clock_mono_ms() < rules->build_again_ms)
        return;
    LOG(LOG_WARN, "lua state replaced", LOG_I("generation", lost->view.generation->number));
    rules->build_again_ms = clock_mono_ms() + BUILD_AGAIN_MS;
    start_building(rules, lost->view.generation);
}

void rules_sweep(struct rules *rules)
{
    note_jumps(rules);
    replace_abandoned(rules);
    struct alive **place = rules->newest ? &rules->newest->next : NULL;
    while (place && *place) {
        struct alive *alive = *place;
        if (script_waiting(alive->script) > 0) {
            place = &alive->next;
            continue;
        }
        *place = alive->next;
        alive_free(alive);
    }
}

void rules_end_waits(struct rules *rules)
{
    for (struct alive *alive = rules->newest; alive; alive = alive->next)
        script_end_waits(alive->script);
}

/* ---- life ---- */

struct rules *rules_new(const struct rules_config *config)
{
    struct rules *rules = MEM_NEW(struct rules);
    rules->config = *config;
    uv_idle_init(config->loop, &rules->idle);
    rules->idle.data = rules;
    return rules;
}

static void on_idle_closed(uv_handle_t *handle)
{
    struct rules *rules = handle->data;
    void (*on_closed)(void *) = rules->on_closed;
    void *arg = rules->config.arg;
    mem_free(rules);
    on_closed(arg);
}

void rules_free(struct rules *rules, void (*on_closed)(void *arg))
{
    if (rules->building)
        alive_free(rules->building);
    generation_unref(rules->wanted);
    while (rules->newest) {
        struct alive *next = rules->newest->next;
        alive_free(rules->newest);
        rules->newest = next;
    }
    rules->on_closed = on_closed;
    uv_close((uv_handle_t *)&rules->idle, on_idle_closed);
}
