/* The readers of foreign bodies: what they take, what they refuse and where, each limit and one past it. */
#include "check.h"

#include <brotli/encode.h>
#include <zlib.h>

#include "base/mem.h"
#include "body/coding.h"
#include "body/form.h"
#include "body/lines.h"
#include "body/multipart.h"
#include "body/xml.h"

static struct slice repeat(struct buf *out, const char *before, const char *each, size_t times, const char *after)
{
    buf_init(out, 64 << 20);
    buf_add_text(out, before);
    for (size_t i = 0; i < times; i++)
        buf_add_text(out, each);
    buf_add_text(out, after);
    return buf_slice(out);
}

/* ---- forms ---- */

TEST(a_name_of_a_form_is_compared_as_it_is_meant)
{
    static const struct {
        const char *raw, *wanted;
        bool same;
    } cases[] = {
        { "a", "a", true },   { "a%5B%5d", "a[]", true }, { "a+b", "a b", true }, { "%zz", "%zz", true }, { "%4", "%4", true },
        { "a", "ab", false }, { "ab", "a", false },       { "", "", true },       { "A", "a", false },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].raw, query_name_is(slice_of(cases[i].raw), slice_of(cases[i].wanted)), cases[i].same);
}

TEST(a_form_has_at_most_1000_fields)
{
    struct body_error error;
    struct buf text;
    CHECK_EQ("at it", form_check(repeat(&text, "", "&a=1", BODY_FIELDS_MAX, "&&"), &error), OK);
    buf_deinit(&text);
    CHECK_EQ("past it", form_check(repeat(&text, "", "a=1&", BODY_FIELDS_MAX + 1, ""), &error), ERR_INVALID);
    CHECK_EQ("where", error.offset, 4000);
    buf_deinit(&text);
    CHECK_EQ("nothing", form_check(SLICE(""), &error), OK);
}

/* ---- multipart ---- */

#define HEAD "Content-Disposition: form-data; name=\"n\"\r\n\r\n"

TEST(parts_are_found_by_their_boundary)
{
    static const struct {
        const char *what, *type, *text, *want; /* want NULL: refused */
    } cases[] = {
        { "one", "multipart/form-data; boundary=b", "--b\r\n" HEAD "v\r\n--b--", "n=v;" },
        { "quoted, other parameters", "multipart/form-data; charset=utf-8; boundary=\"a b\"; x=y",
          "--a b\r\n" HEAD "v\r\n--a b--", "n=v;" },
        { "letter case", "multipart/form-data; Boundary=b", "--b\r\ncontent-DISPOSITION: Form-Data; NAME=n\r\n\r\nv\r\n--b--",
          "n=v;" },
        { "preamble and epilogue", "x; boundary=b", "hello\r\n--b\r\n" HEAD "v\r\n--b--\r\nbye", "n=v;" },
        { "empty", "x; boundary=b", "--b\r\n" HEAD "\r\n--b--", "n=;" },
        { "line ends inside", "x; boundary=b", "--b\r\n" HEAD "\r\n-\r\n--\r\n--c\r\n--b--", "n=\r\n-\r\n--\r\n--c;" },
        { "white space behind the boundary", "x; boundary=b", "--b \t\r\n" HEAD "v\r\n--b--", "n=v;" },
        { "a file", "x; boundary=b",
          "--b\r\nContent-Type: a/b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\\\"b;c.txt\"\r\n\r\nv\r\n--b--",
          "f=v(a\"b;c.txt,a/b);" },
        { "a file without a name", "x; boundary=b",
          "--b\r\nContent-Disposition: form-data; name=f; filename=\"\"\r\n\r\nv\r\n--b--", "f=v(,);" },
        { "no parts", "x; boundary=b", "--b--", "" },
        { "no boundary", "multipart/form-data", "--b--", NULL },
        { "an empty one", "x; boundary=\"\"", "----", NULL },
        { "one that is not closed", "x; boundary=\"b", "--b--", NULL },
        { "not there", "x; boundary=b", "--c--", NULL },
        { "cut off behind the boundary", "x; boundary=b", "--b", NULL },
        { "cut off in the head", "x; boundary=b", "--b\r\nContent-Disp", NULL },
        { "cut off in the part", "x; boundary=b", "--b\r\n" HEAD "v", NULL },
        { "no name", "x; boundary=b", "--b\r\nContent-Disposition: form-data\r\n\r\nv\r\n--b--", NULL },
        { "a name that is not closed", "x; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"n\r\n\r\nv\r\n--b--",
          NULL },
        { "an attachment", "x; boundary=b", "--b\r\nContent-Disposition: attachment; name=\"n\"\r\n\r\nv\r\n--b--", NULL },
        { "a header without ':'", "x; boundary=b", "--b\r\nhello\r\n\r\nv\r\n--b--", NULL },
        { "bare line feeds", "x; boundary=b", "--b\nContent-Disposition: form-data; name=n\n\nv\n--b--", NULL },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct multipart multipart;
        struct body_error error;
        struct part part;
        struct buf got;
        buf_init(&got, 1 << 10);
        enum result rc = multipart_open(&multipart, slice_of(cases[i].type), slice_of(cases[i].text), &error);
        while (rc == OK && (rc = multipart_next(&multipart, &part, &error)) == OK) {
            multipart_unquote(part.name, &got);
            buf_addf(&got, "=%.*s", SLICE_ARGS(part.bytes));
            if (part.filename.data) {
                buf_add_byte(&got, '(');
                multipart_unquote(part.filename, &got);
                buf_addf(&got, ",%.*s)", SLICE_ARGS(part.content_type));
            }
            buf_add_byte(&got, ';');
        }
        CHECK_EQ(cases[i].what, rc, cases[i].want ? ERR_NOT_FOUND : ERR_INVALID);
        if (cases[i].want)
            CHECK_SLICE(cases[i].what, buf_slice(&got), cases[i].want);
        buf_deinit(&got);
    }
}

TEST(a_multipart_body_keeps_its_limits)
{
    struct body_error error;
    struct buf text;
    struct slice type = SLICE("x; boundary=b");
    CHECK_EQ("1000 parts", multipart_check(type, repeat(&text, "", "--b\r\n" HEAD "v\r\n", BODY_FIELDS_MAX, "--b--"), &error),
             OK);
    buf_deinit(&text);
    CHECK_EQ("1001", multipart_check(type, repeat(&text, "", "--b\r\n" HEAD "v\r\n", BODY_FIELDS_MAX + 1, "--b--"), &error),
             ERR_INVALID);
    CHECK("which", strstr(error.what, "1000 parts") != NULL);
    buf_deinit(&text);
    size_t fixed = strlen("X: \r\n" HEAD);
    struct slice at = repeat(&text, "--b\r\nX: ", "x", MULTIPART_HEAD_MAX - fixed, "\r\n" HEAD "v\r\n--b--");
    CHECK_EQ("a head of 16 KiB", multipart_check(type, at, &error), OK);
    buf_deinit(&text);
    at = repeat(&text, "--b\r\nX: ", "x", MULTIPART_HEAD_MAX - fixed + 1, "\r\n" HEAD "v\r\n--b--");
    CHECK_EQ("one byte more", multipart_check(type, at, &error), ERR_INVALID);
    buf_deinit(&text);
    for (size_t len = MULTIPART_BOUNDARY_MAX; len <= MULTIPART_BOUNDARY_MAX + 1; len++) {
        struct buf name;
        type = repeat(&name, "x; boundary=", "b", len, "");
        at = repeat(&text, "--", "b", len, "--");
        CHECK_EQ("a boundary", multipart_check(type, at, &error), len == MULTIPART_BOUNDARY_MAX ? OK : ERR_INVALID);
        buf_deinit(&name);
        buf_deinit(&text);
    }
}

/* ---- XML ---- */

/* The records as text: <a x="1">[text]</>; blank texts that are layout are left out. */
static void show(struct slice records, struct buf *out)
{
    struct cursor cursor = { .rest = records };
    bool keeps[XML_DEPTH_MAX + 1] = { false };
    int depth = 0;
    while (cursor.rest.len > 0 && !cursor.failed) {
        switch (cursor_u8(&cursor)) {
        case XML_ELEMENT: {
            keeps[++depth] = cursor_u8(&cursor);
            uint32_t attributes = cursor_u32(&cursor);
            buf_add_byte(out, '<');
            buf_add_slice(out, cursor_block(&cursor));
            for (uint32_t i = 0; i < attributes; i++) {
                struct slice name = cursor_block(&cursor), value = cursor_block(&cursor);
                buf_addf(out, " %.*s='%.*s'", SLICE_ARGS(name), SLICE_ARGS(value));
            }
            buf_add_byte(out, '>');
            break;
        }
        case XML_TEXT: {
            bool blank = cursor_u8(&cursor);
            struct slice text = cursor_block(&cursor);
            if (!blank || keeps[depth])
                buf_addf(out, "[%.*s]", SLICE_ARGS(text));
            break;
        }
        case XML_END:
            depth--;
            buf_add_text(out, "</>");
            break;
        default:
            cursor.failed = true;
        }
    }
    CHECK("whole", !cursor.failed && depth == 0);
}

TEST(xml_becomes_records)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "<a/>", "<a></>" },
        { "<a x='1' y=\"&lt;\">t</a>", "<a x='1' y='<'>[t]</>" },
        { "<a>\n <b/> \n</a>", "<a><b></></>" },
        { "<a> </a>", "<a>[ ]</>" },
        { "<a>x <b>y</b> <c/></a>", "<a>[x ]<b>[y]</>[ ]<c></></>" },
        { "<a> <b/>x</a>", "<a>[ ]<b></>[x]</>" },
        { "<a>1<![CDATA[<2>]]>&#51;<!-- c -->4</a>", "<a>[1<2>34]</>" },
        { "\xEF\xBB\xBF<?xml version='1.0'?><?p i?><s:a xmlns:s='u'><s:b/></s:a>", "<s:a xmlns:s='u'><s:b></></>" },
        { "<!DOCTYPE a SYSTEM 'http://192.0.2.1/a.dtd'><a/>", "<a></>" },
        { "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>", "<a>[\xC3\xA9]</>" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct body_error error;
        struct buf records, got;
        buf_init(&records, XML_RECORDS_MAX);
        buf_init(&got, 1 << 10);
        CHECK_EQ(cases[i].text, xml_read(slice_of(cases[i].text), SLICE(""), &records, &error), OK);
        CHECK_EQ(cases[i].text, xml_read(slice_of(cases[i].text), SLICE(""), NULL, &error), OK);
        show(buf_slice(&records), &got);
        CHECK_SLICE(cases[i].text, buf_slice(&got), cases[i].want);
        buf_deinit(&records);
        buf_deinit(&got);
    }
}

TEST(xml_that_is_not_well_formed_or_hostile_is_refused_with_its_place)
{
    static const struct {
        const char *text;
        size_t offset;
        const char *what;
    } cases[] = {
        { "", 0, "no element" },
        { "hello", 0, "syntax" },
        { "<a>", 3, "no element" },
        { "<a></b>", 5, "mismatched" },
        { "<a/><b/>", 4, "junk" },
        { "<a x='1' x='2'/>", 9, "duplicate" },
        { "<a>&b;</a>", 3, "undefined entity" },
        { "<a>\x01</a>", 3, "invalid token" },
        { "<a>\xFF</a>", 3, "invalid token" },
        { "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 24, "an entity of its own" },
        { "<!DOCTYPE a [<!ENTITY % b 'c'>]><a/>", 26, "an entity of its own" },
        { "<!DOCTYPE a [<!ENTITY b SYSTEM '/etc/passwd'>]><a>&b;</a>", 44, "an entity of its own" },
        { "<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>", 33, "attributes of its own" },
        { "<!DOCTYPE a [<!ATTLIST a b CDATA #IMPLIED>]><a/>", 33, "attributes of its own" },
        { "<!DOCTYPE a SYSTEM 'x'><a>&b;</a>", 26, "not known" },
        { "<?xml version='1.0' encoding='x-none'?><a/>", 30, "encoding" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct body_error error = { 0, "" };
        CHECK_EQ(cases[i].text, xml_read(slice_of(cases[i].text), SLICE(""), NULL, &error), ERR_INVALID);
        CHECK_EQ(cases[i].text, error.offset, cases[i].offset);
        if (!strstr(error.what, cases[i].what))
            CHECK_FAIL("%s: %s", cases[i].text, error.what);
    }
}

TEST(xml_has_the_charset_of_its_head)
{
#define UTF_16 "<\0a\0>\0\xE9\0<\0/\0a\0>\0"
    static const struct {
        const char *type;
        struct slice text;
        const char *want; /* NULL: refused */
    } cases[] = {
        { "text/xml; charset=iso-8859-1", SLICE("<a>\xE9</a>"), "<a>[\xC3\xA9]</>" },
        { "text/xml; charset=\"ISO-8859-1\"", SLICE("<a>\xE9</a>"), "<a>[\xC3\xA9]</>" },
        { "text/xml; version=1; Charset=latin1", SLICE("<?xml version='1.0' encoding='utf-8'?><a>\xE9</a>"), "<a>[\xC3\xA9]</>" },
        { "text/xml; charset=utf-8", SLICE("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xC3\xA9</a>"), "<a>[\xC3\xA9]</>" },
        { "text/xml; charset=utf8", SLICE("<?xml version='1.0' encoding='x-none'?><a>\xC3\xA9</a>"), "<a>[\xC3\xA9]</>" },
        { "text/xml; charset=utf-8", SLICE("<a>\xE9</a>"), NULL },
        { "text/xml; charset=us-ascii", SLICE("<a>e</a>"), "<a>[e]</>" },
        { "text/xml; charset=us-ascii", SLICE("<a>\xC3\xA9</a>"), NULL },
        { "text/xml; charset=utf-16", SLICE("\xFF\xFE" UTF_16), "<a>[\xC3\xA9]</>" },
        { "text/xml; charset=utf-16le", SLICE(UTF_16), "<a>[\xC3\xA9]</>" },
        { "text/xml; charset=utf-16", SLICE("<a>e</a>"), NULL },
        { "text/xml; charset=iso-8859-1", SLICE("\xEF\xBB\xBF<a>\xC3\xA9</a>"), "<a>[\xC3\xA9]</>" },
        { "text/xml; charset=windows-1252", SLICE("\xEF\xBB\xBF<a/>"), "<a></>" },
        { "text/xml; charset=windows-1252", SLICE("<a/>"), NULL },
        { "text/xml; charset=\"\"", SLICE("<a/>"), "<a></>" },
        { "text/xml; charset", SLICE("<a/>"), "<a></>" },
        { "text/xml", SLICE("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>"), "<a>[\xC3\xA9]</>" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct body_error error = { 0, "" };
        struct buf records, got;
        buf_init(&records, XML_RECORDS_MAX);
        buf_init(&got, 1 << 10);
        enum result rc = xml_read(cases[i].text, slice_of(cases[i].type), &records, &error);
        CHECK_EQ(cases[i].type, rc, cases[i].want ? OK : ERR_INVALID);
        if (rc == OK)
            show(buf_slice(&records), &got);
        if (cases[i].want)
            CHECK_SLICE(cases[i].type, buf_slice(&got), cases[i].want);
        buf_deinit(&records);
        buf_deinit(&got);
    }
}

static enum result read_xml(struct buf *text, struct slice given)
{
    struct body_error error;
    struct buf records;
    buf_init(&records, XML_RECORDS_MAX);
    enum result rc = xml_read(given, SLICE(""), &records, &error);
    CHECK_EQ("the same without records", xml_read(given, SLICE(""), NULL, &error), rc);
    buf_deinit(&records);
    buf_deinit(text);
    return rc;
}

static struct slice nested(struct buf *out, size_t depth)
{
    buf_init(out, 1 << 20);
    for (size_t i = 0; i < depth; i++)
        buf_add_text(out, "<a>");
    for (size_t i = 0; i < depth; i++)
        buf_add_text(out, "</a>");
    return buf_slice(out);
}

TEST(xml_keeps_its_limits)
{
    struct buf text;
    CHECK_EQ("128 deep", read_xml(&text, nested(&text, XML_DEPTH_MAX)), OK);
    CHECK_EQ("129 deep", read_xml(&text, nested(&text, XML_DEPTH_MAX + 1)), ERR_INVALID);
    CHECK_EQ("100000 elements", read_xml(&text, repeat(&text, "<r>", "<a/>", XML_ELEMENTS_MAX - 1, "</r>")), OK);
    CHECK_EQ("100001", read_xml(&text, repeat(&text, "<r>", "<a/>", XML_ELEMENTS_MAX, "</r>")), ERR_INVALID);
    CHECK_EQ("16 MiB", read_xml(&text, repeat(&text, "<r>", "x", XML_TEXT_MAX - 7, "</r>")), OK);
    CHECK_EQ("one more", read_xml(&text, repeat(&text, "<r>", "x", XML_TEXT_MAX - 6, "</r>")), ERR_INVALID);
}

/* ---- NDJSON ---- */

TEST(lines_become_an_array)
{
    static const struct {
        const char *text, *want; /* want NULL: refused at offset */
        size_t offset;
    } cases[] = {
        { "{\"a\":1}\n[2]\n", "[{\"a\":1},[2]]", 0 },
        { "\xEF\xBB\xBF 1 \r\n\r\n\t\n\"x\"", "[1,\"x\"]", 0 },
        { "1", "[1]", 0 },
        { "\n\n", "[]", 0 },
        { "1\n2 3\n", NULL, 4 },
        { "1\n2,3\n", NULL, 3 },
        { "[1\n2]", NULL, 2 },
        { "{\"a\":\n1}", NULL, 5 },
        { "\xEF\xBB\xBF"
          "1\nx",
          NULL, 5 },
        { "]\n[", NULL, 0 },
        { "1],[2", NULL, 1 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice text = slice_of(cases[i].text);
        struct json_doc *doc = NULL;
        struct json_error error;
        struct buf array;
        buf_init(&array, text.len + 2);
        CHECK_EQ(cases[i].text, lines_index(text, &array, &doc, &error), cases[i].want ? OK : ERR_INVALID);
        if (cases[i].want)
            CHECK_SLICE(cases[i].text, buf_slice(&array), cases[i].want);
        else
            CHECK_EQ(cases[i].text, error.offset, cases[i].offset);
        json_free(doc);
        buf_deinit(&array);
    }
}

TEST(lines_are_nested_to_127_levels)
{
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX; depth++) {
        struct json_doc *doc = NULL;
        struct json_error error;
        struct buf text, array;
        buf_init(&text, 1 << 10);
        for (size_t i = 0; i < 2 * depth; i++)
            buf_add_byte(&text, i < depth ? '[' : ']');
        buf_init(&array, text.len + 2);
        CHECK_EQ("depth", lines_index(buf_slice(&text), &array, &doc, &error), depth < JSON_DEPTH_MAX ? OK : ERR_INVALID);
        json_free(doc);
        buf_deinit(&array);
        buf_deinit(&text);
    }
}

/* ---- Content-Encoding ---- */

static void compress_as(enum coding coding, struct slice text, struct buf *out)
{
    buf_init(out, 1 << 20);
    CHECK_EQ("room", buf_reserve(out, 1 << 20), OK);
    if (coding == CODING_BROTLI) {
        size_t len = out->cap;
        BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_DEFAULT_MODE, text.len, (const uint8_t *)text.data, &len,
                              (uint8_t *)out->data);
        out->len = len;
        return;
    }
    z_stream stream = { .next_in = (unsigned char *)text.data,
                        .avail_in = (uInt)text.len,
                        .next_out = (unsigned char *)out->data,
                        .avail_out = (uInt)out->cap };
    deflateInit2(&stream, 6, Z_DEFLATED, coding == CODING_GZIP ? 31 : 15, 8, Z_DEFAULT_STRATEGY);
    CHECK_EQ("compressed", deflate(&stream, Z_FINISH), Z_STREAM_END);
    out->len = stream.total_out;
    deflateEnd(&stream);
}

static enum result undo(enum coding coding, struct slice bytes, size_t max, struct buf *out)
{
    struct body_error error;
    buf_init(out, max);
    return coding_undo(coding, bytes, out, &error);
}

TEST(what_was_compressed_comes_back_up_to_the_limit_and_never_further)
{
    static const size_t sizes[] = { 1, 1000, 16384, 16385, 1 << 20, 5000000 };
    struct buf text, packed, out;
    for (enum coding coding = CODING_GZIP; coding <= CODING_BROTLI; coding++) {
        for (size_t i = 0; i < COUNT(sizes); i++) {
            struct slice plain = repeat(&text, "", "x", sizes[i], "");
            compress_as(coding, plain, &packed);
            CHECK_EQ("with room", undo(coding, buf_slice(&packed), 64 << 20, &out), OK);
            CHECK("the same", slice_eq(buf_slice(&out), plain));
            buf_deinit(&out);
            CHECK_EQ("just at it", undo(coding, buf_slice(&packed), plain.len, &out), OK);
            CHECK("the same", slice_eq(buf_slice(&out), plain));
            buf_deinit(&out);
            CHECK_EQ("one past it", undo(coding, buf_slice(&packed), plain.len - 1, &out), ERR_LIMIT);
            CHECK("no more memory", out.cap <= plain.len - 1);
            buf_deinit(&out);
            buf_deinit(&packed);
            buf_deinit(&text);
        }
    }
}

TEST(damaged_and_cut_off_bytes_are_refused)
{
    struct buf packed, out;
    struct slice plain = SLICE("{\"hello\":\"hello hello hello\"}");
    for (enum coding coding = CODING_GZIP; coding <= CODING_BROTLI; coding++) {
        compress_as(coding, plain, &packed);
        for (size_t len = 1; len < packed.len; len++) {
            CHECK_EQ("cut off", undo(coding, slice_make(packed.data, len), 1 << 20, &out), ERR_INVALID);
            buf_deinit(&out);
        }
        buf_add_text(&packed, "x");
        CHECK_EQ("something behind", undo(coding, buf_slice(&packed), 1 << 20, &out), ERR_INVALID);
        buf_deinit(&out);
        buf_deinit(&packed);
        CHECK_EQ("plain", undo(coding, plain, 1 << 20, &out), ERR_INVALID);
        buf_deinit(&out);
    }
}

TEST(codings_are_known_by_their_names)
{
    static const struct {
        const char *header;
        enum coding want;
    } cases[] = {
        { "", CODING_NONE },     { "identity", CODING_NONE },   { "gzip", CODING_GZIP },    { " X-GZIP ", CODING_GZIP },
        { "br", CODING_BROTLI }, { "Deflate", CODING_DEFLATE }, { "zstd", CODING_UNKNOWN }, { "gzip, br", CODING_UNKNOWN },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].header, coding_of(slice_of(cases[i].header)), cases[i].want);
}

TEST_MAIN()
