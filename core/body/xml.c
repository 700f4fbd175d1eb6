#include "body/xml.h"

#include <expat.h>
#include <stdbool.h>
#include <string.h>

#include "body/parameter.h"

/* An element around the present place. */
struct level {
    size_t flag_at; /* in the records: keeps_blank */
    bool has_elements, has_text;
};

struct reading {
    XML_Parser parser;
    struct buf *records; /* NULL: only checked */
    struct level open[XML_DEPTH_MAX];
    unsigned depth;
    size_t elements;
    size_t text_at;   /* of the text record that is being written; 0: none (a text never comes first) */
    const char *what; /* why it was stopped; NULL: it was not */
    XML_Index stopped_at;
};

static void stop(struct reading *reading, const char *what)
{
    if (!reading->what) {
        reading->what = what;
        reading->stopped_at = XML_GetCurrentByteIndex(reading->parser);
        XML_StopParser(reading->parser, XML_FALSE);
    }
}

/* ---- records ---- */

static void end_text(struct reading *reading)
{
    enum { HEAD = 6 /* kind, blank, length */ };
    if (!reading->records || reading->text_at == 0 || !buf_ok(reading->records))
        return;
    size_t len = reading->records->len - reading->text_at - HEAD;
    unsigned char *length = (unsigned char *)reading->records->data + reading->text_at + 2;
    for (int i = 0; i < 4; i++)
        length[i] = (unsigned char)(len >> 8 * i);
    reading->text_at = 0;
}

static void begin_text(struct reading *reading)
{
    reading->text_at = reading->records->len;
    buf_add_byte(reading->records, XML_TEXT);
    buf_add_byte(reading->records, 1);
    buf_add_u32(reading->records, 0);
}

static void write_element(struct reading *reading, const char *name, const char **attributes)
{
    struct buf *out = reading->records;
    uint32_t count = 0;
    while (attributes[2 * (size_t)count])
        count++;
    buf_add_byte(out, XML_ELEMENT);
    reading->open[reading->depth].flag_at = out->len;
    buf_add_byte(out, 1);
    buf_add_u32(out, count);
    buf_add_block(out, slice_of(name));
    for (size_t i = 0; i < 2 * (size_t)count; i++)
        buf_add_block(out, slice_of(attributes[i]));
}

/* ---- what expat calls ---- */

static void on_start(void *arg, const char *name, const char **attributes)
{
    struct reading *reading = arg;
    if (reading->depth == XML_DEPTH_MAX) {
        stop(reading, "nested deeper than 128");
        return;
    }
    if (++reading->elements > XML_ELEMENTS_MAX) {
        stop(reading, "more than 100000 elements");
        return;
    }
    end_text(reading);
    if (reading->depth > 0)
        reading->open[reading->depth - 1].has_elements = true;
    reading->open[reading->depth] = (struct level){ 0 };
    if (reading->records)
        write_element(reading, name, attributes);
    reading->depth++;
}

static void on_end(void *arg, const char *name)
{
    struct reading *reading = arg;
    if (reading->what)
        return;
    end_text(reading);
    const struct level *level = &reading->open[--reading->depth];
    if (!reading->records)
        return;
    if (level->has_elements && !level->has_text && buf_ok(reading->records))
        reading->records->data[level->flag_at] = 0;
    buf_add_byte(reading->records, XML_END);
}

static bool is_blank(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!memchr(" \t\r\n", text.data[i], 4))
            return false;
    return true;
}

static void on_text(void *arg, const char *text, int len)
{
    struct reading *reading = arg;
    if (!reading->records || reading->what || len <= 0)
        return;
    if (reading->text_at == 0)
        begin_text(reading);
    if (!is_blank(slice_make(text, (size_t)len)) && buf_ok(reading->records)) {
        reading->records->data[reading->text_at + 1] = 0;
        reading->open[reading->depth - 1].has_text = true;
    }
    buf_add(reading->records, text, (size_t)len);
}

static void on_entity_declared(void *arg, const char *name, int is_parameter, const char *value, int len, const char *base,
                               const char *system_id, const char *public_id, const char *notation)
{
    stop(arg, "it declares an entity of its own");
}

/* Their defaults would be added to every element: a text of 200 KB is then worth 100 million attributes. */
static void on_attributes_declared(void *arg, const char *element, const char *name, const char *type, const char *value,
                                   int needed)
{
    stop(arg, "it declares attributes of its own");
}

static void on_entity_skipped(void *arg, const char *name, int is_parameter)
{
    stop(arg, "an entity that is not known");
}

/* ---- its charset ---- */

static bool has_mark(struct slice text)
{
    return slice_starts(text, SLICE("\xEF\xBB\xBF")) || slice_starts(text, SLICE("\xFE\xFF")) ||
           slice_starts(text, SLICE("\xFF\xFE"));
}

/* *name: as expat calls it; NULL: as the document says. false: it knows none of that name. */
static bool find_charset(struct slice text, struct slice content_type, const char **name)
{
    static const struct {
        struct slice name;
        const char *known;
    } names[] = {
        { SLICE("utf-8"), "UTF-8" },           { SLICE("utf8"), "UTF-8" },        { SLICE("utf-16"), "UTF-16" },
        { SLICE("utf-16le"), "UTF-16LE" },     { SLICE("utf-16be"), "UTF-16BE" }, { SLICE("iso-8859-1"), "ISO-8859-1" },
        { SLICE("iso_8859-1"), "ISO-8859-1" }, { SLICE("latin1"), "ISO-8859-1" }, { SLICE("us-ascii"), "US-ASCII" },
        { SLICE("ascii"), "US-ASCII" },
    };
    struct slice charset = parameter_find(content_type, SLICE("charset"));
    *name = NULL;
    if (charset.len == 0 || has_mark(text))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !*name; i++)
        if (slice_eq_nocase(names[i].name, charset))
            *name = names[i].known;
    return *name != NULL;
}

/* ---- the whole ---- */

static enum result parse(struct reading *reading, struct slice text, struct body_error *error)
{
    XML_SetUserData(reading->parser, reading);
    XML_SetElementHandler(reading->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reading->parser, on_text);
    XML_SetEntityDeclHandler(reading->parser, on_entity_declared);
    XML_SetAttlistDeclHandler(reading->parser, on_attributes_declared);
    XML_SetSkippedEntityHandler(reading->parser, on_entity_skipped);
    if (XML_Parse(reading->parser, text.data, (int)text.len, XML_TRUE) == XML_STATUS_OK)
        return reading->records && !buf_ok(reading->records) ? ERR_MEMORY : OK;
    XML_Index at = reading->what ? reading->stopped_at : XML_GetCurrentByteIndex(reading->parser);
    enum XML_Error code = XML_GetErrorCode(reading->parser);
    *error = (struct body_error){ at > 0 ? (size_t)at : 0, reading->what ? reading->what : XML_ErrorString(code) };
    return code == XML_ERROR_NO_MEMORY ? ERR_MEMORY : ERR_INVALID;
}

enum result xml_read(struct slice text, struct slice content_type, struct buf *records, struct body_error *error)
{
    struct reading reading = { .records = records };
    const char *charset;
    if (text.len > XML_TEXT_MAX) {
        *error = (struct body_error){ XML_TEXT_MAX, "longer than 16 MiB" };
        return ERR_INVALID;
    }
    if (!find_charset(text, content_type, &charset)) {
        *error = (struct body_error){ 0, "its charset is none of utf-8, utf-16, iso-8859-1 and us-ascii" };
        return ERR_INVALID;
    }
    if (records)
        buf_clear(records);
    reading.parser = XML_ParserCreate(charset);
    if (!reading.parser)
        return ERR_MEMORY;
    enum result rc = parse(&reading, text.len ? text : SLICE(""), error);
    XML_ParserFree(reading.parser);
    return rc;
}
