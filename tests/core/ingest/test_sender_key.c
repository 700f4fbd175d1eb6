/* What is signed by a key that has to be fetched: the texts that SNS and PayPal sign, whose addresses are asked, key sets, and
 * the store that asks. */
#include "check.h"

#include "base/crc32.h"
#include "ingest/jwks.h"
#include "ingest/key_store.h"
#include "ingest/sender_url.h"
#include "ingest/signed_text.h"

/* ---- texts ---- */

static enum verdict text_of(const struct template_part *parts, size_t count, const char *body, char *out, size_t room)
{
    struct verify verify = { .signed_parts = parts, .signed_count = count };
    struct verify_input input = { .body = slice_of(body) };
    struct asked asked = { .input = &input };
    struct signed_text text;
    enum verdict verdict = signed_text_find(&verify, &asked, SLICE("2026-11-21T15:00:00Z"), SLICE("id-1"), 0, &text);
    struct slice joined = verdict == VERDICT_VALID ? signed_text_join(&text, &asked.texts) : SLICE("");
    snprintf(out, room, "%.*s", SLICE_ARGS(joined));
    asked_end(&asked);
    return verdict;
}

static const struct template_part sns[] = { { TEMPLATE_SNS, { NULL, 0 } } };

#define REST                                                                                                                     \
    "\"MessageId\":\"m-1\",\"TopicArn\":\"arn:aws:sns:us-east-1:1:t\",\"Timestamp\":\"2026-11-21T15:00:00.000Z\","               \
    "\"SignatureVersion\":\"2\""
#define NOTIFICATION(members) "{\"Type\":\"Notification\"," members "," REST "}"

TEST(an_sns_message_is_signed_by_its_members_in_order)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        { NOTIFICATION("\"Subject\":\"s\",\"Message\":\"a\\nb\\u00fc\""),
          "Message\na\nb\xC3\xBC\nMessageId\nm-1\nSubject\ns\nTimestamp\n2026-11-21T15:00:00.000Z\nTopicArn\n"
          "arn:aws:sns:us-east-1:1:t\nType\nNotification\n" },
        { NOTIFICATION("\"Message\":\"{}\",\"Token\":\"not of this type\""),
          "Message\n{}\nMessageId\nm-1\nTimestamp\n2026-11-21T15:00:00.000Z\nTopicArn\narn:aws:sns:us-east-1:1:t\nType\n"
          "Notification\n" },
        { "{\"Type\":\"SubscriptionConfirmation\",\"Message\":\"m\",\"Token\":\"t\",\"SubscribeURL\":\"https://x/"
          "\",\"Subject\":\"s\"," REST "}",
          "Message\nm\nMessageId\nm-1\nSubscribeURL\nhttps://x/\nTimestamp\n2026-11-21T15:00:00.000Z\nToken\nt\nTopicArn\n"
          "arn:aws:sns:us-east-1:1:t\nType\nSubscriptionConfirmation\n" },
    };
    char text[1024];
    for (size_t i = 0; i < COUNT(cases); i++) {
        CHECK_EQ(cases[i].body, text_of(sns, 1, cases[i].body, text, sizeof(text)), VERDICT_VALID);
        CHECK_STR(cases[i].body, text, cases[i].want);
    }
}

TEST(an_sns_message_that_is_none_has_no_text)
{
    static const struct {
        const char *body;
        enum verdict want;
    } cases[] = {
        { "", VERDICT_MISSING },
        { "[]", VERDICT_MISSING },
        { "{}", VERDICT_MISSING },
        { NOTIFICATION("\"Subject\":\"s\""), VERDICT_MISSING },
        { NOTIFICATION("\"Message\":\"a\",\"Message\":\"b\""), VERDICT_MALFORMED },
        { NOTIFICATION("\"Message\":\"a\",\"Type\":\"Notification\""), VERDICT_MISSING },
        { NOTIFICATION("\"Message\":1"), VERDICT_MALFORMED },
        { NOTIFICATION("\"Message\":null"), VERDICT_MALFORMED },
        { NOTIFICATION("\"Message\":\"a\",\"Subject\":\"s\\nTimestamp\""), VERDICT_MALFORMED },
        { "{\"Type\":\"notification\",\"Message\":\"a\"," REST "}", VERDICT_MALFORMED },
        { "{\"Type\":\"SubscriptionConfirmation\",\"Message\":\"a\"," REST "}", VERDICT_MISSING },
    };
    char text[1024];
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].body, text_of(sns, 1, cases[i].body, text, sizeof(text)), cases[i].want);
}

TEST(a_paypal_transmission_is_signed_with_the_sum_of_its_body)
{
    static const struct template_part paypal[] = { { TEMPLATE_ID, { NULL, 0 } },
                                                   { TEMPLATE_TEXT, SLICE("|") },
                                                   { TEMPLATE_TIMESTAMP, { NULL, 0 } },
                                                   { TEMPLATE_TEXT, SLICE("|WEBHOOK|") },
                                                   { TEMPLATE_CRC32, { NULL, 0 } } };
    char text[128];
    CHECK_EQ("verdict", text_of(paypal, COUNT(paypal), "123456789", text, sizeof(text)), VERDICT_VALID);
    CHECK_STR("above 2^31", text, "id-1|2026-11-21T15:00:00Z|WEBHOOK|3421780262");
    CHECK_EQ("verdict", text_of(paypal, COUNT(paypal), "", text, sizeof(text)), VERDICT_VALID);
    CHECK_STR("of nothing", text, "id-1|2026-11-21T15:00:00Z|WEBHOOK|0");
}

TEST(the_checksum_is_that_of_zlib)
{
    static const struct {
        const char *text;
        uint32_t want;
    } cases[] = { { "", 0 }, { "a", 0xE8B7BE43 }, { "123456789", 0xCBF43926 }, { "{\"event_type\":\"A\"}", 0x7B081D1D } };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].text, crc32_of(slice_of(cases[i].text)), cases[i].want);
}

/* ---- addresses ---- */

static const struct verify_certificate aws = { .hosts = { SLICE("sns.*.amazonaws.com"), SLICE("sns.*.amazonaws.com.cn") },
                                               .host_count = 2,
                                               .path_end = SLICE(".pem"),
                                               .name_end = SLICE("") };

TEST(addresses_of_the_senders_hosts_are_asked)
{
    static const char *const good[] = { "https://sns.us-east-1.amazonaws.com/a.pem",
                                        "https://sns.ap-southeast-12.amazonaws.com/b/c.pem",
                                        "https://sns.us-gov-west-1.amazonaws.com/a.pem",
                                        "https://sns.cn-north-1.amazonaws.com.cn/a.pem" };
    static const char *const bad[] = { "",
                                       "https://",
                                       "http://sns.us-east-1.amazonaws.com/a.pem",
                                       "HTTPS://sns.us-east-1.amazonaws.com/a.pem",
                                       "https://sns.us-east-1.amazonaws.com:443/a.pem",
                                       "https://sns.us-east-1.amazonaws.com./a.pem",
                                       "https://u@sns.us-east-1.amazonaws.com/a.pem",
                                       "https://sns.us-east-1.amazonaws.com\\@x/a.pem",
                                       "https://sns.us-east-1.amazonaws.com@x/a.pem",
                                       "https://sns.us-east-1.amazonaws.com.x/a.pem",
                                       "https://x.sns.us-east-1.amazonaws.com/a.pem",
                                       "https://sns.s3.amazonaws.com/a.pem",
                                       "https://sns.s3-us-west-2.amazonaws.com/a.pem",
                                       "https://sns.us.amazonaws.com/a.pem",
                                       "https://sns.us-east.amazonaws.com/a.pem",
                                       "https://sns.us-east-.amazonaws.com/a.pem",
                                       "https://sns.us-east-1x.amazonaws.com/a.pem",
                                       "https://sns.-1.amazonaws.com/a.pem",
                                       "https://sns.us-1.amazonaws.com/a.pem",
                                       "https://sns..amazonaws.com/a.pem",
                                       "https://sns.us-east-1.a.amazonaws.com/a.pem",
                                       "https://sns.US-EAST-1.amazonaws.com/a.pem",
                                       "https://sns.us-east-1.amazonaws.com/a b.pem",
                                       "https://sns.us-east-1.amazonaws.com/a\n.pem",
                                       "https://sns.us-east-1.amazonaws.com/#.pem" };
    for (size_t i = 0; i < COUNT(good); i++)
        CHECK(good[i], sender_url_is_certificate(&aws, slice_of(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(bad[i], !sender_url_is_allowed(&aws, slice_of(bad[i])));
}

TEST(an_address_of_a_certificate_has_a_path_alone)
{
    CHECK("a query is for others",
          sender_url_is_allowed(&aws, SLICE("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription")));
    CHECK("a query", !sender_url_is_certificate(&aws, SLICE("https://sns.us-east-1.amazonaws.com/a?b=.pem")));
    CHECK("no path", !sender_url_is_certificate(&aws, SLICE("https://sns.us-east-1.amazonaws.com")));
    CHECK("another end", !sender_url_is_certificate(&aws, SLICE("https://sns.us-east-1.amazonaws.com/a.pem/b")));
}

TEST(an_address_has_2048_bytes_and_no_more)
{
    static const char start[] = "https://sns.us-east-1.amazonaws.com/";
    char url[SENDER_URL_MAX + 1];
    memset(url, 'a', sizeof(url));
    memcpy(url, start, sizeof(start) - 1);
    CHECK("at the limit", sender_url_is_allowed(&aws, slice_make(url, SENDER_URL_MAX)));
    CHECK("past it", !sender_url_is_allowed(&aws, slice_make(url, SENDER_URL_MAX + 1)));
}

/* ---- key sets: keys of RFC 7517, A.1, and RFC 8037, A.2 ---- */

#define RSA_N                                                                                                                    \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEPS2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_" \
    "2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"                                                                      \
    "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08"                                                   \
    "qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
#define RSA(more) "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" RSA_N "\"," more "}"
#define EC(x, more)                                                                                                              \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" x "\",\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"," more "}"
#define EC_X      "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"
#define ED        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"kid\":\"ed\"}"
#define SET(keys) "{\"keys\":[" keys "]}"

static size_t keys_in(const char *text)
{
    struct named_key keys[KEYS_OF_SET_MAX];
    size_t count = jwks_read(slice_of(text), keys, KEYS_OF_SET_MAX, KID_MAX);
    for (size_t i = 0; i < count; i++)
        named_key_free(&keys[i]);
    return count;
}

TEST(a_key_set_gives_the_keys_that_can_verify)
{
    struct named_key keys[3];
    static const enum public_key_kind kinds[] = { PUBLIC_RSA, PUBLIC_P256, PUBLIC_ED25519 };
    static const char *const names[] = { "rsa", "ec", "ed" };
    size_t count = jwks_read(SLICE(SET(RSA("\"kid\":\"rsa\",\"use\":\"sig\"") "," EC(EC_X, "\"kid\":\"ec\"") "," ED "," RSA(
                                 "\"kid\":\"one too many\""))),
                             keys, 3, KID_MAX);
    CHECK_EQ("keys", count, 3);
    for (size_t i = 0; i < count; i++) {
        CHECK_STR(names[i], keys[i].kid, names[i]);
        CHECK(names[i], public_key_is(keys[i].key, kinds[i]));
        named_key_free(&keys[i]);
    }
}

TEST(a_key_set_passes_over_what_it_does_not_know)
{
    static const char *const none[] = {
        "",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[1,null,\"x\",[]]}",
        SET(RSA("\"alg\":\"RS256\"")),
        SET(RSA("\"kid\":\"\"")),
        SET(RSA("\"kid\":1")),
        SET(RSA("\"kid\":\"a\",\"use\":\"enc\"")),
        SET(RSA("\"kid\":\"a\",\"use\":7")),
        SET("{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":\"AQAB\",\"n\":\"AQAB\"}"),
        SET("{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AAAA\"}"),
        SET(EC("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D5", "\"kid\":\"a\"")),
        SET(EC("AAAA", "\"kid\":\"a\"")),
        SET("{\"kty\":\"OKP\",\"kid\":\"a\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}"),
    };
    for (size_t i = 0; i < COUNT(none); i++)
        CHECK_EQ(none[i], keys_in(none[i]), 0);
    CHECK_EQ("one of two", keys_in(SET(RSA("\"kid\":\"a\",\"use\":\"enc\"") "," ED)), 1);
}

TEST(the_name_of_a_key_has_128_bytes_and_no_more)
{
    char kid[KID_MAX + 2], text[1024];
    for (size_t len = KID_MAX; len <= KID_MAX + 1; len++) {
        memset(kid, 'k', len);
        kid[len] = '\0';
        snprintf(text, sizeof(text), SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\",\"kid\":\"%s\"}"),
                 "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid);
        CHECK_EQ(kid, keys_in(text), len <= KID_MAX);
    }
}

TEST(a_set_has_32_keys_and_no_more)
{
    char text[8192] = "{\"keys\":[" ED;
    for (int i = 0; i < KEYS_OF_SET_MAX; i++)
        strcat(text, "," ED);
    CHECK_EQ("of 33", keys_in(strcat(text, "]}")), KEYS_OF_SET_MAX);
}

/* ---- the store ---- */

static uint64_t now_ms;
static struct get *begun[64];
static size_t begun_count, room;

static uint64_t clock_of_test(void)
{
    return now_ms;
}

static bool take_get(void *arg, struct get *get)
{
    (void)arg;
    if (begun_count == room)
        return false;
    begun[begun_count++] = get;
    return true;
}

static struct key_store *begin_store(void)
{
    static const struct key_store_config config = { .get = take_get, .clock_ms = clock_of_test };
    now_ms = 1000;
    begun_count = 0;
    room = COUNT(begun);
    return key_store_new(&config);
}

static void answer(uint16_t status, const char *body)
{
    struct get_answer given = { .status = status, .detail = "away", .body = slice_of(body) };
    struct get *get = begun[--begun_count];
    get->on_done(get, &given);
}

static enum key_found find(struct key_store *store, const char *url, const char *kid, struct key_set **set)
{
    EVP_PKEY *key;
    struct key_query query = { .url = slice_of(url), .kid = slice_of(kid), .kind = PUBLIC_ED25519 };
    return key_store_find(store, &query, &key, set);
}

TEST(an_address_is_asked_once_and_for_an_unknown_key_once_a_minute)
{
    struct key_store *store = begin_store();
    struct key_set *set;
    CHECK_EQ("first", find(store, "https://a/", "ed", &set), KEY_COMES);
    CHECK_EQ("while it comes", find(store, "https://a/", "ed", &set), KEY_COMES);
    CHECK_EQ("asked", begun_count, 1);
    answer(200, SET(ED));
    CHECK_EQ("there", find(store, "https://a/", "ed", &set), KEY_THERE);
    now_ms += KEY_ASK_AGAIN_MS - 1;
    CHECK_EQ("unknown", find(store, "https://a/", "new", &set), KEY_REFUSED);
    now_ms++;
    CHECK_EQ("a minute later", find(store, "https://a/", "new", &set), KEY_COMES);
    CHECK_EQ("known meanwhile", find(store, "https://a/", "ed", &set), KEY_THERE);
    answer(503, "");
    CHECK_EQ("the former keys stay", find(store, "https://a/", "ed", &set), KEY_THERE);
    CHECK_EQ("still unknown", find(store, "https://a/", "new", &set), KEY_REFUSED);
    CHECK_EQ("nothing asked", begun_count, 0);
    key_store_free(store);
}

TEST(what_failed_is_remembered_for_a_minute)
{
    static const struct {
        uint16_t status;
        const char *body;
        enum key_found want;
    } cases[] = { { 0, "", KEY_AWAY },      { 500, SET(ED), KEY_AWAY },    { 429, SET(ED), KEY_AWAY },
                  { 404, "", KEY_REFUSED }, { 302, SET(ED), KEY_REFUSED }, { 206, SET(ED), KEY_REFUSED },
                  { 200, "", KEY_REFUSED } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct key_store *store = begin_store();
        struct key_set *set;
        CHECK_EQ("asked", find(store, "https://a/", "ed", &set), KEY_COMES);
        answer(cases[i].status, cases[i].body);
        now_ms += KEY_ASK_AGAIN_MS - 1;
        CHECK_EQ("remembered", find(store, "https://a/", "ed", &set), cases[i].want);
        now_ms++;
        CHECK_EQ("again", find(store, "https://a/", "ed", &set), KEY_COMES);
        answer(200, SET(ED));
        CHECK_EQ("there", find(store, "https://a/", "ed", &set), KEY_THERE);
        key_store_free(store);
    }
}

TEST(keys_that_left_their_set_are_forgotten_within_the_hour)
{
    struct key_store *store = begin_store();
    struct key_set *set;
    CHECK_EQ("asked", find(store, "https://a/", "ed", &set), KEY_COMES);
    answer(200, SET(ED));
    now_ms += KEY_SET_FRESH_MS - 1;
    CHECK_EQ("fresh", find(store, "https://a/", "ed", &set), KEY_THERE);
    CHECK_EQ("not asked", begun_count, 0);
    now_ms++;
    CHECK_EQ("nobody waits for the next", find(store, "https://a/", "ed", &set), KEY_THERE);
    CHECK_EQ("asked", begun_count, 1);
    answer(200, SET(RSA("\"kid\":\"other\"")));
    CHECK_EQ("gone", find(store, "https://a/", "ed", &set), KEY_REFUSED);
    key_store_free(store);
}

TEST(nothing_is_remembered_of_what_could_not_be_asked)
{
    struct key_store *store = begin_store();
    struct key_set *set;
    room = 0;
    CHECK_EQ("no room", find(store, "https://a/", "ed", &set), KEY_AWAY);
    room = 1;
    CHECK_EQ("room", find(store, "https://a/", "ed", &set), KEY_COMES);
    answer(200, SET(ED));
    key_store_free(store);
}

static enum key_found find_numbered(struct key_store *store, int n)
{
    char url[64];
    struct key_set *set;
    snprintf(url, sizeof(url), "https://a/%d", n);
    return find(store, url, "ed", &set);
}

TEST(addresses_that_give_nothing_have_their_places_and_no_more)
{
    struct key_store *store = begin_store();
    for (int i = 0; i < KEY_SETS_EMPTY_MAX; i++) {
        CHECK_EQ("up to the limit", find_numbered(store, i), KEY_COMES);
        answer(404, "");
    }
    CHECK_EQ("one more", find_numbered(store, 100), KEY_AWAY);
    CHECK_EQ("not asked", begun_count, 0);
    now_ms += KEY_ASK_AGAIN_MS;
    CHECK_EQ("after their minute", find_numbered(store, 100), KEY_COMES);
    answer(200, SET(ED));
    key_store_free(store);
}

TEST(of_addresses_with_keys_the_one_goes_that_was_used_longest_ago)
{
    struct key_store *store = begin_store();
    for (int i = 0; i < KEY_SETS_MAX; i++, now_ms++) {
        CHECK_EQ("asked", find_numbered(store, i), KEY_COMES);
        answer(200, SET(ED));
    }
    CHECK_EQ("used again", find_numbered(store, 0), KEY_THERE);
    CHECK_EQ("one more", find_numbered(store, 100), KEY_COMES);
    answer(200, SET(ED));
    CHECK_EQ("used", find_numbered(store, 0), KEY_THERE);
    CHECK_EQ("gone", find_numbered(store, 1), KEY_COMES);
    answer(0, "");
    key_store_free(store);
}

struct waiter {
    struct key_wait wait;
    struct key_set *again; /* waited for once more */
    struct waiter *ends;   /* whose wait it ends */
    int woken;
};

static void on_ready(struct key_wait *wait)
{
    struct waiter *waiter = (struct waiter *)wait;
    waiter->woken++;
    if (waiter->again)
        key_set_wait(waiter->again, wait);
    waiter->again = NULL;
    if (waiter->ends)
        key_wait_end(&waiter->ends->wait);
}

TEST(who_waits_is_woken_once)
{
    struct key_store *store = begin_store();
    struct key_set *set;
    struct waiter waiters[5] = { { .woken = 0 } };
    CHECK_EQ("asked", find(store, "https://a/", "ed", &set), KEY_COMES);
    for (size_t i = 0; i < COUNT(waiters); i++) {
        waiters[i].wait.on_ready = on_ready;
        key_set_wait(set, &waiters[i].wait);
    }
    key_wait_end(&waiters[1].wait);
    key_wait_end(&waiters[1].wait);
    waiters[0].again = set;
    waiters[2].ends = &waiters[3];
    answer(200, SET(ED));
    static const int want[] = { 1, 0, 1, 0, 1 };
    for (size_t i = 0; i < COUNT(waiters); i++)
        CHECK_EQ("woken", waiters[i].woken, want[i]);
    now_ms += KEY_ASK_AGAIN_MS;
    CHECK_EQ("asked again", find(store, "https://a/", "new", &set), KEY_COMES);
    answer(0, "");
    CHECK_EQ("who waited again", waiters[0].woken, 2);
    CHECK_EQ("and nobody else", waiters[2].woken + waiters[4].woken, 2);
    key_store_free(store);
}

TEST_MAIN()
