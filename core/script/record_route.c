/* record_route.c: a route, from the record of lua/tidewire/loader/route.lua. Words are in the order of their enums. */
#include <lauxlib.h>

#include "script/record.h"

static const struct match *matches_of(const struct record *record, size_t *count)
{
    static const char *const kinds[] = { "text", "pattern", "number", "bool", "null", NULL };
    if (!record_enter_list(record, "any", count))
        return NULL;
    struct match *any = record_take(record, *count * sizeof(*any));
    for (size_t i = 0; i < *count; i++) {
        record_enter_item(record, i);
        any[i] = (struct match){ .kind = (enum match_kind)record_word(record, "kind", kinds),
                                 .text = record_text(record, "text"),
                                 .number = record_number(record, "number"),
                                 .truth = record_flag(record, "truth") };
        record_leave(record);
    }
    record_leave(record);
    return any;
}

static const struct condition *conditions_of(const struct record *record, size_t *count)
{
    if (!record_enter_list(record, "when", count))
        return NULL;
    struct condition *conditions = record_take(record, *count * sizeof(*conditions));
    for (size_t i = 0; i < *count; i++) {
        record_enter_item(record, i);
        conditions[i].path = record_text(record, "path");
        conditions[i].any = matches_of(record, &conditions[i].any_count);
        record_leave(record);
    }
    record_leave(record);
    return conditions;
}

static struct spots spots_of(const struct record *record, const char *name)
{
    struct spots spots = { NULL, 0 };
    if (!record_enter_list(record, name, &spots.count))
        return spots;
    struct spot *list = record_take(record, spots.count * sizeof(*list));
    for (size_t i = 0; i < spots.count; i++) {
        record_enter_item(record, i);
        list[i].paths = record_texts(record, "paths", &list[i].path_count);
        list[i].is = record_text(record, "is");
        list[i].says = record_text(record, "says");
        list[i].of = record_text(record, "of");
        list[i].not_of = record_text(record, "not_of");
        record_leave(record);
    }
    spots.list = list;
    record_leave(record);
    return spots;
}

static struct gate *gate_of(const struct record *record)
{
    if (!record_enter(record, "rate"))
        return NULL;
    struct gate *gate = record_take(record, sizeof(*gate));
    gate->per_second = record_number(record, "per_second");
    gate->burst = record_number(record, "burst");
    record_leave(record);
    return gate;
}

static void read_schema(const struct record *record, struct route *route)
{
    char why[SCHEMA_WHY_SIZE];
    route->schema_text = record_text(record, "schema");
    if (route->schema_text.data && schema_compile(route->schema_text, &route->schema, why) != OK)
        luaL_error(record->L, "schema: %s", why); /* the loader has checked it */
}

static void read_dedupe(const struct record *record, struct route *route)
{
    static const char *const kinds[] = { "none", "path", "function", NULL };
    if (!record_enter(record, "dedupe"))
        return;
    route->dedupe = (enum dedupe_by)record_word(record, "by", kinds);
    route->dedupe_spots = spots_of(record, "spots");
    route->dedupe_path = record_text(record, "shown");
    route->dedupe_within_ms = (uint64_t)record_number(record, "within");
    route->dedupe_signature = record_flag(record, "signature");
    record_leave(record);
}

/* ---- what is answered ---- */

static struct response reply_of(const struct record *record)
{
    struct response reply = { .status = 202 };
    if (!record_enter(record, "reply"))
        return reply;
    reply.status = (uint16_t)record_number(record, "status");
    reply.content_type = record_text(record, "content_type");
    reply.body = record_text(record, "body");
    reply.headers = record_pairs(record, "headers", &reply.header_count, false);
    record_leave(record);
    return reply;
}

static struct handshake handshake_of(const struct record *record)
{
    static const char *const answers[] = { "fixed", "echo", "json", "hmac", "show", "origins", "ask", NULL };
    struct handshake handshake = {
        .answer = (enum handshake_answer)record_word(record, "answer", answers),
        .method = record_text(record, "method"),
        .value_path = record_text(record, "value_path"),
        .name = record_text(record, "name"),
        .token_path = record_text(record, "token_path"),
        .reply = reply_of(record),
    };
    handshake.when = conditions_of(record, &handshake.when_count);
    handshake.token_secrets = record_texts(record, "token_secrets", &handshake.token_secret_count);
    handshake.origins = record_texts(record, "origins", &handshake.origin_count);
    return handshake;
}

static const struct handshake *handshakes_of(const struct record *record, size_t *count)
{
    if (!record_enter_list(record, "handshakes", count))
        return NULL;
    struct handshake *list = record_take(record, *count * sizeof(*list));
    for (size_t i = 0; i < *count; i++) {
        record_enter_item(record, i);
        list[i] = handshake_of(record);
        record_leave(record);
    }
    record_leave(record);
    return list;
}

/* ---- the route ---- */

/* Which requests are its own, and which of them it takes. */
static void read_entrance(const struct record *record, struct route *route)
{
    route->methods = record_texts(record, "methods", &route->method_count);
    route->allow = record_text(record, "allow");
    route->host = record_text(record, "host");
    route->ip_allow = record_ranges(record, "ip_allow", &route->ip_allow_count);
    route->gate = gate_of(record);
    route->max_body_bytes = (uint64_t)record_number(record, "max_body");
    route->verify = record_verify(record, "verify");
    route->provider = record_text(record, "provider");
    route->handshakes = handshakes_of(record, &route->handshake_count);
}

/* What events a request becomes. */
static void read_content(const struct record *record, struct route *route)
{
    static const char *const contents[] = { "by_type", "json", "form", "multipart", "xml", "ndjson", "text", "raw", NULL };
    route->content = (enum content)record_word(record, "content", contents);
    route->form_payload = record_flag(record, "form_payload");
    route->each_path = record_text(record, "each_path");
    route->each_of = record_text(record, "each_of");
    route->type = spots_of(record, "type");
    route->time = spots_of(record, "time");
    read_schema(record, route);
    route->redact = record_text(record, "redact");
    route->when = conditions_of(record, &route->when_count);
    route->when_function = record_flag(record, "when_function");
    read_dedupe(record, route);
}

/* How an event is handled, answered and kept. */
static void read_handling(const struct record *record, struct route *route)
{
    static const char *const acks[] = { "stored", "received", "handled", "delivered", NULL };
    route->order_path = record_text(record, "order_path");
    route->order_function = record_flag(record, "order_function");
    route->on_error = record_flag(record, "on_error");
    route->on_dead = record_flag(record, "on_dead");
    route->ack = (enum ack)record_word(record, "ack", acks);
    route->ack_within_ms = (uint64_t)record_number(record, "ack_within");
    route->reply = reply_of(record);
    route->keep = record_flag(record, "keep");
    route->keep_ms = (uint64_t)record_number(record, "keep_ms");
    route->retry = record_retry(record);
    route->limits = record_limits(record, &record->generation->limits);
}

void record_read_route(const struct record *record, struct route *route)
{
    route->path = record_text(record, "path");
    route->file = record_text(record, "file");
    route->line = (uint32_t)record_number(record, "line");
    route->enabled = record_flag(record, "enabled");
    read_entrance(record, route);
    read_content(record, route);
    read_handling(record, route);
}
