#include "script/stand_ins.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "base/buf.h"
#include "model/message.h"
#include "script/stand_in_keys.h"

enum { NAME_MAX_BYTES = 256 };

/* ---- from a name ---- */

static void add_dashed(struct buf *text, struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        buf_add_byte(text, name.data[i] == '_' ? '-' : (char)tolower((unsigned char)name.data[i]));
}

static struct slice made_of(struct arena *arena, const char *before, struct slice name, const char *after)
{
    struct buf text;
    buf_init(&text, NAME_MAX_BYTES);
    buf_add_text(&text, before);
    add_dashed(&text, name);
    buf_add_text(&text, after);
    struct slice made = buf_ok(&text) ? arena_copy(arena, buf_slice(&text)) : (struct slice){ NULL, 0 };
    buf_deinit(&text);
    return made;
}

static struct slice address(struct arena *arena, struct slice name)
{
    return made_of(arena, "https://", name, ".test");
}

static bool has_end(struct slice name, const char *text)
{
    struct slice end = slice_of(text);
    return name.len >= end.len && slice_eq_nocase(slice_from(name, name.len - end.len), end);
}

static bool names_address(struct slice name)
{
    return has_end(name, "URL") || has_end(name, "URI") || has_end(name, "ENDPOINT") || has_end(name, "WEBHOOK");
}

struct slice stand_in_setting(struct arena *arena, struct slice name)
{
    return names_address(name) ? address(arena, name) : made_of(arena, "", name, "");
}

struct slice stand_in_secret(struct arena *arena, struct slice name)
{
    return made_of(arena, STAND_IN_SECRET, name, "");
}

/* ---- from its use ---- */

/* The bytes of a key: a stand-in's text alone might be too short for one. */
static struct slice key_of(struct arena *arena, struct slice name)
{
    return made_of(arena, STAND_IN_SECRET, name, "-with-32-bytes");
}

static struct slice base64_behind(struct arena *arena, struct slice before, struct slice key)
{
    char *text = key.data ? arena_alloc(arena, before.len + key.len * 2 + 16) : NULL;
    if (!text)
        return (struct slice){ NULL, 0 };
    memcpy(text, before.data, before.len);
    int len = EVP_EncodeBlock((unsigned char *)text + before.len, (const unsigned char *)key.data, (int)key.len);
    return slice_make(text, before.len + (size_t)len);
}

static struct slice standard(struct arena *arena, struct slice name)
{
    return base64_behind(arena, SLICE("whsec_"), key_of(arena, name));
}

static struct slice base64(struct arena *arena, struct slice name)
{
    return base64_behind(arena, SLICE(""), key_of(arena, name));
}

static struct slice hex(struct arena *arena, struct slice name)
{
    struct slice key = key_of(arena, name);
    char *text = key.data ? arena_alloc(arena, key.len * 2 + 1) : NULL;
    for (size_t i = 0; text && i < key.len; i++)
        sprintf(text + i * 2, "%02x", (unsigned char)key.data[i]);
    return (struct slice){ text, text ? key.len * 2 : 0 };
}

struct fitting {
    struct generation *generation;
    struct secret *secrets;
    struct slice (*make)(struct arena *arena, struct slice name);
};

static void fit(const struct fitting *fitting, struct slice name)
{
    struct arena *arena = &fitting->generation->arena;
    for (size_t i = 0; i < fitting->generation->secret_count; i++) {
        struct secret *secret = &fitting->secrets[i];
        if (slice_eq(secret->name, name) && slice_eq(secret->value, stand_in_secret(arena, name)))
            secret->value = fitting->make(arena, name);
    }
}

static void fit_scheme(struct fitting *fitting, const struct verify *verify)
{
    static struct slice (*const makers[])(struct arena *, struct slice) = {
        [KEY_TEXT] = stand_in_secret, [KEY_STANDARD] = standard, [KEY_HEX] = hex, [KEY_BASE64] = base64
    };
    fitting->make = makers[verify->key];
    for (size_t i = 0; i < verify->secret_count; i++)
        fit(fitting, verify->secrets[i]);
    if (verify->also)
        fit_scheme(fitting, verify->also);
}

static void fit_key(struct fitting *fitting, const struct route *route)
{
    struct generation *generation = fitting->generation;
    struct secret *more = &fitting->secrets[generation->secret_count];
    if (!stand_in_key_fit(generation, route, &more->value))
        return;
    more->name = stand_in_key_name(&generation->arena, route->path);
    generation->secret_count++;
}

/* The first secret of a URL that does not begin as one: the others keep theirs. */
static bool fit_first(void *arg, struct slice name, struct slice *value)
{
    struct fitting *fitting = arg;
    if (fitting->make)
        fit(fitting, name);
    fitting->make = NULL;
    return generation_secret(fitting->generation, name, value);
}

static bool begins_as_address(struct slice url)
{
    return slice_starts(url, SLICE("http://")) || slice_starts(url, SLICE("https://"));
}

static void fit_url(struct fitting *fitting, const struct target *target)
{
    struct arena *arena = &fitting->generation->arena;
    struct slice url, missing;
    if (pieces_render(target->url, generation_secret, fitting->generation, arena, &url, &missing) != OK || begins_as_address(url))
        return;
    fitting->make = address;
    if (pieces_render(target->url, fit_first, fitting, arena, &url, &missing) != OK)
        return; /* no memory: the first attempt says so */
}

void stand_ins_fit(struct generation *generation, struct secret *secrets)
{
    struct fitting fitting = { generation, secrets, NULL };
    for (size_t i = 0; i < generation->route_count; i++) {
        fit_scheme(&fitting, &generation->routes[i].verify);
        fit_key(&fitting, &generation->routes[i]);
    }
    for (size_t i = 0; i < generation->target_count; i++) {
        if (generation->targets[i].signing) {
            fit_scheme(&fitting, &generation->targets[i].signing->how);
            stand_in_key_sign(generation->targets[i].signing);
        }
        fit_url(&fitting, &generation->targets[i]);
    }
}
