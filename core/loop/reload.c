#include "loop/reload.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/changes.h"

enum { REPORT_MAX = 1 << 20, ASKERS_MAX = 64 };

struct asker {
    reload_done done;
    void *arg;
};

struct reload {
    struct reload_config config;
    struct generation *current;  /* counted */
    struct generation *building; /* counted; NULL: idle */
    uint32_t numbers;            /* generations so far */
    uint32_t still_building;     /* workers */
    char worker_error[512];
    uint64_t began_ms;
    struct asker askers[ASKERS_MAX]; /* of the present one, then of the next */
    size_t asker_count, next_count;
    bool again, failed;
    char wanted[65]; /* the hash that the next load has to find; "": any */
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

static void add_clock(struct buf *out)
{
    char text[16];
    struct tm now;
    time_t seconds = (time_t)(clock_wall_ms() / 1000);
    localtime_r(&seconds, &now);
    strftime(text, sizeof(text), "%H:%M:%S", &now);
    buf_addf(out, "%s ", text);
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
    buf_addf(&reload->text, "\nThe running rules were kept (generation %u). Nothing was changed.\n", reload->current->number);
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
    buf_addf(&reload->text, "✗ not loaded by every worker: %s\n", reload->worker_error);
    write_json(reload, false, NULL);
    say(reload, false);
}

static void say_loaded(struct reload *reload, const struct generation *before)
{
    buf_clear(&reload->text);
    add_clock(&reload->text);
    buf_addf(&reload->text, "✓ generation %u in %llu ms", reload->current->number,
             (unsigned long long)(clock_mono_ms() - reload->began_ms));
    changes_write(before, reload->current, &reload->text);
    buf_add_byte(&reload->text, '\n');
    write_json(reload, true, NULL);
    say(reload, true);
}

/* ---- the steps ---- */

static bool is_still(const struct reload *reload, const char *wanted)
{
    char hash[65];
    return load_hash(reload->config.options.folder, hash) == OK && strcmp(hash, wanted) == 0;
}

static void begin(struct reload *reload)
{
    struct load_report report;
    struct generation *generation;
    reload->began_ms = clock_mono_ms();
    if (reload->wanted[0] && !is_still(reload, reload->wanted))
        return;
    enum result rc = load_generation(&reload->config.options, &generation, &report);
    if (rc != OK) {
        say_mistakes(reload, &report);
    } else if (reload->wanted[0] && strcmp(generation->hash, reload->wanted) != 0) {
        generation_unref(generation); /* written to between two reads: the folder's watcher comes again */
    } else if (strcmp(generation->hash, reload->current->hash) == 0) {
        if (!reload->wanted[0])
            say_unchanged(reload);
        generation_unref(generation);
    } else {
        generation->number = ++reload->numbers;
        reload->building = generation;
        reload->still_building = reload->config.worker_count;
        reload->worker_error[0] = '\0';
        for (uint32_t i = 0; i < reload->config.worker_count; i++)
            worker_load(reload->config.workers[i], generation);
    }
    load_report_deinit(&report);
}

static void run_waiting(struct reload *reload)
{
    while (reload->again && !reload->building) {
        reload->again = false;
        begin(reload);
    }
}

void reload_ask(struct reload *reload, reload_done done, void *arg)
{
    bool busy = reload->building != NULL;
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
    buf_clear(&reload->text);
    if (rc != OK) {
        load_report_print(&report, &reload->text, false);
    } else {
        if (strcmp(generation->hash, reload->current->hash) == 0)
            buf_add_text(&reload->text, "nothing would change");
        else
            changes_write(reload->current, generation, &reload->text);
        buf_add_byte(&reload->text, '\n');
    }
    write_json(reload, rc == OK, &report);
    done(arg, &(struct reload_result){ rc == OK, buf_slice(&reload->text), buf_slice(&reload->json) });
    generation_unref(generation);
    load_report_deinit(&report);
}

bool reload_failed(const struct reload *reload)
{
    return reload->failed;
}

void reload_ask_for(struct reload *reload, const char *hash)
{
    if (!reload->again) /* else somebody wants whatever is there, and that includes this */
        snprintf(reload->wanted, sizeof(reload->wanted), "%s", hash);
    reload->again = true;
    run_waiting(reload);
}

void reload_forget(struct reload *reload, void *arg)
{
    for (size_t i = 0; i < reload->asker_count + reload->next_count; i++)
        if (reload->askers[i].arg == arg)
            reload->askers[i].done = NULL;
}

void reload_on_worker(struct reload *reload, const struct worker_notice *notice)
{
    if (notice->generation != reload->building)
        return; /* a state that was abandoned has been made anew */
    if (notice->error[0])
        memcpy(reload->worker_error, notice->error, sizeof(reload->worker_error));
    if (--reload->still_building > 0)
        return;
    struct generation *before = reload->current;
    reload->current = reload->building;
    reload->building = NULL;
    if (reload->worker_error[0])
        say_worker_failed(reload);
    else
        say_loaded(reload, before);
    reload->config.on_loaded(reload->config.arg, reload->current);
    generation_unref(before);
    run_waiting(reload);
}
