#include "cli/trial_native.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/explained.h"
#include "cli/native.h"
#include "loop/trial.h"
#include "script/coverage.h"
#include "script/lib/libs.h"
#include "script/stand_in_keys.h"
#include "script/stand_ins.h"

enum { ANSWER_MAX = 64 << 20, WHY_SIZE = 512, LOG_SHOWN_MAX = 64 << 10, ENVIRONMENT_NAME_MAX = 1024 };

/* The one trial, and what Lua answers in place of the network. */
static struct {
    struct trial *trial;
    lua_State *L;               /* that is inside one of the functions below */
    int answer_ref;             /* the function */
    int answered_ref;           /* what it gave last: the slices of an answer lie in it */
    char failed[2048];          /* it raised: this; "" */
    int log_fd;                 /* -1: none yet */
    struct coverage *coverage;  /* of all trials of this process; NULL: not asked for */
    struct explained explained; /* where `begin` was to explain */
} now = { .answer_ref = LUA_NOREF, .answered_ref = LUA_NOREF, .log_fd = -1 };

static int push_failure(lua_State *L, const char *why)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

/* ---- the network's place: { target, event, delivery, method, url, headers = { "Name: value" … }, body } → { status, body,
 * content_type, retry_after, head }, or { error, detail }; target "": a handler asks (http.*) ---- */

static void set_slice(lua_State *L, const char *name, struct slice text)
{
    lua_pushlstring(L, text.data ? text.data : "", text.len);
    lua_setfield(L, -2, name);
}

static void set_id(lua_State *L, const char *name, struct uuid id)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    set_slice(L, name, slice_of(text));
}

static void push_request(lua_State *L, const struct outgoing *request)
{
    lua_createtable(L, 0, 7);
    set_slice(L, "target", request->target);
    set_id(L, "event", request->event_id);
    set_id(L, "delivery", request->delivery_id);
    set_slice(L, "method", slice_of(request->method));
    set_slice(L, "url", slice_of(request->url));
    set_slice(L, "body", request->body);
    lua_createtable(L, (int)request->header_count, 0);
    for (size_t i = 0; i < request->header_count; i++) {
        lua_pushstring(L, request->header_lines[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "headers");
}

static struct slice field(lua_State *L, const char *name)
{
    struct slice text = { NULL, 0 };
    lua_getfield(L, -1, name);
    text.data = lua_tolstring(L, -1, &text.len);
    lua_pop(L, 1); /* the table keeps it */
    return text.data ? text : SLICE("");
}

static enum attempt_error error_named(struct slice name)
{
    for (int error = ATTEMPT_DNS; error <= ATTEMPT_CONFIG; error++)
        if (slice_is(name, attempt_error_name((enum attempt_error)error)))
            return (enum attempt_error)error;
    return ATTEMPT_ANSWERED;
}

static void read_answer(lua_State *L, struct answer *answer)
{
    lua_getfield(L, -1, "status");
    answer->status = (uint16_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    answer->error = error_named(field(L, "error"));
    answer->detail = field(L, "detail").data;
    answer->body = field(L, "body");
    answer->content_type = field(L, "content_type");
    answer->retry_after = field(L, "retry_after");
    answer->head = field(L, "head");
}

static int ask(lua_State *L)
{
    struct answer *answer = lua_touserdata(L, 2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, now.answer_ref);
    push_request(L, lua_touserdata(L, 1));
    lua_call(L, 1, 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    read_answer(L, answer);
    luaL_unref(L, LUA_REGISTRYINDEX, now.answered_ref);
    now.answered_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static void on_request(void *arg, const struct outgoing *request, struct answer *answer)
{
    lua_State *L = now.L;
    (void)arg;
    lua_pushcfunction(L, ask);
    lua_pushlightuserdata(L, (void *)request);
    lua_pushlightuserdata(L, answer);
    if (lua_pcall(L, 2, 0, 0) == 0)
        return;
    const char *why = lua_tostring(L, -1);
    snprintf(now.failed, sizeof(now.failed), "%s", why ? why : "the answer of a mock failed");
    lua_pop(L, 1);
    *answer = (struct answer){ .error = ATTEMPT_RESET,
                               .detail = "",
                               .body = SLICE(""),
                               .content_type = SLICE(""),
                               .retry_after = SLICE(""),
                               .head = SLICE("") };
}

/* ---- one trial ---- */

/* In memory, where there is some that is a folder. */
static bool make_folder(char *folder, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, size, "/dev/shm/tidewire-test-XXXXXX");
    if (mkdtemp(folder))
        return true;
    snprintf(folder, size, "%s/tidewire-test-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(folder) != NULL;
}

/* The store has all its files open: without names they are gone when it is, however that comes about. */
static void remove_folder(const char *folder)
{
    static const char *const names[] = { "trial.db", "trial.db-wal", "trial.db-shm", "trial.db.lock" };
    char path[PATH_MAX + 32];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

/* freeze(wall_ms): from here on time stands there */
static int native_freeze(lua_State *L)
{
    clock_freeze((uint64_t)luaL_checknumber(L, 1));
    return 0;
}

/* begin(answer, explain) → true, or nil and why */
static int native_begin(lua_State *L)
{
    char folder[PATH_MAX], path[PATH_MAX + 32], why[WHY_SIZE] = "the rules were not checked";
    struct generation *generation = native_checked();
    if (!generation)
        return push_failure(L, why);
    if (!make_folder(folder, sizeof(folder)))
        return push_failure(L, "no folder can be made for the scratch store: set TMPDIR");
    lua_pushvalue(L, 1);
    now.answer_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    generation->number = 1;
    snprintf(path, sizeof(path), "%s/trial.db", folder);
    struct trial_config config = {
        .generation = generation,
        .store = path,
        .network = { .answer = on_request },
        .coverage = now.coverage,
        .watch = lua_toboolean(L, 2) ? explained_begin(&now.explained) : NULL,
        .slot = native_watched(),
    };
    now.L = L;
    enum result rc = trial_new(&config, &now.trial, why, sizeof(why));
    remove_folder(folder);
    if (rc != OK)
        return push_failure(L, why);
    lua_pushboolean(L, 1);
    return 1;
}

static void check_trial(lua_State *L)
{
    if (!now.trial)
        luaL_error(L, "no test is running");
    now.L = L;
    now.failed[0] = '\0';
}

static int end_of(lua_State *L, enum result rc, const char *why)
{
    if (now.failed[0])
        return push_failure(L, now.failed);
    if (rc != OK)
        return push_failure(L, why);
    lua_pushboolean(L, 1);
    return 1;
}

/* feed(bytes, remote_ip) → the bytes of the answer, or nil and why */
static int native_feed(lua_State *L)
{
    struct slice request;
    struct buf answer;
    request.data = luaL_checklstring(L, 1, &request.len);
    const char *remote_ip = luaL_checkstring(L, 2);
    check_trial(L);
    buf_init(&answer, ANSWER_MAX);
    enum result rc = trial_feed(now.trial, request, remote_ip, &answer);
    int pushed = end_of(L, rc, rc == ERR_LIMIT ? "no answer within a minute of the test's time" : "the answer could not be read");
    if (rc == OK && !now.failed[0])
        lua_pushlstring(L, answer.data ? answer.data : "", answer.len);
    buf_deinit(&answer);
    return rc == OK && !now.failed[0] ? 1 : pushed;
}

/* pass(ms) → true, or nil and why */
static int native_pass(lua_State *L)
{
    double ms = luaL_checknumber(L, 1);
    check_trial(L);
    return end_of(L, trial_pass(now.trial, (uint64_t)ms), "the rules never come to rest: something falls due again at once");
}

/* show(id) → JSON of the event, or nil; list() → JSON of the newest events */
static int push_json(lua_State *L, enum result rc, struct buf *json)
{
    if (rc == OK && buf_ok(json))
        lua_pushlstring(L, json->data, json->len);
    else
        lua_pushnil(L);
    buf_deinit(json);
    return 1;
}

static int native_show(lua_State *L)
{
    struct uuid id;
    struct buf json;
    if (!uuid_parse(slice_of(luaL_checkstring(L, 1)), &id))
        return 0;
    check_trial(L);
    buf_init(&json, ANSWER_MAX);
    return push_json(L, trial_show(now.trial, id, &json), &json);
}

static int native_list(lua_State *L)
{
    struct buf json;
    check_trial(L);
    buf_init(&json, ANSWER_MAX);
    return push_json(L, trial_list(now.trial, &json), &json);
}

/* explained() → JSON: the decisions about each event so far (explained.h) */
static int native_explained(lua_State *L)
{
    struct slice json = explained_json(&now.explained);
    lua_pushlstring(L, json.data, json.len);
    return 1;
}

static int native_end(lua_State *L)
{
    if (now.trial) {
        now.L = L;
        trial_free(now.trial);
        now.trial = NULL;
    }
    explained_end(&now.explained);
    luaL_unref(L, LUA_REGISTRYINDEX, now.answer_ref);
    luaL_unref(L, LUA_REGISTRYINDEX, now.answered_ref);
    now.answer_ref = now.answered_ref = LUA_NOREF;
    return 0;
}

static int native_now(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_wall_ms());
    return 1;
}

/* stopwatch() → seconds since some moment; they pass while the clock stands */
static int native_stopwatch(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_work_ns() / 1e9);
    return 1;
}

/* setting(name) → what the rules have under this name, or the environment; or nothing */
static int native_setting(lua_State *L)
{
    const struct generation *generation = native_checked();
    const char *name = luaL_checkstring(L, 1);
    for (size_t i = 0; generation && i < generation->setting_count; i++) {
        const struct pair *setting = &generation->settings[i];
        if (slice_is(setting->name, name)) {
            lua_pushlstring(L, setting->value.data, setting->value.len);
            return 1;
        }
    }
    lua_pushstring(L, getenv(name));
    return 1;
}

/* stand_in(name) → what stands there for such a setting that is not set */
static int native_stand_in(lua_State *L)
{
    struct slice value = native_checked() ? stand_in_setting(&native_checked()->arena, slice_of(luaL_checkstring(L, 1)))
                                          : (struct slice){ NULL, 0 };
    lua_pushlstring(L, value.data ? value.data : "", value.len);
    return 1;
}

/* A secret of the test file's, for `crypto`: that of the rules, or the environment's, or a stand-in. */
static bool secret_of_test(void *arg, struct slice name, struct slice *value)
{
    struct generation *generation = native_checked();
    char text[ENVIRONMENT_NAME_MAX];
    (void)arg;
    if (!generation)
        return false;
    if (generation_secret(generation, name, value))
        return true;
    snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(name));
    const char *set = getenv(text);
    *value = set ? slice_of(set) : stand_in_secret(&generation->arena, name);
    return value->data != NULL;
}

static struct slice key_of_test(void *arg, struct slice value, int kind, bool private_half)
{
    (void)arg;
    return native_checked() ? stand_in_key_half(native_checked(), value, kind, private_half) : value;
}

/* secret(name) → its value in the rules, which may be a stand-in; or nothing */
static int native_secret(lua_State *L)
{
    struct slice value;
    if (!native_checked() || !generation_secret(native_checked(), slice_of(luaL_checkstring(L, 1)), &value))
        return 0;
    lua_pushlstring(L, value.data, value.len);
    return 1;
}

/* key() → the private key (PEM) of all senders whose certificate is fetched; or nothing */
static int native_key(lua_State *L)
{
    const struct stand_in_key *sender = native_checked() ? stand_in_sender(native_checked()) : NULL;
    if (!sender)
        return 0;
    lua_pushlstring(L, sender->private_pem.data, sender->private_pem.len);
    return 1;
}

/* ---- cover(): from here on lines are noted; covered() → { { line = true … } … }, as `files` of check ---- */

static int native_cover(lua_State *L)
{
    if (!native_checked())
        return luaL_error(L, "the rules were not checked");
    coverage_free(now.coverage);
    now.coverage = coverage_new(native_checked());
    return 0;
}

static int native_covered(lua_State *L)
{
    const struct generation *generation = native_checked();
    lua_newtable(L);
    for (size_t i = 0; now.coverage && i < generation->file_count; i++) {
        lua_newtable(L);
        for (uint32_t line = 1; line <= coverage_lines(now.coverage, i); line++) {
            if (!coverage_has(now.coverage, i, line))
                continue;
            lua_pushboolean(L, 1);
            lua_rawseti(L, -2, (int)line);
        }
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* ---- log lines: kept, and shown with what failed ---- */

static int native_keep_log(lua_State *L)
{
    (void)L;
    if (now.log_fd < 0)
        now.log_fd = memfd_create("tidewire-test-log", MFD_CLOEXEC);
    log_setup(LOG_JSON, LOG_INFO, "", false, now.log_fd);
    return 0;
}

/* take_log() → what was logged since the last one, its end where that is long */
static int native_take_log(lua_State *L)
{
    char text[LOG_SHOWN_MAX];
    log_flush();
    off_t end = lseek(now.log_fd, 0, SEEK_END), from = end > LOG_SHOWN_MAX ? end - LOG_SHOWN_MAX : 0;
    ssize_t len = pread(now.log_fd, text, sizeof(text), from);
    lua_pushlstring(L, text, len > 0 ? (size_t)len : 0);
    if (ftruncate(now.log_fd, 0) != 0)
        return 1; /* shown twice: no harm */
    lseek(now.log_fd, 0, SEEK_SET);
    return 1;
}

int luaopen_tidewire_trial_native(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "begin", native_begin },
        { "feed", native_feed },
        { "pass", native_pass },
        { "show", native_show },
        { "list", native_list },
        { "finish", native_end },
        { "freeze", native_freeze },
        { "stopwatch", native_stopwatch },
        { "now", native_now },
        { "setting", native_setting },
        { "stand_in", native_stand_in },
        { "secret", native_secret },
        { "key", native_key },
        { "cover", native_cover },
        { "covered", native_covered },
        { "keep_log", native_keep_log },
        { "take_log", native_take_log },
        { "explained", native_explained },
        { NULL, NULL },
    };
    libs_set_secrets(L, secret_of_test, NULL);
    libs_set_stand_ins(L, key_of_test, NULL);
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    return 1;
}
