#include "ingest/signed_text.h"

#include <stdio.h>

#include "base/crc32.h"

static void add_piece(struct signed_text *text, struct slice piece)
{
    if (piece.len > 0)
        text->pieces[text->count++] = piece;
}

static void add_url(const struct verify *verify, const struct verify_input *input, size_t url, struct signed_text *text)
{
    if (input->url.data) {
        add_piece(text, input->url);
        return;
    }
    add_piece(text, verify->urls[url]);
    if (verify->url_adds == URL_ADDS_PATH)
        add_piece(text, input->path);
    if (verify->url_adds != URL_ADDS_NOTHING && input->query.len > 0) {
        add_piece(text, SLICE("?"));
        add_piece(text, input->query);
    }
}

static enum verdict find_crc32(struct asked *asked, struct slice *text)
{
    char digits[16];
    snprintf(digits, sizeof(digits), "%u", (unsigned)crc32_of(asked->input->body));
    *text = arena_copy(&asked->texts, slice_of(digits));
    return text->data ? VERDICT_VALID : VERDICT_MALFORMED;
}

enum verdict signed_text_find(const struct verify *verify, struct asked *asked, struct slice timestamp, struct slice id,
                              size_t url, struct signed_text *out)
{
    const struct verify_input *input = asked->input;
    out->count = 0;
    out->secrets = 0;
    for (size_t i = 0; i < verify->signed_count; i++) {
        const struct template_part *part = &verify->signed_parts[i];
        struct slice piece = { NULL, 0 };
        enum verdict verdict = VERDICT_VALID;
        switch (part->kind) {
        case TEMPLATE_TEXT:
            piece = part->text;
            break;
        case TEMPLATE_BODY:
            piece = input->body;
            break;
        case TEMPLATE_TIMESTAMP:
            piece = timestamp;
            break;
        case TEMPLATE_ID:
            piece = id;
            break;
        case TEMPLATE_METHOD:
            piece = input->method;
            break;
        case TEMPLATE_PATH:
            piece = input->path;
            break;
        case TEMPLATE_HEADER:
            verdict = asked_header(input, part->text, &piece) ? VERDICT_VALID : VERDICT_MISSING;
            break;
        case TEMPLATE_QUERY:
            verdict = asked_query(asked, part->text, &piece) ? VERDICT_VALID : VERDICT_MISSING;
            break;
        case TEMPLATE_FIELD:
            verdict = asked_field(asked, part->text, UNVERIFIED_JSON_MAX, &piece) ? VERDICT_VALID : VERDICT_MISSING;
            break;
        case TEMPLATE_URL:
            add_url(verify, input, url, out);
            break;
        case TEMPLATE_FORM_SORTED:
            verdict = signed_form_find(verify, asked, &piece);
            break;
        case TEMPLATE_SECRET:
            out->secrets |= 1ull << out->count;
            out->pieces[out->count++] = piece;
            break;
        case TEMPLATE_CRC32:
            verdict = find_crc32(asked, &piece);
            break;
        case TEMPLATE_SNS:
            verdict = signed_sns_find(asked, &piece);
            break;
        }
        if (verdict != VERDICT_VALID)
            return verdict;
        add_piece(out, piece);
    }
    return VERDICT_VALID;
}

/* All pieces to `add`, in order; false: one call did. */
static bool write_to(const struct signed_text *text, struct slice secret, bool (*add)(void *to, struct slice bytes), void *to)
{
    for (size_t i = 0; i < text->count; i++)
        if (!add(to, text->secrets >> i & 1 ? secret : text->pieces[i]))
            return false;
    return true;
}

static bool add_to_mac(void *mac, struct slice bytes)
{
    return bytes.len == 0 || EVP_MAC_update(mac, (const unsigned char *)bytes.data, bytes.len) == 1;
}

static bool add_to_hash(void *hash, struct slice bytes)
{
    return bytes.len == 0 || EVP_DigestUpdate(hash, bytes.data, bytes.len) == 1;
}

bool signed_text_mac(EVP_MAC_CTX *keyed, const struct signed_text *text, unsigned char *digest)
{
    size_t len;
    return EVP_MAC_init(keyed, NULL, 0, NULL) == 1 && /* with the key it has: half the cost of a copy of the context */
           write_to(text, (struct slice){ NULL, 0 }, add_to_mac, keyed) &&
           EVP_MAC_final(keyed, digest, &len, EVP_MAX_MD_SIZE) == 1;
}

bool signed_text_hash(struct slice secret, const struct signed_text *text, unsigned char *digest)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool ok = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) && write_to(text, secret, add_to_hash, hash) &&
              EVP_DigestFinal_ex(hash, digest, NULL);
    EVP_MD_CTX_free(hash);
    return ok;
}

struct slice signed_text_join(const struct signed_text *text, struct arena *arena)
{
    size_t len = 0, at = 0;
    if (text->count == 1)
        return text->pieces[0];
    for (size_t i = 0; i < text->count; i++)
        len += text->pieces[i].len;
    char *bytes = arena_take(arena, len ? len : 1);
    for (size_t i = 0; bytes && i < text->count; i++) {
        memcpy(bytes + at, text->pieces[i].data, text->pieces[i].len);
        at += text->pieces[i].len;
    }
    return (struct slice){ bytes, bytes ? len : 0 };
}
