#include "ingest/encoding.h"

#include <stdint.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(struct slice text, unsigned char *out, size_t room, size_t *len)
{
    *len = text.len / 2;
    if (text.len % 2 || *len > room)
        return false;
    for (size_t i = 0; i < *len; i++) {
        int high = hex_value(text.data[2 * i]), low = hex_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* last: the characters for 62 and 63. */
static int base64_value(char c, const char *last)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == last[0] ? 62 : c == last[1] ? 63 : -1;
}

/* Text without padding; a last group of one character cannot be, nor one whose spare bits are set. */
static bool decode_groups(struct slice text, const char *last, unsigned char *out, size_t room, size_t *len)
{
    uint32_t bits = 0;
    unsigned held = 0;
    *len = text.len / 4 * 3 + (text.len % 4 ? text.len % 4 - 1 : 0);
    if (text.len % 4 == 1 || *len > room)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64_value(text.data[i], last);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *out++ = (unsigned char)(bits >> held);
        }
    }
    return (bits & ((1u << held) - 1)) == 0;
}

bool base64_decode(struct slice text, unsigned char *out, size_t room, size_t *len)
{
    *len = 0;
    if (text.len % 4)
        return false;
    for (int padding = 0; padding < 2 && text.len && text.data[text.len - 1] == '='; padding++)
        text.len--;
    return decode_groups(text, "+/", out, room, len);
}

bool base64url_decode(struct slice text, unsigned char *out, size_t room, size_t *len)
{
    return decode_groups(text, "-_", out, room, len);
}

void hex_encode(const unsigned char *bytes, size_t len, struct buf *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        buf_add_byte(out, digits[bytes[i] >> 4]);
        buf_add_byte(out, digits[bytes[i] & 15]);
    }
}

/* Three bytes are four characters; how many of these the last, shorter group has, its length says. */
static void encode_groups(const unsigned char *bytes, size_t len, const char *last, struct buf *out)
{
    static const char most[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    for (size_t i = 0; i < len; i += 3) {
        size_t held = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)bytes[i] << 16;
        if (held > 1)
            bits |= (uint32_t)bytes[i + 1] << 8;
        if (held > 2)
            bits |= bytes[i + 2];
        for (size_t k = 0; k <= held; k++) {
            uint32_t value = bits >> (18 - 6 * k) & 63;
            buf_add_byte(out, value < 62 ? most[value] : last[value - 62]);
        }
    }
}

void base64_encode(const unsigned char *bytes, size_t len, struct buf *out)
{
    encode_groups(bytes, len, "+/", out);
    for (size_t padding = (3 - len % 3) % 3; padding > 0; padding--)
        buf_add_byte(out, '=');
}

void base64url_encode(const unsigned char *bytes, size_t len, struct buf *out)
{
    encode_groups(bytes, len, "-_", out);
}
