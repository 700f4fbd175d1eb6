/* rest.c: of many events whose handlers wait the bodies are with the store, not in memory. What a handler waited for reaches it
 * when its body is back:
 *
 *   waits --event_rest--> … timer, value or answer --wake (run.c)--> read --event_return--> run_woken
 */
#include <string.h>

#include "base/mem.h"
#include "loop/handoff.h"
#include "script/inside.h"
#include "store/store.h"

enum { READ_AGAIN_MS = 20 /* the store has too much to read */ };

struct rest_reading {
    struct store_read_event read;
    struct handed handed;
    struct handoff *handoff;
    uint32_t *reads;
    struct inside_run *inside; /* NULL: the run has ended meanwhile */
};

/* ---- the body ---- */

static void on_back(struct handed *handed)
{
    struct rest_reading *reading = (struct rest_reading *)((char *)handed - offsetof(struct rest_reading, handed));
    struct inside_run *inside = reading->inside;
    struct event *read = reading->read.op.result == OK ? reading->read.event : NULL;
    --*reading->reads;
    mem_free(reading);
    if (!inside) {
        event_unref(read);
        return;
    }
    inside->rest_reading = NULL;
    if (read) {
        event_return(inside->run->event, read);
        run_woken(inside);
    } else {
        run_lost(inside);
    }
}

/* Reader thread. */
static void on_read(struct store_op *op)
{
    struct rest_reading *reading = op->owner;
    reading->handed.run = on_back;
    if (handoff_send(reading->handoff, &reading->handed) != OK)
        return; /* the worker waits for its reads before it closes */
}

static bool start_reading(struct inside_run *inside)
{
    const struct script_config *config = &inside->script->config;
    const struct event *event = inside->run->event;
    struct rest_reading *reading = MEM_NEW(struct rest_reading);
    reading->read = (struct store_read_event){ .op = { .kind = STORE_READ_EVENT, .on_done = on_read, .owner = reading },
                                               .seq = event->seq,
                                               .id = event->id };
    reading->handoff = config->handoff;
    reading->reads = config->reads;
    reading->inside = inside;
    if (!store_submit_read(config->store, &reading->read.op)) {
        mem_free(reading);
        return false;
    }
    inside->rest_reading = reading;
    ++*config->reads;
    return true;
}

bool rest_must_end(struct inside_run *inside)
{
    if (!inside->run->event->rests)
        return false;
    if (!inside->rest_reading && !start_reading(inside))
        timer_start(&inside->timer, READ_AGAIN_MS); /* then it is woken again */
    return true;
}

/* ---- answers that come before it ---- */

static struct slice keep(char **at, struct slice text)
{
    struct slice kept = { *at, text.len };
    if (text.len)
        memcpy(*at, text.data, text.len);
    *at += text.len;
    return kept;
}

void rest_keep_answer(struct inside_run *inside, int place, const struct fetch_answer *answer)
{
    struct late_answer **last = &inside->late_answers;
    struct slice detail = slice_of(answer->detail ? answer->detail : "");
    struct late_answer *late = mem_new(sizeof(*late) + detail.len + 1 + answer->head.len + answer->body.len);
    char *at = (char *)(late + 1);
    late->place = place;
    late->answer = *answer;
    late->answer.detail = at;
    keep(&at, detail);
    at++; /* its end is there: the block came as zeros */
    late->answer.head = keep(&at, answer->head);
    late->answer.body = keep(&at, answer->body);
    while (*last)
        last = &(*last)->next;
    *last = late;
}

struct late_answer *rest_take_answer(struct inside_run *inside)
{
    struct late_answer *late = inside->late_answers;
    if (late)
        inside->late_answers = late->next;
    return late;
}

void rest_drop_answers(struct inside_run *inside)
{
    struct late_answer *late;
    while ((late = rest_take_answer(inside)))
        mem_free(late);
}

void rest_end(struct inside_run *inside)
{
    rest_drop_answers(inside);
    if (inside->rest_reading)
        inside->rest_reading->inside = NULL;
    inside->rest_reading = NULL;
}
