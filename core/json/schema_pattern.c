/* schema_pattern.c: regular expressions (PCRE2): made with the schema, matched within bounds, since bodies are foreign. */
#include "json/schema_compile.h"
#include "json/schema_judge.h"

enum { MATCHES_MAX = 100000, MATCH_DEPTH_MAX = 10000, MATCH_HEAP_KIB = 1024 };

const struct pattern *compile_pattern(struct compile *compile, struct json_value at, struct slice text)
{
    int error;
    PCRE2_SIZE offset;
    /* as ECMA-262, which JSON Schema names, as far as the library goes */
    uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
    struct pattern *pattern = compile_take(compile, sizeof(*pattern));
    if (!pattern)
        return NULL;
    pattern->text = text;
    pattern->code = pcre2_compile((PCRE2_SPTR)text.data, text.len, options, &error, &offset, NULL);
    if (!pattern->code) {
        char what[128] = "";
        pcre2_get_error_message(error, (PCRE2_UCHAR *)what, sizeof(what));
        compile_refuse(compile, at, "the pattern %.*s is wrong at its character %zu: %s",
                       text.len > SHOWN_MAX ? SHOWN_MAX : (int)text.len, text.data, (size_t)offset + 1, what);
        return NULL;
    }
    (void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE); /* without it the matcher interprets */
    pattern->next = compile->schema->patterns;
    return compile->schema->patterns = pattern;
}

pcre2_match_context *pattern_limits_new(void)
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    if (!limits)
        return NULL;
    pcre2_set_match_limit(limits, MATCHES_MAX);
    pcre2_set_depth_limit(limits, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(limits, MATCH_HEAP_KIB);
    return limits;
}

bool judge_matches(struct judge *judge, const struct pattern *pattern, struct slice text)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int rc = data ? pcre2_match(pattern->code, (PCRE2_SPTR)text.data, text.len, 0, 0, data, judge->limits) : PCRE2_ERROR_NOMEMORY;
    pcre2_match_data_free(data);
    judge->steps += (uint32_t)(text.len / 64);
    if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT ||
        rc == PCRE2_ERROR_NOMEMORY || rc == PCRE2_ERROR_JIT_STACKLIMIT)
        return judge_give_up(judge, "a pattern of the schema takes too long for the body");
    return rc >= 0;
}
