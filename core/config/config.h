/* config.h: the settings of `run`: flag, then environment, then default (interface.md 2). Read by the supervisor and again, from
 * the same words, by the server. */
#ifndef TIDEWIRE_CONFIG_H
#define TIDEWIRE_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/result.h"
#include "super/inherited.h"

enum { CONFIG_WHY_MAX = 512, LISTEN_TEXT_MAX = 300 };

struct config {
    char folder[PATH_MAX]; /* of `run` */
    char listen[ADDRESSES_MAX][LISTEN_TEXT_MAX];
    size_t listen_count;
    bool admin;
    char admin_socket[PATH_MAX];
    char store[PATH_MAX];
    uint32_t workers;
    bool watch;
    bool production;
    uint64_t drain_ms;
    enum log_format log_format;
    enum log_level log_level;
    bool colour;                      /* the screen takes colours */
    const char *secrets_folder;       /* NULL: environment only */
    const char *store_vfs;            /* NULL: the system's; only builds for tests read it, as the next two */
    const char *ca_file, *connect_to; /* of getter_world (deliver/getter.h) */
};

/* argv: the words behind `run`, count of them. ERR_INVALID: why says which and what to write. */
enum result config_read(int argc, const char *const *argv, struct config *out, char why[CONFIG_WHY_MAX]) MUST_CHECK;
/* "10s", "500ms", "2m", "1h" → ms. */
bool config_duration(const char *text, uint64_t *ms);

#endif
