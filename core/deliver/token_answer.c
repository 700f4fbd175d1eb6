#include "deliver/token_answer.h"

#include <stdio.h>

#include "json/json.h"

enum { ERROR_MAX = 64, DESCRIPTION_MAX = 200, NUMBER_DIGITS_MAX = 9 };

/* Decoded; false: it is no text, or longer than the buffer. */
static bool text_of(struct json_value object, struct slice name, struct buf *out)
{
    struct json_value value = json_member(object, name);
    bool escaped;
    if (!value.doc || json_type(value) != JSON_STRING)
        return false;
    struct slice raw = json_string(value, &escaped);
    if (escaped)
        json_unescape(raw, out);
    else
        buf_add_slice(out, raw);
    return buf_ok(out);
}

/* VSCHAR of RFC 6749, A.12, without the space: it is one word of a header. */
static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7F)
            return false;
    return text.len > 0;
}

/* A number, or its digits as a text, as some write it. */
static uint64_t life_of(struct json_value object)
{
    struct json_value value = json_member(object, SLICE("expires_in"));
    double number = value.doc && json_type(value) == JSON_NUMBER ? json_number(value) : -1;
    struct buf digits;
    buf_init(&digits, NUMBER_DIGITS_MAX);
    if (text_of(object, SLICE("expires_in"), &digits)) {
        number = 0;
        for (size_t i = 0; i < digits.len && number >= 0; i++)
            number = digits.data[i] >= '0' && digits.data[i] <= '9' ? number * 10 + (digits.data[i] - '0') : -1;
    }
    buf_deinit(&digits);
    if (!(number >= 0))
        return TOKEN_LIFE_DEFAULT_S;
    return number < TOKEN_LIFE_MAX_S ? (uint64_t)number : TOKEN_LIFE_MAX_S;
}

/* The text at the name as it may be shown: on one line, in ASCII, cut. */
static void add_shown(struct json_value object, struct slice name, size_t max, const char *before, char why[TOKEN_WHY_SIZE])
{
    struct buf text;
    size_t at = strlen(why);
    buf_init(&text, TOKEN_BYTES_MAX);
    if (object.doc && text_of(object, name, &text) && text.len > 0) {
        at += (size_t)snprintf(why + at, TOKEN_WHY_SIZE - at, "%s", before);
        for (size_t i = 0; i < text.len && i < max && at + 1 < TOKEN_WHY_SIZE; i++)
            why[at++] = text.data[i] >= ' ' && text.data[i] < 0x7F ? text.data[i] : '?';
        why[at] = '\0';
    }
    buf_deinit(&text);
}

static const char *read_grant(struct json_value object, struct buf *token, uint64_t *life_s)
{
    struct buf type;
    if (!json_member(object, SLICE("access_token")).doc)
        return "without an access_token";
    if (!text_of(object, SLICE("access_token"), token) || !is_token(buf_slice(token)))
        return "with an access_token that is none: at most 8 KiB of visible characters";
    buf_init(&type, ERROR_MAX);
    bool has_type = json_member(object, SLICE("token_type")).doc != NULL;
    bool is_bearer = text_of(object, SLICE("token_type"), &type) && slice_eq_nocase(buf_slice(&type), SLICE("bearer"));
    buf_deinit(&type);
    *life_s = life_of(object);
    return has_type && !is_bearer ? "with a token that is no bearer token" : NULL;
}

enum result token_answer_read(uint16_t status, struct slice body, struct buf *token, uint64_t *life_s, char why[TOKEN_WHY_SIZE])
{
    struct json_doc *doc = NULL;
    struct json_error error;
    struct json_value object = { NULL, 0 };
    const char *lacks = NULL;
    if (json_index(body, &doc, &error) == OK && json_type(json_root(doc)) == JSON_OBJECT)
        object = json_root(doc);
    snprintf(why, TOKEN_WHY_SIZE, "token endpoint answered %u", status);
    bool granted = status >= 200 && status < 300;
    if (!granted) {
        add_shown(object, SLICE("error"), ERROR_MAX, " ", why);
        add_shown(object, SLICE("error_description"), DESCRIPTION_MAX, ": ", why);
    } else {
        lacks = object.doc ? read_grant(object, token, life_s) : "with what is no JSON object";
    }
    if (lacks)
        snprintf(why + strlen(why), TOKEN_WHY_SIZE - strlen(why), " %s", lacks);
    json_free(doc);
    return granted && !lacks ? OK : ERR_INVALID;
}
