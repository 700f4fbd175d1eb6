/* schema.c: does a document fit a schema? Walks both side by side; says the first place that does not. What a keyword wants of
 * a value by itself is in schema_value.c and schema_equal.c. */
#include "json/schema.h"

#include <stdio.h>

#include "json/schema_judge.h"

static bool holds(struct judge *judge, const struct node *node, const struct place *place);

/* ---- what is inside ---- */

/* What a member has to be by its name; with nothing said about it: what all others have to be. */
static bool holds_member(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    bool named = false;
    for (size_t i = 0; i < keyword->members.named_count; i++) {
        if (!json_string_is(place->key, place->escaped, keyword->members.named[i].name))
            continue;
        named = true;
        if (!holds(judge, keyword->members.named[i].node, place))
            return false;
    }
    for (size_t i = 0; i < keyword->members.pattern_count; i++) {
        if (!judge_matches(judge, keyword->members.patterns[i].pattern, judge_decoded(judge, place->key, place->escaped)))
            continue;
        named = true;
        if (!holds(judge, keyword->members.patterns[i].node, place))
            return false;
    }
    return named || !keyword->members.others || holds(judge, keyword->members.others, place);
}

static bool holds_members(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    if (json_type(place->value) != JSON_OBJECT)
        return true;
    for (struct json_value member = json_first(place->value); member.doc; member = json_next(member)) {
        struct place inside = { .up = place, .value = member };
        inside.key = json_key(member, &inside.escaped);
        judge->steps += (uint32_t)(keyword->members.named_count / 8); /* names are compared one by one */
        if (!judge_step(judge) || !holds_member(judge, keyword, &inside))
            return false;
    }
    return true;
}

static bool holds_items(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    uint32_t index = 0;
    if (json_type(place->value) != JSON_ARRAY)
        return true;
    for (struct json_value item = json_first(place->value); item.doc; item = json_next(item)) {
        const struct node *node = index < keyword->items.first_count ? keyword->items.first[index] : keyword->items.rest;
        struct place inside = { .up = place, .value = item, .index = ++index };
        if (!judge_step(judge) || (node && !holds(judge, node, &inside)))
            return false;
    }
    return true;
}

/* ---- schemas of schemas ---- */

static bool holds_quietly(struct judge *judge, const struct node *node, const struct place *place)
{
    judge->quiet++;
    bool held = holds(judge, node, place);
    judge->quiet--;
    return held;
}

static bool holds_all(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    for (size_t i = 0; i < keyword->list.count; i++)
        if (!holds(judge, keyword->list.nodes[i], place))
            return false;
    return true;
}

static bool holds_some(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    size_t fitting = 0;
    for (size_t i = 0; i < keyword->list.count && !judge->given_up; i++) {
        fitting += holds_quietly(judge, keyword->list.nodes[i], place);
        if (fitting == 1 && keyword->kind == KEYWORD_ANY)
            return true;
    }
    if (fitting == 1)
        return true;
    return judge_fault(judge, place, "fits %s of the %zu forms that are allowed%s", fitting ? "more than one" : "none",
                       keyword->list.count, keyword->kind == KEYWORD_ONE && fitting ? ", and exactly one is wanted" : "");
}

static bool holds_choice(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    bool is = holds_quietly(judge, keyword->choice.condition, place);
    const struct node *node = is ? keyword->choice.then : keyword->choice.otherwise;
    return !node || holds(judge, node, place);
}

/* ---- a schema ---- */

static bool holds_keyword(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    switch (keyword->kind) {
    case KEYWORD_NEVER:
        return judge_fault(judge, place, "is not allowed here");
    case KEYWORD_TYPE:
        return holds_type(judge, keyword, place);
    case KEYWORD_ENUM:
        return holds_enum(judge, keyword, place);
    case KEYWORD_MEMBERS:
        return holds_members(judge, keyword, place);
    case KEYWORD_REQUIRED:
        return holds_required(judge, keyword, place);
    case KEYWORD_ITEMS:
        return holds_items(judge, keyword, place);
    case KEYWORD_UNIQUE:
        return holds_unique(judge, place);
    case KEYWORD_COUNT:
        return holds_count(judge, keyword, place);
    case KEYWORD_PATTERN:
        return holds_pattern(judge, keyword, place);
    case KEYWORD_RANGE:
        return holds_range(judge, keyword, place);
    case KEYWORD_MULTIPLE:
        return holds_multiple(judge, keyword, place);
    case KEYWORD_ALL:
        return holds_all(judge, keyword, place);
    case KEYWORD_ANY:
    case KEYWORD_ONE:
        return holds_some(judge, keyword, place);
    case KEYWORD_NOT:
        return !holds_quietly(judge, keyword->not_this, place) || judge_fault(judge, place, "is of a form that is not allowed");
    case KEYWORD_IF:
        return holds_choice(judge, keyword, place);
    }
    return false;
}

static bool holds(struct judge *judge, const struct node *node, const struct place *place)
{
    bool held = true;
    if (judge->given_up || !judge_step(judge))
        return false;
    if (++judge->depth > SCHEMA_DEPTH_MAX)
        return judge_give_up(judge, "the schema refers to itself without end");
    for (const struct keyword *keyword = node->keywords; held && keyword; keyword = keyword->next)
        held = holds_keyword(judge, keyword, place);
    judge->depth--;
    return held;
}

bool schema_holds(const struct schema *schema, struct json_value value, char why[SCHEMA_WHY_SIZE])
{
    struct judge judge = { .why = why };
    struct place root = { .value = value };
    judge.limits = pattern_limits_new();
    if (!judge.limits) {
        snprintf(why, SCHEMA_WHY_SIZE, "not enough memory for the schema");
        return false;
    }
    buf_init(&judge.text, json_text(value).len + 1);
    bool held = holds(&judge, schema->root, &root);
    if (judge.given_up)
        snprintf(why, SCHEMA_WHY_SIZE, "%s", judge.given_up);
    buf_deinit(&judge.text);
    pcre2_match_context_free(judge.limits);
    return held && !judge.given_up;
}
