/* A whole router on one thread, in a time that stands still: what is asked of it has come to rest when it returns. */
#include "check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "ingest/certificate.h"
#include "ingest/keys.h"
#include "loop/trial.h"
#include "script/coverage.h"
#include "script/load.h"
#include "script/stand_in_keys.h"
#include "script/watchdog.h"

enum { START_MS = 1767603600 };

static const char rules[] =
    "local t = target \"t\" { url = env \"T_URL\", retry = { attempts = 3, first = \"10s\", factor = 2 } }\n"
    "route \"/in\" {\n"
    "  verify = verify.none \"tests\",\n"
    "  ip_allow = { \"192.0.2.0/24\" },\n"
    "  handle = function(event)\n"
    "    if event.body == \"sleep\" then sleep \"1s\" end\n"
    "    if event.body == \"fail\" then\n"
    "      fail \"no\"\n"
    "    end\n"
    "    send(t, event)\n"
    "  end,\n"
    "}\n";

static struct generation *generation;
static struct coverage *coverage;
static struct trial *trial;
static char folder[64];
static uint16_t answers[8]; /* of the target, in turn; 0: from there on 200 */
static int asked;
static char last_url[128];
static uint64_t last_ms;

static void on_request(void *arg, const struct outgoing *request, struct answer *answer)
{
    CHECK_SLICE("whose it is", request->target, "t");
    CHECK("what it is of", !uuid_is_nil(request->event_id) && !uuid_is_nil(request->delivery_id));
    snprintf(last_url, sizeof(last_url), "%s", request->url);
    last_ms = clock_wall_ms();
    answer->status = answers[asked] ? answers[asked] : 200;
    if (answers[asked] == 1)
        *answer = (struct answer){
            .error = ATTEMPT_TIMEOUT, .detail = "", .body = SLICE(""), .content_type = SLICE(""), .retry_after = SLICE("")
        };
    asked++;
}

static void load(const char *text)
{
    struct rule_file file = { SLICE("rules/a.lua"), SLICE(""), slice_of(text) };
    struct load_report report;
    struct buf files;
    buf_init(&files, 1 << 20);
    rule_files_write(&file, 1, &files);
    struct load_options options = { .stand_ins = true, .files = buf_slice(&files), .slot = watchdog_own() };
    CHECK_EQ("the rules", load_generation(&options, &generation, &report), OK);
    load_report_deinit(&report);
    buf_deinit(&files);
    generation->number = 1;
    coverage = coverage_new(generation);
}

static void begin(const char *text)
{
    char store[128], why[512] = "";
    load(text);
    memset(answers, 0, sizeof(answers));
    asked = 0;
    clock_freeze(START_MS);
    snprintf(folder, sizeof(folder), "/tmp/tidewire-trial-XXXXXX");
    CHECK("here", mkdtemp(folder) != NULL);
    snprintf(store, sizeof(store), "%s/trial.db", folder);
    struct trial_config config = { .generation = generation,
                                   .store = store,
                                   .network = { .answer = on_request },
                                   .coverage = coverage,
                                   .slot = watchdog_own() };
    enum result rc = trial_new(&config, &trial, why, sizeof(why));
    CHECK("a trial", rc == OK);
    if (rc != OK)
        printf("# %s\n", why), abort();
}

static void end(void)
{
    char command[128];
    trial_free(trial);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    CHECK("here", system(command) == 0);
    coverage_free(coverage);
    generation_unref(generation);
}

/* The status, and the event's id in the answer's JSON. */
static int feed(const char *body, const char *ip, struct uuid *id)
{
    char request[512];
    struct buf answer;
    int status = 0;
    snprintf(request, sizeof(request),
             "POST /in HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    buf_init(&answer, 1 << 20);
    CHECK_EQ("an answer", trial_feed(trial, slice_of(request), ip, &answer), OK);
    buf_add_byte(&answer, '\0');
    sscanf(answer.data, "HTTP/1.1 %d", &status);
    const char *found = strstr(answer.data, "{\"id\":\"");
    if (id && found)
        CHECK("an id", uuid_parse(slice_make(found + 7, 36), id));
    buf_deinit(&answer);
    return status;
}

static bool shows(struct uuid id, const char *words)
{
    struct buf json;
    buf_init(&json, 1 << 20);
    CHECK_EQ("it is there", trial_show(trial, id, &json), OK);
    buf_add_byte(&json, '\0');
    bool found = strstr(json.data, words) != NULL;
    if (!found)
        printf("# %s\n", json.data);
    buf_deinit(&json);
    return found;
}

TEST(what_was_accepted_is_delivered_when_feed_returns)
{
    struct uuid id;
    struct buf list;
    begin(rules);
    CHECK_EQ("accepted", feed("x", "192.0.2.1", &id), 202);
    CHECK("and done", shows(id, "\"state\":\"done\"") && asked == 1);
    CHECK_STR("to the stand-in of its setting", last_url, "https://t-url.test");
    CHECK_EQ("at the moment that stands", last_ms, START_MS);
    CHECK_EQ("the address is the one that was said", feed("x", "198.51.100.1", NULL), 403);
    buf_init(&list, 1 << 20);
    CHECK_EQ("a list", trial_list(trial, &list), OK);
    CHECK("of one", list.len > 0 && strstr(list.data, "\"next_cursor\":null"));
    buf_deinit(&list);
    end();
}

TEST(retries_happen_while_time_passes_and_none_before)
{
    struct uuid id;
    begin(rules);
    answers[0] = 503, answers[1] = 1, answers[2] = 410;
    feed("x", "192.0.2.1", &id);
    CHECK_EQ("one try", asked, 1);
    CHECK_EQ("half of the shortest wait", trial_pass(trial, 4999), OK);
    CHECK_EQ("still one", asked, 1);
    CHECK_EQ("the longest", trial_pass(trial, 5001), OK);
    CHECK_EQ("two", asked, 2);
    CHECK("between half and whole", last_ms >= START_MS + 5000 && last_ms <= START_MS + 10000);
    CHECK_EQ("days", trial_pass(trial, 3 * 86400000ull), OK);
    CHECK("three, and dead", asked == 3 && shows(id, "\"state\":\"dead\""));
    CHECK_EQ("exactly so much has passed", clock_wall_ms(), START_MS + 10000 + 3 * 86400000ull);
    end();
}

TEST(a_handler_waits_for_time_that_is_let_pass_and_one_that_waits_may_be_left)
{
    struct uuid id, left;
    begin(rules);
    CHECK_EQ("answered", feed("sleep", "192.0.2.1", &id), 202);
    CHECK("and waiting", shows(id, "\"state\":\"waiting\"") && asked == 0);
    CHECK_EQ("a second", trial_pass(trial, 1000), OK);
    CHECK("done", shows(id, "\"state\":\"done\"") && asked == 1);
    feed("sleep", "192.0.2.1", &left);
    end();
}

TEST(lines_are_noted_where_that_is_asked_for)
{
    begin(rules);
    feed("x", "192.0.2.1", NULL);
    CHECK("run", coverage_has(coverage, 0, 6) && coverage_has(coverage, 0, 10));
    CHECK("not run", !coverage_has(coverage, 0, 8));
    feed("fail", "192.0.2.1", NULL);
    CHECK("now it was", coverage_has(coverage, 0, 8));
    CHECK("past the end of the file", !coverage_has(coverage, 0, 1000));
    end();
}

TEST(the_certificate_of_senders_is_of_their_key_at_every_moment)
{
    struct certificate certificate = { .key = NULL };
    load(rules);
    const struct stand_in_key *sender = stand_in_sender(generation);
    CHECK("a pair, made once", sender && stand_in_sender(generation) == sender);
    const char *why = certificate_read(sender->public_pem, NULL, SLICE(""), clock_wall_ms(), &certificate);
    CHECK_STR("a certificate", why ? why : "", "");
    CHECK("from 1970 to 9999", certificate.from_ms == 0 && certificate.until_ms == 253402300799000);
    EVP_PKEY *key = private_key_read(PUBLIC_RSA, sender->private_pem);
    CHECK("of that key", key && EVP_PKEY_eq(key, certificate.key) == 1);
    EVP_PKEY_free(key);
    EVP_PKEY_free(certificate.key);
    coverage_free(coverage);
    generation_unref(generation);
}

TEST(a_store_that_cannot_be_made_is_said)
{
    char why[512] = "";
    load(rules);
    struct trial_config config = { .generation = generation,
                                   .store = "/no/such/folder/x.db",
                                   .network = { .answer = on_request } };
    CHECK("refused", trial_new(&config, &trial, why, sizeof(why)) != OK && why[0] != '\0');
    coverage_free(coverage);
    generation_unref(generation);
}

int main(void)
{
    int failed = 0;
    struct watchdog_slot *slot = watchdog_start() == OK ? watchdog_slot_new() : NULL;
    clock_freeze(START_MS);
    for (struct test *test = check_tests; test; test = test->next) {
        check_failures = 0;
        test->run();
        printf("%s - %s\n", check_failures ? "not ok" : "ok", test->name);
        failed += check_failures != 0;
    }
    watchdog_slot_free(slot);
    watchdog_stop();
    return failed != 0;
}
