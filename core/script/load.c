/* load.c: files → scratch state → loader.lua → generation. */
#include "script/load.h"

#include <fcntl.h>
#include <lauxlib.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ingest/keys.h"
#include "script/certificates.h"
#include "script/records.h"
#include "script/stand_ins.h"
#include "script/vm.h"

enum { LOAD_LIMIT_MS = 10000, SECRET_BYTES_MAX = 64 << 10 };

struct loading {
    const struct load_options *options;
    struct generation *generation;
    struct load_report *report;
    struct script *scratch;
};

/* ---- secrets ---- */

/* The text of a file named like the secret, without the line end behind it. */
static struct slice read_secret_file(const struct loading *loading, const char *name)
{
    struct arena *arena = &loading->generation->arena;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", loading->options->secrets_folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return (struct slice){ NULL, 0 };
    char *data = arena_alloc(arena, SECRET_BYTES_MAX);
    ssize_t len = data ? read(fd, data, SECRET_BYTES_MAX) : -1;
    close(fd);
    while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r'))
        len--;
    return len < 0 ? (struct slice){ NULL, 0 } : slice_make(data, (size_t)len);
}

/* data NULL: not set; len 0 with data: empty. */
static struct slice find_secret(const struct loading *loading, const char *name)
{
    struct slice value = { NULL, 0 };
    if (loading->options->no_secrets)
        return stand_in_secret(&loading->generation->arena, slice_of(name));
    if (loading->options->secrets_folder && !strchr(name, '/'))
        value = read_secret_file(loading, name);
    const char *text = value.data ? NULL : getenv(name);
    if (text)
        return arena_copy(&loading->generation->arena, slice_of(text));
    return value.data || !loading->options->stand_ins ? value : stand_in_secret(&loading->generation->arena, slice_of(name));
}

static struct secret *keep_secrets(lua_State *L, const struct loading *loading, int result)
{
    struct generation *generation = loading->generation;
    lua_getfield(L, result, "secrets");
    size_t count = lua_objlen(L, -1), room = count + 1;
    if (loading->options->stand_ins) {
        lua_getfield(L, result, "routes");
        room += lua_objlen(L, -1);
        lua_pop(L, 1);
    }
    struct secret *secrets = arena_alloc(&generation->arena, room * sizeof(*secrets));
    if (!secrets)
        luaL_error(L, "not enough memory");
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        const char *name = lua_tostring(L, -1);
        secrets[i].name = arena_copy(&generation->arena, slice_of(name));
        secrets[i].value = find_secret(loading, name);
        lua_pop(L, 1);
    }
    generation->secrets = secrets;
    generation->secret_count = count;
    lua_pop(L, 1);
    return secrets;
}

/* ---- what the loader asks of its host ---- */

static int host_env(lua_State *L)
{
    const char *value = getenv(luaL_checkstring(L, 1));
    lua_pushstring(L, value);
    return 1;
}

/* Nothing but in tests of rules: what stands there for a setting without a value and without a default. */
static int host_stand_in(lua_State *L)
{
    const struct loading *loading = lua_touserdata(L, lua_upvalueindex(1));
    struct slice name = slice_of(luaL_checkstring(L, 1));
    struct slice value = stand_in_setting(&loading->generation->arena, name);
    if (!loading->options->stand_ins || !value.data)
        return 0;
    lua_pushlstring(L, value.data, value.len);
    return 1;
}

static int host_secret(lua_State *L)
{
    const struct loading *loading = lua_touserdata(L, lua_upvalueindex(1));
    struct slice value = find_secret(loading, luaL_checkstring(L, 1));
    if (value.data && value.len == 0)
        lua_pushliteral(L, "empty");
    else
        lua_pushboolean(L, value.data != NULL);
    return 1;
}

static bool is_key_text(enum verify_key form, struct slice value)
{
    unsigned char bytes[KEY_BYTES_MAX];
    bool fits = key_bytes(form, value, bytes).data && !secret_is_public(value);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return fits;
}

/* Of an algorithm of sign.jwt. */
static bool is_signing_key(const char *algorithm, struct slice value)
{
    struct verify how = { .scheme = VERIFY_JWT, .algorithm = slice_of(algorithm) };
    if (!signs_by_key(&how))
        return !secret_is_public(value); /* nor a private one in PEM */
    EVP_PKEY *key = private_key_read(public_key_kind_of(&how), value);
    EVP_PKEY_free(key);
    return key != NULL;
}

/* secret_fits(name, form of enum verify_key or algorithm of sign.jwt) → true unless it is set and no key */
static int host_secret_fits(lua_State *L)
{
    static const char *const forms[] = { "text", "standard", "hex", "base64", "HS256", "RS256", "ES256", "EdDSA", NULL };
    const struct loading *loading = lua_touserdata(L, lua_upvalueindex(1));
    struct slice value = find_secret(loading, luaL_checkstring(L, 1));
    int form = luaL_checkoption(L, 2, NULL, forms);
    bool is_set = value.len > 0 && !loading->options->stand_ins; /* what stands in is made to fit later (stand_ins.h) */
    bool fits = !is_set || (form <= KEY_BASE64 ? is_key_text((enum verify_key)form, value) : is_signing_key(forms[form], value));
    lua_pushboolean(L, fits);
    return 1;
}

/* pem(path) → the text of a certificate or key, or nil and what is wrong */
static int host_pem(lua_State *L)
{
    const struct loading *loading = lua_touserdata(L, lua_upvalueindex(1));
    struct slice text;
    const char *why = rule_files_pem(&loading->options->place, luaL_checkstring(L, 1), &loading->report->arena, &text);
    if (why) {
        lua_pushnil(L);
        lua_pushstring(L, why);
        return 2;
    }
    lua_pushlstring(L, text.data, text.len);
    OPENSSL_cleanse((void *)text.data, text.len);
    return 1;
}

/* key_fault(certificate, key or nil, name of a secret) → what is wrong; nil: nothing, or the secret is not set */
static int host_key_fault(lua_State *L)
{
    const struct loading *loading = lua_touserdata(L, lua_upvalueindex(1));
    struct slice certificate, key;
    certificate.data = luaL_checklstring(L, 1, &certificate.len);
    key.data = lua_tolstring(L, 2, &key.len);
    if (!key.data) {
        struct slice name = slice_of(luaL_checkstring(L, 3));
        key = find_secret(loading, name.data);
        if (!key.data || (loading->options->stand_ins && slice_eq(key, stand_in_secret(&loading->generation->arena, name))))
            return 0; /* nothing is sent with what stands in */
    }
    lua_pushstring(L, certificate_key_fault(certificate, key));
    return 1;
}

static int host_step(lua_State *L)
{
    struct loading *loading = lua_touserdata(L, lua_upvalueindex(1));
    script_step(loading->scratch, luaL_checkstring(L, 1));
    return 0;
}

static void push_host(lua_State *L, struct loading *loading)
{
    static const luaL_Reg functions[] = {
        { "env", host_env },
        { "stand_in", host_stand_in },
        { "step", host_step },
        { "secret", host_secret },
        { "secret_fits", host_secret_fits },
        { "pem", host_pem },
        { "key_fault", host_key_fault },
        { NULL, NULL },
    };
    lua_createtable(L, 0, 8);
    lua_pushlightuserdata(L, loading);
    luaL_openlib(L, NULL, functions, 1);
}

/* ---- findings ---- */

static struct slice keep_text(lua_State *L, struct arena *arena, const char *name)
{
    struct slice text;
    lua_getfield(L, -1, name);
    text.data = lua_tolstring(L, -1, &text.len);
    text = arena_copy(arena, text.data ? text : SLICE(""));
    lua_pop(L, 1);
    return text.data ? text : SLICE("");
}

static uint32_t keep_number(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    uint32_t number = (uint32_t)lua_tonumber(L, -1);
    lua_pop(L, 1);
    return number;
}

static struct finding keep_finding(lua_State *L, struct arena *arena)
{
    struct finding finding = { .file = keep_text(L, arena, "file"),
                               .line = keep_number(L, "line"),
                               .column = keep_number(L, "column"),
                               .width = keep_number(L, "width"),
                               .message = keep_text(L, arena, "message"),
                               .source = keep_text(L, arena, "source"),
                               .hint = keep_text(L, arena, "hint"),
                               .suggestion = keep_text(L, arena, "suggestion") };
    lua_getfield(L, -1, "warning");
    finding.warning = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return finding;
}

static void keep_findings(lua_State *L, struct load_report *report, int result)
{
    lua_getfield(L, result, "findings");
    size_t count = lua_objlen(L, -1);
    report->findings = arena_alloc(&report->arena, (count + 1) * sizeof(*report->findings));
    if (!report->findings)
        luaL_error(L, "not enough memory");
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        report->findings[i] = keep_finding(L, &report->arena);
        report->error_count += report->findings[i].warning ? 0 : 1;
        lua_pop(L, 1);
    }
    report->finding_count = count;
    lua_pop(L, 1);
}

/* "rules/a.lua:7: too long" → its place, and what is behind it; what has no place stays whole. */
static void take_place(struct slice *message, struct slice *file, uint32_t *line)
{
    const char *lua = memmem(message->data, message->len, ".lua:", 5);
    size_t at = lua ? (size_t)(lua - message->data) + 5 : 0, begin = at;
    uint32_t number = 0;
    while (at < message->len && message->data[at] >= '0' && message->data[at] <= '9' && number < 100000000)
        number = number * 10 + (uint32_t)(message->data[at++] - '0');
    if (number == 0 || !slice_starts(slice_from(*message, at), SLICE(": ")))
        return;
    *file = slice_make(message->data, begin - 1);
    *line = number;
    *message = slice_from(*message, at + 2);
}

/* A mistake after which nothing more was looked at: the folder, memory, time. */
static void only_finding(struct load_report *report, struct slice message)
{
    struct slice none = SLICE(""), file = none;
    uint32_t line = 0;
    message = arena_copy(&report->arena, message);
    take_place(&message, &file, &line);
    report->findings = arena_alloc(&report->arena, sizeof(*report->findings));
    if (!report->findings)
        return;
    report->findings[0] =
        (struct finding){ .file = file, .line = line, .message = message, .source = none, .hint = none, .suggestion = none };
    report->finding_count = report->error_count = 1;
}

/* ---- the load ---- */

static int run_loader(lua_State *L)
{
    struct loading *loading = lua_touserdata(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidewire.loader");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "run");
    lua_createtable(L, 0, 4);
    script_push_files(L, loading->generation);
    lua_setfield(L, -2, "files");
    lua_pushliteral(L, "check");
    lua_setfield(L, -2, "mode");
    lua_pushboolean(L, loading->options->production);
    lua_setfield(L, -2, "production");
    push_host(L, loading);
    lua_setfield(L, -2, "host");
    lua_call(L, 1, 1);
    int result = lua_gettop(L);
    keep_findings(L, loading->report, result);
    if (loading->report->error_count == 0) {
        struct secret *secrets = keep_secrets(L, loading, result);
        records_read(L, result, loading->generation);
        if (loading->options->stand_ins)
            stand_ins_fit(loading->generation, secrets);
    }
    return 0;
}

static enum result run_scratch(struct loading *loading)
{
    struct script_config config = { .memory = LIMITS_DEFAULT.state_memory, .slot = loading->options->slot };
    enum result rc = script_new(&config, &loading->scratch);
    if (rc != OK) {
        only_finding(loading->report, SLICE("not enough memory to load the rules"));
        return ERR_SCRIPT;
    }
    rc = script_protected(loading->scratch, run_loader, loading, LOAD_LIMIT_MS);
    if (rc != OK)
        only_finding(loading->report, slice_of(script_error(loading->scratch)));
    script_free(loading->scratch);
    return loading->report->error_count > 0 ? ERR_SCRIPT : OK;
}

static enum result read_files(const struct load_options *options, struct arena *arena, struct rule_files *files,
                              struct slice *why)
{
    if (!options->files.data)
        return rule_files_read(&options->place, arena, files, why);
    struct slice kept = arena_copy(arena, options->files); /* the generation outlives the caller's */
    *files = (struct rule_files){ 0 };
    *why = SLICE("the kept rules are damaged");
    return kept.data ? rule_files_parse(kept, arena, files) : ERR_MEMORY;
}

enum result load_generation(const struct load_options *options, struct generation **out, struct load_report *report)
{
    struct loading loading = { .options = options, .generation = MEM_NEW(struct generation), .report = report };
    struct generation *generation = loading.generation;
    struct rule_files files;
    struct slice why = SLICE("");
    *out = NULL;
    *report = (struct load_report){ 0 };
    atomic_init(&generation->refs, 1);
    generation->production = options->production;
    generation->stands_in = options->stand_ins;
    generation->limits = LIMITS_DEFAULT;
    generation->loaded_ms = clock_wall_ms();
    enum result rc = read_files(options, &generation->arena, &files, &why);
    memcpy(report->hash, files.hash, sizeof(report->hash));
    if (rc == OK) {
        generation->files = files.list;
        generation->file_count = files.count;
        memcpy(generation->hash, files.hash, sizeof(generation->hash));
        rc = run_scratch(&loading);
    } else {
        only_finding(report, why);
    }
    if (rc == OK)
        *out = generation;
    else
        generation_unref(generation);
    return rc;
}

void load_report_deinit(struct load_report *report)
{
    arena_deinit(&report->arena);
    *report = (struct load_report){ 0 };
}
