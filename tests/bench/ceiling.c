/* ceiling.c: the least that a router of webhooks has to do, as a measure for the router: libuv, llhttp, HMAC-SHA256 of the body
 * with a context that stays keyed, an answer. One thread; no limits, no rules, no store.
 *
 *   bench_ceiling SECRET        X-Hub-Signature-256 right: 202, else 401 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "server.h"

enum { DIGEST_BYTES = 32 };

#define ACCEPTED_BODY "{\"id\":\"01a1fd81-1194-77cd-8788-53e4fe2af8ff\"}\n"
/* as long as the router's answer */
static const char accepted[] = "HTTP/1.1 202 Accepted\r\nDate: Sat, 21 Nov 2026 09:47:36 GMT\r\n"
                               "tidewire-event-id: 01a1fd81-1194-77cd-8788-53e4fe2af8ff\r\nContent-Type: application/json\r\n"
                               "Content-Length: 46\r\nConnection: keep-alive\r\n\r\n" ACCEPTED_BODY;
_Static_assert(sizeof(ACCEPTED_BODY) - 1 == 46, "Content-Length");
static const char refused[] = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";

static EVP_MAC_CTX *keyed_context(const char *secret)
{
    char algorithm[] = "SHA256";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", algorithm, 0), OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    if (!context || !EVP_MAC_init(context, (const unsigned char *)secret, strlen(secret), params))
        return NULL;
    return context;
}

static bool sign(EVP_MAC_CTX *context, struct slice body, unsigned char digest[DIGEST_BYTES])
{
    size_t len;
    return EVP_MAC_init(context, NULL, 0, NULL) && /* the same key again */
           EVP_MAC_update(context, (const unsigned char *)body.data, body.len) &&
           EVP_MAC_final(context, digest, &len, DIGEST_BYTES);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode_hex(struct slice text, unsigned char out[DIGEST_BYTES])
{
    if (text.len != 2 * DIGEST_BYTES)
        return false;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        int high = hex_digit(text.data[2 * i]), low = hex_digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static struct slice answer(void *arg, const struct bench_request *request)
{
    static const struct slice prefix = SLICE("sha256=");
    unsigned char said[DIGEST_BYTES], right[DIGEST_BYTES];
    struct slice header = bench_header(request, SLICE("x-hub-signature-256"));
    bool valid = slice_starts(header, prefix) && decode_hex(slice_from(header, prefix.len), said) &&
                 sign(arg, request->body, right) && CRYPTO_memcmp(said, right, DIGEST_BYTES) == 0;
    return valid ? slice_make(accepted, sizeof(accepted) - 1) : slice_make(refused, sizeof(refused) - 1);
}

int main(int argc, char **argv)
{
    EVP_MAC_CTX *context = argc == 2 ? keyed_context(argv[1]) : NULL;
    if (!context) {
        fputs("usage: bench_ceiling SECRET\n", stderr);
        return 2;
    }
    struct bench_server server = { .answer = answer, .arg = context };
    int failed = bench_serve(&server);
    EVP_MAC_CTX_free(context);
    return failed ? 1 : 0;
}
