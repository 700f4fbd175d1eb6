/* crypto.c: what a rule needs to sign and compare by itself. OpenSSL's one-shot calls: nothing is held across Lua. */
#include <lauxlib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "script/lib/crypto_inside.h"
#include "script/lib/libs.h"

#define SECRETS_KEY "tidewire.secrets"

struct resolver {
    libs_secret resolve;
    void *arg;
    libs_stand_in stand_in; /* NULL outside tests of rules */
    void *stand_in_arg;
};

void libs_set_secrets(lua_State *L, libs_secret resolve, void *arg)
{
    struct resolver *resolver = lua_newuserdata(L, sizeof(*resolver));
    *resolver = (struct resolver){ .resolve = resolve, .arg = arg };
    lua_setfield(L, LUA_REGISTRYINDEX, SECRETS_KEY);
}

/* NULL: this state knows no secrets. Anchored in the registry. */
static struct resolver *resolver_of(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, SECRETS_KEY);
    struct resolver *resolver = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return resolver;
}

void libs_set_stand_ins(lua_State *L, libs_stand_in stand_in, void *arg)
{
    struct resolver *resolver = resolver_of(L);
    resolver->stand_in = stand_in;
    resolver->stand_in_arg = arg;
}

static const EVP_MD *algorithm_argument(lua_State *L, const char *word)
{
    const char *name = lua_tostring(L, 1);
    if (name && strcmp(name, "sha256") == 0)
        return EVP_sha256();
    if (name && strcmp(name, "sha512") == 0)
        return EVP_sha512();
    if (name && strcmp(name, "sha1") == 0)
        return EVP_sha1();
    luaL_error(L, "%s: the algorithm is \"sha256\", \"sha512\" or \"sha1\"", word);
    return NULL;
}

struct slice crypto_text(lua_State *L, int index, const char *word, const char *what)
{
    struct slice text;
    if (secret_is(L, index))
        luaL_error(L, "%s: %s is text, got a secret", word, what);
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s: %s is text, got %s", word, what, luaL_typename(L, index));
    text.data = lua_tolstring(L, index, &text.len);
    return text;
}

/* The value of name number i of the bare secret at index. It is the resolver's, valid for the call. An empty one is not set: it
 * would protect nothing. */
static bool secret_value(lua_State *L, int index, size_t i, struct slice *value)
{
    struct slice name;
    const struct resolver *resolver = resolver_of(L);
    return resolver && secret_name(L, index, i, &name) && resolver->resolve(resolver->arg, name, value) && value->len > 0;
}

static size_t names_of(lua_State *L, int index, const char *word)
{
    struct slice name;
    size_t n = 0;
    while (n < SECRET_NAMES_MAX && secret_name(L, index, n, &name))
        n++;
    if (n == 0)
        luaL_error(L, "%s: a secret that is joined with text cannot be used here", word);
    return n;
}

static int not_set(lua_State *L, int index, const char *word)
{
    struct slice name = { NULL, 0 };
    (void)secret_name(L, index, 0, &name); /* names_of has seen it */
    lua_pushlstring(L, name.data, name.len);
    return luaL_error(L, "%s: secret \"%s\" is not set", word, lua_tostring(L, -1));
}

struct slice crypto_key(lua_State *L, int index, const char *word)
{
    struct slice key;
    if (!secret_is(L, index))
        return crypto_text(L, index, word, "the key");
    (void)names_of(L, index, word);
    if (!secret_value(L, index, 0, &key))
        not_set(L, index, word);
    return key;
}

struct key_values crypto_keys(lua_State *L, int index, const char *word, const char *what)
{
    struct key_values values = { .count = 0 };
    if (!secret_is(L, index)) {
        values.list[values.count++] = crypto_text(L, index, word, what);
        return values;
    }
    size_t names = names_of(L, index, word);
    for (size_t i = 0; i < names; i++)
        values.count += secret_value(L, index, i, &values.list[values.count]);
    if (values.count == 0)
        not_set(L, index, word);
    return values;
}

struct slice crypto_half(lua_State *L, int index, struct slice value, int kind, bool private_half)
{
    const struct resolver *resolver = secret_is(L, index) ? resolver_of(L) : NULL;
    return resolver && resolver->stand_in ? resolver->stand_in(resolver->stand_in_arg, value, kind, private_half) : value;
}

int crypto_push(lua_State *L, const unsigned char *bytes, size_t len, int index, const char *word)
{
    static const char *const forms[] = { "hex", "base64", "raw", NULL };
    static const char digits[] = "0123456789abcdef";
    char text[2 * CRYPTO_BYTES_MAX + 1];
    const char *form = lua_isnoneornil(L, index) ? forms[0] : lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    if (strcmp(form, forms[0]) == 0) {
        for (size_t i = 0; i < len; i++) {
            text[2 * i] = digits[bytes[i] >> 4];
            text[2 * i + 1] = digits[bytes[i] & 15];
        }
        lua_pushlstring(L, text, 2 * len);
    } else if (strcmp(form, forms[1]) == 0) {
        int size = EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
        lua_pushlstring(L, text, (size_t)size);
    } else if (strcmp(form, forms[2]) == 0) {
        lua_pushlstring(L, (const char *)bytes, len);
    } else {
        return luaL_error(L, "%s: the encoding is \"hex\", \"base64\" or \"raw\"", word);
    }
    return 1;
}

/* hmac(algorithm, key, data, encoding); RFC 2104 */
static int crypto_hmac(lua_State *L)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    const EVP_MD *algorithm = algorithm_argument(L, "crypto.hmac");
    struct slice key = crypto_key(L, 2, "crypto.hmac"), data = crypto_text(L, 3, "crypto.hmac", "the data");
    if (key.len == 0)
        return luaL_error(L, "crypto.hmac: an empty key protects nothing");
    if (!HMAC(algorithm, key.data, (int)key.len, (const unsigned char *)data.data, data.len, digest, &len))
        return luaL_error(L, "crypto.hmac: not enough memory");
    return crypto_push(L, digest, len, 4, "crypto.hmac");
}

/* hash(algorithm, data, encoding) */
static int crypto_hash(lua_State *L)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    const EVP_MD *algorithm = algorithm_argument(L, "crypto.hash");
    struct slice data = crypto_text(L, 2, "crypto.hash", "the data");
    if (!EVP_Digest(data.data, data.len, digest, &len, algorithm, NULL))
        return luaL_error(L, "crypto.hash: not enough memory");
    return crypto_push(L, digest, len, 3, "crypto.hash");
}

/* equal(a, b): how long it takes says nothing about where they differ. A secret is compared by its value; of several names any
 * may be the equal one, and all are compared. */
static int crypto_equal(lua_State *L)
{
    struct key_values a = crypto_keys(L, 1, "crypto.equal", "the first"), b = crypto_keys(L, 2, "crypto.equal", "the second");
    bool equal = false;
    for (size_t i = 0; i < a.count; i++)
        for (size_t j = 0; j < b.count; j++)
            equal |= a.list[i].len == b.list[j].len && CRYPTO_memcmp(a.list[i].data, b.list[j].data, a.list[i].len) == 0;
    lua_pushboolean(L, equal);
    return 1;
}

/* random(n): n bytes from the system */
static int crypto_random(lua_State *L)
{
    lua_Number n = lua_type(L, 1) == LUA_TNUMBER ? lua_tonumber(L, 1) : 0;
    if (!(n >= 1 && n <= LIBS_RANDOM_MAX && n == (int)n))
        return luaL_error(L, "crypto.random: from 1 to %d bytes, as a whole number", LIBS_RANDOM_MAX);
    unsigned char *bytes = lua_newuserdata(L, (size_t)n);
    if (RAND_bytes(bytes, (int)n) != 1)
        return luaL_error(L, "crypto.random: the system gives none now");
    lua_pushlstring(L, (const char *)bytes, (size_t)n);
    return 1;
}

int luaopen_tidewire_crypto(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "hmac", crypto_hmac },
        { "hash", crypto_hash },
        { "equal", crypto_equal },
        { "random", crypto_random },
        { "sign", crypto_sign },
        { "verify", crypto_verify },
        { NULL, NULL },
    };
    lua_createtable(L, 0, 6);
    luaL_register(L, NULL, functions);
    return 1;
}
