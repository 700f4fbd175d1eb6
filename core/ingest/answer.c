#include "ingest/answer.h"

#include <stdio.h>
#include <string.h>

static void static_reply(struct reply *reply, const struct route *route)
{
    reply_init(reply, route->reply.status);
    reply->content_type = route->reply.content_type;
    reply->body = route->reply.body;
    for (size_t i = 0; i < route->reply.header_count; i++)
        (void)reply_add_header(reply, route->reply.headers[i].name,
                               route->reply.headers[i].value); /* checked when the rule was loaded */
}

static struct slice write_body(struct answer_text *text)
{
    static const struct slice before = SLICE("{\"id\":\""), after = SLICE("\"}\n");
    size_t id_len = UUID_TEXT_SIZE - 1;
    memcpy(text->body, before.data, before.len);
    memcpy(text->body + before.len, text->id, id_len);
    memcpy(text->body + before.len + id_len, after.data, after.len);
    return slice_make(text->body, before.len + id_len + after.len);
}

static void add_id(struct reply *reply, struct answer_text *text, const struct route *route, struct slice body)
{
    static_reply(reply, route);
    if (!route->reply.body.data) {
        reply->content_type = SLICE("application/json");
        reply->body = body;
    }
    (void)reply_add_header(reply, SLICE("tidewire-event-id"), slice_of(text->id)); /* there is room: a route's headers leave it */
}

void answer_stored(struct reply *reply, struct answer_text *text, const struct route *route, struct uuid id)
{
    uuid_format(id, text->id);
    add_id(reply, text, route, write_body(text));
}

void answer_items(struct reply *reply, struct answer_text *text, const struct route *route, struct uuid id, uint32_t count)
{
    uuid_format(id, text->id);
    int len = snprintf(text->body, sizeof(text->body), "{\"id\":\"%s\",\"count\":%u}\n", text->id, count);
    add_id(reply, text, route, slice_make(text->body, (size_t)len));
}

void answer_ignored(struct reply *reply, const struct route *route)
{
    static_reply(reply, route);
    if (!route->reply.body.data) {
        reply->content_type = SLICE("application/json");
        reply->body = SLICE("{\"ignored\":true}\n");
    }
}
