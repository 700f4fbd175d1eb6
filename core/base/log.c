#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum { LINES_MAX = 64 << 10, VALUE_MAX = 4 << 10, PHRASE_WIDTH = 18 };

static struct {
    enum log_format format;
    enum log_level least;
    const char *node;
    bool colour;
    int descriptor;
    bool is_socket;
} setup = { .format = LOG_JSON, .least = LOG_INFO, .node = "", .descriptor = 2 };

static const char *const level_names[] = { "debug", "info", "warn", "error" };
static const char *const level_signs[] = { " ", " ", "!", "x" };
static const char *const level_colours[] = { "\033[2m", "", "\033[33m", "\033[31m" };

static __thread struct {
    struct buf lines;
    int worker;
    bool known;
    uint32_t lost; /* lines for which there was no room */
} thread;

/* Frees a thread's lines when it ends. */
static pthread_key_t at_thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void free_lines(void *lines)
{
    log_flush();
    buf_deinit(lines);
}

static void make_key(void)
{
    (void)pthread_key_create(&at_thread_end, free_lines); /* without one the lines of ended threads are not freed, no more */
}

static void first_line(void)
{
    buf_init(&thread.lines, LINES_MAX);
    pthread_once(&once, make_key);
    pthread_setspecific(at_thread_end, &thread.lines);
}

/* A pipe is opened once more for ourselves, since O_NONBLOCK on the one that was given would be its other holders' too. */
static int never_waiting(int descriptor)
{
    char path[32];
    struct stat info;
    if (fstat(descriptor, &info) != 0)
        return descriptor;
    setup.is_socket = S_ISSOCK(info.st_mode);
    if (!S_ISFIFO(info.st_mode))
        return descriptor;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
    int own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    return own >= 0 ? own : descriptor;
}

void log_setup(enum log_format format, enum log_level least, const char *node, bool colour, int descriptor)
{
    setup.format = format;
    setup.least = least;
    setup.node = node;
    setup.colour = colour;
    setup.descriptor = never_waiting(descriptor);
}

void log_thread(int worker)
{
    thread.worker = worker;
    thread.known = worker >= 0;
}

bool log_level_parse(struct slice text, enum log_level *out)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
        if (slice_is(text, level_names[i])) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static struct slice cut(struct slice text)
{
    return (struct slice){ text.data, text.len > VALUE_MAX ? VALUE_MAX : text.len };
}

static void add_json_value(struct buf *out, const struct log_field *field)
{
    char id[UUID_TEXT_SIZE];
    switch (field->type) {
    case LOG_TYPE_TEXT:
        buf_add_json_string(out, cut(field->text));
        break;
    case LOG_TYPE_INT:
        buf_addf(out, "%lld", (long long)field->number);
        break;
    case LOG_TYPE_ID:
        uuid_format(field->id, id);
        buf_addf(out, "\"%s\"", id);
        break;
    case LOG_TYPE_JSON:
        buf_add_slice(out, field->text);
        break;
    }
}

static void write_json(struct buf *out, enum log_level level, const char *message, const struct log_field *fields)
{
    char now[CLOCK_ISO_SIZE];
    clock_iso(clock_wall_ms(), now);
    buf_addf(out, "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":\"%s\"", now, level_names[level], message);
    for (; fields->type; fields++) {
        buf_addf(out, ",\"%s\":", fields->name);
        add_json_value(out, fields);
    }
    buf_addf(out, ",\"node\":\"%s\"", setup.node);
    if (thread.known)
        buf_addf(out, ",\"worker\":%d", thread.worker);
    buf_add_text(out, "}\n");
}

static bool is_plain(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] <= ' ' || text.data[i] == '"' || text.data[i] == 0x7F)
            return false;
    return text.len > 0;
}

static void write_terminal(struct buf *out, enum log_level level, const char *message, const struct log_field *fields)
{
    uint64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    localtime_r(&seconds, &tm);
    buf_addf(out, "%s%02d:%02d:%02d.%03d  %s %-*s", setup.colour ? level_colours[level] : "", tm.tm_hour, tm.tm_min, tm.tm_sec,
             (int)(now_ms % 1000), level_signs[level], PHRASE_WIDTH, message);
    for (; fields->type; fields++) {
        buf_addf(out, " %s=", fields->name);
        if (fields->type == LOG_TYPE_TEXT && is_plain(fields->text))
            buf_add_slice(out, cut(fields->text));
        else
            add_json_value(out, fields);
    }
    if (setup.colour && level_colours[level][0])
        buf_add_text(out, "\033[0m");
    buf_add_byte(out, '\n');
}

/* true: all that stood there has been written. Never waits: what the reader does not take stays, bounded. */
static bool write_out(void)
{
    size_t done = 0;
    while (done < thread.lines.len) {
        const char *data = thread.lines.data + done;
        size_t len = thread.lines.len - done;
        ssize_t written =
            setup.is_socket ? send(setup.descriptor, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) : write(setup.descriptor, data, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (written <= 0)
            done = thread.lines.len; /* nobody reads our log: losing lines is better than stopping the work */
        else
            done += (size_t)written;
    }
    thread.lines.len -= done;
    if (thread.lines.len > 0)
        memmove(thread.lines.data, thread.lines.data + done, thread.lines.len);
    else
        buf_clear(&thread.lines);
    return thread.lines.len == 0;
}

static bool add_line(enum log_level level, const char *message, const struct log_field *fields)
{
    size_t before = thread.lines.len;
    if (setup.format == LOG_JSON)
        write_json(&thread.lines, level, message, fields);
    else
        write_terminal(&thread.lines, level, message, fields);
    if (buf_ok(&thread.lines))
        return true;
    thread.lines.failed = false;
    thread.lines.len = before;
    return false;
}

/* How many lines the reader was too slow for; before the first one that finds room again. */
static void say_lost(void)
{
    uint32_t lost = thread.lost;
    thread.lost = 0;
    if (!add_line(LOG_WARN, "log lines lost", (const struct log_field[]){ LOG_I("lines", lost), { 0 } }))
        thread.lost = lost;
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
    if (level < setup.least)
        return;
    if (thread.lines.max == 0)
        first_line();
    if (thread.lost && write_out())
        say_lost();
    if (!add_line(level, message, fields) && !(write_out() && add_line(level, message, fields)))
        thread.lost++;
    if (level == LOG_ERROR || thread.lines.len > LINES_MAX / 2)
        (void)write_out();
}

void log_flush(void)
{
    (void)write_out();
}
