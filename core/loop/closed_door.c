#include "loop/closed_door.h"

#include <fcntl.h>

#include "base/mem.h"
#include "listen/listener.h"

struct closed_door {
    const char *detail;
    size_t count;
    void (*on_closed)(void *arg);
    void *arg;
    struct listener *listeners[];
};

static void on_head(struct conn *conn, struct request *request, struct head_verdict *verdict, void *arg)
{
    const struct closed_door *door = arg;
    verdict->refused = true;
    reply_problem(&verdict->reply, 503, door->detail);
    verdict->reply.close = true;
}

static void on_request(struct conn *conn, struct request *request, void *arg)
{
}
static void on_gone(struct conn *conn, struct request *request, void *arg)
{
}
static void on_refused(const struct refused_request *refused, void *arg)
{
}

struct closed_door *closed_door_start(uv_loop_t *loop, const int *listeners, size_t count, const char *detail)
{
    struct closed_door *door = mem_new(sizeof(*door) + count * sizeof(door->listeners[0]));
    struct listener_config config = listener_defaults();
    struct listener_callbacks callbacks = { on_head, on_request, on_gone, on_refused, door };
    door->detail = detail;
    for (size_t i = 0; i < count; i++) {
        int fd = fcntl(listeners[i], F_DUPFD_CLOEXEC, 3);
        if (fd >= 0 && listener_start(loop, fd, &config, &callbacks, &door->listeners[door->count]) == OK)
            door->count++;
    }
    return door;
}

static void on_listener_closed(void *arg)
{
    struct closed_door *door = arg;
    if (--door->count > 0)
        return;
    door->on_closed(door->arg);
    mem_free(door);
}

void closed_door_stop(struct closed_door *door, void (*on_closed)(void *arg), void *arg)
{
    if (!door || door->count == 0) {
        mem_free(door);
        on_closed(arg);
        return;
    }
    door->on_closed = on_closed;
    door->arg = arg;
    size_t count = door->count;
    for (size_t i = 0; i < count; i++)
        listener_close(door->listeners[i], on_listener_closed, door);
}
