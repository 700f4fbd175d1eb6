/* record_verify.c: how a route verifies (model/verification.h), from the record of lua/tidewire/loader/verify.lua. The words here
 * are in the order of their enums. */
#include <lauxlib.h>

#include "script/record.h"

static void read_verify(const struct record *record, struct verify *verify);

static struct verify_source source_of(const struct record *record, const char *name)
{
    struct verify_source source = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
    if (!record_enter(record, name))
        return source;
    source.header = record_text(record, "header");
    source.part = record_text(record, "part");
    source.field = record_text(record, "field");
    record_leave(record);
    return source;
}

static const struct template_part *template_of(const struct record *record, size_t *count)
{
    static const char *const kinds[] = { "text",  "body", "timestamp",   "id",     "method", "path", "header", "query",
                                         "field", "url",  "form-sorted", "secret", "crc32",  "sns",  NULL };
    if (!record_enter_list(record, "signed", count))
        return NULL;
    if (*count > TEMPLATE_PARTS_MAX)
        luaL_error(record->L, "a template has too many parts"); /* the loader has counted them */
    struct template_part *parts = record_take(record, *count * sizeof(*parts));
    for (size_t i = 0; i < *count; i++) {
        record_enter_item(record, i);
        parts[i] =
            (struct template_part){ (enum template_kind)record_known_word(record, "kind", kinds), record_text(record, "text") };
        record_leave(record);
    }
    record_leave(record);
    return parts;
}

static struct verify_certificate certificate_of(const struct record *record)
{
    struct verify_certificate certificate = { .host_count = 0 };
    if (!record_enter(record, "certificate"))
        return certificate;
    certificate.url = source_of(record, "url");
    certificate.host_count = record_few_texts(record, "hosts", certificate.hosts, CERTIFICATE_HOSTS_MAX);
    certificate.path_end = record_text(record, "path_end");
    certificate.name_end = record_text(record, "name_end");
    record_leave(record);
    return certificate;
}

static void read_how_signed(const struct record *record, struct verify *verify)
{
    static const char *const encodings[] = { "hex", "base64", NULL };
    static const char *const formats[] = { "plain", "k=v,", "k=v;", "list", NULL };
    static const char *const keys[] = { "text", "standard", "hex", "base64", NULL };
    static const char *const stamps[] = { "unix", "rfc3339", "unix_ms", NULL };
    static const char *const adds[] = { "nothing", "query", "path", NULL };
    verify->encoding = (enum verify_encoding)record_word(record, "encoding", encodings);
    verify->format = (enum verify_format)record_word(record, "format", formats);
    verify->key = (enum verify_key)record_word(record, "key", keys);
    verify->prefix = record_text(record, "prefix");
    verify->signature = record_text(record, "signature");
    verify->public_signature = record_text(record, "public_signature");
    verify->timestamp = source_of(record, "timestamp");
    verify->timestamp_format = (enum stamp_format)record_word(record, "timestamp_format", stamps);
    verify->id = source_of(record, "id");
    verify->signed_parts = template_of(record, &verify->signed_count);
    verify->max_age_ms = (uint64_t)record_number(record, "max_age");
    verify->url_count = record_few_texts(record, "urls", verify->urls, URLS_MAX);
    verify->url_adds = (enum url_adds)record_word(record, "url_adds", adds);
    verify->body_sha256 = record_text(record, "body_sha256");
    verify->json_only = record_flag(record, "json_only");
}

/* NULL: nothing else has to hold. */
static const struct verify *also_of(const struct record *record)
{
    if (!record_enter(record, "also"))
        return NULL;
    struct verify *also = record_take(record, sizeof(*also));
    read_verify(record, also);
    record_leave(record);
    return also;
}

static void read_verify(const struct record *record, struct verify *verify)
{
    static const char *const schemes[] = { "none",    "hmac",  "bearer", "hash", "token", "basic",
                                           "ed25519", "ecdsa", "jwt",    "rsa",  NULL };
    verify->scheme = (enum verify_scheme)record_known_word(record, "scheme", schemes);
    verify->name = record_text(record, "name");
    verify->header = record_text(record, "header");
    verify->field = record_text(record, "field");
    verify->other_headers = record_texts(record, "other_headers", &verify->other_header_count);
    verify->algorithm = record_text(record, "algorithm");
    read_how_signed(record, verify);
    verify->secret_count = record_few_texts(record, "secrets", verify->secrets, SECRETS_MAX);
    verify->public_key_count = record_few_texts(record, "public_keys", verify->public_keys, PUBLIC_KEYS_MAX);
    verify->user = record_text(record, "user");
    verify->issuer = record_text(record, "issuer");
    verify->audiences = record_texts(record, "audiences", &verify->audience_count);
    verify->jwks = record_text(record, "jwks");
    verify->certificate = certificate_of(record);
    verify->topics = record_texts(record, "topics", &verify->topic_count);
    verify->allow_sha1 = record_flag(record, "allow_sha1");
    verify->also = also_of(record);
}

struct verify record_verify(const struct record *record, const char *name)
{
    struct verify verify = { 0 };
    if (record_enter(record, name)) {
        read_verify(record, &verify);
        record_leave(record);
    }
    return verify;
}
