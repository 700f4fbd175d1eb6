#include "loop/status.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "observe/counts.h"
#include "observe/histogram.h"
#include "observe/name_table.h"

enum { STATUS_MAX = 16 << 20 };

/* One question on its way: every worker's counts, then what waits in the store. */
struct ask {
    struct status status;
    enum status_form form;
    void (*done)(void *arg, struct slice text);
    void *arg;
    uint32_t missing; /* workers that have not answered */
    bool asked_workers;
    struct store_read_backlog backlog;
    struct backlog_target *targets; /* owned; of metrics: those of the rules */
    struct handed handed;
    struct worker_counts counts[];
};

/* ---- as JSON ---- */

static void write_store(const struct status *status, struct buf *out)
{
    struct store_stats stats;
    store_stats(status->store, &stats);
    buf_addf(out,
             "{\"commits\":%llu,\"events\":%llu,\"results\":%llu,\"batch_largest\":%llu,\"wal_bytes\":%llu,\"file_bytes\":%llu,"
             "\"disk_full\":%s}",
             (unsigned long long)stats.commits, (unsigned long long)stats.events, (unsigned long long)stats.results,
             (unsigned long long)stats.batch_largest, (unsigned long long)stats.wal_bytes, (unsigned long long)stats.file_bytes,
             stats.disk_full ? "true" : "false");
}

/* What is wrong: `what` as a sentence, `where` as file, `command` as a line to paste; "" where there is none. */
struct problem {
    const char *severity;
    struct slice what, where;
    const char *cure, *command;
    uint64_t since_ms; /* wall clock; 0: not known */
};

struct problems {
    struct buf *out;
    bool any;
};

static void add_problem(struct problems *problems, const struct problem *problem)
{
    struct buf *out = problems->out;
    buf_addf(out, "%s{\"severity\":\"%s\",\"what\":", problems->any ? "," : "", problem->severity);
    buf_add_json_string(out, problem->what);
    if (problem->since_ms) {
        char since[CLOCK_ISO_SIZE];
        clock_iso(problem->since_ms, since);
        buf_addf(out, ",\"since\":\"%s\"", since);
    }
    if (problem->where.len) {
        buf_add_text(out, ",\"where\":");
        buf_add_json_string(out, problem->where);
    }
    buf_add_text(out, ",\"cure\":");
    buf_add_json_string(out, slice_of(problem->cure));
    if (problem->command) {
        buf_add_text(out, ",\"command\":");
        buf_add_json_string(out, slice_of(problem->command));
    }
    buf_add_byte(out, '}');
    problems->any = true;
}

/* before NAME between DETAIL after */
static struct slice sentence(struct buf *text, const char *before, struct slice name, const char *between, const char *detail,
                             const char *after)
{
    buf_clear(text);
    buf_add_text(text, before);
    buf_add_slice(text, name);
    buf_add_text(text, between);
    buf_add_text(text, detail);
    buf_add_text(text, after);
    return buf_slice(text);
}

struct ward_writing {
    struct problems *problems;
    struct buf *text;
};

static void write_ward(void *arg, const struct ward *ward)
{
    struct ward_writing *writing = arg;
    const char *reason = run_reason_name(ward->reason);
    struct problem problem = { .severity = "error",
                               .where = ward->file,
                               .since_ms = ward->since_ms,
                               .cure = "mend the file: a change of it, of lib/ or of tidewire.lua ends this",
                               .command = "tidewire events --state waiting" };
    if (ward->kind == WARD_TARGET)
        problem.what = sentence(writing->text, "target ", ward->name, ": its `success` is not asked, because it cost too much (",
                                reason, ")");
    else if (ward->standing == STANDING_STORE_FIRST)
        problem.what = sentence(writing->text, "route ", ward->name,
                                " stores its events before it runs them, because the server fell in it (", reason, ")");
    else
        problem.what = sentence(writing->text, "route ", ward->name, " is on probation (", reason,
                                "): its events are stored first, and run one at a time, at most one a second");
    add_problem(writing->problems, &problem);
}

static void write_backlog_problems(const struct ask *ask, struct problems *problems, struct buf *text)
{
    const struct generation *rules = ask->status.rules;
    for (size_t i = 0; i < ask->backlog.count; i++) {
        const struct backlog_row *row = &ask->backlog.rows[i];
        char count[32];
        snprintf(count, sizeof(count), "%u", row->waiting);
        if (row->waiting && rules && !generation_route(rules, row->route))
            add_problem(problems,
                        &(struct problem){ .severity = "warning",
                                           .what = sentence(text, "no route ", row->route, ": ", count, " events wait for it"),
                                           .cure = "they run when a rule declares it again" });
    }
}

static void write_problems(const struct ask *ask, struct buf *out)
{
    const struct status *status = &ask->status;
    const struct generation *rules = status->rules;
    struct problems problems = { .out = out };
    struct buf text;
    buf_init(&text, 1 << 14);
    if (status->store && !store_accepts(status->store))
        add_problem(&problems, &(struct problem){ .severity = "error",
                                                  .what = SLICE("the disk is full: new events are answered 503"),
                                                  .cure = "make room on the disk of the store" });
    if (status->runs_kept_rules || status->last_reload_failed)
        add_problem(&problems, &(struct problem){ .severity = "error",
                                                  .what = SLICE("the rule files have mistakes: the last good rules run"),
                                                  .cure = "mend them, then reload",
                                                  .command = "tidewire check" });
    for (size_t i = 0; rules && i < rules->target_count; i++)
        if (rules->targets[i].records)
            add_problem(&problems, &(struct problem){ .severity = "warning",
                                                      .what = sentence(&text, "target ", rules->targets[i].name,
                                                                       " records its messages and sends nothing", "", ""),
                                                      .where = rules->targets[i].file,
                                                      .cure = "set the secret of this target and start again" });
    probation_each(status->probation, write_ward, &(struct ward_writing){ &problems, &text });
    write_backlog_problems(ask, &problems, &text);
    buf_deinit(&text);
}

static void write_backlog(const struct ask *ask, struct buf *out)
{
    buf_add_byte(out, '[');
    for (size_t i = 0; i < ask->backlog.count; i++) {
        const struct backlog_row *row = &ask->backlog.rows[i];
        buf_addf(out, "%s{\"route\":", i ? "," : "");
        buf_add_json_string(out, row->route);
        buf_addf(out, ",\"waiting\":%u,\"failed\":%u,\"dead\":%u}", row->waiting, row->failed, row->dead);
    }
    buf_add_byte(out, ']');
}

static unsigned long long count_without_route(const struct ask *ask)
{
    unsigned long long count = 0;
    for (size_t i = 0; i < ask->backlog.count; i++)
        if (ask->status.rules && !generation_route(ask->status.rules, ask->backlog.rows[i].route))
            count += ask->backlog.rows[i].waiting;
    return count;
}

static void write_json(const struct ask *ask, struct buf *out)
{
    const struct status *status = &ask->status;
    const struct generation *rules = status->rules;
    buf_addf(
        out,
        "{\"version\":\"%s\",\"pid\":%d,\"uptime_s\":%llu,\"restarts\":%u,\"ready\":%s,\"generation\":%u,\"rules_hash\":\"%s\","
        "\"abandoned_states\":%u,\"folder\":",
        TIDEWIRE_VERSION, (int)getpid(), (unsigned long long)((clock_mono_ms() - status->started_ms) / 1000), status->restarts,
        status->ready ? "true" : "false", rules ? rules->number : 0, rules ? rules->hash : "", status->jumps);
    buf_add_json_string(out, slice_of(status->folder));
    buf_add_text(out, ",\"listen\":[");
    for (size_t i = 0; i < status->listen_count; i++)
        buf_addf(out, "%s\"%s\"", i ? "," : "", status->listen[i]);
    buf_add_text(out, "],\"store\":");
    if (status->store)
        write_store(status, out);
    else
        buf_add_text(out, "null");
    buf_add_text(out, ",\"problems\":[");
    write_problems(ask, out);
    buf_add_text(out, "],\"events\":");
    write_backlog(ask, out);
    buf_addf(out, ",\"without_route\":%llu,\"workers\":[", count_without_route(ask));
    for (uint32_t i = 0; ask->asked_workers && i < status->worker_count; i++) {
        buf_add_text(out, i ? "," : "");
        buf_add_slice(out, ask->counts[i].json.len ? buf_slice(&ask->counts[i].json) : SLICE("null"));
    }
    buf_add_text(out, "]}");
}

/* ---- as metrics ---- */

static void write_gauge(struct buf *out, const char *name, const char *help, double value)
{
    buf_addf(out, "# HELP tidewire_%s %s\n# TYPE tidewire_%s gauge\ntidewire_%s %.15g\n", name, help, name, name, value);
}

static void write_store_bytes(struct store *store, struct buf *out)
{
    struct store_stats stats;
    store_stats(store, &stats);
    write_gauge(out, "store_bytes", "The store's files.", (double)stats.file_bytes + (double)stats.wal_bytes);
}

static void write_waiting(const struct ask *ask, struct buf *out)
{
    uint64_t now_ms = clock_wall_ms();
    metric_head(out, "deliveries_waiting", "gauge", "Messages that have not ended, those that are under way too.");
    for (size_t i = 0; i < ask->backlog.target_count; i++) {
        const struct backlog_target *target = &ask->targets[i];
        metric_begin(out, "deliveries_waiting", "target", target->name);
        buf_addf(out, ",state=\"waiting\"} %u\n", target->waiting);
    }
    metric_head(out, "deliveries_oldest_waiting_seconds", "gauge", "How long the oldest of these could have gone.");
    for (size_t i = 0; i < ask->backlog.target_count; i++) {
        const struct backlog_target *target = &ask->targets[i];
        uint64_t oldest_ms = target->oldest_ms;
        metric_begin(out, "deliveries_oldest_waiting_seconds", "target", target->name);
        buf_addf(out, "} %g\n", oldest_ms && oldest_ms < now_ms ? (double)(now_ms - oldest_ms) / 1e3 : 0);
    }
}

static void write_metrics(const struct ask *ask, struct buf *out)
{
    const struct status *status = &ask->status;
    struct counts *sum = counts_new();
    for (uint32_t i = 0; ask->asked_workers && i < status->worker_count; i++)
        if (ask->counts[i].copy)
            counts_add(sum, ask->counts[i].copy);
    counts_write_metrics(sum, out);
    counts_free(sum);
    buf_add_text(out,
                 "# HELP tidewire_lua_memory_bytes Memory of a worker's Lua states.\n# TYPE tidewire_lua_memory_bytes gauge\n");
    for (uint32_t i = 0; ask->asked_workers && i < status->worker_count; i++)
        buf_addf(out, "tidewire_lua_memory_bytes{worker=\"%u\"} %llu\n", i, (unsigned long long)ask->counts[i].lua_memory);
    write_gauge(out, "rules_generation", "Number of the rules in force.", status->rules ? status->rules->number : 0);
    write_gauge(out, "rules_reload_success", "1: the last load of the rules went well.",
                status->runs_kept_rules || status->last_reload_failed ? 0 : 1);
    write_gauge(out, "rules_last_reload_timestamp_seconds", "When the rules in force were loaded.",
                status->rules ? (double)status->rules->loaded_ms / 1e3 : 0);
    if (status->store)
        write_store_bytes(status->store, out);
    metric_head(out, "events_waiting", "gauge", "Events that are not handled yet.");
    for (size_t i = 0; i < ask->backlog.count; i++) {
        metric_begin(out, "events_waiting", "route", ask->backlog.rows[i].route);
        buf_addf(out, "} %u\n", ask->backlog.rows[i].waiting);
    }
    write_waiting(ask, out);
    buf_addf(out,
             "# HELP tidewire_build_info The version.\n# TYPE tidewire_build_info gauge\ntidewire_build_info{version=\"%s\"} 1\n",
             TIDEWIRE_VERSION);
}

/* ---- bringing it together ---- */

static void finish(struct ask *ask)
{
    struct buf out;
    buf_init(&out, STATUS_MAX);
    if (ask->form == STATUS_JSON)
        write_json(ask, &out);
    else
        write_metrics(ask, &out);
    ask->done(ask->arg, buf_slice(&out));
    buf_deinit(&out);
    for (uint32_t i = 0; ask->asked_workers && i < ask->status.worker_count; i++) {
        buf_deinit(&ask->counts[i].json);
        counts_free(ask->counts[i].copy);
    }
    store_read_free(&ask->backlog.op);
    mem_free(ask->targets);
    generation_unref(ask->status.rules);
    mem_free(ask);
}

static void on_backlog(struct handed *handed)
{
    finish((struct ask *)((char *)handed - offsetof(struct ask, handed)));
}

/* Reader thread. */
static void on_backlog_read(struct store_op *op)
{
    struct ask *ask = op->owner;
    ask->handed.run = on_backlog;
    if (handoff_send(ask->status.handoff, &ask->handed) != OK)
        return; /* main has ended, and with it the process */
}

/* Metrics tell what waits for each. */
static void name_targets(struct ask *ask)
{
    const struct generation *rules = ask->status.rules;
    if (ask->form != STATUS_METRICS || !rules)
        return;
    size_t count = rules->target_count < NAME_TABLE_MAX ? rules->target_count : NAME_TABLE_MAX;
    ask->backlog.targets = ask->targets = mem_new((count + 1) * sizeof(*ask->targets));
    ask->backlog.target_count = count;
    for (size_t i = 0; i < count; i++)
        ask->targets[i] = (struct backlog_target){ .name = rules->targets[i].name };
}

static void ask_store(struct ask *ask)
{
    name_targets(ask);
    ask->backlog.op = (struct store_op){ .kind = STORE_READ_BACKLOG, .on_done = on_backlog_read, .owner = ask };
    if (!ask->status.store || !ask->status.ready || !store_submit_read(ask->status.store, &ask->backlog.op))
        finish(ask);
}

static void on_counts(struct worker_counts *counts)
{
    struct ask *ask = counts->owner;
    if (--ask->missing == 0)
        ask_store(ask);
}

void status_ask(const struct status *status, enum status_form form, void (*done)(void *arg, struct slice text), void *arg)
{
    struct ask *ask = mem_new(sizeof(*ask) + status->worker_count * sizeof(ask->counts[0]));
    *ask = (struct ask){ .status = *status, .form = form, .done = done, .arg = arg, .missing = status->worker_count };
    ask->asked_workers = status->workers && status->worker_count > 0;
    if (status->rules)
        (void)generation_ref(status->rules); /* others may be in force by the time of the answer */
    if (!ask->asked_workers) {
        ask_store(ask);
        return;
    }
    for (uint32_t i = 0; i < status->worker_count; i++) {
        ask->counts[i].on_done = on_counts;
        ask->counts[i].owner = ask;
    }
    for (uint32_t i = 0; i < status->worker_count; i++)
        worker_ask_counts(status->workers[i], &ask->counts[i]);
}
