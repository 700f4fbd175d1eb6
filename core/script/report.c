/* report.c: findings on a screen and for programs (rules.md 7). */
#include <stdio.h>

#include "script/load.h"

static const char reset[] = "\033[0m", bold[] = "\033[1m", red[] = "\033[31m", yellow[] = "\033[33m", dim[] = "\033[2m";

static void styled(struct buf *out, bool colour, const char *style, struct slice text)
{
    if (colour)
        buf_add_text(out, style);
    buf_add_slice(out, text);
    if (colour)
        buf_add_text(out, reset);
}

static void print_place(const struct finding *finding, struct buf *out, bool colour)
{
    char line[32] = "";
    if (finding->file.len == 0)
        return;
    if (finding->line)
        snprintf(line, sizeof(line), ":%u", finding->line);
    styled(out, colour, bold, finding->file);
    styled(out, colour, bold, slice_of(line));
    buf_add_text(out, ": ");
}

/* As many columns as the text before the mark takes; a tab stays one, so that both lines move alike. */
static void print_indent(struct slice before, struct buf *out)
{
    for (size_t i = 0; i < before.len;) {
        size_t step = utf8_length((const unsigned char *)before.data + i, before.len - i);
        buf_add_byte(out, before.data[i] == '\t' ? '\t' : ' ');
        i += step ? step : 1;
    }
}

static void print_source(const struct finding *finding, struct buf *out, bool colour)
{
    char number[24];
    snprintf(number, sizeof(number), "%5u │ ", finding->line);
    styled(out, colour, dim, slice_of(number));
    buf_add_slice(out, finding->source);
    buf_add_byte(out, '\n');
}

static void print_mark(const struct finding *finding, struct slice hint, struct buf *out, bool colour)
{
    size_t before = finding->column - 1 < finding->source.len ? finding->column - 1 : finding->source.len;
    styled(out, colour, dim, SLICE("      │ "));
    print_indent(slice_make(finding->source.data, before), out);
    if (colour)
        buf_add_text(out, finding->warning ? yellow : red);
    for (uint32_t i = 0; i < (finding->width ? finding->width : 1); i++)
        buf_add_byte(out, '^');
    if (colour)
        buf_add_text(out, reset);
    if (hint.len)
        buf_add_byte(out, ' ');
    buf_add_slice(out, hint);
    buf_add_byte(out, '\n');
}

static struct slice take_line(struct slice *text)
{
    const char *end = memchr(text->data, '\n', text->len);
    struct slice line = slice_make(text->data, end ? (size_t)(end - text->data) : text->len);
    *text = slice_from(*text, line.len + (end ? 1 : 0));
    return line;
}

static void print_finding(const struct finding *finding, struct buf *out, bool colour)
{
    struct slice hint = finding->hint;
    if (!slice_starts(finding->message, finding->file) || finding->file.len == 0) /* "a.lua:1 and b.lua:2 both declare …" */
        print_place(finding, out, colour);
    if (finding->warning)
        styled(out, colour, yellow, SLICE("warning: "));
    buf_add_slice(out, finding->message);
    buf_add_byte(out, '\n');
    if (finding->column && finding->source.len) {
        print_source(finding, out, colour);
        print_mark(finding, hint.len ? take_line(&hint) : hint, out, colour);
    }
    while (hint.len) {
        styled(out, colour, dim, SLICE("      │ "));
        buf_add_slice(out, take_line(&hint));
        buf_add_byte(out, '\n');
    }
}

void load_report_print(const struct load_report *report, struct buf *out, bool colour)
{
    for (size_t i = 0; i < report->finding_count; i++) {
        if (i > 0)
            buf_add_byte(out, '\n');
        print_finding(&report->findings[i], out, colour);
    }
}

static void write_text(struct buf *out, const char *name, struct slice text)
{
    buf_addf(out, ",\"%s\":", name);
    buf_add_json_string(out, text);
}

void load_report_json(const struct load_report *report, struct buf *out)
{
    buf_add_byte(out, '[');
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct finding *finding = &report->findings[i];
        buf_addf(out, "%s{\"severity\":\"%s\",\"line\":%u,\"column\":%u", i ? "," : "", finding->warning ? "warning" : "error",
                 finding->line, finding->column);
        write_text(out, "file", finding->file);
        write_text(out, "message", finding->message);
        write_text(out, "hint", finding->hint);
        write_text(out, "suggestion", finding->suggestion);
        buf_add_byte(out, '}');
    }
    buf_add_byte(out, ']');
}
