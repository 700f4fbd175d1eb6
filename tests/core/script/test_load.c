/* Rule files to generations, and every mistake with its place. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/message.h"
#include "script/load.h"
#include "script/rule_files.h"

struct folder {
    char path[64];
};

static struct folder make_folder(void)
{
    struct folder folder = { "/tmp/tidewire-load-XXXXXX" };
    char rules[96];
    CHECK("here", mkdtemp(folder.path) != NULL);
    snprintf(rules, sizeof(rules), "%s/rules", folder.path);
    CHECK("here", mkdir(rules, 0700) == 0);
    return folder;
}

static void write_rule(const struct folder *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/rules/%s", folder->path, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    CHECK("here", mkdir(path, 0700) == 0 || errno == EEXIST);
    *slash = '/';
    FILE *file = fopen(path, "w");
    CHECK("here", file != NULL);
    fputs(text, file);
    fclose(file);
}

static void remove_folder(const struct folder *folder)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", folder->path);
    CHECK("here", system(command) == 0);
}

static const struct load_options *options_of(const struct folder *folder, bool production)
{
    static struct load_options options;
    options = (struct load_options){ .place = { .folder = folder->path }, .production = production };
    return &options;
}

/* Loads one file and gives its report as text, mem_free'd with the buffer. */
static void report_of(const char *text, bool production, struct buf *out)
{
    struct folder folder = make_folder();
    struct load_report report;
    struct generation *generation;
    write_rule(&folder, "a.lua", text);
    enum result rc = load_generation(options_of(&folder, production), &generation, &report);
    CHECK(text, rc == OK || rc == ERR_SCRIPT);
    buf_init(out, 1 << 20);
    load_report_print(&report, out, false);
    buf_add_byte(out, '\0');
    load_report_deinit(&report);
    generation_unref(generation);
    remove_folder(&folder);
}

static void check_report(int line, const char *rule, const char *expected)
{
    struct buf report;
    report_of(rule, true, &report);
    if (!strstr(report.data, expected)) {
        printf("# line %d expected: %s\n# got: %s\n", line, expected, report.data);
        CHECK(rule, !"the report has it");
    }
    buf_deinit(&report);
}
#define REPORTS(rule, expected) check_report(__LINE__, rule, expected)

#define GOOD " verify = verify.none \"a test\", handle = function(event) end"

TEST(marks_unknown_options)
{
    REPORTS("local t = target \"erp\" {\n  url = \"http://a.example.com\",\n  concurency = 8,\n}\n",
            "rules/a.lua:3: target \"erp\" has no option 'concurency'\n"
            "    3 │   concurency = 8,\n"
            "      │   ^^^^^^^^^^ did you mean 'concurrency'?\n");
    REPORTS("local t = target \"erp\" {\n  url = \"http://a.example.com\",\n  timeout = 30,\n}\n",
            "rules/a.lua:3: target \"erp\": timeout = 30 needs a unit\n"
            "    3 │   timeout = 30,\n"
            "      │             ^^ write \"30s\" for seconds\n");
    REPORTS("target \"x\" { url = \"http://a.example.com\", retries = 3 }", "set attempts inside retry");
    REPORTS("target \"x\" { url = \"http://a.example.com\", order_by = \"body.id\" }", "'order_by' comes with a later version");
    REPORTS("target \"x\" { url = \"http://a.example.com\", retry = { fist = \"1s\" } }",
            "target \"x\": retry has no option 'fist'");
    REPORTS("route \"/x\" { from = provider.github { secrt = 1 }, handle = function(e) end }",
            "provider.github has no option 'secrt'");
    REPORTS("route \"/x\" {" GOOD ", ack = \"stord\" }", "did you mean 'stored'?");
    REPORTS("route \"/x\" {" GOOD ", ack = \"handled\" }", "comes with a later version");
}

TEST(marks_unknown_names)
{
    REPORTS("local slack = targt \"slack-dev\" {\n}\n", "rules/a.lua:1: there is no name 'targt' here\n"
                                                        "    1 │ local slack = targt \"slack-dev\" {\n"
                                                        "      │               ^^^^^ did you mean 'target'?\n");
    REPORTS("route \"/x\" { verify = verify.none \"t\", handle = function(event)\n  sned(1)\nend }",
            "rules/a.lua:2: there is no name 'sned' here");
    REPORTS("route \"/x\" {" GOOD " }\ncount = 0\n", "rules/a.lua:2: 'count = …' would make a global variable\n"
                                                     "    2 │ count = 0\n"
                                                     "      │ ^^^^^ write 'local count = 0'\n");
    REPORTS("kv.set(1)", "'kv' comes with a later version");
    REPORTS("os.execute(\"x\")", "there is no name 'os' here");
    REPORTS("local n = 0\nroute \"/x\" { verify = verify.none \"t\", handle = function(e) n = n + 1 end }",
            "'n' is a local of the file");
    REPORTS("local n = 123456789012345678", "write 123456789012345678LL");
}

TEST(wants_routes_guarded_and_whole)
{
    REPORTS("\nroute \"/in\" { handle = function(e) end }",
            "rules/a.lua:2: route \"/in\" has neither 'from' nor 'verify', so anybody could call it\n"
            "      │ add   from = provider.github { secret = secret \"GITHUB_WEBHOOK_SECRET\" }\n"
            "      │ or    verify = verify.none \"only reachable inside the office network\"\n");
    REPORTS("route \"/x\" { verify = verify.none \"t\" }", "needs a handler");
    REPORTS("route \"/x\" { verify = verify.none \"\", handle = function() end }", "needs a reason");
    REPORTS("route \"x\" {" GOOD " }", "a path begins with '/'");
    REPORTS("route \"/a/*rest/b\" {" GOOD " }", "stands last");
    REPORTS("route \"/:a/:a\" {" GOOD " }", "two parts called 'a'");
    REPORTS("local slack = target \"slack\"", "rules/a.lua:1: target \"slack\" has no settings");
    REPORTS("route \"/a/:x\" {" GOOD " }\nroute \"/a/:y\" {" GOOD " }",
            "rules/a.lua:2 and rules/a.lua:1 both declare route \"/a/:y\"");
    REPORTS("target \"x\" {}", "needs an address");
    REPORTS("target \"x\" { url = \"ftp://example.com\" }", "is not an address");
    REPORTS("target \"x\" { url = \"http://u:p@example.com\" }", "auth.basic");
}

TEST(checks_signature_schemes)
{
#define HMAC(options)                                                                                                            \
    "route \"/x\" { verify = verify.hmac { header = \"X-S\", secret = secret \"HOME\", " options " }, handle = function() end }"
    REPORTS(HMAC("max_age = \"5m\""), "max_age needs a signed time");
    REPORTS(HMAC("signed = \"{timestamp}.{body}\""), "nothing says where it comes from");
    REPORTS(HMAC("signed = \"x\""), "signed without {body}");
    REPORTS(HMAC("signed = \"{boddy}\""), "signed has no place {boddy}");
    REPORTS(HMAC("signed = \"{timestamp}{body}\", timestamp = \"headers.x-t\""), "can be split in more than one way");
    REPORTS(HMAC("algorithm = \"md5\""), "is none of \"sha256\"");
    REPORTS("route \"/x\" { verify = verify.hmac { header = \"X-S\", secret = \"text\" }, handle = function() end }",
            "wants a secret");
    REPORTS("route \"/x\" { verify = verify.mtls {}, handle = function() end }", "verify.mtls comes with a later version");
    REPORTS("route \"/x\" { from = provider.stripe {}, handle = function() end }", "provider.stripe comes with a later version");
    REPORTS("route \"/x\" { from = provider.githb {}, handle = function() end }", "did you mean 'github'?");
}

TEST(finds_what_is_not_set)
{
    REPORTS("target \"x\" { url = secret \"NOT_SET_AT_ALL\" }", "secret \"NOT_SET_AT_ALL\" is not set");
    REPORTS("target \"x\" { url = env \"NOT_SET_AT_ALL\" }", "env \"NOT_SET_AT_ALL\" is not set");
    REPORTS("route \"/x\" { verify = verify.none \"t\", handle = function(e)\n log.info(env \"NOT_SET_AT_ALL\") end }",
            "rules/a.lua:2: env \"NOT_SET_AT_ALL\" is not set");
    REPORTS("route \"/x\" { verify = verify.none \"t\", handle = function(e) local s = secret(e.id) end }",
            "wants its name written out");
    setenv("TIDEWIRE_TEST_EMPTY", "", 1);
    REPORTS("target \"x\" { url = secret \"TIDEWIRE_TEST_EMPTY\" }", "is empty");
}

TEST(finds_actions_and_loops_at_the_top)
{
    REPORTS("\nsend(1, 2)", "rules/a.lua:2: send() works inside a handler, not while the file loads");
    REPORTS("log.info \"x\"", "log.info() works inside a handler");
    REPORTS("local t = target \"t\" { url = \"http://a.example.com\" }\nroute \"/x\" { verify = verify.none \"t\", handle = "
            "function(e) send(t) end }",
            "send wants a message too");
    REPORTS("local x = nil + 1", "rules/a.lua:1: attempt to perform arithmetic");
    REPORTS("local x = = 1", "rules/a.lua:1: unexpected symbol");
    REPORTS("require \"lib.nope\"", "there is no file for require \"lib.nope\"");
}

TEST(reports_all_mistakes_of_all_files)
{
    struct folder folder = make_folder();
    struct load_report report;
    struct generation *generation;
    write_rule(&folder, "b.lua", "x = 1\nlocal t = targt \"t\" {}\nroute \"/a\" { verify = verify.none \"t\" }");
    write_rule(&folder, "a/c.lua", "local function f( \n");
    write_rule(&folder, "x_test.lua", "this is no rule file");
    write_rule(&folder, "samples/x.lua", "neither is this");
    CHECK("here", load_generation(options_of(&folder, false), &generation, &report) == ERR_SCRIPT);
    CHECK("here", generation == NULL);
    struct buf shown;
    buf_init(&shown, 1 << 20);
    load_report_print(&report, &shown, false);
    if (report.error_count != 4)
        printf("# %.*s\n", (int)shown.len, shown.data);
    buf_deinit(&shown);
    CHECK_EQ("here", report.error_count, 4);
    load_report_deinit(&report);
    remove_folder(&folder);
}

TEST(limits_have_bounds)
{
#define LIMITED(limits) "route \"/a\" { limits = { " limits " }," GOOD " }"
    REPORTS(LIMITED("handler_memory = \"1023KiB\""), "limits.handler_memory = \"1023KiB\" is out of range");
    REPORTS(LIMITED("handler_memory = \"1023KiB\""), "from \"1MiB\" to \"1GiB\"");
    REPORTS(LIMITED("handler_memory = \"1MiB\", handler_cpu = \"0.9ms\""), "limits.handler_cpu = \"0.9ms\" is out of range");
    struct buf report;
    report_of(LIMITED("handler_memory = \"1MiB\", handler_cpu = \"1ms\""), true, &report);
    CHECK_SLICE("the least", slice_of(report.data), "");
    buf_deinit(&report);
#undef LIMITED
}

TEST(takes_a_loop_at_the_top_for_a_mistake)
{
    REPORTS("local n = 0\nwhile true do n = n + 1 end", "loading took too long");
}

TEST(loads_a_folder)
{
    struct folder folder = make_folder();
    struct load_report report;
    struct generation *generation;
    write_rule(&folder, "lib/targets.lua",
               "return { t = target \"t\" { url = env(\"NOT_SET_AT_ALL\", \"http://a.example.com\"), "
               "headers = { Authorization = \"Bearer \" .. secret \"NOT_SET_AT_ALL\" } } }");
    write_rule(&folder, "a.lua",
               "local targets = require \"lib.targets\"\n"
               "route \"/a/:b\" { from = provider.github { secret = secret(\"HOME\", \"PATH\") }, when = { type = { \"push\", "
               "\"pull*\" },\n"
               "  [\"body.n\"] = 3 }, methods = { \"POST\", \"PUT\" }, ip_allow = \"10.0.0.0/8\", keep = false,\n"
               "  handle = function(event) send(targets.t, event) end }\n"
               "route \"/a/b\" { verify = verify.hmac { header = \"S\", format = \"k=v,\", signed = \"{timestamp}.{body}\", "
               "secret = secret "
               "\"HOME\" }, dedupe = { by = \"body.id\", within = \"2h\" }, handle = function() end }\n");
    enum result rc = load_generation(options_of(&folder, false), &generation, &report);
    if (rc != OK) {
        struct buf out;
        buf_init(&out, 1 << 20);
        load_report_print(&report, &out, false);
        printf("# %.*s\n", (int)out.len, out.data);
        buf_deinit(&out);
    }
    CHECK_EQ("here", rc, OK);
    CHECK_EQ("here", report.finding_count, 1); /* the secret of the target */
    CHECK_EQ("here", generation->route_count, 2);
    CHECK_SLICE("here", generation->routes[0].path, "/a/b"); /* fixed before named */
    const struct route *route = &generation->routes[1];
    CHECK_EQ("here", route->verify.secret_count, 2);
    CHECK_SLICE("here", route->verify.prefix, "sha256=");
    CHECK_SLICE("here", route->allow, "POST, PUT");
    CHECK_EQ("here", route->when_count, 2);
    CHECK_SLICE("here", route->when[1].path, "type");
    CHECK_EQ("here", route->when[1].any[1].kind, MATCH_PATTERN);
    CHECK_EQ("here", route->max_body_bytes, 25 << 20);
    CHECK("here", !route->keep && route->dedupe_signature && route->form_payload);
    CHECK_EQ("here", route->ip_allow_count, 1);
    CHECK_EQ("here", generation->routes[0].verify.max_age_ms, 300000);
    CHECK_SLICE("here", generation->routes[0].verify.timestamp.part, "t");
    CHECK_EQ("here", generation->routes[0].dedupe_within_ms, 7200000);
    CHECK_EQ("here", generation->target_count, 1);
    CHECK("here", generation->targets[0].records);
    CHECK_EQ("here", generation->targets[0].retry.within_ms, 259200000);
    CHECK_EQ("here", generation->secret_count, 3);
    load_report_deinit(&report);
    generation_unref(generation);
    remove_folder(&folder);
}

TEST_MAIN()
