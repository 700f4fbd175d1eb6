/* schema_pattern.c: regular expressions (PCRE2): made with the schema, matched within bounds, since bodies are foreign. */
#include "base/clock.h"
#include "json/schema_compile.h"
#include "json/schema_judge.h"

/* From each place in the text where a match is begun, MATCHES_MAX; each may look at the whole rest, so that there are fewer in
 * texts past 1000 bytes. The time is asked for after STARTS_MAX such places. All patterns for one document have PATTERNS_NS of
 * processor time, and more for each byte of the texts: an ordinary search takes a quarter of that. */
enum {
    MATCHES_MAX = 100000,
    MATCHES_MIN = 10,
    MATCH_BYTES_MAX = 100000000,
    MATCH_DEPTH_MAX = 10000,
    MATCH_HEAP_KIB = 1024,
    STARTS_MAX = 8,
    PATTERNS_NS = 100000000,
    PATTERNS_NS_PER_BYTE = 64,
};

const struct pattern *compile_pattern(struct compile *compile, struct json_value at, struct slice text)
{
    int error;
    PCRE2_SIZE offset;
    /* as ECMA-262, which JSON Schema names, as far as the library goes */
    uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C |
                       PCRE2_USE_OFFSET_LIMIT;
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
    uint32_t found = 0;
    (void)pcre2_pattern_info(pattern->code, PCRE2_INFO_ALLOPTIONS, &found); /* fails for no code only */
    pattern->anchored = (found & PCRE2_ANCHORED) != 0;
    (void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE); /* without it the matcher interprets */
    pattern->next = compile->schema->patterns;
    return compile->schema->patterns = pattern;
}

pcre2_match_context *pattern_limits_new(void)
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    if (!limits)
        return NULL;
    pcre2_set_depth_limit(limits, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(limits, MATCH_HEAP_KIB);
    return limits;
}

static uint32_t matches_for(size_t bytes)
{
    size_t matches = MATCH_BYTES_MAX / (bytes + 1);
    return matches > MATCHES_MAX ? MATCHES_MAX : matches < MATCHES_MIN ? MATCHES_MIN : (uint32_t)matches;
}

static bool has_time(struct judge *judge, size_t starts)
{
    judge->starts += starts;
    if (judge->starts < STARTS_MAX)
        return true;
    judge->starts = 0;
    if (judge->began_ns == 0) {
        judge->began_ns = clock_work_ns();
        judge->began_cpu_ns = clock_thread_cpu_ns();
    }
    uint64_t allowed_ns = PATTERNS_NS + judge->pattern_bytes * PATTERNS_NS_PER_BYTE;
    return clock_work_ns() - judge->began_ns < allowed_ns || clock_thread_cpu_ns() - judge->began_cpu_ns < allowed_ns;
}

static size_t next_start(struct slice text, size_t at)
{
    do
        at++;
    while (at < text.len && ((unsigned char)text.data[at] & 0xC0) == 0x80);
    return at;
}

/* The library counts its matches anew for each start: some starts at a time, with a look at the clock between. */
static int match(struct judge *judge, const struct pattern *pattern, struct slice text, pcre2_match_data *data)
{
    size_t from = 0;
    uint32_t options = 0;
    judge->pattern_bytes += text.len;
    pcre2_set_match_limit(judge->limits, matches_for(text.len));
    for (;;) {
        size_t last = text.len - from < STARTS_MAX ? text.len : from + STARTS_MAX - 1;
        pcre2_set_offset_limit(judge->limits, last);
        int rc = pcre2_match(pattern->code, (PCRE2_SPTR)text.data, text.len, from, options, data, judge->limits);
        if (!has_time(judge, last - from + 1))
            return rc == PCRE2_ERROR_NOMATCH ? PCRE2_ERROR_MATCHLIMIT : rc;
        if (rc != PCRE2_ERROR_NOMATCH || last >= text.len || pattern->anchored)
            return rc;
        from = next_start(text, last);
        options = PCRE2_NO_UTF_CHECK;
    }
}

bool judge_matches(struct judge *judge, const struct pattern *pattern, struct slice text)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int rc = data ? match(judge, pattern, text, data) : PCRE2_ERROR_NOMEMORY;
    pcre2_match_data_free(data);
    judge->steps += (uint32_t)(text.len / 64);
    if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT ||
        rc == PCRE2_ERROR_NOMEMORY || rc == PCRE2_ERROR_JIT_STACKLIMIT)
        return judge_give_up(judge, "a pattern of the schema takes too long for the body");
    return rc >= 0;
}
