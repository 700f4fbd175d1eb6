#include "cli/native.h"

#include <curl/curl.h>
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <llhttp.h>
#include <luajit.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "admin/render.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "cli/catcher.h"
#include "cli/native_sign.h"
#include "cli/yaml.h"
#include "ingest/router.h"
#include "script/load.h"
#include "script/vm.h"
#include "script/watchdog.h"
#include "store/store.h"

enum { ANSWER_MAX = 64 << 20, TEXT_MAX = 4 << 20 };

/* The rules of the last check: `sign` works on its routes. */
static struct generation *checked;

struct generation *native_checked(void)
{
    return checked;
}

void native_close(void)
{
    generation_unref(checked);
    checked = NULL;
}

static void push_slice(lua_State *L, struct slice text)
{
    lua_pushlstring(L, text.data ? text.data : "", text.len);
}

static void set_text(lua_State *L, const char *name, struct slice text)
{
    push_slice(L, text);
    lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, double number)
{
    lua_pushnumber(L, number);
    lua_setfield(L, -2, name);
}

static int push_failure(lua_State *L, const char *why)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

static int push_buf(lua_State *L, struct buf *buf)
{
    push_slice(L, buf_slice(buf));
    buf_deinit(buf);
    return 1;
}

/* ---- small ones ---- */

static int native_isatty(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

static bool is_folder(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* is_folder(path) */
static int native_is_folder(lua_State *L)
{
    lua_pushboolean(L, is_folder(luaL_checkstring(L, 1)));
    return 1;
}

/* make_folder(path) → true, also when it is there; or nil and why */
static int native_make_folder(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    if (mkdir(path, 0777) != 0 && (errno != EEXIST || !is_folder(path)))
        return push_failure(L, strerror(errno));
    lua_pushboolean(L, 1);
    return 1;
}

static int native_uuid(lua_State *L)
{
    struct uuid_maker maker;
    char text[UUID_TEXT_SIZE];
    uuid_maker_init(&maker);
    uuid_format(uuid_v4(&maker.rng), text);
    lua_pushstring(L, text);
    return 1;
}

static int native_base64(lua_State *L)
{
    size_t len;
    const char *data = luaL_checklstring(L, 1, &len);
    unsigned char *out = lua_newuserdata(L, len / 3 * 4 + 5);
    lua_pushlstring(L, (char *)out, (size_t)EVP_EncodeBlock(out, (const unsigned char *)data, (int)len));
    return 1;
}

static int native_pause(lua_State *L)
{
    poll(NULL, 0, (int)luaL_checkinteger(L, 1));
    return 0;
}

/* path_matches(pattern, path) */
static int native_path_matches(lua_State *L)
{
    lua_pushboolean(L, router_pattern_takes(slice_of(luaL_checkstring(L, 1)), slice_of(luaL_checkstring(L, 2))));
    return 1;
}

static int native_version(lua_State *L)
{
    char llhttp[32];
    snprintf(llhttp, sizeof(llhttp), "%d.%d.%d", LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
    lua_createtable(L, 0, 7);
    set_text(L, "version", slice_of(TIDEWIRE_VERSION));
    set_text(L, "lua", slice_of(LUAJIT_VERSION));
    set_text(L, "openssl", slice_of(OpenSSL_version(OPENSSL_VERSION)));
    set_text(L, "curl", slice_of(curl_version_info(CURLVERSION_NOW)->version));
    set_text(L, "sqlite", slice_of(sqlite3_libversion()));
    set_text(L, "uv", slice_of(uv_version_string()));
    set_text(L, "llhttp", slice_of(llhttp));
    return 1;
}

/* ---- request { socket, url, method, headers, body, timeout_ms } → { status, body, event_id }, or nil and why ---- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    buf_add(arg, data, size * count);
    return size * count;
}

static const char *text_field(lua_State *L, const char *name, size_t *len)
{
    lua_getfield(L, 1, name);
    const char *text = lua_tolstring(L, -1, len);
    lua_pop(L, 1); /* the table keeps it */
    return text;
}

static struct curl_slist *header_list(lua_State *L)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    lua_getfield(L, 1, "headers");
    for (int i = 1; lua_istable(L, -1) && i <= (int)lua_objlen(L, -1); i++) {
        lua_rawgeti(L, -1, i);
        list = curl_slist_append(list, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return list;
}

static void set_options(lua_State *L, CURL *curl, struct curl_slist *headers, struct buf *answer)
{
    size_t len = 0;
    const char *socket = text_field(L, "socket", &len), *body = text_field(L, "body", &len);
    if (socket)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
    curl_easy_setopt(curl, CURLOPT_URL, text_field(L, "url", NULL));
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, text_field(L, "method", NULL));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    }
    lua_getfield(L, 1, "timeout_ms");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)lua_tonumber(L, -1));
    lua_pop(L, 1);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}

static void set_event_id(lua_State *L, CURL *curl)
{
    struct curl_header *header;
    if (curl_easy_header(curl, "tidewire-event-id", 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        set_text(L, "event_id", slice_of(header->value));
}

static int native_request(lua_State *L)
{
    struct buf answer;
    long status = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = header_list(L);
    buf_init(&answer, ANSWER_MAX);
    set_options(L, curl, headers, &answer);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    lua_createtable(L, 0, 3);
    if (code == CURLE_OK)
        set_event_id(L, curl);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK) {
        buf_deinit(&answer);
        return push_failure(L, curl_easy_strerror(code));
    }
    set_number(L, "status", (double)status);
    push_buf(L, &answer);
    lua_setfield(L, -2, "body");
    return 1;
}

/* ---- check(folder, production, colour, stand_ins, no_secrets) ---- */

static void push_texts(lua_State *L, const struct slice *texts, size_t count)
{
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_slice(L, texts[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static void push_verify(lua_State *L, const struct verify *verify)
{
    static const char *const schemes[] = { "none", "hmac", "bearer", "hash", "token", "basic", "ed25519", "ecdsa", "jwt", "rsa" };
    static const char *const keys[] = { "text", "standard", "hex", "base64" };
    lua_createtable(L, 0, 8);
    set_text(L, "scheme", slice_of(schemes[verify->scheme]));
    set_text(L, "key", slice_of(keys[verify->key]));
    push_texts(L, verify->secrets, verify->secret_count);
    lua_setfield(L, -2, "secrets");
    if (verify->timestamp.field.data)
        set_text(L, "timestamp_field", verify->timestamp.field);
    if (verify->field.data)
        set_text(L, "signature_field", verify->field);
    if (verify->body_sha256.data)
        set_text(L, "body_sha256", verify->body_sha256);
    lua_pushboolean(L, verify->scheme == VERIFY_RSA || verify->jwks.data ||
                           (verify->secret_count == 0 && verify->public_key_count > 0));
    lua_setfield(L, -2, "by_key");
    if (verify->also) {
        push_verify(L, verify->also);
        lua_setfield(L, -2, "also");
    }
}

static void push_route(lua_State *L, const struct route *route)
{
    lua_createtable(L, 0, 6);
    set_text(L, "path", route->path);
    set_number(L, "index", route->index);
    set_text(L, "provider", route->provider);
    if (route->host.len)
        set_text(L, "host", route->host);
    set_text(L, "ack", slice_of(route->ack == ACK_RECEIVED ? "received" : "stored"));
    push_texts(L, route->methods, route->method_count);
    lua_setfield(L, -2, "methods");
    push_verify(L, &route->verify);
    lua_setfield(L, -2, "verify");
}

static void push_report(lua_State *L, const struct load_report *report, bool colour)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    load_report_print(report, &text, colour);
    push_buf(L, &text);
    lua_setfield(L, -2, "text");
    buf_init(&text, TEXT_MAX);
    load_report_json(report, &text);
    push_buf(L, &text);
    lua_setfield(L, -2, "json");
    set_number(L, "errors", (double)report->error_count);
    set_number(L, "warnings", (double)(report->finding_count - report->error_count));
}

/* Patterns without end at the top of a file are ended here too. NULL: no threads; then only what hooks reach. */
struct watchdog_slot *native_watched(void)
{
    static struct watchdog_slot *slot;
    if (!slot && watchdog_start() == OK)
        slot = watchdog_slot_new();
    return slot;
}

static void push_files(lua_State *L)
{
    lua_createtable(L, (int)checked->file_count, 0);
    for (size_t i = 0; i < checked->file_count; i++) {
        lua_createtable(L, 0, 2);
        set_text(L, "name", checked->files[i].name);
        set_text(L, "text", checked->files[i].text);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static void push_targets(lua_State *L)
{
    lua_createtable(L, (int)checked->target_count, 0);
    for (size_t i = 0; i < checked->target_count; i++) {
        push_slice(L, checked->targets[i].name);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static int native_check(lua_State *L)
{
    struct load_options options = {
        .slot = native_watched(),
        .place = { .folder = luaL_checkstring(L, 1) },
        .production = lua_toboolean(L, 2),
        .stand_ins = lua_toboolean(L, 4),
        .no_secrets = lua_toboolean(L, 5),
        .secrets_folder = getenv("CREDENTIALS_DIRECTORY"),
    };
    struct load_report report;
    native_close();
    enum result rc = load_generation(&options, &checked, &report);
    lua_createtable(L, 0, 7);
    push_report(L, &report, lua_toboolean(L, 3));
    load_report_deinit(&report);
    lua_newtable(L);
    for (size_t i = 0; rc == OK && i < checked->route_count; i++) {
        push_route(L, &checked->routes[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "routes");
    if (rc == OK) {
        push_files(L);
        lua_setfield(L, -2, "files");
        push_targets(L);
        lua_setfield(L, -2, "targets");
    }
    return 1;
}

static int native_sign(lua_State *L)
{
    size_t index = (size_t)luaL_checkinteger(L, 1);
    if (!checked || index >= checked->route_count)
        return push_failure(L, "the rules were not checked");
    return native_sign_for(L, &checked->routes[index]);
}

static int native_verify(lua_State *L)
{
    size_t index = (size_t)luaL_checkinteger(L, 1);
    if (!checked || index >= checked->route_count)
        return push_failure(L, "the rules were not checked");
    return native_verify_for(L, &checked->routes[index], checked);
}

/* rule_files() → { { name, module, text } … } of the rules that were checked last, or nil */
static int native_rule_files(lua_State *L)
{
    if (!checked)
        return 0;
    script_push_files(L, checked);
    return 1;
}

/* ---- the store without a router: JSON, or nil and why ---- */

static void nothing_done(struct store_op *op)
{
}

static int push_read(lua_State *L, const char *path, struct store_op *op)
{
    char why[512] = "";
    struct store *store;
    struct buf out;
    if (store_open_offline(path, &store, why, sizeof(why)) != OK)
        return push_failure(L, why);
    op->on_done = nothing_done;
    store_read_offline(store, op);
    enum result rc = op->result;
    buf_init(&out, ANSWER_MAX);
    if (rc == OK && op->kind == STORE_READ_LIST) {
        render_list((struct store_read_list *)op, &out);
    } else if (rc == OK) {
        struct store_read_show *show = (struct store_read_show *)op;
        render_event(show, &out);
        if (show->event)
            event_unref(show->event);
    }
    store_read_free(op);
    store_close_offline(store);
    if (rc == OK)
        return push_buf(L, &out);
    buf_deinit(&out);
    return push_failure(L, rc == ERR_NOT_FOUND ? "not found" : "it could not be read");
}

static struct slice option(lua_State *L, const char *name)
{
    struct slice text = { NULL, 0 };
    lua_getfield(L, 2, name);
    text.data = lua_tolstring(L, -1, &text.len);
    lua_pop(L, 1);
    return text;
}

static int native_store_list(lua_State *L)
{
    struct store_read_list list = { .op.kind = STORE_READ_LIST, .filter = { .state = -1, .limit = 50 } };
    struct slice state = option(L, "state"), limit = option(L, "limit"), cursor = option(L, "cursor");
    list.filter.route = option(L, "route");
    list.filter.type = option(L, "type");
    for (int shown = SHOWN_WAITING; state.data && shown <= SHOWN_DEAD; shown++)
        if (slice_is(state, shown_state_name((enum shown_state)shown)))
            list.filter.state = shown;
    if (limit.data && strtol(limit.data, NULL, 10) > 0)
        list.filter.limit = (uint32_t)strtol(limit.data, NULL, 10);
    if (cursor.data)
        list.filter.before_seq = strtoll(cursor.data, NULL, 10);
    return push_read(L, luaL_checkstring(L, 1), &list.op);
}

static int native_store_show(lua_State *L)
{
    struct store_read_show show = { .op.kind = STORE_READ_SHOW };
    if (!uuid_parse(slice_of(luaL_checkstring(L, 2)), &show.id))
        return push_failure(L, "not found");
    return push_read(L, luaL_checkstring(L, 1), &show.op);
}

/* listen(port, status, delay_ms, json) → true at the end, or nil and why */
static int native_listen(lua_State *L)
{
    struct catcher_config config = {
        .port = (uint16_t)luaL_checkinteger(L, 1),
        .status = (uint16_t)luaL_checkinteger(L, 2),
        .delay_ms = (uint64_t)luaL_checknumber(L, 3),
        .json = lua_toboolean(L, 4),
    };
    char why[256];
    if (catcher_run(&config, why, sizeof(why)) != OK)
        return push_failure(L, why);
    lua_pushboolean(L, 1);
    return 1;
}

/* yaml(text): as JSON; or nil and why. */
static int native_yaml(lua_State *L)
{
    char why[YAML_WHY_SIZE] = "not enough memory";
    struct slice text;
    struct buf out;
    text.data = luaL_checklstring(L, 1, &text.len);
    buf_init(&out, TEXT_MAX);
    enum result rc = yaml_to_json(text, &out, why);
    if (rc == OK)
        push_slice(L, buf_slice(&out));
    buf_deinit(&out);
    return rc == OK ? 1 : push_failure(L, why);
}

int luaopen_tidewire_native(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "isatty", native_isatty },
        { "is_folder", native_is_folder },
        { "make_folder", native_make_folder },
        { "uuid", native_uuid },
        { "base64", native_base64 },
        { "pause", native_pause },
        { "rule_files", native_rule_files },
        { "path_matches", native_path_matches },
        { "version", native_version },
        { "request", native_request },
        { "check", native_check },
        { "sign", native_sign },
        { "verify", native_verify },
        { "store_list", native_store_list },
        { "store_show", native_store_show },
        { "listen", native_listen },
        { "yaml", native_yaml },
        { NULL, NULL },
    };
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    return 1;
}
