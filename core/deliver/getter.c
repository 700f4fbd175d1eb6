#include "deliver/getter.h"

#include "base/mem.h"
#include "deliver/sender.h"

enum { STEPS_A_TURN = 64 };

struct getter {
    struct sender *sender;
    struct getter_world world;
    uv_prepare_t before_sleep; /* active while something is under way */
    struct get *under_way;
    uint32_t count;
    int closing_parts;
    void (*on_closed)(void *arg);
    void *closed_arg;
};

/* ---- one request ---- */

static void link_get(struct getter *getter, struct get *get)
{
    get->getter = getter;
    get->prev = NULL;
    get->next = getter->under_way;
    if (get->next)
        get->next->prev = get;
    getter->under_way = get;
    getter->count++;
}

static void unlink_get(struct get *get)
{
    if (get->prev)
        get->prev->next = get->next;
    else
        get->getter->under_way = get->next;
    if (get->next)
        get->next->prev = get->prev;
    get->getter->count--;
}

static void on_answer(void *arg, const struct answer *answer)
{
    struct get *get = arg;
    struct get_answer given = { .status = answer->status, .cut = answer->cut, .detail = answer->detail, .body = answer->body };
    if (answer->error == ATTEMPT_BLOCKED_ADDRESS)
        given.detail = "a private address";
    unlink_get(get);
    get->on_done(get, &given);
}

static void before_sleep(uv_prepare_t *prepare)
{
    struct getter *getter = prepare->data;
    for (int steps = 0; steps < STEPS_A_TURN && sender_is_due(getter->sender); steps++)
        sender_start_due(getter->sender);
    if (getter->count == 0)
        uv_prepare_stop(prepare);
}

bool getter_begin(struct getter *getter, struct get *get)
{
    const char *why;
    struct outgoing request = {
        .url = get->url,
        .method = "GET",
        .timeout_ms = GET_TIMEOUT_MS,
        .connect_timeout_ms = GET_TIMEOUT_MS,
        .allow_private = getter->world.connect_to != NULL,
        .max_response_bytes = GET_ANSWER_MAX,
    };
    if (getter->count >= GETS_UNDER_WAY_MAX)
        return false;
    get->transfer = sender_start(getter->sender, &request, on_answer, get, &why);
    if (!get->transfer)
        return false;
    link_get(getter, get);
    uv_prepare_start(&getter->before_sleep, before_sleep);
    return true;
}

bool getter_is_idle(const struct getter *getter)
{
    return getter->count == 0;
}

void getter_abort(struct getter *getter)
{
    static const struct get_answer none = { .detail = "the router is ending" };
    while (getter->under_way) {
        struct get *get = getter->under_way;
        sender_abort(getter->sender, get->transfer);
        unlink_get(get);
        get->on_done(get, &none);
    }
}

/* ---- life ---- */

struct getter *getter_new(uv_loop_t *loop, const struct getter_world *world)
{
    struct getter *getter = MEM_NEW(struct getter);
    getter->sender = sender_new(loop, world->stand_in);
    getter->world = *world;
    if (world->ca_file || world->connect_to)
        sender_pretend(getter->sender, world->ca_file, world->connect_to);
    uv_prepare_init(loop, &getter->before_sleep);
    getter->before_sleep.data = getter;
    return getter;
}

static void on_part_closed(struct getter *getter)
{
    if (--getter->closing_parts > 0)
        return;
    void (*on_closed)(void *) = getter->on_closed;
    void *arg = getter->closed_arg;
    mem_free(getter);
    on_closed(arg);
}

static void on_sender_closed(void *arg)
{
    on_part_closed(arg);
}

static void on_prepare_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

void getter_free(struct getter *getter, void (*on_closed)(void *arg), void *arg)
{
    getter->on_closed = on_closed;
    getter->closed_arg = arg;
    getter->closing_parts = 2;
    getter_abort(getter);
    sender_free(getter->sender, on_sender_closed, getter);
    uv_close((uv_handle_t *)&getter->before_sleep, on_prepare_closed);
}
