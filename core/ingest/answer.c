#include "ingest/answer.h"

#include <stdio.h>

static void static_reply(struct reply *reply, const struct route *route)
{
    reply_init(reply, route->reply.status);
    reply->content_type = route->reply.content_type;
    reply->body = route->reply.body;
    for (size_t i = 0; i < route->reply.header_count; i++)
        (void)reply_add_header(reply, route->reply.headers[i].name,
                               route->reply.headers[i].value); /* checked when the rule was loaded */
}

void answer_stored(struct reply *reply, struct answer_text *text, const struct route *route, struct uuid id)
{
    uuid_format(id, text->id);
    static_reply(reply, route);
    if (!route->reply.body.data) {
        reply->content_type = SLICE("application/json");
        reply->body =
            (struct slice){ text->body, (size_t)snprintf(text->body, sizeof(text->body), "{\"id\":\"%s\"}\n", text->id) };
    }
    (void)reply_add_header(reply, SLICE("tidewire-event-id"), slice_of(text->id)); /* there is room: a route's headers leave it */
}

void answer_ignored(struct reply *reply, const struct route *route)
{
    static_reply(reply, route);
    if (!route->reply.body.data) {
        reply->content_type = SLICE("application/json");
        reply->body = SLICE("{\"ignored\":true}\n");
    }
}
