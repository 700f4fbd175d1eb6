#include "loop/kept_wards.h"

#include "base/log.h"
#include "base/mem.h"

#define NOTE "probation"
enum { BLOB_MAX = 4 << 20 };

struct kept {
    struct store_note note; /* first: its link brings all of it home */
    struct handoff *handoff;
    struct buf blob;
};

void kept_wards_read(struct store *store, struct probation *probation)
{
    struct arena arena = { 0 };
    struct slice blob;
    if (store_read_note(store, NOTE, &arena, &blob) == OK && blob.data && !probation_read(probation, blob))
        LOG(LOG_WARN, "probation not read");
    arena_deinit(&arena);
}

static void on_kept(struct handed *handed)
{
    struct kept *kept = (struct kept *)handed;
    buf_deinit(&kept->blob);
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

void kept_wards_write_now(struct store *store, struct probation *probation, uint32_t *version)
{
    uint32_t now = probation_version(probation);
    struct buf blob;
    if (now == *version)
        return;
    buf_init(&blob, BLOB_MAX);
    probation_write(probation, &blob);
    struct store_note note = { .op = { .kind = STORE_NOTE }, .name = NOTE, .value = buf_slice(&blob) };
    if (store_write_now(store, &note.op) == OK)
        *version = now;
    buf_deinit(&blob);
}

void kept_wards_write(struct store *store, struct handoff *handoff, struct probation *probation, uint32_t *version)
{
    uint32_t now = probation_version(probation);
    if (now == *version || !store_take_room(store, ROOM_EVENT))
        return;
    struct kept *kept = MEM_NEW(struct kept);
    kept->handoff = handoff;
    buf_init(&kept->blob, BLOB_MAX);
    probation_write(probation, &kept->blob);
    kept->note = (struct store_note){ .op = { .kind = STORE_NOTE, .on_done = on_written, .owner = kept },
                                      .name = NOTE,
                                      .value = buf_slice(&kept->blob) };
    store_submit(store, &kept->note.op);
    *version = now;
}
