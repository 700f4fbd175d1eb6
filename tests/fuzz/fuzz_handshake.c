/* Any body, query and header, to one handshake of each kind: what comes back is at most 256 bytes that were there, harmless ones
 * where nothing is signed, and fits the answer. The first byte chooses the kind, the second where the body ends. */
#include <stdint.h>
#include <stdlib.h>

#include "ingest/handshake.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const harmless = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

static void check_answer(const struct handshake *handshake, const struct reply *reply)
{
    if (reply->body.len > REPLY_INLINE_MAX)
        abort();
    if (handshake->answer != HANDSHAKE_ECHO || handshake->method.len == 0)
        return;
    if (reply->body.len == 0 || reply->body.len > HANDSHAKE_VALUE_MAX)
        abort();
    for (size_t i = 0; i < reply->body.len; i++)
        if (!strchr(harmless, reply->body.data[i]) || reply->body.data[i] == '\0')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct slice paths[] = { SLICE("query.c"), SLICE("headers.c"), SLICE("body.c") };
    static struct secret secrets[] = { { SLICE("S"), SLICE("a secret") } };
    static const struct slice names[] = { SLICE("S"), SLICE("*") };
    if (size < 2)
        return 0;
    struct slice bytes = { (const char *)data + 2, size - 2 };
    struct slice body = { bytes.data, data[1] < bytes.len ? data[1] : bytes.len };
    struct handshake handshake = { .answer = (enum handshake_answer)(data[0] % (HANDSHAKE_ORIGINS + 1)),
                                   .method = data[0] & 0x10 ? SLICE("GET") : SLICE(""),
                                   .value_path = paths[data[0] % 3],
                                   .name = SLICE("name"),
                                   .token_path = data[0] & 0x20 ? paths[0] : SLICE(""),
                                   .token_secrets = names,
                                   .token_secret_count = 1,
                                   .origins = names + 1,
                                   .origin_count = 1,
                                   .reply = { .status = 200 } };
    struct route route = { .path = SLICE("/f"), .handshakes = &handshake, .handshake_count = 1, .allow = SLICE("POST") };
    struct generation generation = { .secrets = secrets, .secret_count = 1 };
    struct pair header = { SLICE("c"), slice_from(bytes, body.len) };
    struct event event = { .query = header.value, .headers = &header, .header_count = 1, .body = body, .kind = BODY_TEXT };
    struct json_error error;
    struct buf scratch;
    struct reply reply;
    struct slice url = SLICE("");
    if (json_index(body, &event.json, &error) == OK)
        event.kind = BODY_JSON;
    buf_init(&scratch, 64 << 10);
    struct handshake_asker asker = { .event = &event, .method = handshake.method, .secret = SLICE("S") };
    if (handshake_answer(&route, &generation, &asker, &scratch, &reply, &url) == HANDSHAKE_ANSWERED)
        check_answer(&handshake, &reply);
    handshake.value_path = paths[2];
    (void)handshake_show(&route, body, SLICE("192.0.2.1"), &reply);
    buf_deinit(&scratch);
    if (event.kind == BODY_JSON)
        json_free(event.json);
    return 0;
}
