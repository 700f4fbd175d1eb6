/* record_target.c: a target, from the record of lua/tidewire/loader/target.lua. Words are in the order of their enums. */
#include <lauxlib.h>

#include "ingest/keys.h"
#include "script/certificates.h"
#include "script/record.h"

static void read_auth(const struct record *record, struct target *target)
{
    static const char *const schemes[] = { "none", "bearer", "basic", "oauth2", NULL };
    if (!record_enter(record, "auth"))
        return;
    target->auth = (enum auth)record_word(record, "scheme", schemes);
    enum escaping escaping = target->auth == AUTH_OAUTH2 ? ESCAPE_FORM : ESCAPE_NONE; /* RFC 6749, 2.3.1 */
    target->auth_user = record_escaped_pieces(record, "user", escaping);
    target->auth_value = record_escaped_pieces(record, "value", escaping);
    target->token_url = record_pieces(record, "token_url");
    target->scope = record_text(record, "scope");
    record_leave(record);
}

static void read_key(const struct record *record, struct signing *signing)
{
    struct slice pem;
    if (signs_by_key(&signing->how) && generation_secret(record->generation, signing->how.secrets[0], &pem))
        signing->key = private_key_read(public_key_kind_of(&signing->how), pem);
}

static void read_signing(const struct record *record, struct target *target)
{
    if (!record_enter(record, "sign"))
        return;
    struct signing *signing = target->signing = record_take(record, sizeof(*signing));
    signing->token_header = record_text(record, "token_header");
    signing->token_claims = record_text(record, "token_claims");
    signing->body_hash = record_text(record, "body_hash");
    signing->ttl_ms = (uint64_t)record_number(record, "ttl");
    record_leave(record);
    signing->how = record_verify(record, "sign");
    read_key(record, signing);
}

static void read_success(const struct record *record, struct target *target)
{
    size_t count;
    if (!record_enter_list(record, "success", &count))
        return;
    for (size_t i = 0; i < count && i < SUCCESS_RANGES_MAX; i++) {
        record_enter_item(record, i);
        target->success[i].from = (uint16_t)record_number(record, "from");
        target->success[i].to = (uint16_t)record_number(record, "to");
        target->success_count = i + 1;
        record_leave(record);
    }
    record_leave(record);
}

static void read_retry(const struct record *record, struct target *target)
{
    target->retry = record_retry(record);
    if (!record_enter(record, "retry"))
        return;
    target->retry_off = record_flag(record, "off");
    record_leave(record);
}

static void read_rate(const struct record *record, struct target *target)
{
    if (!record_enter(record, "rate"))
        return;
    target->rate_per_s = record_number(record, "per_second");
    target->rate_burst = record_number(record, "burst");
    record_leave(record);
}

static struct slice key_of(const struct record *record)
{
    struct slice key = record_text(record, "key"), name = record_text(record, "key_secret");
    if (!key.data && name.data)
        (void)generation_secret(record->generation, name, &key); /* not set: the target records */
    return key;
}

static const struct target_tls *tls_of(const struct record *record)
{
    if (!record_enter(record, "tls"))
        return NULL;
    struct target_tls *tls = record_take(record, sizeof(*tls));
    *tls = (struct target_tls){ .ca = record_text(record, "ca"),
                                .cert = record_text(record, "cert"),
                                .key = key_of(record),
                                .only_1_3 = record_flag(record, "only_1_3"),
                                .pins = record_text(record, "pins").data };
    if (!target_tls_identify(tls))
        luaL_error(record->L, "not enough memory");
    record_leave(record);
    return tls;
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
                 lacks_secret(generation, target->auth_value) || lacks_secret(generation, target->token_url);
    for (size_t i = 0; i < target->header_count; i++)
        lacks = lacks || lacks_secret(generation, target->headers[i].value);
    lacks = lacks || (target->tls && target->tls->cert.data && !target->tls->key.data);
    return lacks || (target->signing && !generation_secret((void *)generation, target->signing->how.secrets[0], &value));
}

void record_read_target(const struct record *record, struct target *target)
{
    target->name = record_text(record, "name");
    target->file = record_text(record, "file");
    target->line = (uint32_t)record_number(record, "line");
    target->url = record_pieces(record, "url");
    target->method = record_text(record, "method");
    target->headers = record_pairs(record, "headers", &target->header_count, true);
    read_auth(record, target);
    read_signing(record, target);
    target->timeout_ms = (uint64_t)record_number(record, "timeout");
    target->connect_timeout_ms = (uint64_t)record_number(record, "connect_timeout");
    read_retry(record, target);
    read_success(record, target);
    target->success_function = record_flag(record, "success_function");
    target->concurrency = (uint32_t)record_number(record, "concurrency");
    target->breaker_after = (uint32_t)record_number(record, "breaker_after");
    target->breaker_probe_ms = (uint64_t)record_number(record, "breaker_probe");
    read_rate(record, target);
    target->tls = tls_of(record);
    target->allow_private = record_flag(record, "private");
    target->redirects = (uint32_t)record_number(record, "redirects");
    target->max_response_bytes = (uint64_t)record_number(record, "max_response");
    target->records = target_records(record->generation, target);
}
