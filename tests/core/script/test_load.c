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

/* Without a word. */
static void check_accepted(const char *rule)
{
    struct buf report;
    report_of(rule, true, &report);
    if (report.len > 1) {
        printf("# said: %s\n", report.data);
        CHECK(rule, !"nothing is said");
    }
    buf_deinit(&report);
}
#define ACCEPTS(rule) check_accepted(rule)

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
    ACCEPTS("target \"x\" { url = \"http://a.example.com\", redirects = 3 }");
    REPORTS("target \"x\" { url = \"http://a.example.com\", redirects = 4 }",
            "redirects wants a whole number from 0 to 3, got 4");
    REPORTS("target \"x\" { url = \"http://a.example.com\", redirects = true }", "redirects wants a whole number from 0 to 3");
    REPORTS("target \"x\" { url = \"http://a.example.com\", retry = { fist = \"1s\" } }",
            "target \"x\": retry has no option 'fist'");
    REPORTS("route \"/x\" { from = provider.github { secrt = 1 }, handle = function(e) end }",
            "provider.github has no option 'secrt'");
    REPORTS("route \"/x\" {" GOOD ", ack = \"stord\" }", "did you mean 'stored'?");
}

#define SIGNED_BY(sign) "target \"x\" { url = \"http://a.example.com\", sign = sign." sign " }"

TEST(what_cannot_be_signed_so_is_said_with_what_to_write)
{
    static const struct {
        const char *rule, *says;
    } cases[] = {
        { SIGNED_BY("hmac { secret = secret \"HOME\" }"), "sign.hmac: needs header" },
        { SIGNED_BY("hmac { header = \"X-S\" }"), "sign.hmac: needs secret" },
        { SIGNED_BY("hmac { header = \"X-S\", secret = \"text\" }"), "secret wants a secret" },
        { SIGNED_BY("hmac { header = \"X S\", secret = secret \"HOME\" }"), "'X S' is not a header name" },
        { SIGNED_BY("hmac { header = \"Host\", secret = secret \"HOME\" }"), "that header is made by tidewire itself" },
        { SIGNED_BY("hmac { header = \"X-S\", secret = secret \"HOME\", algoritm = \"sha1\" }"), "did you mean 'algorithm'?" },
        { SIGNED_BY("hmac { header = \"X-S\", secret = secret \"HOME\", max_age = \"5m\" }"), "its receiver says" },
        { SIGNED_BY("hmac { header = \"X-S\", secret = secret \"HOME\", signed = \"{boddy}\" }"), "did you mean '{body}'?" },
        { SIGNED_BY("hmac { header = \"X-S\", secret = secret \"HOME\", signed = \"{timestamp}{body}\" }"),
          "signed has {timestamp}, but nothing says where it goes" },
        { SIGNED_BY("hmac { header = \"X-S\", secret = secret \"HOME\", signed = \"{id}\", id = \"X-Id\" }"),
          "signed without {body}" },
        { SIGNED_BY("hmac { header = \"X-S\", secret = secret \"HOME\", timestamp = \"X-At\" }"),
          "timestamp says where {timestamp} goes, but signed has none" },
        { SIGNED_BY("hmac { header = \"X-S\", secret = secret \"HOME\", signed = \"{id}.{body}\", id = \"body.id\" }"),
          "what signs puts nothing into the body" },
        { SIGNED_BY("hmac { header = \"X-S\", secret = secret \"HOME\" }, headers = { [\"x-s\"] = \"1\" }"),
          "the header 'x-s' is made by sign" },
        { SIGNED_BY("standard { secret = secret \"HOME\" }"), "it is \"whsec_\" and base64" },
        { SIGNED_BY("jwt {}"), "sign.jwt: needs secret or key" },
        { SIGNED_BY("jwt { secret = secret \"HOME\", key = secret \"HOME\" }"), "two keys for one signature" },
        { SIGNED_BY("jwt { key = secret \"HOME\" }"), "sign.jwt: needs algorithm" },
        { SIGNED_BY("jwt { key = secret \"HOME\", algorithm = \"HS256\" }"), "write secret = secret \"NAME\"" },
        { SIGNED_BY("jwt { secret = secret \"HOME\", algorithm = \"RS256\" }"), "RS256 signs with a private key" },
        { SIGNED_BY("jwt { key = secret \"HOME\", algorithm = \"RS256\" }"), "the secret \"HOME\" is no private key for RS256" },
        { SIGNED_BY("jwt { secret = secret \"HOME\", algorithm = \"none\" }"), "is none of \"HS256\"" },
        { SIGNED_BY("jwt { secret = secret \"HOME\", kid = \"1\" }"), "write key_id" },
        { SIGNED_BY("jwt { secret = secret \"HOME\", ttl = 300 }"), "write \"300s\"" },
        { SIGNED_BY("jwt { secret = secret \"HOME\", ttl = \"25h\" }"), "from \"1s\" to \"1d\"" },
        { SIGNED_BY("jwt { secret = secret \"HOME\", claims = { exp = 1 } }"), "claims.exp is not for claims: write ttl" },
        { SIGNED_BY("jwt { secret = secret \"HOME\", claims = { f = print } }"), "claims are JSON" },
        { SIGNED_BY("jwt { secret = secret \"HOME\", claims = { s = secret \"HOME\" } }"), "claims are JSON" },
        { SIGNED_BY("jwt { secret = secret \"HOME\", claims = { t = (\"x\"):rep(4089) } }"), "4097 bytes of JSON: at most 4096" },
        { SIGNED_BY("jwt { secret = secret \"HOME\", body_hash = \"iat\" }"), "body_hash = \"iat\" is not free" },
        { SIGNED_BY("jwt { secret = secret \"HOME\", claims = { h = 1 }, body_hash = \"h\" }"),
          "is the name of one of the claims" },
        { SIGNED_BY("jwt { secret = secret \"HOME\" }, auth = auth.bearer(secret \"HOME\")"),
          "auth and sign both make the header 'authorization'" },
        { SIGNED_BY("hmca {}"), "did you mean 'hmac'?" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        REPORTS(cases[i].rule, cases[i].says);
    ACCEPTS(SIGNED_BY("hmac { header = \"X-S\", secret = secret(\"HOME\", \"PATH\"), signed = \"{id}.{timestamp}.{body}\",\n"
                      "timestamp = \"X-At\", id = \"headers.X-Id\" }, headers = { [\"X-T\"] = \"1\" }"));
    ACCEPTS(
        SIGNED_BY("jwt { secret = secret \"HOME\", header = \"X-Token\", ttl = \"1d\", claims = { t = (\"x\"):rep(4088) } },\n"
                  "auth = auth.bearer(secret \"HOME\")"));
}

#define KNOWN_BY(auth) "target \"x\" { url = \"http://a.example.com\", auth = auth." auth " }"

TEST(a_token_cannot_be_asked_for_without_these)
{
    static const struct {
        const char *rule, *says;
    } cases[] = {
        { KNOWN_BY("oauth2 { id = \"a\", secret = secret \"HOME\" }"), "auth.oauth2: needs token_url" },
        { KNOWN_BY("oauth2 { token_url = \"https://a.example.com\", secret = secret \"HOME\" }"), "auth.oauth2: needs id" },
        { KNOWN_BY("oauth2 { token_url = \"https://a.example.com\", id = \"a\" }"), "auth.oauth2: needs secret" },
        { KNOWN_BY("oauth2 { token_url = \"a.example.com\", id = \"a\", secret = secret \"HOME\" }"),
          "token_url = \"a.example.com\" is not an address" },
        { KNOWN_BY("oauth2 { token_url = \"https://a:b@a.example.com\", id = \"a\", secret = secret \"HOME\" }"),
          "token_url has a name or password in it" },
        { KNOWN_BY("oauth2 { token_url = \"https://a.example.com\", id = \"a\", secret = \"text\" }"), "secret wants a secret" },
        { KNOWN_BY("oauth2 { token_url = \"https://a.example.com\", id = \"a\", secret = secret \"HOME\", scope = {} }"),
          "scope is an empty list" },
        { KNOWN_BY("oauth2 { token_ur = 1 }"), "did you mean 'token_url'?" },
        { KNOWN_BY("oauth { }"), "did you mean 'oauth2'?" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        REPORTS(cases[i].rule, cases[i].says);
    ACCEPTS(KNOWN_BY(
        "oauth2 { token_url = secret \"HOME\", id = secret \"PATH\", secret = secret \"HOME\", scope = { \"a\", \"b\" } }"));
    ACCEPTS(KNOWN_BY("oauth2 { token_url = \"https://a.example.com\", id = \"a\", secret = secret \"HOME\", scope = \"a b\" }"));
}

TEST(respond_stands_in_routes_whose_sender_waits)
{
    REPORTS("route \"/x\" {\n  verify = verify.none \"a test\",\n  handle = function(event)\n    if event.body then\n"
            "      local f = function() return respond(200) end\n      f()\n    end\n  end,\n}\n",
            "rules/a.lua:5: route \"/x\": respond works in routes with ack = \"handled\": this one's sender is answered before\n"
            "    5 │       local f = function() return respond(200) end\n"
            "      │                                   ^^^^^^^ add ack = \"handled\"\n");
    REPORTS("route \"/x\" {" GOOD ", ack = \"stored\", ack_within = \"1s\" }", "ack_within bounds how long a sender waits");
    ACCEPTS("route \"/x\" {" GOOD ", ack = \"delivered\", ack_within = \"1s\" }");
    REPORTS("route \"/x\" {" GOOD ", ack = \"delivered\", each = true }", "each makes events that are answered together");
    REPORTS("route \"/x\" {" GOOD ", ack = \"handled\", ack_within = 5 }", "write \"5s\" for seconds");
    REPORTS("route \"/x\" {" GOOD ", ack = \"handled\", ack_within = \"9ms\" }", "from \"10ms\" to \"10m\"");
    REPORTS("route \"/x\" {" GOOD ", ack = \"handled\", ack_within = \"601s\" }", "from \"10ms\" to \"10m\"");
    REPORTS("route \"/x\" {" GOOD ", on_dead = true }", "on_dead wants a function");
    ACCEPTS("route \"/x\" {" GOOD ", on_error = function() end, on_dead = function() end }");
    REPORTS("respond(200)", "respond() works inside a handler, not while the file loads");
    ACCEPTS("route \"/x\" { verify = verify.none \"a test\", ack = \"handled\", ack_within = \"10ms\",\n"
            "handle = function(event) respond(200) end }");
    ACCEPTS("route \"/x\" {" GOOD ", ack = \"handled\", ack_within = \"10m\" }");
}

TEST(order_by_of_a_route_is_a_path_into_the_event)
{
#define IN_ORDER(by) "route \"/x\" {" GOOD ", order_by = " by " }"
    ACCEPTS(IN_ORDER("\"body.items[1].sku\""));
    ACCEPTS(IN_ORDER("\"headers.X-Id\""));
    ACCEPTS(IN_ORDER("\"params.org\""));
    ACCEPTS(IN_ORDER("function(event) return event.body.id end"));
    ACCEPTS(IN_ORDER("\"body.id\", ack = \"received\""));
    REPORTS(IN_ORDER("5"), "order_by wants a path or a function, got 5");
    REPORTS(IN_ORDER("\"body..id\""), "order_by wants a path or a function");
    REPORTS(IN_ORDER("\"bdy.id\""), "did you mean 'body'?");
    REPORTS(IN_ORDER("\"account\""), "a field of the body is written \"body.account\"");
    REPORTS(IN_ORDER("\"body.items[*].sku\""), "a key is one value");
    REPORTS(IN_ORDER("\"body.id\", content = \"xml\""), "no path leads into XML");
    REPORTS(IN_ORDER("\"body.id\", ack = \"handled\""), "order_by answers senders at once, but with ack = \"handled\" they wait");
    REPORTS(IN_ORDER("\"body.id\", ack = \"delivered\""), "order_by answers senders at once");
}

TEST(order_by_is_a_path_into_the_message)
{
#define ORDERED(by) "target \"x\" { url = \"http://a.example.com\", order_by = " by " }"
    ACCEPTS(ORDERED("\"body.items[1].sku\""));
    ACCEPTS(ORDERED("\"headers.X-Id\""));
    ACCEPTS(ORDERED("\"path\""));
    ACCEPTS(ORDERED("function(message) return message.body.id end"));
    REPORTS(ORDERED("5"), "order_by wants a path or a function, got 5");
    REPORTS(ORDERED("\"body..id\""), "order_by wants a path or a function");
    REPORTS(ORDERED("\"bdy.id\""), "did you mean 'body'?");
    REPORTS(ORDERED("\"account\""), "a field of the body is written \"body.account\"");
    REPORTS(ORDERED("\"path.x\""), "order_by: a message has no 'path'");
    REPORTS(ORDERED("\"body.items[*].sku\""), "a key is one value");
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
    REPORTS("kv.set(1)", "kv.set() works inside a handler, not while the file loads");
    REPORTS("local t = task \"t\" {}", "task \"t\": needs a handler");
    REPORTS("local t = task \"t\" { handel = print }", "task \"t\" has no option 'handel'");
    REPORTS("local t = task \"t t\" { handle = function() end }", "a name has letters, digits");
    REPORTS("local t = task \"t\"", "task \"t\" has no settings");
    REPORTS("local t = task \"t\" { handle = function() end } local u = task \"t\" { handle = function() end }",
            "both declare task \"t\"");
    REPORTS("local t = task \"t\" { handle = function() end }\nt:run_now()", "run_now() works inside a handler");
    REPORTS("local t = task \"t\" { every = 5, handle = function() end }", "every = 5 needs a unit");
    REPORTS("local t = task \"t\" { every = \"500ms\", handle = function() end }", "every = \"500ms\" is out of range");
    REPORTS("local t = task \"t\" { cron = \"0 9 * *\", handle = function() end }", "cron: five fields are wanted");
    REPORTS("local t = task \"t\" { cron = \"0 25 * * *\", handle = function() end }", "cron: the hour is out of range: '25'");
    REPORTS("local t = task \"t\" { cron = \"0 9 * * *\", zone = \"Europe/Berln\", handle = function() end }",
            "the time zone \"Europe/Berln\" is not known to this system");
    REPORTS("local t = task \"t\" { cron = \"0 9 * * *\", every = \"1h\", handle = function() end }", "write one of them");
    REPORTS("local t = task \"t\" { zone = \"Europe/Berlin\", every = \"1h\", handle = function() end }", "zone belongs to cron");
    REPORTS("local b = batch \"b\" { flush = function() end }", "batch \"b\": needs every");
    REPORTS("local b = batch \"b\" { every = \"1h\" }", "batch \"b\": needs flush");
    REPORTS("local b = batch \"b\" { every = \"1h\", max = 1001, flush = function() end }", "a whole number from 1 to 1000");
    REPORTS("local b = batch \"b\" { every = \"1h\", by = \"a..b\", flush = function() end }", "by wants a path in the item");
    REPORTS("local b = batch \"b\"", "batch \"b\" has no settings");
    REPORTS("csv.decode(1)", "rules/a.lua:1: there is no csv.decode");
    REPORTS("os.execute(\"x\")", "there is no name 'os' here");
    REPORTS("local n = 0\nroute \"/x\" { verify = verify.none \"t\", handle = function(e) n = n + 1 end }",
            "'n' is a local of the file");
    REPORTS("local n = 123456789012345678", "write 123456789012345678LL");
}

TEST(sees_misused_words_before_anything_runs)
{
#define HANDLER(text) "route \"/x\" { verify = verify.none \"t\", handle = function(event)\n  " text "\nend }"
    REPORTS(HANDLER("log.info(text.tirm(event.raw))"), "rules/a.lua:2: there is no text.tirm\n"
                                                       "    2 │   log.info(text.tirm(event.raw))\n"
                                                       "      │                 ^^^^ did you mean 'trim'?\n");
    REPORTS(HANDLER("log.inform \"x\""), "there is no log.inform");
    REPORTS(HANDLER("kv.shared.set(\"x\", 1)"),
            "rules/a.lua:2: there is no kv.shared\n"
            "    2 │   kv.shared.set(\"x\", 1)\n"
            "      │      ^^^^^^ kv is one space for all rules already: write kv.get, kv.set …\n");
    REPORTS(HANDLER("local s = text:trim(event.raw)"), "rules/a.lua:2: text:trim is written with a dot\n"
                                                       "    2 │   local s = text:trim(event.raw)\n"
                                                       "      │                  ^^^^ write text.trim(…)\n");
    REPORTS(HANDLER("send(\"slack\", event)"), "rules/a.lua:2: send wants the value from `target`, not its name\n"
                                               "    2 │   send(\"slack\", event)\n"
                                               "      │        ^^^^^^^ write local a = target \"slack\" { … } and send(a, …)\n");
    REPORTS("target \"x\" { url = \"http://a.example.com\", endpoint = 1 }", "write url");
    REPORTS("route \"/x\" {" GOOD ", body = 1 }", "write handle");
    REPORTS("route \"/x\" {" GOOD ", reply_within = 1 }", "write ack_within");
    struct buf report;
    report_of(HANDLER("local s, name = send, \"text\" local text = event text:get(name) return s, text.trim, string.rep"), true,
              &report);
    CHECK_SLICE("what only looks alike", slice_of(report.data), "");
    buf_deinit(&report);
#undef HANDLER
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
    REPORTS("local slack = target \"slack\"", "rules/a.lua:1: target \"slack\" has no settings: add { url = … }");
    REPORTS("route \"/x\"", "rules/a.lua:1: route \"/x\" has no settings: add { verify = …, handle = function(event) … end }");
    REPORTS("route \"/a/:x\" {" GOOD " }\nroute \"/a/:y\" {" GOOD " }",
            "rules/a.lua:2 and rules/a.lua:1 both declare route \"/a/:y\"");
    REPORTS("target \"x\" {}", "needs an address");
    REPORTS("target \"x\" { url = \"ftp://example.com\" }", "is not an address");
    REPORTS("target \"x\" { url = \"http://u:p@example.com\" }", "auth.basic");
}

TEST(a_misspelt_option_is_one_mistake)
{
    static const char *const rules[] = {
        "target \"x\" { ulr = \"https://example.com\" }",
        "target \"x\" { endpoint = \"https://example.com\" }",
        "route \"/x\" { verify = verify.none \"t\", handler = function() end }",
        "route \"/x\" { verfy = verify.none \"t\", handle = function() end }",
        "route \"/x\" { from = provider.github { secrets = secret \"HOME\" }, handle = function() end }",
        "route \"/x\" { verify = verify.basic { usr = \"u\", password = secret \"HOME\" }, handle = function() end }",
        "task \"x\" { handel = function() end }",
        "batch \"x\" { evry = \"1h\", flush = function() end }",
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct folder folder = make_folder();
        struct load_report report;
        struct generation *generation;
        write_rule(&folder, "a.lua", rules[i]);
        CHECK_EQ(rules[i], load_generation(options_of(&folder, false), &generation, &report), ERR_SCRIPT);
        CHECK_EQ(rules[i], report.finding_count, 1);
        load_report_deinit(&report);
        generation_unref(generation);
        remove_folder(&folder);
    }
    REPORTS("target \"x\" { retry = { ulr = 1 } }", "needs an address");
    REPORTS("target \"x\" { colour = 1 }", "needs an address");
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
#define FROM(provider) "route \"/x\" { from = provider." provider ", handle = function() end }"
    REPORTS(FROM("sns {}"), "provider.sns: needs topic");
    REPORTS(FROM("sns { topic = \"orders\" }"), "is not the ARN of a topic");
    REPORTS(FROM("paypal {}"), "provider.paypal: needs webhook_id");
    REPORTS(FROM("paypal { webhook_id = \"a|b\" }"), "is no webhook id");
    REPORTS(FROM("paypal { webhook_id = \"{body}\" }"), "is no webhook id");
    REPORTS("route \"/x\" { from = provider.githb {}, handle = function() end }", "did you mean 'github'?");
}

#define VERIFY(word) "route \"/x\" { verify = verify." word ", handle = function() end }"
#define ED_KEY       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

TEST(checks_every_option_of_a_signature)
{
    REPORTS(HMAC("signed = \"{url}{body}\""), "needs public_url, because the sender signs its URL");
    REPORTS(HMAC("signed = \"{secret}{body}\""), "{secret} is not for signed: the secret is the key");
    REPORTS(HMAC("signed = \"{body}{header:}\""), "signed has no place {header:}");
    REPORTS(HMAC("signed = \"{body}{body:a[1]}\""), "signed has no place {body:a[1]}");
    REPORTS(HMAC("signed = \"{body}{quary:x}\""), "signed has no place {quary:x}");
    REPORTS(HMAC("signed = \"{form_sorted}\""), "did you mean '{form-sorted}'?");
    REPORTS(HMAC("signed = \"a{path}b{path}c{path}d{path}e{path}f{path}g{path}h{path}{body}\""),
            "signed has 17 parts: at most 16");
    REPORTS(HMAC("signed = \"{query:a}{body}\""), "{query:a}{body} can be split in more than one way");
    REPORTS(HMAC("timestamp = \"headers.x-t\""), "timestamp says where {timestamp} comes from, but signed has none");
    REPORTS(HMAC("timestamp = \"t\", signed = \"{timestamp}.{body}\""), "names a part of the header");
    REPORTS(HMAC("max_age = 300"), "needs a unit");
    REPORTS(HMAC("public_url = \"hooks.example.com\""), "is not an address as a sender writes it");
    REPORTS(HMAC("public_url = \"https://user@hooks.example.com\""), "is not an address as a sender writes it");
    REPORTS(HMAC("public_url = \"https://hooks.example.com?x=1\""), "is not an address as a sender writes it");
    REPORTS(HMAC("scheme = \"hash\""), "has no option 'scheme'");
    REPORTS(HMAC("encodng = \"hex\""), "did you mean 'encoding'?");
    REPORTS(VERIFY("hmac { header = \"X-S\" }"), "verify.hmac: needs secret");
    REPORTS(VERIFY("hmac \"x\""), "verify.hmac: wants a table");
    REPORTS(VERIFY("bearer \"x\""), "wants a secret");
    REPORTS(VERIFY("standard {}"), "verify.standard: needs secret");
    REPORTS(VERIFY("standard { public_key = \"" ED_KEY "00\" }"), "public_key is not a public key of the kind that signs here");
    REPORTS(VERIFY("standard { secret = secret \"HOME\", public_key = { \"" ED_KEY "\", \"" ED_KEY "\", \"" ED_KEY "\", \"" ED_KEY
                   "\", \"" ED_KEY "\" } }"),
            "public_key has 5 keys: at most 4");
    REPORTS(VERIFY("basic { user = \"a:b\", password = secret \"HOME\" }"), "user has a ':' in it");
    REPORTS(VERIFY("basic { user = \"a\" }"), "verify.basic: needs password");
    REPORTS(VERIFY("basic { password = secret \"HOME\" }"), "verify.basic: needs user");
    REPORTS(VERIFY("jwt { key = secret \"HOME\" }"), "verify.jwt: needs algorithm");
    REPORTS(VERIFY("jwt { algorithm = \"HS256\" }"), "verify.jwt: needs key");
    REPORTS(VERIFY("jwt { algorithm = \"none\", key = secret \"HOME\" }"), "is none of \"HS256\"");
    REPORTS(VERIFY("jwt { algorithm = \"HS256\", key = \"text\" }"), "key wants a secret");
    REPORTS(VERIFY("jwt { algorithm = \"RS256\", key = secret \"HOME\" }"), "key wants a text");
    REPORTS(VERIFY("jwt { algorithm = \"ES256\", key = \"" ED_KEY "\" }"), "key is not a public key of the kind that signs here");
    REPORTS(VERIFY("jwt { algorithm = \"RS256\", jwks = \"http://id.example.com\" }"), "is no https address");
    REPORTS(VERIFY("jwt { algorithm = \"HS256\", jwks = \"https://id.example.com\" }"), "no key set holds it");
    REPORTS(VERIFY("jwt { algorithm = \"RS256\", key = \"x\", jwks = \"https://id.example.com\" }"),
            "two sources of the same keys");
}

TEST(a_secret_that_protects_nothing_stops_the_load)
{
    setenv("EMPTY_SECRET", "", 1);
    setenv("WRONG_SECRET", "not base64!", 1);
    REPORTS(VERIFY("hmac { header = \"X-S\", secret = secret \"EMPTY_SECRET\" }"),
            "secret \"EMPTY_SECRET\" is empty: it would protect nothing");
    REPORTS(VERIFY("bearer(secret \"EMPTY_SECRET\")"), "is empty");
    REPORTS(VERIFY("standard { secret = secret \"WRONG_SECRET\" }"),
            "the secret \"WRONG_SECRET\" has not the form that this sender's");
    REPORTS("route \"/x\" { from = provider.standard { secret = secret \"WRONG_SECRET\" }, handle = function() end }",
            "has not the form");
}

/* One route with that `verify`, loaded; the generation is the caller's. */
static struct generation *loaded(const char *word, size_t warnings)
{
    struct folder folder = make_folder();
    struct load_report report;
    struct generation *generation = NULL;
    char text[2000];
    snprintf(text, sizeof(text), "route \"/x\" { verify = verify.%s, handle = function() end }\n", word);
    write_rule(&folder, "a.lua", text);
    CHECK_EQ(word, load_generation(options_of(&folder, false), &generation, &report), OK);
    CHECK_EQ(word, report.finding_count, warnings);
    load_report_deinit(&report);
    return generation;
}

TEST(makes_the_scheme_that_was_written)
{
    struct generation *generation =
        loaded("hmac { header = \"X-S\", secret = secret \"HOME\", signed = \"{host}{query:a}{body:b.c}:"
               "{url}:{body}\", public_url = \"https://hooks.example.com/a\", timestamp = \"body.at\", "
               "max_age = \"1m\" }",
               0);
    const struct verify *verify = &generation->routes[0].verify;
    static const enum template_kind kinds[] = { TEMPLATE_HEADER, TEMPLATE_QUERY, TEMPLATE_FIELD, TEMPLATE_TEXT,
                                                TEMPLATE_URL,    TEMPLATE_TEXT,  TEMPLATE_BODY };
    CHECK_EQ("parts", verify->signed_count, COUNT(kinds));
    for (size_t i = 0; i < verify->signed_count && i < COUNT(kinds); i++)
        CHECK_EQ("a part", verify->signed_parts[i].kind, kinds[i]);
    CHECK_SLICE("host", verify->signed_parts[0].text, "host");
    CHECK_SLICE("query", verify->signed_parts[1].text, "a");
    CHECK_SLICE("field", verify->signed_parts[2].text, "b.c");
    CHECK_SLICE("url", verify->urls[0], "https://hooks.example.com/a");
    CHECK_EQ("one url", verify->url_count, 1);
    CHECK_EQ("a whole one", verify->url_adds, URL_ADDS_QUERY);
    CHECK_SLICE("time", verify->timestamp.field, "at");
    CHECK_EQ("age", verify->max_age_ms, 60000);
    generation_unref(generation);

    setenv("STANDARD_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
    generation = loaded("standard { secret = secret \"STANDARD_SECRET\", public_key = \"" ED_KEY "\" }", 0);
    verify = &generation->routes[0].verify;
    CHECK_EQ("both kinds", verify->secret_count * 10 + verify->public_key_count, 11);
    CHECK_SLICE("both versions", verify->public_signature, "v1a");
    CHECK_EQ("the key's form", verify->key, KEY_STANDARD);
    CHECK_EQ("five minutes", verify->max_age_ms, 300000);
    CHECK_SLICE("name", verify->name, "standard");
    generation_unref(generation);

    generation = loaded("standard { secret = secret \"STANDARD_SECRET\" }", 0);
    CHECK("no key, no version", !generation->routes[0].verify.public_signature.data);
    generation_unref(generation);

    generation = loaded("jwt { algorithm = \"EdDSA\", key = \"" ED_KEY "\", issuer = \"i\", audience = { \"a\", \"b\" } }", 0);
    verify = &generation->routes[0].verify;
    CHECK_EQ("scheme", verify->scheme, VERIFY_JWT);
    CHECK_SLICE("algorithm", verify->algorithm, "EdDSA");
    CHECK_SLICE("issuer", verify->issuer, "i");
    CHECK_EQ("audiences", verify->audience_count, 2);
    generation_unref(generation);

    generation = loaded("basic { user = \"tickets\", password = secret \"HOME\" }", 0);
    CHECK_SLICE("user", generation->routes[0].verify.user, "tickets");
    CHECK_EQ("scheme", generation->routes[0].verify.scheme, VERIFY_BASIC);
    generation_unref(generation);
}

TEST(knows_how_a_public_url_is_meant)
{
    static const struct {
        const char *url;
        enum url_adds adds;
    } cases[] = {
        { "https://hooks.example.com", URL_ADDS_PATH },       { "http://127.0.0.1:8080", URL_ADDS_PATH },
        { "https://[2001:db8::1]:8443", URL_ADDS_PATH },      { "https://hooks.example.com/", URL_ADDS_QUERY },
        { "https://hooks.example.com/in/a", URL_ADDS_QUERY }, { "https://hooks.example.com/in?a=1", URL_ADDS_NOTHING },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char word[300];
        snprintf(word, sizeof(word),
                 "hmac { header = \"S\", secret = secret \"HOME\", signed = \"{url}:{body}\", public_url = \"%s\" }",
                 cases[i].url);
        struct generation *generation = loaded(word, 0);
        CHECK_EQ(cases[i].url, generation->routes[0].verify.url_adds, cases[i].adds);
        CHECK_SLICE(cases[i].url, generation->routes[0].verify.urls[0], cases[i].url);
        generation_unref(generation);
    }
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

TEST(names_both_places_of_what_is_declared_twice)
{
    struct folder folder = make_folder();
    struct load_report report;
    struct generation *generation;
    struct buf shown;
    write_rule(&folder, "a.lua", "local a = target \"slack-dev\" { url = \"http://a.example.com\" }");
    write_rule(&folder, "b.lua", "\n\n\n\nlocal b = target \"slack-dev\" { url = \"http://b.example.com\" }");
    CHECK("here", load_generation(options_of(&folder, false), &generation, &report) == ERR_SCRIPT);
    buf_init(&shown, 1 << 20);
    load_report_print(&report, &shown, false);
    CHECK("as printed",
          slice_starts(buf_slice(&shown), SLICE("rules/b.lua:5 and rules/a.lua:1 both declare target \"slack-dev\"\n")));
    buf_deinit(&shown);
    load_report_deinit(&report);
    remove_folder(&folder);
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
