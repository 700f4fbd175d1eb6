/* schema_judge.h: one document while it is held against a schema. Private to schema.c, schema_judge.c, schema_value.c,
 * schema_equal.c and schema_pattern.c. */
#ifndef TIDEWIRE_SCHEMA_JUDGE_H
#define TIDEWIRE_SCHEMA_JUDGE_H

#include "json/schema_inside.h"

enum { SHOWN_MAX = 60 }; /* bytes of a text of the schema in a fault */

/* A value of the document and the way to it. */
struct place {
    const struct place *up; /* NULL: the document */
    struct json_value value;
    struct slice key; /* raw; data NULL: an element of an array */
    bool escaped;
    uint32_t index; /* from 1 */
};

struct judge {
    char *why;
    unsigned quiet; /* inside anyOf, not …: what does not hold there is no fault */
    unsigned depth;
    uint32_t steps;
    const char *given_up; /* NULL, or why nothing more is looked at */
    struct buf text;      /* a decoded string */
    pcre2_match_context *limits;
    size_t starts;                   /* of matches, since the time was last asked for */
    uint64_t began_ns, began_cpu_ns; /* work clock and this thread's processor time when it was asked for first; 0: it was not */
    uint64_t pattern_bytes;          /* of all texts that patterns were tried on */
};

/* Both return false, to return it. The place does not fit: said, unless nobody asks (quiet). */
bool judge_fault(struct judge *judge, const struct place *place, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Nothing more is looked at; why is static. */
bool judge_give_up(struct judge *judge, const char *why);
/* One more place looked at; false: that was one too many, or it was given up before. Inline: it is counted at each. */
static inline bool judge_step(struct judge *judge)
{
    if (++judge->steps > SCHEMA_STEPS_MAX)
        judge_give_up(judge, "the body is too much work for the schema");
    return !judge->given_up;
}
/* A key, or a string, without its escapes. Valid until the next call. */
struct slice judge_decoded(struct judge *judge, struct slice raw, bool escaped);
struct slice judge_string(struct judge *judge, struct json_value string);

/* schema_pattern.c: is it somewhere in the text? */
bool judge_matches(struct judge *judge, const struct pattern *pattern, struct slice text);
/* What a match may take; pcre2_match_context_free. NULL: no memory. */
pcre2_match_context *pattern_limits_new(void);

/* Keywords that judge a value alone. schema_value.c: */
bool holds_type(struct judge *judge, const struct keyword *keyword, const struct place *place);
bool holds_required(struct judge *judge, const struct keyword *keyword, const struct place *place);
bool holds_count(struct judge *judge, const struct keyword *keyword, const struct place *place);
bool holds_pattern(struct judge *judge, const struct keyword *keyword, const struct place *place);
bool holds_range(struct judge *judge, const struct keyword *keyword, const struct place *place);
bool holds_multiple(struct judge *judge, const struct keyword *keyword, const struct place *place);
/* schema_equal.c: */
bool holds_enum(struct judge *judge, const struct keyword *keyword, const struct place *place);
bool holds_unique(struct judge *judge, const struct place *place);

#endif
