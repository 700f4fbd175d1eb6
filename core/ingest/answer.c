#include "ingest/answer.h"

#include <stdio.h>
#include <string.h>

/* Its headers were checked when the rule was loaded, or when it said them. */
static void fill(struct reply *reply, const struct response *response)
{
    reply_init(reply, response->status);
    reply->content_type = response->content_type;
    reply->body = response->body;
    for (size_t i = 0; i < response->header_count; i++)
        (void)reply_add_header(reply, response->headers[i].name, response->headers[i].value);
}

/* There is room: other headers leave it. */
static void add_id(struct reply *reply, const struct answer_text *text)
{
    (void)reply_add_header(reply, SLICE("tidewire-event-id"), slice_of(text->id));
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

/* The static reply; body: where the route has none of its own. */
static void reply_with(struct reply *reply, const struct answer_text *text, const struct route *route, struct slice body)
{
    fill(reply, &route->reply);
    add_id(reply, text);
    if (!route->reply.body.data) {
        reply->content_type = SLICE("application/json");
        reply->body = body;
    }
}

void answer_response(struct reply *reply, struct answer_text *text, const struct response *response, struct uuid id)
{
    uuid_format(id, text->id);
    fill(reply, response);
    add_id(reply, text);
}

void answer_failed(struct reply *reply, struct answer_text *text, struct uuid id)
{
    char detail[96];
    uuid_format(id, text->id);
    snprintf(detail, sizeof(detail), "the handler of event %s failed", text->id);
    reply_problem(reply, 500, detail);
    add_id(reply, text);
}

void answer_undelivered(struct reply *reply, struct answer_text *text, const char *target, struct uuid id)
{
    char detail[256];
    uuid_format(id, text->id);
    snprintf(detail, sizeof(detail), "event %s could not be delivered to target %.160s", text->id, target);
    reply_problem(reply, 502, detail);
    add_id(reply, text);
}

void answer_stored(struct reply *reply, struct answer_text *text, const struct route *route, struct uuid id)
{
    uuid_format(id, text->id);
    reply_with(reply, text, route, write_body(text));
}

void answer_items(struct reply *reply, struct answer_text *text, const struct route *route, struct uuid id, uint32_t count)
{
    uuid_format(id, text->id);
    int len = snprintf(text->body, sizeof(text->body), "{\"id\":\"%s\",\"count\":%u}\n", text->id, count);
    reply_with(reply, text, route, slice_make(text->body, (size_t)len));
}

void answer_ignored(struct reply *reply, const struct route *route)
{
    fill(reply, &route->reply);
    if (!route->reply.body.data) {
        reply->content_type = SLICE("application/json");
        reply->body = SLICE("{\"ignored\":true}\n");
    }
}
