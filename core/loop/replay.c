#include "loop/replay.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

enum { JSON_SIZE = 256 };
#define KEEP_MS (30 * 86400 * 1000ull) /* of an event whose route is gone */

/* One replay on its way: read, then written. */
struct job {
    struct replay replay;
    struct uuid id;
    replay_done done;
    void *arg;
    union {
        struct store_read_event read;
        struct store_accept accept;
        struct store_wake wake;
    };
    struct event *event; /* counted: the new one */
    struct handed handed;
};

static void end(struct job *job, uint16_t status, struct slice json, const char *detail)
{
    job->done(job->arg, status, json, detail);
    event_unref(job->event);
    generation_unref(job->replay.rules);
    mem_free(job);
}

static void fail(struct job *job, uint16_t status, const char *detail)
{
    end(job, status, (struct slice){ NULL, 0 }, detail);
}

static void look_for(const struct job *job, struct uuid id)
{
    worker_look(job->replay.workers[event_worker(id, job->replay.worker_count)], clock_wall_ms());
}

/* ---- written ---- */

static void on_written(struct handed *handed)
{
    struct job *job = (struct job *)((char *)handed - offsetof(struct job, handed));
    char json[JSON_SIZE], old_id[UUID_TEXT_SIZE], new_id[UUID_TEXT_SIZE];
    uuid_format(job->id, old_id);
    enum result result = job->event ? job->accept.op.result : job->wake.op.result;
    if (result != OK) {
        fail(job, 503, result == ERR_DISK_FULL ? "the disk is full: try again" : "the event could not be stored: try again");
        return;
    }
    look_for(job, job->event ? job->event->id : job->id);
    if (job->event) {
        uuid_format(job->event->id, new_id);
        snprintf(json, sizeof(json), "{\"id\":\"%s\",\"replay_of\":\"%s\"}", new_id, old_id);
        end(job, 202, slice_of(json), NULL);
    } else {
        snprintf(json, sizeof(json), "{\"id\":\"%s\",\"woken\":true}", old_id);
        end(job, 200, slice_of(json), NULL);
    }
}

/* Writer thread. */
static void on_store_written(struct store_op *op)
{
    struct job *job = op->owner;
    job->handed.run = on_written;
    if (handoff_send(job->replay.handoff, &job->handed) != OK)
        return; /* main has ended, and with it the process */
}

static void wake(struct job *job, int64_t seq)
{
    job->wake = (struct store_wake){ .op = { .kind = STORE_WAKE, .on_done = on_store_written, .owner = job },
                                     .seq = seq,
                                     .due_ms = clock_wall_ms() };
    store_submit(job->replay.store, &job->wake.op);
}

static enum result copy_of(struct job *job, const struct event *old)
{
    uint64_t now_ms = clock_wall_ms();
    struct event_parts parts = { .id = uuid_v7(job->replay.ids, now_ms),
                                 .route = old->route,
                                 .method = old->method,
                                 .path = old->path,
                                 .query = old->query,
                                 .remote_ip = old->remote_ip,
                                 .redact = old->redact,
                                 .content_type = old->content_type,
                                 .provider = old->provider,
                                 .type = old->type,
                                 .verified = old->verified,
                                 .headers = old->headers,
                                 .header_count = old->header_count,
                                 .params = old->params,
                                 .param_count = old->param_count,
                                 .received_ms = now_ms,
                                 .time_ms = old->time_ms,
                                 .replay_of = old->id,
                                 .order_key = old->order_key,
                                 .body = old->body };
    enum result rc = event_new(&parts, &job->event);
    struct decode_error error;
    if (rc == OK)
        rc = event_decode(job->event, (int)old->kind, DECODED_MAX, &error);
    return rc;
}

static void store_copy(struct job *job)
{
    const struct route *route = generation_route(job->replay.rules, job->event->route);
    bool keep = !route || route->keep;
    uint64_t keep_ms = route ? route->keep_ms : KEEP_MS;
    job->accept = (struct store_accept){ .op = { .kind = STORE_ACCEPT, .on_done = on_store_written, .owner = job },
                                         .event = job->event,
                                         .keep_body = keep,
                                         .keep_until_ms = keep ? job->event->received_ms + keep_ms : 0 };
    store_submit(job->replay.store, &job->accept.op);
}

/* ---- read ---- */

static void on_read(struct handed *handed)
{
    struct job *job = (struct job *)((char *)handed - offsetof(struct job, handed));
    struct store_read_event read = job->read;
    if (read.op.result != OK) {
        fail(job, read.op.result == ERR_NOT_FOUND ? 404 : 500,
             read.op.result == ERR_NOT_FOUND ? "no such event, or its body is not kept any more" : "the store could not be read");
        return;
    }
    enum result rc = read.state == EVENT_WAITING ? OK : copy_of(job, read.event);
    bool room = rc == OK && store_take_room(job->replay.store, ROOM_EVENT);
    if (!room)
        fail(job, 503, "too much is being stored: try again");
    else if (job->event)
        store_copy(job);
    else
        wake(job, read.event->seq);
    event_unref(read.event);
}

/* Reader thread. */
static void on_store_read(struct store_op *op)
{
    struct job *job = op->owner;
    job->handed.run = on_read;
    if (handoff_send(job->replay.handoff, &job->handed) != OK)
        return; /* main has ended, and with it the process */
}

void replay_event(const struct replay *replay, struct uuid id, replay_done done, void *arg)
{
    struct job *job = MEM_NEW(struct job);
    *job = (struct job){ .replay = *replay, .id = id, .done = done, .arg = arg };
    job->replay.rules = generation_ref(replay->rules);
    job->read.op = (struct store_op){ .kind = STORE_READ_EVENT, .on_done = on_store_read, .owner = job };
    job->read.id = id;
    if (!store_submit_read(replay->store, &job->read.op))
        fail(job, 503, "the store has too much to read just now");
}
