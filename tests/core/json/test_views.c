#include "check.h"

#include <dirent.h>
#include <lauxlib.h>
#include <lualib.h>

#include "base/mem.h"
#include "json/encode.h"
#include "json/registry.h"
#include "json/secret.h"
#include "model/message.h"

enum { ROUNDS = 60 /* often enough for the compiler to take a sentence */ };

/* ---- a state with the words, and what the specs need beside them ---- */

enum compiler { COMPILER_ON, COMPILER_OFF, COMPILER_EAGER };

/* A document given to a spec. */
struct lent {
    struct lent *next;
    struct json_doc *doc;
    char *text;
};

struct fixture {
    lua_State *L;
    struct views *views;
    struct lent *lent; /* freed at the end */
};

static struct fixture *fixture_of(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "fixture");
    struct fixture *fixture = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return fixture;
}

static struct uuid an_event(uint8_t last)
{
    return (struct uuid){ .bytes[15] = last };
}

static struct json_doc *document(struct fixture *fixture, struct slice text)
{
    struct json_doc *doc = NULL;
    struct json_error error = { 0, "" };
    char *copy = mem_text(text);
    CHECK_EQ(copy, json_index(slice_make(copy, text.len), &doc, &error), OK);
    struct lent *lent = MEM_NEW(struct lent);
    *lent = (struct lent){ .next = fixture->lent, .doc = doc, .text = copy };
    fixture->lent = lent;
    return doc;
}

/* open(text): a view of a document that stays open */
static int open_document(lua_State *L)
{
    struct fixture *fixture = fixture_of(L);
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct json_doc *doc = document(fixture, slice_make(text, len));
    view_push(L, view_open(fixture->views, doc, an_event(0x95)), json_root(doc));
    return 1;
}

/* lend(text): a view of a document that has ended already; what was read of it before; a view inside it; an exact integer */
static int lend_document(lua_State *L)
{
    struct fixture *fixture = fixture_of(L);
    struct json_doc *doc = document(fixture, slice_of(luaL_checkstring(L, 1)));
    struct json_doc *numbers = document(fixture, SLICE("[123456789012345]"));
    uint64_t handle = view_open(fixture->views, doc, an_event(0x96)), other = view_open(fixture->views, numbers, an_event(0x97));
    view_push(L, handle, json_root(doc));
    lua_getfield(L, -1, "a");
    lua_getfield(L, -1, "b");
    lua_remove(L, -2);
    lua_getfield(L, -2, "list");
    view_push(L, other, json_element(json_root(numbers), 0));
    view_close(fixture->views, handle);
    view_close(fixture->views, other);
    view_close(fixture->views, other); /* twice is fine */
    return 4;
}

static int collect(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT, 0);
    lua_gc(L, LUA_GCCOLLECT, 0);
    return 0;
}

static int note_failure(lua_State *L)
{
    CHECK_FAIL("%s", luaL_checkstring(L, 1));
    return 0;
}

/* How many documents are open. */
static int open_documents(lua_State *L)
{
    const struct views *views = views_of(L);
    int count = 0;
    for (uint32_t i = 0; i < views->slot_count; i++)
        count += views->slots[i].doc != NULL;
    lua_pushnumber(L, count);
    return 1;
}

static const luaL_Reg helpers[] = {
    { "open", open_document },
    { "lend", lend_document },
    { "collect", collect },
    { "note_failure", note_failure },
    { "open_documents", open_documents },
    { NULL, NULL },
};

static void fixture_open(struct fixture *fixture, enum compiler compiler)
{
    *fixture = (struct fixture){ .L = luaL_newstate() };
    lua_State *L = fixture->L;
    luaL_openlibs(L);
    if (compiler == COMPILER_OFF)
        luaL_dostring(L, "jit.off()");
    if (compiler == COMPILER_EAGER)
        luaL_dostring(L, "jit.opt.start('hotloop=1', 'hotexit=1')");
    lua_pushlightuserdata(L, fixture);
    lua_setfield(L, LUA_REGISTRYINDEX, "fixture");
    fixture->views = views_of(L);
    lua_pushcfunction(L, luaopen_tidewire_views);
    if (lua_pcall(L, 0, 1, 0) != 0)
        CHECK_FAIL("%s", lua_tostring(L, -1));
    lua_setglobal(L, "views");
}

static void fixture_close(struct fixture *fixture)
{
    lua_close(fixture->L);
    views_free(fixture->views);
    while (fixture->lent) {
        struct lent *lent = fixture->lent;
        fixture->lent = lent->next;
        json_free(lent->doc);
        mem_free(lent->text);
        mem_free(lent);
    }
}

static void run_spec(const char *file, enum compiler compiler)
{
    struct fixture fixture;
    fixture_open(&fixture, compiler);
    lua_State *L = fixture.L;
    if (luaL_loadfile(L, "tests/core/json/spec.lua") != 0)
        CHECK_FAIL("%s", lua_tostring(L, -1));
    lua_getglobal(L, "views");
    lua_newtable(L);
    luaL_register(L, NULL, helpers);
    lua_pushnumber(L, compiler == COMPILER_OFF ? 1 : ROUNDS);
    lua_pushstring(L, file);
    if (lua_pcall(L, 4, 0, 0) != 0)
        CHECK_FAIL("%s", lua_tostring(L, -1));
    fixture_close(&fixture);
}

TEST(views_answer_as_rules_say_when_interpreted)
{
    run_spec("values_spec.lua", COMPILER_OFF);
}

TEST(views_answer_as_rules_say_when_compiled)
{
    run_spec("values_spec.lua", COMPILER_ON);
}

TEST(views_answer_as_rules_say_when_compiled_at_once)
{
    run_spec("values_spec.lua", COMPILER_EAGER);
}

TEST(changes_and_the_writer_do_as_rules_say_when_interpreted)
{
    run_spec("changes_spec.lua", COMPILER_OFF);
}

TEST(changes_and_the_writer_do_as_rules_say_when_compiled)
{
    run_spec("changes_spec.lua", COMPILER_ON);
}

TEST(changes_and_the_writer_do_as_rules_say_when_compiled_at_once)
{
    run_spec("changes_spec.lua", COMPILER_EAGER);
}

TEST(loops_over_plain_tables_are_still_compiled)
{
    static const char script[] = "local w, traces, aborts = views.words, 0, 0 "
                                 "jit.attach(function(what) if what == 'stop' then traces = traces + 1 elseif what == 'abort' "
                                 "then aborts = aborts + 1 end end, 'trace') "
                                 "local list, sum = {}, 0 "
                                 "for i = 1, 200 do list[i] = i end "
                                 "for _ = 1, 200 do for _, v in w.ipairs(list) do sum = sum + v end end "
                                 "jit.attach(function() end) "
                                 "return sum == 200 * 201 * 100 and traces > 0 and aborts == 0";
    struct fixture fixture;
    fixture_open(&fixture, COMPILER_ON);
    CHECK("runs", luaL_dostring(fixture.L, script) == 0);
    CHECK("compiled, nothing given up", lua_toboolean(fixture.L, -1));
    fixture_close(&fixture);
}

/* ---- from C ---- */

static void push_result(lua_State *L, const char *expression)
{
    char chunk[1024];
    snprintf(chunk, sizeof(chunk), "local json, secret, null = views.json, views.secret.new, views.null return %s", expression);
    if (luaL_dostring(L, chunk) != 0)
        CHECK_FAIL("%s", lua_tostring(L, -1));
}

static bool resolve(void *arg, struct slice name, struct slice *value)
{
    *value = slice_is(name, "TOKEN") ? SLICE("a\"b") : SLICE("&");
    return !slice_is(name, "MISSING");
}

TEST(secrets_in_a_message_are_places_filled_in_and_escaped_later)
{
    static const struct {
        const char *value, *want;
    } cases[] = {
        { "{ a = 1, token = 'x\"' .. secret 'TOKEN', z = { secret 'TOKEN' } }",
          "{\"a\":1,\"token\":\"x\\\"a\\\"b\",\"z\":[\"a\\\"b\"]}" },
        { "secret('TOKEN', 'OLD')", "\"a\\\"b\"" },
        { "{ v = json.decode '[1.0, 2]' }", "{\"v\":[1.0, 2]}" },
        { "'plain'", "\"plain\"" },
    };
    struct fixture fixture;
    fixture_open(&fixture, COMPILER_ON);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena arena = { 0 };
        struct slice text, missing;
        struct buf pieces;
        char why[ENCODE_WHY_SIZE];
        push_result(fixture.L, cases[i].value);
        buf_init(&pieces, 4096);
        CHECK_EQ(cases[i].value, encode_json(fixture.L, -1, "body", SECRETS_IN_PIECES, &pieces, why), OK);
        CHECK_EQ(cases[i].value, pieces_render(buf_slice(&pieces), resolve, NULL, &arena, &text, &missing), OK);
        CHECK_SLICE(cases[i].value, text, cases[i].want);
        buf_deinit(&pieces);
        arena_deinit(&arena);
    }
    fixture_close(&fixture);
}

TEST(a_secret_says_its_names_and_gives_its_pieces_for_any_place)
{
    struct fixture fixture;
    struct slice name;
    fixture_open(&fixture, COMPILER_ON);
    lua_State *L = fixture.L;
    push_result(L, "secret('NEW', 'OLD')");
    CHECK("is one", secret_is(L, -1));
    CHECK("first", secret_name(L, -1, 0, &name));
    CHECK_SLICE("first", name, "NEW");
    CHECK("second", secret_name(L, -1, 1, &name));
    CHECK_SLICE("second", name, "OLD");
    CHECK("no third", !secret_name(L, -1, 2, &name));
    push_result(L, "'a b&' .. secret 'OTHER'");
    CHECK("joined: no name", !secret_name(L, -1, 0, &name));
    static const struct {
        enum escaping escaping;
        const char *want;
    } cases[] = {
        { ESCAPE_NONE, "a b&&" }, { ESCAPE_URL, "a%20b%26%26" }, { ESCAPE_FORM, "a+b%26%26" }, { ESCAPE_XML, "a b&amp;&amp;" }
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena arena = { 0 };
        struct slice text, missing;
        struct buf pieces;
        buf_init(&pieces, 256);
        secret_pieces(L, -1, &pieces, cases[i].escaping);
        CHECK_EQ(cases[i].want, pieces_render(buf_slice(&pieces), resolve, NULL, &arena, &text, &missing), OK);
        CHECK_SLICE(cases[i].want, text, cases[i].want);
        buf_deinit(&pieces);
        arena_deinit(&arena);
    }
    push_result(L, "'text'");
    CHECK("text is none", !secret_is(L, -1));
    fixture_close(&fixture);
}

TEST(a_value_that_does_not_fit_is_refused_at_its_bound)
{
    struct fixture fixture;
    fixture_open(&fixture, COMPILER_ON);
    for (size_t max = 7; max <= 8; max++) { /* "abcdef" with its quotes is 8 */
        for (int secrets = SECRETS_REFUSED; secrets <= SECRETS_IN_PIECES; secrets++) {
            struct buf out;
            char why[ENCODE_WHY_SIZE];
            size_t head = secrets == SECRETS_IN_PIECES ? 5 : 0; /* of a piece */
            buf_init(&out, max + head);
            push_result(fixture.L, "'abcdef'");
            CHECK_EQ("bound", encode_json(fixture.L, -1, "body", (enum secrets)secrets, &out, why), max == 8 ? OK : ERR_LIMIT);
            if (max == 7)
                CHECK("says so", strstr(why, "body is larger than") != NULL);
            buf_deinit(&out);
        }
    }
    fixture_close(&fixture);
}

TEST(the_event_of_an_ended_document_is_known_for_a_while)
{
    struct fixture fixture;
    fixture_open(&fixture, COMPILER_ON);
    lua_State *L = fixture.L;
    struct json_doc *doc = document(&fixture, SLICE("{}"));
    for (int later = PAST_MAX - 1; later <= PAST_MAX; later++) {
        uint64_t handle = view_open(fixture.views, doc, an_event(1));
        view_push(L, handle, json_root(doc));
        view_close(fixture.views, handle);
        for (int i = 0; i < later; i++)
            view_close(fixture.views, view_open(fixture.views, doc, an_event(2)));
        lua_setglobal(L, "kept");
        CHECK("raises", luaL_dostring(L, "return kept.x") != 0);
        CHECK("event",
              (strstr(lua_tostring(L, -1), "event 00000000-0000-0000-0000-000000000001,") != NULL) == (later < PAST_MAX));
        CHECK("words", strstr(lua_tostring(L, -1), "has ended: keep copy(v)") != NULL);
    }
    fixture_close(&fixture);
}

TEST(a_state_may_be_left_behind_with_its_documents)
{
    struct fixture fixture;
    fixture_open(&fixture, COMPILER_ON);
    push_result(fixture.L, "json.decode '{\"a\":[1,2]}'");
    struct json_doc *doc = document(&fixture, SLICE("{}"));
    CHECK("open", view_open(fixture.views, doc, an_event(0x98)) != 0);
    fixture_close(&fixture); /* nothing was closed; the leak checker has the last word */
}

/* An allocator that refuses once it has been asked often enough. */
struct scarce {
    long left;
};

static void *allocate(void *arg, void *ptr, size_t old, size_t size)
{
    struct scarce *scarce = arg;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    if (size > old && scarce->left > 0 && --scarce->left == 0)
        return NULL;
    return realloc(ptr, size);
}

TEST(memory_that_ends_anywhere_leaks_nothing)
{
    static const char script[] = "local v = views.json.decode [[{\"a\":{\"b\":[1,\"x\\n\",123456789012345678]},\"c\":null}]] "
                                 "local w = views.words "
                                 "local t = w.copy(w.merge(v, { a = { d = { 1, 2 } } })) "
                                 "t.s = 'x' .. views.secret.new 'S' "
                                 "for k, item in w.pairs(v) do t[k .. 'x'] = item end "
                                 "w.omit(w.set(v, 'a.b[1]', t.a), 'c') "
                                 "t.s = nil "
                                 "return views.json.encode(t)";
    struct scarce scarce = { 0 };
    lua_State *L = lua_newstate(allocate, &scarce);
    luaL_openlibs(L);
    struct views *views = views_of(L);
    lua_pushcfunction(L, luaopen_tidewire_views);
    lua_call(L, 0, 1);
    lua_setglobal(L, "views");
    long turns = 0;
    char last[256] = "";
    for (int status = 1; status != 0 && turns < 5000; turns++) {
        luaL_loadstring(L, script);
        scarce.left = turns + 1;
        status = lua_pcall(L, 0, 0, 0);
        scarce.left = 0;
        if (status)
            snprintf(last, sizeof(last), "%s", lua_tostring(L, -1));
        lua_settop(L, 0);
    }
    if (turns == 5000)
        CHECK_FAIL("%s", last);
    CHECK("it ends well at last", turns > 10 && turns < 5000);
    lua_close(L);
    views_free(views);
}

/* ---- every payload of a folder: untouched it keeps its bytes, changed it keeps all others ---- */

/* The text of a file: one payload, or a list of { name, examples = [payload, …] }. Returns how many payloads it has. */
static const char corpus_script[] =
    "local text, w, json = ..., views.words, views.json "
    "local function check(event) "
    "  local same = tostring(event) "
    "  assert(json.encode(event) == same) "
    "  assert(tostring(w.merge(event, {})) == same) "
    "  assert(tostring(w.omit(w.set(event, 'tidewire_new', 1), 'tidewire_new')) == same) "
    "  assert(json.encode(json.decode(json.encode(w.copy(event)))) == json.encode(w.copy(event))) "
    "  for key, old in w.pairs(event) do "
    "    local path = '[\"' .. key .. '\"]' "
    "    local changed = tostring(w.set(event, path, { 'changed' })) "
    "    local first = 1 "
    "    while same:byte(first) == changed:byte(first) do first = first + 1 end "
    "    local rest = changed:match('%[?\"changed\"%](.*)$', first - 1) "
    "    assert(rest and same:sub(-#rest) == rest, path) "
    "    local back = w.set(json.decode(changed), path, old) "
    "    assert(w.type(old) == 'number' or tostring(back) == same or w.type(old) == 'string', path) "
    "  end "
    "end "
    "local whole, n = json.decode(text), 0 "
    "for _, entry in w.ipairs(#whole > 0 and whole or { whole }) do "
    "  for _, event in w.ipairs(entry.examples or { entry }) do check(event) n = n + 1 end "
    "end "
    "return n";

static size_t check_payload(struct fixture *fixture, const char *path)
{
    lua_State *L = fixture->L;
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    luaL_Buffer text;
    luaL_loadstring(L, corpus_script);
    luaL_buffinit(L, &text);
    for (size_t n = 1; n > 0;) {
        n = fread(luaL_prepbuffer(&text), 1, LUAL_BUFFERSIZE, file);
        luaL_addsize(&text, n);
    }
    fclose(file);
    luaL_pushresult(&text);
    if (lua_pcall(L, 1, 1, 0) != 0)
        CHECK_FAIL("%s: %s", path, lua_tostring(L, -1));
    size_t payloads = (size_t)lua_tonumber(L, -1);
    lua_settop(L, 0);
    return payloads;
}

static size_t check_folder(struct fixture *fixture, const char *folder)
{
    size_t payloads = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        size_t len = strlen(entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        if (entry->d_type == DT_DIR)
            payloads += check_folder(fixture, path);
        else if (len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0)
            payloads += check_payload(fixture, path);
    }
    closedir(dir);
    return payloads;
}

TEST(real_payloads_keep_their_bytes_when_the_folder_is_given)
{
    const char *folder = getenv("TIDEWIRE_JSON_CORPUS");
    if (!folder)
        return;
    struct fixture fixture;
    fixture_open(&fixture, COMPILER_ON);
    size_t payloads = check_folder(&fixture, folder);
    printf("# %zu payloads\n", payloads);
    CHECK("payloads", payloads > 0);
    fixture_close(&fixture);
}

TEST_MAIN()
