/* log.h: one record per line on stderr: JSON, or an aligned line for a person at a terminal (interface.md 4.2).
 *
 *   LOG(LOG_INFO, "delivered", LOG_ID("event_id", event->id), LOG_S("route", route), LOG_I("status", 200));
 *
 * `msg` is one of a small fixed list of phrases; what varies is a field. Control bytes are escaped, values are cut at 4 KiB,
 * secrets never get here: they are opaque where rules see them, and callers log no header values.
 * Any thread. Each thread gathers its lines; log_flush writes them with one call: once per loop turn; what is left when a thread
 * ends is written then. Lines of level error are written at once. */
#ifndef TIDEWIRE_LOG_H
#define TIDEWIRE_LOG_H

#include <stdint.h>

#include "base/slice.h"
#include "base/uuid.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_JSON, LOG_TERMINAL };
enum log_type { LOG_TYPE_TEXT = 1, LOG_TYPE_INT, LOG_TYPE_ID, LOG_TYPE_JSON };

struct log_field {
    const char *name;
    enum log_type type; /* 0: no field; also what the list ends with */
    struct slice text;
    int64_t number;
    struct uuid id;
};

#define LOG_S(name, slice)                                                                                                       \
    {                                                                                                                            \
        name, LOG_TYPE_TEXT, slice, 0,                                                                                           \
        {                                                                                                                        \
            {                                                                                                                    \
                0                                                                                                                \
            }                                                                                                                    \
        }                                                                                                                        \
    }
#define LOG_T(name, text)                                                                                                        \
    {                                                                                                                            \
        name, LOG_TYPE_TEXT, slice_of(text), 0,                                                                                  \
        {                                                                                                                        \
            {                                                                                                                    \
                0                                                                                                                \
            }                                                                                                                    \
        }                                                                                                                        \
    }
#define LOG_I(name, value)                                                                                                       \
    {                                                                                                                            \
        name, LOG_TYPE_INT, { NULL, 0 }, (int64_t)(value),                                                                       \
        {                                                                                                                        \
            {                                                                                                                    \
                0                                                                                                                \
            }                                                                                                                    \
        }                                                                                                                        \
    }
#define LOG_ID(name, uuid)                                                                                                       \
    {                                                                                                                            \
        name, LOG_TYPE_ID, { NULL, 0 }, 0, uuid                                                                                  \
    }
/* json: a valid JSON text that is put in as it is. */
#define LOG_J(name, json)                                                                                                        \
    {                                                                                                                            \
        name, LOG_TYPE_JSON, json, 0,                                                                                            \
        {                                                                                                                        \
            {                                                                                                                    \
                0                                                                                                                \
            }                                                                                                                    \
        }                                                                                                                        \
    }

#define LOG(level, message, ...) log_write(level, message, (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

/* Once, before threads exist. node: borrowed for ever. descriptor: where lines go, normally 2. */
void log_setup(enum log_format format, enum log_level least, const char *node, bool colour, int descriptor);
/* worker: what `worker` says on this thread's lines; -1: nothing. */
void log_thread(int worker);
void log_write(enum log_level level, const char *message, const struct log_field *fields);
void log_flush(void);
bool log_level_parse(struct slice text, enum log_level *out);

#endif
