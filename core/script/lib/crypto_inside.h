/* crypto_inside.h: the arguments that crypto.c and keys.c take alike. */
#ifndef TIDEWIRE_CRYPTO_INSIDE_H
#define TIDEWIRE_CRYPTO_INSIDE_H

#include <lua.h>

#include "base/slice.h"
#include "json/secret.h"

/* What a key argument stands for: a text by itself, a secret by each of its names that is set, the first one first. */
struct key_values {
    struct slice list[SECRET_NAMES_MAX];
    size_t count;
};

/* All raise with the word that was called. */
struct slice crypto_text(lua_State *L, int index, const char *word, const char *what);
/* A text, or a bare secret whose value the rules of this generation know; of several names the first signs. */
struct slice crypto_key(lua_State *L, int index, const char *word);
struct key_values crypto_keys(lua_State *L, int index, const char *word, const char *what);
/* What stands for a value of the key at index, which is wanted as a key of that kind: in tests of rules a half of a pair. */
struct slice crypto_half(lua_State *L, int index, struct slice value, int kind, bool private_half);
/* The bytes as hex, base64 or raw, by the argument at `index`; at most CRYPTO_BYTES_MAX. */
enum { CRYPTO_BYTES_MAX = 1024 };
int crypto_push(lua_State *L, const unsigned char *bytes, size_t len, int index, const char *word);

/* keys.c */
int crypto_sign(lua_State *L);
int crypto_verify(lua_State *L);

#endif
