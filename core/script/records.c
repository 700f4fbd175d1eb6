/* records.c: each function takes one table of the loader apart; what a key means is said in model/generation.h. */
#include "script/records.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "base/buf.h"
#include "ingest/cidr.h"
#include "ingest/router.h"
#include "json/secret.h"
#include "model/message.h"

/* The record that is being read: the table at the top of the stack. */
struct reader {
    lua_State *L;
    struct generation *generation;
};

static void *take(const struct reader *reader, size_t size)
{
    void *memory = arena_alloc(&reader->generation->arena, size ? size : 1);
    if (!memory)
        luaL_error(reader->L, "not enough memory");
    return memory;
}

static struct slice keep(const struct reader *reader, struct slice text)
{
    struct slice kept = arena_copy(&reader->generation->arena, text);
    if (!kept.data)
        luaL_error(reader->L, "not enough memory");
    return kept;
}

/* ---- fields of the table at the top ---- */

static struct slice top_text(const struct reader *reader)
{
    struct slice text = { NULL, 0 };
    if (lua_type(reader->L, -1) == LUA_TSTRING) {
        text.data = lua_tolstring(reader->L, -1, &text.len);
        text = keep(reader, text);
    }
    return text;
}

/* data NULL: there is none. */
static struct slice text_of(const struct reader *reader, const char *name)
{
    lua_getfield(reader->L, -1, name);
    struct slice text = top_text(reader);
    lua_pop(reader->L, 1);
    return text;
}

static double number_of(const struct reader *reader, const char *name)
{
    lua_getfield(reader->L, -1, name);
    double number = lua_tonumber(reader->L, -1);
    lua_pop(reader->L, 1);
    return number;
}

static bool flag_of(const struct reader *reader, const char *name)
{
    lua_getfield(reader->L, -1, name);
    bool flag = lua_toboolean(reader->L, -1);
    lua_pop(reader->L, 1);
    return flag;
}

/* Which of the words stands there; 0 when none. */
static int word_of(const struct reader *reader, const char *name, const char *const *words)
{
    int found = 0;
    lua_getfield(reader->L, -1, name);
    const char *text = lua_tostring(reader->L, -1);
    for (int i = 0; text && words[i]; i++)
        if (strcmp(words[i], text) == 0)
            found = i;
    lua_pop(reader->L, 1);
    return found;
}

/* The same for words that decide what is refused: one that is not known here is a mistake of the loader. */
static int known_word_of(const struct reader *reader, const char *name, const char *const *words)
{
    int found = word_of(reader, name, words);
    struct slice text = text_of(reader, name);
    if (!text.data || !slice_is(text, words[found]))
        luaL_error(reader->L, "no such %s: %s", name, text.data ? text.data : "none");
    return found;
}

/* Enters the table `name`; false: there is none, and nothing was pushed. */
static bool enter(const struct reader *reader, const char *name, size_t *count)
{
    lua_getfield(reader->L, -1, name);
    if (!lua_istable(reader->L, -1)) {
        lua_pop(reader->L, 1);
        return false;
    }
    *count = lua_objlen(reader->L, -1);
    return true;
}

static const struct slice *texts_of(const struct reader *reader, const char *name, size_t *count)
{
    *count = 0;
    if (!enter(reader, name, count))
        return NULL;
    struct slice *texts = take(reader, *count * sizeof(*texts));
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        texts[i] = top_text(reader);
        lua_pop(reader->L, 1);
    }
    lua_pop(reader->L, 1);
    return texts;
}

/* A text or secret at the top, as pieces. */
static struct slice top_pieces(const struct reader *reader)
{
    struct buf pieces;
    buf_init(&pieces, SECRET_TEXT_MAX * 2);
    if (secret_is(reader->L, -1)) {
        secret_pieces(reader->L, lua_gettop(reader->L), &pieces, ESCAPE_NONE);
    } else {
        struct slice text = { lua_tostring(reader->L, -1), lua_objlen(reader->L, -1) };
        if (text.data)
            pieces_bytes(&pieces, text);
    }
    struct slice kept = arena_copy(&reader->generation->arena, buf_slice(&pieces));
    buf_deinit(&pieces);
    if (!kept.data)
        luaL_error(reader->L, "not enough memory");
    return kept;
}

static struct slice pieces_of(const struct reader *reader, const char *name)
{
    lua_getfield(reader->L, -1, name);
    struct slice pieces = top_pieces(reader);
    lua_pop(reader->L, 1);
    return pieces;
}

/* { { name, value } … }; values as pieces or as plain text. */
static const struct pair *pairs_of(const struct reader *reader, const char *name, size_t *count, bool as_pieces)
{
    *count = 0;
    if (!enter(reader, name, count))
        return NULL;
    struct pair *list = take(reader, *count * sizeof(*list));
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        lua_rawgeti(reader->L, -1, 1);
        list[i].name = top_text(reader);
        lua_rawgeti(reader->L, -2, 2);
        list[i].value = as_pieces ? top_pieces(reader) : top_text(reader);
        lua_pop(reader->L, 3);
    }
    lua_pop(reader->L, 1);
    return list;
}

/* ---- limits: of the installation, and of a route ---- */

static uint64_t limit_of(const struct reader *reader, const char *name, uint64_t otherwise)
{
    double value = number_of(reader, name);
    return value > 0 ? (uint64_t)value : otherwise;
}

static struct limits limits_of(const struct reader *reader, const struct limits *otherwise)
{
    struct limits limits = *otherwise;
    size_t count;
    if (!enter(reader, "limits", &count))
        return limits;
    limits.handler_cpu_ms = limit_of(reader, "handler_cpu", limits.handler_cpu_ms);
    limits.handler_time_ms = limit_of(reader, "handler_time", limits.handler_time_ms);
    limits.handler_memory = limit_of(reader, "handler_memory", limits.handler_memory);
    limits.state_memory = limit_of(reader, "state_memory", limits.state_memory);
    lua_pop(reader->L, 1);
    return limits;
}

/* ---- retry, the same for both ---- */

static struct retry_policy retry_of(const struct reader *reader, bool *off)
{
    struct retry_policy retry = { 0 };
    size_t count;
    if (!enter(reader, "retry", &count))
        return retry;
    *off = flag_of(reader, "off");
    retry.attempts = (uint32_t)number_of(reader, "attempts");
    retry.first_ms = (uint64_t)number_of(reader, "first");
    retry.max_ms = (uint64_t)number_of(reader, "max");
    retry.within_ms = (uint64_t)number_of(reader, "within");
    retry.factor = number_of(reader, "factor");
    if (enter(reader, "on", &retry.on_count)) {
        uint16_t *on = take(reader, retry.on_count * sizeof(*on));
        for (size_t i = 0; i < retry.on_count; i++) {
            lua_rawgeti(reader->L, -1, (int)i + 1);
            on[i] = (uint16_t)lua_tonumber(reader->L, -1);
            lua_pop(reader->L, 1);
        }
        retry.on = on;
        lua_pop(reader->L, 1);
    }
    lua_pop(reader->L, 1);
    return retry;
}

/* ---- routes ---- */

static struct verify_source source_of(const struct reader *reader, const char *name)
{
    struct verify_source source = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
    size_t count;
    if (!enter(reader, name, &count))
        return source;
    source.header = text_of(reader, "header");
    source.part = text_of(reader, "part");
    source.field = text_of(reader, "field");
    lua_pop(reader->L, 1);
    return source;
}

static const struct template_part *template_of(const struct reader *reader, size_t *count)
{
    static const char *const kinds[] = { "text",  "body", "timestamp",   "id",     "method", "path", "header", "query",
                                         "field", "url",  "form-sorted", "secret", "crc32",  "sns",  NULL };
    *count = 0;
    if (!enter(reader, "signed", count))
        return NULL;
    if (*count > TEMPLATE_PARTS_MAX)
        luaL_error(reader->L, "a template has too many parts"); /* the loader has counted them */
    struct template_part *parts = take(reader, *count * sizeof(*parts));
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        parts[i] = (struct template_part){ (enum template_kind)known_word_of(reader, "kind", kinds), text_of(reader, "text") };
        lua_pop(reader->L, 1);
    }
    lua_pop(reader->L, 1);
    return parts;
}

static size_t few_texts_of(const struct reader *reader, const char *name, struct slice *out, size_t most)
{
    size_t count;
    const struct slice *texts = texts_of(reader, name, &count);
    if (count > most)
        count = most;
    for (size_t i = 0; i < count; i++)
        out[i] = texts[i];
    return count;
}

static struct verify_certificate certificate_of(const struct reader *reader)
{
    struct verify_certificate certificate = { .host_count = 0 };
    size_t count;
    if (!enter(reader, "certificate", &count))
        return certificate;
    certificate.url = source_of(reader, "url");
    certificate.host_count = few_texts_of(reader, "hosts", certificate.hosts, CERTIFICATE_HOSTS_MAX);
    certificate.path_end = text_of(reader, "path_end");
    certificate.name_end = text_of(reader, "name_end");
    lua_pop(reader->L, 1);
    return certificate;
}

static const struct verify *also_of(const struct reader *reader);

static void read_how_signed(const struct reader *reader, struct verify *verify)
{
    static const char *const encodings[] = { "hex", "base64", NULL };
    static const char *const formats[] = { "plain", "k=v,", "k=v;", "list", NULL };
    static const char *const keys[] = { "text", "standard", "hex", "base64", NULL };
    static const char *const stamps[] = { "unix", "rfc3339", "unix_ms", NULL };
    static const char *const adds[] = { "nothing", "query", "path", NULL };
    verify->encoding = (enum verify_encoding)word_of(reader, "encoding", encodings);
    verify->format = (enum verify_format)word_of(reader, "format", formats);
    verify->key = (enum verify_key)word_of(reader, "key", keys);
    verify->prefix = text_of(reader, "prefix");
    verify->signature = text_of(reader, "signature");
    verify->public_signature = text_of(reader, "public_signature");
    verify->timestamp = source_of(reader, "timestamp");
    verify->timestamp_format = (enum stamp_format)word_of(reader, "timestamp_format", stamps);
    verify->id = source_of(reader, "id");
    verify->signed_parts = template_of(reader, &verify->signed_count);
    verify->max_age_ms = (uint64_t)number_of(reader, "max_age");
    verify->url_count = few_texts_of(reader, "urls", verify->urls, URLS_MAX);
    verify->url_adds = (enum url_adds)word_of(reader, "url_adds", adds);
    verify->body_sha256 = text_of(reader, "body_sha256");
    verify->json_only = flag_of(reader, "json_only");
}

static struct verify verify_of(const struct reader *reader, const char *name)
{
    static const char *const schemes[] = { "none",    "hmac",  "bearer", "hash", "token", "basic",
                                           "ed25519", "ecdsa", "jwt",    "rsa",  NULL };
    struct verify verify = { 0 };
    size_t count;
    if (!enter(reader, name, &count))
        return verify;
    verify.scheme = (enum verify_scheme)known_word_of(reader, "scheme", schemes);
    verify.name = text_of(reader, "name");
    verify.header = text_of(reader, "header");
    verify.field = text_of(reader, "field");
    verify.algorithm = text_of(reader, "algorithm");
    read_how_signed(reader, &verify);
    verify.secret_count = few_texts_of(reader, "secrets", verify.secrets, SECRETS_MAX);
    verify.public_key_count = few_texts_of(reader, "public_keys", verify.public_keys, PUBLIC_KEYS_MAX);
    verify.user = text_of(reader, "user");
    verify.issuer = text_of(reader, "issuer");
    verify.audiences = texts_of(reader, "audiences", &verify.audience_count);
    verify.jwks = text_of(reader, "jwks");
    verify.certificate = certificate_of(reader);
    verify.topics = texts_of(reader, "topics", &verify.topic_count);
    verify.allow_sha1 = flag_of(reader, "allow_sha1");
    verify.also = also_of(reader);
    lua_pop(reader->L, 1);
    return verify;
}

/* NULL: nothing else has to hold. */
static const struct verify *also_of(const struct reader *reader)
{
    lua_getfield(reader->L, -1, "also");
    bool there = lua_istable(reader->L, -1);
    lua_pop(reader->L, 1);
    if (!there)
        return NULL;
    struct verify *also = take(reader, sizeof(*also));
    *also = verify_of(reader, "also");
    return also;
}

static const struct match *matches_of(const struct reader *reader, size_t *count)
{
    static const char *const kinds[] = { "text", "pattern", "number", "bool", "null", NULL };
    *count = 0;
    if (!enter(reader, "any", count))
        return NULL;
    struct match *any = take(reader, *count * sizeof(*any));
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        any[i] = (struct match){ .kind = (enum match_kind)word_of(reader, "kind", kinds),
                                 .text = text_of(reader, "text"),
                                 .number = number_of(reader, "number"),
                                 .truth = flag_of(reader, "truth") };
        lua_pop(reader->L, 1);
    }
    lua_pop(reader->L, 1);
    return any;
}

static const struct condition *conditions_of(const struct reader *reader, size_t *count)
{
    *count = 0;
    if (!enter(reader, "when", count))
        return NULL;
    struct condition *conditions = take(reader, *count * sizeof(*conditions));
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        conditions[i].path = text_of(reader, "path");
        conditions[i].any = matches_of(reader, &conditions[i].any_count);
        lua_pop(reader->L, 1);
    }
    lua_pop(reader->L, 1);
    return conditions;
}

static const struct cidr *ranges_of(const struct reader *reader, const char *name, size_t *count)
{
    const struct slice *texts = texts_of(reader, name, count);
    struct cidr *ranges = take(reader, *count * sizeof(*ranges));
    for (size_t i = 0; i < *count; i++)
        if (!cidr_parse(texts[i], &ranges[i]))
            luaL_error(reader->L, "not an address range: %s", texts[i].data); /* the loader has checked it */
    return ranges;
}

static struct gate *gate_of(const struct reader *reader)
{
    size_t count;
    if (!enter(reader, "rate", &count))
        return NULL;
    struct gate *gate = take(reader, sizeof(*gate));
    gate->per_second = number_of(reader, "per_second");
    gate->burst = number_of(reader, "burst");
    lua_pop(reader->L, 1);
    return gate;
}

static void read_schema(const struct reader *reader, struct route *route)
{
    char why[SCHEMA_WHY_SIZE];
    route->schema_text = text_of(reader, "schema");
    if (route->schema_text.data && schema_compile(route->schema_text, &route->schema, why) != OK)
        luaL_error(reader->L, "schema: %s", why); /* the loader has checked it */
}

static struct spots spots_of(const struct reader *reader, const char *name)
{
    struct spots spots = { NULL, 0 };
    if (!enter(reader, name, &spots.count))
        return spots;
    struct spot *list = take(reader, spots.count * sizeof(*list));
    for (size_t i = 0; i < spots.count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        list[i].paths = texts_of(reader, "paths", &list[i].path_count);
        list[i].is = text_of(reader, "is");
        list[i].says = text_of(reader, "says");
        lua_pop(reader->L, 1);
    }
    spots.list = list;
    lua_pop(reader->L, 1);
    return spots;
}

static void dedupe_of(const struct reader *reader, struct route *route)
{
    static const char *const kinds[] = { "none", "path", "function", NULL };
    size_t count;
    if (!enter(reader, "dedupe", &count))
        return;
    route->dedupe = (enum dedupe_by)word_of(reader, "by", kinds);
    route->dedupe_spots = spots_of(reader, "spots");
    route->dedupe_path = text_of(reader, "shown");
    route->dedupe_within_ms = (uint64_t)number_of(reader, "within");
    route->dedupe_signature = flag_of(reader, "signature");
    lua_pop(reader->L, 1);
}

static struct response reply_of(const struct reader *reader)
{
    struct response reply = { .status = 202 };
    size_t count;
    if (!enter(reader, "reply", &count))
        return reply;
    reply.status = (uint16_t)number_of(reader, "status");
    reply.content_type = text_of(reader, "content_type");
    reply.body = text_of(reader, "body");
    reply.headers = pairs_of(reader, "headers", &reply.header_count, false);
    lua_pop(reader->L, 1);
    return reply;
}

static struct handshake handshake_of(const struct reader *reader)
{
    static const char *const answers[] = { "fixed", "echo", "json", "hmac", "show", "origins", "ask", NULL };
    struct handshake handshake = {
        .answer = (enum handshake_answer)word_of(reader, "answer", answers),
        .method = text_of(reader, "method"),
        .value_path = text_of(reader, "value_path"),
        .name = text_of(reader, "name"),
        .token_path = text_of(reader, "token_path"),
        .reply = reply_of(reader),
    };
    handshake.when = conditions_of(reader, &handshake.when_count);
    handshake.token_secrets = texts_of(reader, "token_secrets", &handshake.token_secret_count);
    handshake.origins = texts_of(reader, "origins", &handshake.origin_count);
    return handshake;
}

static const struct handshake *handshakes_of(const struct reader *reader, size_t *count)
{
    *count = 0;
    if (!enter(reader, "handshakes", count))
        return NULL;
    struct handshake *list = take(reader, *count * sizeof(*list));
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        list[i] = handshake_of(reader);
        lua_pop(reader->L, 1);
    }
    lua_pop(reader->L, 1);
    return list;
}

static void read_route(const struct reader *reader, struct route *route)
{
    static const char *const contents[] = { "by_type", "json", "form", "multipart", "xml", "ndjson", "text", "raw", NULL };
    static const char *const acks[] = { "stored", "received", "handled", "delivered", NULL };
    bool off;
    route->path = text_of(reader, "path");
    route->file = text_of(reader, "file");
    route->line = (uint32_t)number_of(reader, "line");
    route->enabled = flag_of(reader, "enabled");
    route->methods = texts_of(reader, "methods", &route->method_count);
    route->allow = text_of(reader, "allow");
    route->max_body_bytes = (uint64_t)number_of(reader, "max_body");
    route->content = (enum content)word_of(reader, "content", contents);
    route->verify = verify_of(reader, "verify");
    route->provider = text_of(reader, "provider");
    route->type = spots_of(reader, "type");
    route->handshakes = handshakes_of(reader, &route->handshake_count);
    route->form_payload = flag_of(reader, "form_payload");
    route->each_path = text_of(reader, "each_path");
    route->ip_allow = ranges_of(reader, "ip_allow", &route->ip_allow_count);
    route->host = text_of(reader, "host");
    route->gate = gate_of(reader);
    read_schema(reader, route);
    route->redact = text_of(reader, "redact");
    route->when = conditions_of(reader, &route->when_count);
    route->when_function = flag_of(reader, "when_function");
    dedupe_of(reader, route);
    route->order_path = text_of(reader, "order_path");
    route->order_function = flag_of(reader, "order_function");
    route->on_error = flag_of(reader, "on_error");
    route->on_dead = flag_of(reader, "on_dead");
    route->ack = (enum ack)word_of(reader, "ack", acks);
    route->ack_within_ms = (uint64_t)number_of(reader, "ack_within");
    route->keep = flag_of(reader, "keep");
    route->keep_ms = (uint64_t)number_of(reader, "keep_ms");
    route->reply = reply_of(reader);
    route->retry = retry_of(reader, &off);
    route->limits = limits_of(reader, &reader->generation->limits);
}

/* ---- tasks and batches ---- */

static struct route inner_route(const struct reader *reader, enum route_kind kind)
{
    bool off;
    return (struct route){ .kind = kind,
                           .path = text_of(reader, "path"),
                           .file = text_of(reader, "file"),
                           .line = (uint32_t)number_of(reader, "line"),
                           .enabled = true,
                           .keep = true,
                           .retry = retry_of(reader, &off),
                           .limits = limits_of(reader, &reader->generation->limits) };
}

/* The loader has checked both. */
static void read_cron(const struct reader *reader, struct task *task)
{
    char why[CRON_WHY_SIZE];
    struct slice text = text_of(reader, "cron"), zone = text_of(reader, "zone");
    if (!text.data)
        return;
    if (cron_parse(text, &task->cron, why) != OK)
        luaL_error(reader->L, "cron: %s", why);
    if (zone_load(zone.data, &reader->generation->arena, &task->zone) != OK)
        luaL_error(reader->L, "the zone %s cannot be read", zone.data);
}

static void read_task(const struct reader *reader, struct task *task)
{
    task->route = inner_route(reader, ROUTE_TASK);
    task->schedule = text_of(reader, "schedule");
    task->every_ms = (uint64_t)number_of(reader, "every");
    read_cron(reader, task);
}

/* ---- targets ---- */

static void read_auth(const struct reader *reader, struct target *target)
{
    static const char *const schemes[] = { "none", "bearer", "basic", NULL };
    size_t count;
    if (!enter(reader, "auth", &count))
        return;
    target->auth = (enum auth)word_of(reader, "scheme", schemes);
    target->auth_user = pieces_of(reader, "user");
    target->auth_value = pieces_of(reader, "value");
    lua_pop(reader->L, 1);
}

static void read_success(const struct reader *reader, struct target *target)
{
    size_t count;
    if (!enter(reader, "success", &count))
        return;
    for (size_t i = 0; i < count && i < SUCCESS_RANGES_MAX; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        target->success[i].from = (uint16_t)number_of(reader, "from");
        target->success[i].to = (uint16_t)number_of(reader, "to");
        target->success_count = i + 1;
        lua_pop(reader->L, 1);
    }
    lua_pop(reader->L, 1);
}

static void read_rate(const struct reader *reader, struct target *target)
{
    size_t count;
    if (!enter(reader, "rate", &count))
        return;
    target->rate_per_s = number_of(reader, "per_second");
    target->rate_burst = number_of(reader, "burst");
    lua_pop(reader->L, 1);
}

static bool lacks_secret(const struct generation *generation, struct slice pieces)
{
    struct arena scratch = { 0 };
    struct slice value, missing;
    bool lacks = pieces.len > 0 &&
                 pieces_render(pieces, generation_secret, (void *)generation, &scratch, &value, &missing) == ERR_NOT_FOUND;
    arena_deinit(&scratch);
    return lacks;
}

/* Development only: a production load stops at a missing secret. */
static bool target_records(const struct generation *generation, const struct target *target)
{
    struct slice value;
    bool lacks = lacks_secret(generation, target->url) || lacks_secret(generation, target->auth_user) ||
                 lacks_secret(generation, target->auth_value);
    for (size_t i = 0; i < target->header_count; i++)
        lacks = lacks || lacks_secret(generation, target->headers[i].value);
    return lacks || (target->sign_secret.data && !generation_secret((void *)generation, target->sign_secret, &value));
}

static void read_target(const struct reader *reader, struct target *target)
{
    target->name = text_of(reader, "name");
    target->file = text_of(reader, "file");
    target->line = (uint32_t)number_of(reader, "line");
    target->url = pieces_of(reader, "url");
    target->method = text_of(reader, "method");
    target->headers = pairs_of(reader, "headers", &target->header_count, true);
    read_auth(reader, target);
    target->sign_secret = text_of(reader, "sign_secret");
    target->timeout_ms = (uint64_t)number_of(reader, "timeout");
    target->connect_timeout_ms = (uint64_t)number_of(reader, "connect_timeout");
    target->retry = retry_of(reader, &target->retry_off);
    read_success(reader, target);
    target->success_function = flag_of(reader, "success_function");
    target->concurrency = (uint32_t)number_of(reader, "concurrency");
    target->breaker_after = (uint32_t)number_of(reader, "breaker_after");
    target->breaker_probe_ms = (uint64_t)number_of(reader, "breaker_probe");
    read_rate(reader, target);
    target->allow_private = flag_of(reader, "private");
    target->max_response_bytes = (uint64_t)number_of(reader, "max_response");
    target->records = target_records(reader->generation, target);
}

/* ---- the whole ---- */

static int by_order(const void *a, const void *b)
{
    return router_order(((const struct route *)a)->path, ((const struct route *)b)->path);
}

static void read_routes(const struct reader *reader)
{
    size_t count = 0;
    if (!enter(reader, "routes", &count))
        return;
    struct route *routes = take(reader, count * sizeof(*routes));
    reader->generation->routes = routes; /* at once: what they own is freed with them */
    reader->generation->route_count = count;
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        read_route(reader, &routes[i]);
        lua_pop(reader->L, 1);
    }
    qsort(routes, count, sizeof(*routes), by_order);
    for (size_t i = 0; i < count; i++)
        routes[i].index = (uint32_t)i;
    lua_pop(reader->L, 1);
}

static void read_tasks(const struct reader *reader)
{
    size_t count = 0;
    if (!enter(reader, "tasks", &count))
        return;
    struct task *tasks = take(reader, count * sizeof(*tasks));
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        read_task(reader, &tasks[i]);
        lua_pop(reader->L, 1);
    }
    reader->generation->tasks = tasks;
    reader->generation->task_count = count;
    lua_pop(reader->L, 1);
}

static void read_batches(const struct reader *reader)
{
    size_t count = 0;
    if (!enter(reader, "batches", &count))
        return;
    struct route *batches = take(reader, count * sizeof(*batches));
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        batches[i] = inner_route(reader, ROUTE_BATCH);
        lua_pop(reader->L, 1);
    }
    reader->generation->batches = batches;
    reader->generation->batch_count = count;
    lua_pop(reader->L, 1);
}

static void read_targets(const struct reader *reader)
{
    size_t count = 0;
    if (!enter(reader, "targets", &count))
        return;
    struct target *targets = take(reader, count * sizeof(*targets));
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(reader->L, -1, (int)i + 1);
        read_target(reader, &targets[i]);
        targets[i].index = (uint32_t)i;
        lua_pop(reader->L, 1);
    }
    reader->generation->targets = targets;
    reader->generation->target_count = count;
    lua_pop(reader->L, 1);
}

void records_read(lua_State *L, int index, struct generation *generation)
{
    struct reader reader = { L, generation };
    lua_checkstack(L, 20);
    lua_pushvalue(L, index);
    generation->settings = pairs_of(&reader, "settings", &generation->setting_count, false);
    generation->limits = limits_of(&reader, &LIMITS_DEFAULT);
    generation->trusted_proxies = ranges_of(&reader, "trusted_proxies", &generation->trusted_proxy_count);
    read_routes(&reader);
    read_tasks(&reader);
    read_batches(&reader);
    read_targets(&reader);
    if (generation_index(generation) != OK)
        luaL_error(L, "not enough memory");
    lua_pop(L, 1);
}
