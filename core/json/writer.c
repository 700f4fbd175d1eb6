#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/json.h"

enum { DIGITS_LEAST = 15, DIGITS_MOST = 17 };
#define EXACT_MAX 9007199254740992.0 /* 2^53: whole numbers up to here are written without an exponent */

void json_write_number(struct buf *out, double number)
{
    char text[40];
    if (number == 0) {
        buf_add_text(out, signbit(number) ? "-0" : "0");
        return;
    }
    if (fabs(number) <= EXACT_MAX && number == floor(number)) {
        if (number < 0)
            buf_add_byte(out, '-');
        buf_add_number(out, (uint64_t)fabs(number));
        return;
    }
    for (int digits = DIGITS_LEAST; digits <= DIGITS_MOST; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    buf_add_text(out, text);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* From i on, the first byte that needs an escape or is not ASCII. Eight at a time: such a byte is found by what it does to the
 * highest bit of its place (Mycroft's test for a zero byte, and for one less than 0x20). */
static size_t plain_end(struct slice text, size_t i)
{
    const uint64_t ones = 0x0101010101010101u, high = ones * 0x80;
    for (; i + 8 <= text.len; i += 8) {
        uint64_t word;
        memcpy(&word, text.data + i, sizeof(word));
        uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
        if ((word | (word - ones * 0x20) | (quote - ones) | (slash - ones)) & high)
            break;
    }
    while (i < text.len && is_plain((unsigned char)text.data[i]))
        i++;
    return i;
}

bool json_write_string(struct buf *out, struct slice text)
{
    static const char hex[] = "0123456789abcdef";
    size_t before = out->len, clean = 0;
    buf_add_byte(out, '"');
    for (size_t i = 0;;) {
        i = plain_end(text, i);
        if (i == text.len)
            break;
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x80) {
            size_t len = utf8_length((const unsigned char *)text.data + i, text.len - i);
            if (len == 0) {
                out->len = before;
                return false;
            }
            i += len;
            continue;
        }
        buf_add(out, text.data + clean, i - clean);
        switch (c) {
        case '"':
        case '\\':
            buf_add(out, (char[]){ '\\', (char)c }, 2);
            break;
        case '\n':
            buf_add_text(out, "\\n");
            break;
        case '\r':
            buf_add_text(out, "\\r");
            break;
        case '\t':
            buf_add_text(out, "\\t");
            break;
        case '\b':
            buf_add_text(out, "\\b");
            break;
        case '\f':
            buf_add_text(out, "\\f");
            break;
        default:
            buf_add(out, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
        }
        clean = ++i;
    }
    buf_add_slice(out, slice_from(text, clean));
    buf_add_byte(out, '"');
    return true;
}
