#include "loop/reload.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/gate.h"
#include "loop/changes.h"
#include "super/inherited.h"

enum { REPORT_MAX = 1 << 20, ASKERS_MAX = 64, GONE_MAX = 64 };

struct asker {
    reload_done done;
    void *arg;
};

struct reload {
    struct reload_config config;
    struct generation *current;  /* counted */
    struct generation *building; /* counted; NULL: idle */
    uint32_t numbers;            /* generations so far */
    bool ready[WORKERS_MAX];     /* which workers have said how they got on with it */
    uint32_t still_building;     /* workers */
    bool taking_back;            /* `building` is what runs: a worker could not build the newer one */
    char worker_error[512];
    uint64_t began_ms;
    struct asker askers[ASKERS_MAX]; /* of the present one, then of the next */
    size_t asker_count, next_count;
    bool again, failed;
    bool telling; /* new rules are in force, and their report is being made */
    uint64_t took_ms;
    char wanted[65];  /* the hash that the next load has to find; "": any */
    char refused[65]; /* the hash that was refused last; "": what is there was loaded since */
    struct buf text, json;
};

struct reload *reload_new(const struct reload_config *config, struct generation *first)
{
    struct reload *reload = MEM_NEW(struct reload);
    reload->config = *config;
    reload->current = generation_ref(first);
    reload->numbers = first->number;
    buf_init(&reload->text, REPORT_MAX);
    buf_init(&reload->json, REPORT_MAX);
    return reload;
}

void reload_free(struct reload *reload)
{
    generation_unref(reload->current);
    generation_unref(reload->building);
    buf_deinit(&reload->text);
    buf_deinit(&reload->json);
    mem_free(reload);
}

struct generation *reload_current(const struct reload *reload)
{
    return reload->current;
}

/* ---- what is said ---- */

static void add_time(struct buf *out, uint64_t wall_ms)
{
    char text[16];
    struct tm local;
    time_t seconds = (time_t)(wall_ms / 1000);
    localtime_r(&seconds, &local);
    strftime(text, sizeof(text), "%H:%M:%S", &local);
    buf_add_text(out, text);
}

static void add_clock(struct buf *out)
{
    add_time(out, clock_wall_ms());
    buf_add_byte(out, ' ');
}

static void say(struct reload *reload, bool loaded)
{
    struct reload_result result = { loaded, buf_slice(&reload->text), buf_slice(&reload->json) };
    size_t count = reload->asker_count;
    reload->failed = !loaded;
    ssize_t written = write(STDOUT_FILENO, reload->text.data, reload->text.len);
    (void)written; /* a closed screen stops nothing */
    LOG(loaded ? LOG_INFO : LOG_WARN, loaded ? "rules loaded" : "rules not loaded", LOG_I("generation", reload->current->number));
    for (size_t i = 0; i < count; i++)
        if (reload->askers[i].done)
            reload->askers[i].done(reload->askers[i].arg, &result);
    memmove(reload->askers, reload->askers + count, reload->next_count * sizeof(reload->askers[0]));
    reload->asker_count = reload->next_count;
    reload->next_count = 0;
}

static void write_json(struct reload *reload, bool loaded, const struct load_report *report)
{
    buf_clear(&reload->json);
    buf_addf(&reload->json, "{\"loaded\":%s,\"generation\":%u,\"problems\":", loaded ? "true" : "false", reload->current->number);
    if (report)
        load_report_json(report, &reload->json);
    else
        buf_add_text(&reload->json, "[]");
    buf_add_text(&reload->json, ",\"report\":");
    buf_add_json_string(&reload->json, buf_slice(&reload->text));
    buf_add_byte(&reload->json, '}');
}

static void say_mistakes(struct reload *reload, const struct load_report *report)
{
    buf_clear(&reload->text);
    add_clock(&reload->text);
    buf_addf(&reload->text, "✗ not loaded, generation %u keeps running\n", reload->current->number);
    load_report_print(report, &reload->text, false);
    buf_addf(&reload->text, "\nThe running rules were kept (generation %u, loaded ", reload->current->number);
    add_time(&reload->text, reload->current->loaded_ms);
    buf_add_text(&reload->text, "). Nothing was changed.\n");
    write_json(reload, false, report);
    say(reload, false);
}

static void say_unchanged(struct reload *reload)
{
    buf_clear(&reload->text);
    add_clock(&reload->text);
    buf_addf(&reload->text, "✓ nothing has changed, generation %u keeps running\n", reload->current->number);
    write_json(reload, true, NULL);
    say(reload, true);
}

static void say_worker_failed(struct reload *reload)
{
    buf_clear(&reload->text);
    add_clock(&reload->text);
    buf_addf(&reload->text, "✗ not loaded by every worker, generation %u keeps running\n         %s\n", reload->current->number,
             reload->worker_error);
    write_json(reload, false, NULL);
    say(reload, false);
}

static void say_loaded(struct reload *reload, const struct generation *before, const struct store_read_backlog *backlog)
{
    buf_clear(&reload->text);
    add_clock(&reload->text);
    buf_addf(&reload->text, "✓ generation %u in %llu ms", reload->current->number, (unsigned long long)reload->took_ms);
    changes_write(before, reload->current, backlog, &reload->text);
    buf_add_byte(&reload->text, '\n');
    changes_offer(before, reload->current, backlog, &reload->text);
    write_json(reload, true, NULL);
    say(reload, true);
}

static void say_would(struct reload *reload, const struct generation *after, const struct store_read_backlog *backlog,
                      reload_done done, void *arg)
{
    buf_clear(&reload->text);
    if (strcmp(after->hash, reload->current->hash) == 0)
        buf_add_text(&reload->text, "nothing would change");
    else
        changes_write(reload->current, after, backlog, &reload->text);
    buf_add_byte(&reload->text, '\n');
    write_json(reload, true, NULL);
    done(arg, &(struct reload_result){ true, buf_slice(&reload->text), buf_slice(&reload->json) });
}

/* ---- what waits in the store belongs to the report ---- */

struct asking {
    struct reload *reload;
    struct generation *before, *after; /* counted */
    reload_done done;                  /* of a check; NULL: `after` is in force */
    void *arg;
    struct backlog_target gone[GONE_MAX];
    struct store_read_backlog backlog;
    struct handed handed;
};

static void run_waiting(struct reload *reload);

static void on_backlog(struct handed *handed)
{
    struct asking *asking = (struct asking *)((char *)handed - offsetof(struct asking, handed));
    struct reload *reload = asking->reload;
    if (asking->done) {
        say_would(reload, asking->after, &asking->backlog, asking->done, asking->arg);
    } else {
        reload->telling = false;
        say_loaded(reload, asking->before, &asking->backlog);
    }
    store_read_free(&asking->backlog.op);
    generation_unref(asking->before);
    generation_unref(asking->after);
    mem_free(asking);
    run_waiting(reload);
}

/* Reader thread. */
static void on_backlog_read(struct store_op *op)
{
    struct asking *asking = op->owner;
    asking->handed.run = on_backlog;
    if (handoff_send(asking->reload->config.handoff, &asking->handed) != OK)
        return; /* main has ended, and with it the process */
}

/* Takes the reference to before; goes on in say_loaded or say_would. */
static void ask_backlog(struct reload *reload, struct generation *before, struct generation *after, reload_done done, void *arg)
{
    struct asking *asking = MEM_NEW(struct asking);
    *asking = (struct asking){ .reload = reload, .before = before, .after = generation_ref(after), .done = done, .arg = arg };
    asking->backlog = (struct store_read_backlog){
        .op = { .kind = STORE_READ_BACKLOG, .on_done = on_backlog_read, .owner = asking },
        .targets = asking->gone,
        .target_count = changes_gone(before, after, asking->gone, GONE_MAX),
    };
    if (!store_submit_read(reload->config.store, &asking->backlog.op))
        on_backlog(&asking->handed); /* too much is being read: the report does without */
}

/* ---- the steps ---- */

/* Takes the reference. */
static void build(struct reload *reload, struct generation *generation)
{
    reload->building = generation;
    reload->still_building = reload->config.worker_count;
    memset(reload->ready, 0, sizeof(reload->ready));
    for (uint32_t i = 0; i < reload->config.worker_count; i++)
        worker_load(reload->config.workers[i], generation);
}

static void begin(struct reload *reload)
{
    struct load_report report;
    struct generation *generation;
    reload->began_ms = clock_mono_ms();
    enum result rc = load_generation(&reload->config.options, &generation, &report);
    if (reload->wanted[0] && strcmp(report.hash, reload->wanted) != 0) {
        generation_unref(generation); /* written to since: the folder's watcher comes again */
    } else if (rc != OK) {
        memcpy(reload->refused, report.hash, sizeof(report.hash));
        say_mistakes(reload, &report);
    } else if (strcmp(generation->hash, reload->current->hash) == 0) {
        reload->refused[0] = '\0';
        if (!reload->wanted[0] || reload->failed)
            say_unchanged(reload);
        generation_unref(generation);
    } else {
        reload->refused[0] = '\0';
        reload->worker_error[0] = '\0';
        generation->number = ++reload->numbers;
        gates_carry(reload->current, generation);
        build(reload, generation);
    }
    load_report_deinit(&report);
}

static void run_waiting(struct reload *reload)
{
    while (reload->again && !reload->building && !reload->telling) {
        reload->again = false;
        begin(reload);
    }
}

void reload_ask(struct reload *reload, reload_done done, void *arg)
{
    bool busy = reload->building || reload->telling;
    if (done && reload->asker_count + reload->next_count == ASKERS_MAX) {
        struct reload_result result = { false, SLICE("too many ask for a reload at once\n"), SLICE("{}") };
        done(arg, &result);
        return;
    }
    if (done) {
        reload->askers[reload->asker_count + reload->next_count] = (struct asker){ done, arg };
        if (busy)
            reload->next_count++;
        else
            reload->asker_count++;
    }
    reload->again = true;
    reload->wanted[0] = '\0';
    run_waiting(reload);
}

void reload_check(struct reload *reload, reload_done done, void *arg)
{
    struct load_report report;
    struct generation *generation;
    enum result rc = load_generation(&reload->config.options, &generation, &report);
    if (rc == OK) {
        ask_backlog(reload, generation_ref(reload->current), generation, done, arg);
    } else {
        buf_clear(&reload->text);
        load_report_print(&report, &reload->text, false);
        write_json(reload, false, &report);
        done(arg, &(struct reload_result){ false, buf_slice(&reload->text), buf_slice(&reload->json) });
    }
    generation_unref(generation);
    load_report_deinit(&report);
}

bool reload_failed(const struct reload *reload)
{
    return reload->failed;
}

/* What was refused already, or runs already. What runs is news where a mistake was taken back: that is said, and when the same
 * mistake comes again, it is said again. */
static bool is_known(const struct reload *reload, const char *hash)
{
    const struct generation *newest = reload->building ? reload->building : reload->current;
    bool is_mended = reload->failed || reload->taking_back;
    return strcmp(hash, newest->hash) == 0 ? !is_mended : strcmp(hash, reload->refused) == 0;
}

void reload_ask_for(struct reload *reload, const char *hash)
{
    if (reload->again && !reload->wanted[0])
        return; /* somebody wants whatever is there, and that includes this */
    reload->again = !is_known(reload, hash);
    snprintf(reload->wanted, sizeof(reload->wanted), "%s", hash);
    run_waiting(reload);
}

void reload_forget(struct reload *reload, void *arg)
{
    for (size_t i = 0; i < reload->asker_count + reload->next_count; i++)
        if (reload->askers[i].arg == arg)
            reload->askers[i].done = NULL;
}

static void put_in_force(struct reload *reload)
{
    struct generation *before = reload->current;
    reload->current = reload->building;
    reload->building = NULL;
    reload->telling = true;
    reload->took_ms = clock_mono_ms() - reload->began_ms;
    reload->config.on_loaded(reload->config.arg, reload->current);
    ask_backlog(reload, before, reload->current, NULL, NULL);
}

/* Some worker could not build it, others run it: all go back to the former one, so that no two ever run different rules. */
static void take_back(struct reload *reload)
{
    memcpy(reload->refused, reload->building->hash, sizeof(reload->refused));
    generation_unref(reload->building);
    reload->taking_back = true;
    build(reload, generation_ref(reload->current));
}

static void on_taken_back(struct reload *reload)
{
    generation_unref(reload->building);
    reload->building = NULL;
    reload->taking_back = false;
    say_worker_failed(reload);
}

void reload_on_worker(struct reload *reload, const struct worker_notice *notice)
{
    bool *ready = &reload->ready[worker_index(notice->worker)];
    if (notice->generation != reload->building || *ready)
        return; /* a state that was abandoned has been made anew */
    *ready = true;
    if (notice->error[0] && !reload->worker_error[0])
        memcpy(reload->worker_error, notice->error, sizeof(reload->worker_error));
    if (--reload->still_building > 0)
        return;
    if (reload->taking_back)
        on_taken_back(reload);
    else if (reload->worker_error[0])
        take_back(reload);
    else
        put_in_force(reload);
    run_waiting(reload);
}
