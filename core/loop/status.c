#include "loop/status.h"

#include <unistd.h>

#include "base/clock.h"

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

static void write_problem(struct buf *out, bool *any, const char *severity, struct slice name, const char *what, const char *cure)
{
    struct buf text;
    buf_init(&text, 1 << 12);
    buf_add_slice(&text, name);
    buf_add_text(&text, what);
    buf_addf(out, "%s{\"severity\":\"%s\",\"what\":", *any ? "," : "", severity);
    buf_add_json_string(out, buf_slice(&text));
    buf_add_text(out, ",\"cure\":");
    buf_add_json_string(out, slice_of(cure));
    buf_add_byte(out, '}');
    buf_deinit(&text);
    *any = true;
}

static void write_problems(const struct status *status, struct buf *out)
{
    const struct generation *rules = status->rules;
    bool any = false;
    if (status->store && !store_accepts(status->store))
        write_problem(out, &any, "error", SLICE("the disk"), " is full: new events are answered 503",
                      "make room on the disk of the store");
    if (status->runs_kept_rules)
        write_problem(out, &any, "error", SLICE("the rule files"), " have mistakes: the last good rules run",
                      "tidewire check, mend, tidewire reload");
    for (size_t i = 0; rules && i < rules->target_count; i++)
        if (rules->targets[i].records)
            write_problem(out, &any, "warning", rules->targets[i].name, " records its messages and sends nothing",
                          "set the secret of this target and start again");
}

void status_write(const struct status *status, struct buf *out)
{
    const struct generation *rules = status->rules;
    buf_addf(
        out,
        "{\"version\":\"%s\",\"pid\":%d,\"uptime_s\":%llu,\"restarts\":%u,\"ready\":%s,\"generation\":%u,\"rules_hash\":\"%s\",",
        TIDEWIRE_VERSION, (int)getpid(), (unsigned long long)((clock_mono_ms() - status->started_ms) / 1000), status->restarts,
        status->ready ? "true" : "false", rules ? rules->number : 0, rules ? rules->hash : "");
    buf_add_text(out, "\"folder\":");
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
    write_problems(status, out);
    buf_add_text(out, "],\"workers\":[");
    for (size_t i = 0; status->workers && i < status->worker_count; i++) {
        buf_add_text(out, i ? "," : "");
        buf_add_slice(out, status->workers[i]->len ? buf_slice(status->workers[i]) : SLICE("null"));
    }
    buf_add_text(out, "]}");
}
