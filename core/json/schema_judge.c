/* schema_judge.c: what is said of a place that does not fit, and strings without their escapes. */
#include "json/schema_judge.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

enum { PATH_BYTES_MAX = 64 << 10, PATH_SHOWN_MAX = 150 };

/* ---- faults ---- */

static void write_step(struct buf *out, const struct place *place)
{
    if (!place->key.data) {
        buf_addf(out, "[%u]", place->index);
        return;
    }
    bool plain = place->key.len > 0 && !place->escaped && !isdigit((unsigned char)place->key.data[0]);
    for (size_t i = 0; i < place->key.len; i++)
        plain = plain && (isalnum((unsigned char)place->key.data[i]) || place->key.data[i] == '_');
    buf_add_text(out, plain ? "." : "[\"");
    buf_add_slice(out, place->key);
    buf_add_text(out, plain ? "" : "\"]");
}

static void write_path(struct buf *out, const struct place *place)
{
    if (!place->up) {
        buf_add_text(out, "body");
        return;
    }
    write_path(out, place->up);
    write_step(out, place);
}

bool judge_fault(struct judge *judge, const struct place *place, const char *format, ...)
{
    char what[SCHEMA_WHY_SIZE / 2];
    struct buf path;
    va_list arguments;
    if (judge->quiet > 0 || judge->given_up)
        return false;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    buf_init(&path, PATH_BYTES_MAX);
    write_path(&path, place);
    int len = path.len > PATH_SHOWN_MAX ? PATH_SHOWN_MAX : (int)path.len;
    snprintf(judge->why, SCHEMA_WHY_SIZE, "%.*s%s %s", len, path.data, (size_t)len < path.len ? "…" : "", what);
    buf_deinit(&path);
    return false;
}

bool judge_give_up(struct judge *judge, const char *why)
{
    if (!judge->given_up)
        judge->given_up = why;
    return false;
}

/* ---- strings ---- */

struct slice judge_decoded(struct judge *judge, struct slice raw, bool escaped)
{
    if (!escaped)
        return raw;
    buf_clear(&judge->text);
    json_unescape(raw, &judge->text);
    if (!buf_ok(&judge->text))
        judge_give_up(judge, "not enough memory for the schema");
    return buf_slice(&judge->text);
}

struct slice judge_string(struct judge *judge, struct json_value string)
{
    bool escaped;
    struct slice raw = json_string(string, &escaped);
    return judge_decoded(judge, raw, escaped);
}
