#include "loop/kept_rules.h"

#include "base/log.h"
#include "base/mem.h"
#include "script/rule_files.h"

struct kept {
    struct store_rules rules; /* first: its link brings all of it home */
    struct handoff *handoff;
    struct generation *generation; /* counted */
    struct buf files;
};

static void on_kept(struct handed *handed)
{
    struct kept *kept = (struct kept *)handed;
    if (kept->rules.op.result != OK)
        LOG(LOG_WARN, "rules not kept", LOG_I("generation", kept->rules.number));
    generation_unref(kept->generation);
    buf_deinit(&kept->files);
    mem_free(kept);
}

/* Writer thread. */
static void on_written(struct store_op *op)
{
    struct kept *kept = op->owner;
    op->handed.run = on_kept;
    if (handoff_send(kept->handoff, &op->handed) != OK)
        on_kept(&op->handed); /* main has ended */
}

void kept_rules_write(struct store *store, struct handoff *handoff, struct generation *generation)
{
    if (!store_take_room(store, ROOM_EVENT))
        return;
    struct kept *kept = MEM_NEW(struct kept);
    buf_init(&kept->files, RULE_BYTES_MAX * 2);
    rule_files_write(generation->files, generation->file_count, &kept->files);
    kept->handoff = handoff;
    kept->generation = generation_ref(generation);
    kept->rules = (struct store_rules){
        .op = { .kind = STORE_RULES, .on_done = on_written, .owner = kept },
        .number = generation->number,
        .hash = slice_of(generation->hash),
        .loaded_ms = generation->loaded_ms,
        .files = buf_slice(&kept->files),
    };
    store_submit(store, &kept->rules.op);
}

static struct generation *load_last(const struct load_options *options, const struct store_rules *last)
{
    struct load_options kept = *options;
    struct generation *rules = NULL;
    struct load_report report;
    kept.files = last->files;
    if (load_generation(&kept, &rules, &report) == OK)
        rules->number = last->number;
    load_report_deinit(&report);
    LOG(LOG_ERROR, "rules not loaded", LOG_I("generation", last->number), LOG_T("detail", "the last good ones run"));
    return rules;
}

bool kept_rules_choose(struct store *store, const struct load_options *options, struct generation **rules, bool *from_store)
{
    struct arena arena = { 0 };
    struct store_rules last;
    if (store_last_rules(store, &arena, &last) != OK)
        last.number = 0;
    *from_store = !*rules && last.number > 0;
    if (*rules)
        (*rules)->number = last.number && slice_is(last.hash, (*rules)->hash) ? last.number : last.number + 1;
    else if (last.number)
        *rules = load_last(options, &last);
    arena_deinit(&arena);
    return *rules != NULL;
}
