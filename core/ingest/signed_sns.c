/* signed_sns.c: messages of AWS SNS, whose signature stands among what it covers. Source: aws-js-sns-message-validator, and
 * "Verifying the signatures of Amazon SNS messages" of the SNS developer guide. */
#include "ingest/signed_text.h"

static const struct slice notification[] = { SLICE("Message"),   SLICE("MessageId"), SLICE("Subject"),
                                             SLICE("Timestamp"), SLICE("TopicArn"),  SLICE("Type") };
static const struct slice confirmation[] = { SLICE("Message"), SLICE("MessageId"), SLICE("SubscribeURL"), SLICE("Timestamp"),
                                             SLICE("Token"),   SLICE("TopicArn"),  SLICE("Type") };

enum { MEMBERS_MAX = 7 };

/* There once, as a text that is not empty. */
static bool find_once(struct asked *asked, struct slice name, struct slice *text)
{
    return asked_member(asked, name, text) == 1 && text->len > 0;
}

enum verdict signed_sns_admit(const struct verify *verify, struct asked *asked, bool *is_sha1)
{
    struct slice topic, version;
    bool known = false;
    if (!find_once(asked, SLICE("TopicArn"), &topic) || !find_once(asked, SLICE("SignatureVersion"), &version))
        return VERDICT_MISSING;
    for (size_t i = 0; i < verify->topic_count; i++)
        known |= slice_eq(topic, verify->topics[i]);
    if (!known)
        return VERDICT_TOPIC;
    *is_sha1 = slice_is(version, "1");
    return slice_is(version, "2") || (*is_sha1 && verify->allow_sha1) ? VERDICT_VALID : VERDICT_MALFORMED;
}

/* A line end in it could be taken for that between two members. */
static bool is_one_line(struct slice value)
{
    return !value.len || (!memchr(value.data, '\n', value.len) && !memchr(value.data, '\r', value.len));
}

static size_t members_of(struct slice type, const struct slice **names)
{
    bool is_plain = slice_is(type, "Notification");
    *names = is_plain ? notification : confirmation;
    if (is_plain)
        return sizeof(notification) / sizeof(notification[0]);
    return slice_is(type, "SubscriptionConfirmation") || slice_is(type, "UnsubscribeConfirmation") ? MEMBERS_MAX : 0;
}

static char *add(char *to, struct slice bytes)
{
    if (bytes.len)
        memcpy(to, bytes.data, bytes.len);
    to[bytes.len] = '\n';
    return to + bytes.len + 1;
}

enum verdict signed_sns_find(struct asked *asked, struct slice *text)
{
    struct slice type, values[MEMBERS_MAX];
    const struct slice *names;
    size_t len = 0, seen[MEMBERS_MAX];
    if (!find_once(asked, SLICE("Type"), &type))
        return VERDICT_MISSING;
    size_t count = members_of(type, &names);
    if (count == 0)
        return VERDICT_MALFORMED;
    for (size_t i = 0; i < count; i++) {
        seen[i] = asked_member(asked, names[i], &values[i]);
        if (seen[i] == 0 && !slice_is(names[i], "Subject")) /* the one that may be absent */
            return VERDICT_MISSING;
        if (seen[i] > 1 || (seen[i] == 1 && !values[i].data) || (i > 0 && !is_one_line(values[i])))
            return VERDICT_MALFORMED;
        len += seen[i] ? names[i].len + values[i].len + 2 : 0;
    }
    char *bytes = arena_take(&asked->texts, len), *at = bytes;
    for (size_t i = 0; bytes && i < count; i++)
        if (seen[i])
            at = add(add(at, names[i]), values[i]);
    *text = (struct slice){ bytes, bytes ? len : 0 };
    return bytes ? VERDICT_VALID : VERDICT_MALFORMED;
}
