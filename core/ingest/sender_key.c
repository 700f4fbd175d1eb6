/* sender_key.c: the key of a request whose sender's keys are fetched. */
#include "ingest/key_store.h"
#include "ingest/sender_url.h"
#include "ingest/verifier.h"

enum verdict sender_key_ask(const struct verify_input *input, const struct key_query *query, struct verify_result *result,
                            EVP_PKEY **key)
{
    if (!input->keys)
        return VERDICT_AWAY;
    switch (key_store_find(input->keys, query, key, &result->waits_for)) {
    case KEY_THERE:
        return VERDICT_VALID;
    case KEY_COMES:
        return VERDICT_WAIT;
    case KEY_REFUSED:
        return VERDICT_KEY;
    case KEY_AWAY:
        break;
    }
    return VERDICT_AWAY;
}

enum verdict sender_key_find(const struct verify *verify, struct asked *asked, struct verify_result *result, EVP_PKEY **key)
{
    const struct verify_certificate *certificate = &verify->certificate;
    struct slice url;
    bool there = certificate->url.header.data ? asked_header(asked->input, certificate->url.header, &url)
                                              : asked_field(asked, certificate->url.field, UNVERIFIED_JSON_MAX, &url);
    if (!there)
        return VERDICT_MISSING;
    if (!sender_url_is_certificate(certificate, url))
        return VERDICT_KEY;
    struct key_query query = {
        .url = url, .kind = PUBLIC_RSA, .name_end = certificate->name_end, .now_ms = asked->input->now_ms
    };
    return sender_key_ask(asked->input, &query, result, key);
}
