#include "loop/screen.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { SCREEN_MAX = 1 << 20, PATHS_SHOWN = 8 };

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void add_head(struct buf *out, const struct config *config, const struct generation *generation)
{
    char rules[PATH_MAX];
    (void)rule_files_folder(&(struct rules_place){ .folder = config->folder }, rules, sizeof(rules));
    const char *shown = strncmp(rules, "./", 2) == 0 ? rules + 2 : rules;
    const char *store = strncmp(config->store, "./", 2) == 0 ? config->store + 2 : config->store;
    buf_addf(out, "tidewire %s · %s (%zu file%s, %zu route%s, %zu target%s) · store %s\n", TIDEWIRE_VERSION, shown,
             generation->file_count, plural(generation->file_count), generation->route_count, plural(generation->route_count),
             generation->target_count, plural(generation->target_count), store);
}

static void add_addresses(struct buf *out, const char (*listen)[64], size_t listen_count, const struct generation *generation)
{
    for (size_t i = 0; i < listen_count; i++) {
        buf_addf(out, "  %-9s http://%s", i == 0 ? "webhooks" : "", listen[i]);
        for (size_t j = 0; i == 0 && j < generation->route_count && j < PATHS_SHOWN; j++)
            buf_addf(out, "%s%.*s", j == 0 ? "" : "  ", SLICE_ARGS(generation->routes[j].path));
        if (i == 0 && generation->route_count > PATHS_SHOWN)
            buf_addf(out, "  and %zu more", generation->route_count - PATHS_SHOWN);
        buf_add_byte(out, '\n');
    }
    if (generation->route_count == 0)
        buf_add_text(out, "  ! no route yet: write one into a .lua file here; every request is answered 404\n");
}

static bool is_set(const struct generation *generation, struct slice name)
{
    struct slice value;
    return generation_secret((void *)generation, name, &value);
}

/* The name of a secret without which nothing can be verified; data NULL: there is none. */
static struct slice lacks_secret(const struct generation *generation, const struct verify *verify)
{
    bool any = verify->secret_count == 0 || verify->public_key_count > 0;
    for (size_t i = 0; i < verify->secret_count; i++)
        any = any || is_set(generation, verify->secrets[i]);
    if (!any)
        return verify->secrets[0];
    return verify->also ? lacks_secret(generation, verify->also) : (struct slice){ NULL, 0 };
}

static void add_missing(struct buf *out, const struct generation *generation)
{
    for (size_t i = 0; i < generation->target_count; i++)
        if (generation->targets[i].records)
            buf_addf(out, "  ! target %.*s: a secret is not set, so it records its messages and sends nothing\n",
                     SLICE_ARGS(generation->targets[i].name));
    for (size_t i = 0; i < generation->route_count; i++) {
        struct slice lacks = lacks_secret(generation, &generation->routes[i].verify);
        if (lacks.data)
            buf_addf(out, "  ! route %.*s answers 503 until its secret %.*s is set\n", SLICE_ARGS(generation->routes[i].path),
                     SLICE_ARGS(lacks));
    }
}

static void add_try(struct buf *out, const struct generation *generation)
{
    for (size_t i = 0; i < generation->route_count; i++) {
        struct slice provider = generation->routes[i].provider;
        if (!slice_is(provider, "github") && !slice_is(provider, "standard"))
            continue;
        buf_addf(out, "Try:  tidewire send %.*s %s\n", SLICE_ARGS(generation->routes[i].path),
                 slice_is(provider, "github") ? "push" : "invoice.paid");
        return;
    }
}

void screen_start(const struct config *config, const char (*listen)[64], size_t listen_count, const struct generation *generation,
                  const struct load_report *report, uint64_t took_ms)
{
    struct buf out;
    struct tm now;
    char clock[16];
    time_t seconds = (time_t)(clock_wall_ms() / 1000);
    buf_init(&out, SCREEN_MAX);
    add_head(&out, config, generation);
    add_addresses(&out, listen, listen_count, generation);
    add_missing(&out, generation);
    load_report_print(report, &out, config->colour);
    if (getuid() == 0)
        buf_add_text(&out, "  ! running as root: give it a user of its own\n");
    add_try(&out, generation);
    localtime_r(&seconds, &now);
    strftime(clock, sizeof(clock), "%H:%M:%S", &now);
    buf_addf(&out, "%s rules loaded (generation %u) in %llu ms%s\n", clock, generation->number, (unsigned long long)took_ms,
             config->watch ? " · watching the folder" : "");
    fwrite(out.data, 1, out.len, stdout);
    fflush(stdout);
    buf_deinit(&out);
}
