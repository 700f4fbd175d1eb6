/* codec.c: base64 and hex (RFC 4648). Decoding takes the canonical form only: no white space, no bits left over. */
#include <lauxlib.h>

#include "json/secret.h"
#include "script/lib/libs.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char urlsafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static struct slice text_argument(lua_State *L, const char *word)
{
    struct slice text;
    if (secret_is(L, 1))
        luaL_error(L, "%s wants text, got a secret: rules never see its value", word);
    if (lua_type(L, 1) != LUA_TSTRING)
        luaL_error(L, "%s wants text, got %s", word, luaL_typename(L, 1));
    text.data = lua_tolstring(L, 1, &text.len);
    if (text.len > LIBS_TEXT_MAX)
        luaL_error(L, "%s: more than %d MiB", word, LIBS_TEXT_MAX >> 20);
    return text;
}

/* ---- base64 ---- */

static int encode(lua_State *L, const char *word, const char *alphabet, bool padded)
{
    struct slice text = text_argument(L, word);
    char *out = lua_newuserdata(L, (text.len + 2) / 3 * 4 + 1), *to = out;
    for (size_t i = 0; i < text.len; i += 3) {
        size_t left = text.len - i;
        const unsigned char *p = (const unsigned char *)text.data + i;
        unsigned bits = (unsigned)p[0] << 16 | (left > 1 ? (unsigned)p[1] << 8 : 0) | (left > 2 ? p[2] : 0);
        *to++ = alphabet[bits >> 18];
        *to++ = alphabet[bits >> 12 & 63];
        if (left > 1 || padded)
            *to++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        if (left > 2 || padded)
            *to++ = left > 2 ? alphabet[bits & 63] : '=';
    }
    lua_pushlstring(L, out, (size_t)(to - out));
    return 1;
}

static int value_of(char c, const char *alphabet)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == alphabet[62] ? 62 : c == alphabet[63] ? 63 : -1;
}

static int decode(lua_State *L, const char *word, const char *alphabet, bool padding_required)
{
    struct slice text = text_argument(L, word);
    size_t len = text.len, padding = 0;
    while (padding < 2 && len > 0 && text.data[len - 1] == '=')
        len--, padding++;
    bool whole = (len + padding) % 4 == 0 || (!padding_required && padding == 0);
    if (!whole || len % 4 == 1)
        return luaL_error(L, "%s: the text is cut off, or its padding is wrong", word);
    char *out = lua_newuserdata(L, len / 4 * 3 + 3), *to = out;
    unsigned bits = 0, have = 0;
    for (size_t i = 0; i < len; i++) {
        int value = value_of(text.data[i], alphabet);
        if (value < 0)
            return luaL_error(L, "%s: byte %d is not base64", word, (int)i + 1);
        bits = (bits << 6 | (unsigned)value) & 0xffffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            *to++ = (char)(bits >> have & 0xff);
        }
    }
    if (bits & ((1U << have) - 1))
        return luaL_error(L, "%s: the last character has bits that mean nothing", word);
    lua_pushlstring(L, out, (size_t)(to - out));
    return 1;
}

static int base64_encode(lua_State *L)
{
    return encode(L, "base64.encode", standard, true);
}
static int base64_decode(lua_State *L)
{
    return decode(L, "base64.decode", standard, true);
}
static int base64_url_encode(lua_State *L)
{
    return encode(L, "base64.url_encode", urlsafe, false);
}
static int base64_url_decode(lua_State *L)
{
    return decode(L, "base64.url_decode", urlsafe, false);
}

int luaopen_tidewire_base64(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "encode", base64_encode },
        { "decode", base64_decode },
        { "url_encode", base64_url_encode },
        { "url_decode", base64_url_decode },
        { NULL, NULL },
    };
    lua_createtable(L, 0, 4);
    luaL_register(L, NULL, functions);
    return 1;
}

/* ---- hex ---- */

static int hex_encode(lua_State *L)
{
    static const char digits[] = "0123456789abcdef";
    struct slice text = text_argument(L, "hex.encode");
    char *out = lua_newuserdata(L, text.len * 2 + 1);
    for (size_t i = 0; i < text.len; i++) {
        out[2 * i] = digits[(unsigned char)text.data[i] >> 4];
        out[2 * i + 1] = digits[text.data[i] & 15];
    }
    lua_pushlstring(L, out, text.len * 2);
    return 1;
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int hex_decode(lua_State *L)
{
    struct slice text = text_argument(L, "hex.decode");
    if (text.len % 2)
        return luaL_error(L, "hex.decode: an odd number of digits");
    char *out = lua_newuserdata(L, text.len / 2 + 1);
    for (size_t i = 0; i < text.len; i++) {
        int value = nibble(text.data[i]);
        if (value < 0)
            return luaL_error(L, "hex.decode: byte %d is no hex digit", (int)i + 1);
        out[i / 2] = (char)(i % 2 ? out[i / 2] | value : value << 4);
    }
    lua_pushlstring(L, out, text.len / 2);
    return 1;
}

int luaopen_tidewire_hex(lua_State *L)
{
    static const luaL_Reg functions[] = { { "encode", hex_encode }, { "decode", hex_decode }, { NULL, NULL } };
    lua_createtable(L, 0, 2);
    luaL_register(L, NULL, functions);
    return 1;
}
