/* Forms, multipart, XML, NDJSON and Content-Encodings: nothing crashes, what is checked is also read, limits hold. The first byte
 * chooses the reader. */
#include <stdint.h>
#include <stdlib.h>

#include "body/coding.h"
#include "body/form.h"
#include "body/lines.h"
#include "body/multipart.h"
#include "body/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DECODED_LIMIT = 100000 };

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void read_form(struct slice text)
{
    struct body_error error;
    struct slice rest = text, name, value;
    struct buf decoded;
    size_t count = 0;
    buf_init(&decoded, text.len + 1);
    while (query_next(&rest, &name, &value)) {
        count++;
        buf_clear(&decoded);
        need(query_decode(name, &decoded) && query_name_is(name, buf_slice(&decoded)));
        buf_clear(&decoded);
        need(query_decode(value, &decoded));
    }
    need((form_check(text, &error) == OK) == (count <= BODY_FIELDS_MAX));
    buf_deinit(&decoded);
}

static struct slice take_line(struct slice *text)
{
    const char *end = text->len ? memchr(text->data, '\n', text->len) : NULL;
    struct slice line = { text->data, end ? (size_t)(end - text->data) : text->len };
    *text = slice_from(*text, line.len + (end != NULL));
    return line;
}

/* The Content-Type is the text up to the first line end. */
static void read_multipart(struct slice text)
{
    struct slice type = take_line(&text);
    struct multipart multipart;
    struct body_error error;
    struct part part;
    struct buf name;
    size_t count = 0;
    enum result checked = multipart_check(type, text, &error);
    enum result rc = multipart_open(&multipart, type, text, &error);
    buf_init(&name, MULTIPART_HEAD_MAX);
    while (rc == OK && (rc = multipart_next(&multipart, &part, &error)) == OK) {
        count++;
        buf_clear(&name);
        multipart_unquote(part.name, &name);
        need(multipart_name_is(part.name, buf_slice(&name)));
        need(part.bytes.data >= text.data && part.bytes.data + part.bytes.len <= text.data + text.len);
    }
    need(checked == OK ? rc == ERR_NOT_FOUND && count <= BODY_FIELDS_MAX : error.offset <= text.len);
    buf_deinit(&name);
}

static void walk_records(struct slice records)
{
    struct cursor cursor = { .rest = records };
    int depth = 0;
    while (cursor.rest.len > 0) {
        switch (cursor_u8(&cursor)) {
        case XML_ELEMENT:
            need(cursor_u8(&cursor) <= 1 && ++depth <= XML_DEPTH_MAX);
            for (uint32_t blocks = 2 * cursor_u32(&cursor) + 1; blocks > 0; blocks--)
                (void)cursor_block(&cursor);
            break;
        case XML_TEXT:
            need(depth > 0 && cursor_u8(&cursor) <= 1 && cursor_block(&cursor).len > 0);
            break;
        case XML_END:
            need(depth-- > 0);
            break;
        default:
            abort();
        }
        need(!cursor.failed);
    }
    need(depth == 0);
}

/* The Content-Type is the text up to the first line end. */
static void read_xml(struct slice text)
{
    struct slice type = take_line(&text);
    struct body_error error = { 0, NULL };
    struct buf records;
    buf_init(&records, XML_RECORDS_MAX);
    enum result rc = xml_read(text, type, &records, &error);
    need(xml_read(text, type, NULL, &error) == rc);
    if (rc == OK)
        walk_records(buf_slice(&records));
    else
        need(error.offset <= text.len && error.what);
    buf_deinit(&records);
}

static void read_lines(struct slice text)
{
    struct json_doc *doc = NULL;
    struct json_error error;
    struct buf array;
    buf_init(&array, text.len + 2);
    if (lines_index(text, &array, &doc, &error) != OK) {
        need(!doc && error.offset <= text.len);
    } else {
        struct json_value item = json_first(json_root(doc));
        for (; item.doc; item = json_next(item)) {
            struct slice bytes = json_text(item);
            need(memmem(text.data, text.len, bytes.data, bytes.len) != NULL && !memchr(bytes.data, '\n', bytes.len));
        }
    }
    json_free(doc);
    buf_deinit(&array);
}

static void undo(enum coding coding, struct slice bytes)
{
    struct body_error error = { 0, NULL };
    struct buf out;
    buf_init(&out, DECODED_LIMIT);
    enum result rc = coding_undo(coding, bytes, &out, &error);
    need(out.len <= DECODED_LIMIT && out.cap <= DECODED_LIMIT);
    need(rc != ERR_INVALID || (error.what && error.offset <= bytes.len));
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct slice text = { (const char *)data + 1, size - 1 };
    switch (data[0] % 7) {
    case 0:
        read_form(text);
        break;
    case 1:
        read_multipart(text);
        break;
    case 2:
        read_xml(text);
        break;
    case 3:
        read_lines(text);
        break;
    default:
        undo((enum coding)(data[0] % 7 - 3), text);
    }
    return 0;
}
