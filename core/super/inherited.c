#include "super/inherited.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void inherited_format(const struct inherited *inherited, char *out)
{
    int len =
        snprintf(out, INHERITED_TEXT_MAX,
                 "ready=%d,recorder=%d,admin=%d,restarts=%u,workers=%u,addresses=%u,listeners=", inherited->ready_fd,
                 inherited->recorder_fd, inherited->admin_fd, inherited->restarts, inherited->workers, inherited->addresses);
    for (uint32_t i = 0; i < inherited->workers * inherited->addresses; i++)
        len += snprintf(out + len, INHERITED_TEXT_MAX - (size_t)len, "%s%d", i ? ":" : "", inherited->listeners[i]);
}

/* A decimal number up to `most` behind the given words; moves *text behind it. */
static bool take_number(const char **text, const char *word, long most, long *out)
{
    char *end;
    size_t len = strlen(word);
    if (strncmp(*text, word, len) != 0 || (*text)[len] < '0' || (*text)[len] > '9')
        return false;
    *out = strtol(*text + len, &end, 10);
    *text = end;
    return *out <= most;
}

enum result inherited_parse(const char *text, struct inherited *out)
{
    enum { FD_MAX = 1 << 20 };
    long ready, recorder, admin = -1, restarts, workers, addresses, fd;
    bool ok = take_number(&text, "ready=", FD_MAX, &ready) && take_number(&text, ",recorder=", FD_MAX, &recorder);
    if (ok && strncmp(text, ",admin=-1,", 10) == 0)
        text += 9;
    else
        ok = ok && take_number(&text, ",admin=", FD_MAX, &admin);
    ok = ok && take_number(&text, ",restarts=", 1000000000, &restarts) &&
         take_number(&text, ",workers=", WORKERS_MAX, &workers) && take_number(&text, ",addresses=", ADDRESSES_MAX, &addresses) &&
         workers > 0 && addresses > 0;
    if (!ok)
        return ERR_INVALID;
    *out = (struct inherited){ (int)ready,        (int)recorder,       (int)admin, (uint32_t)restarts,
                               (uint32_t)workers, (uint32_t)addresses, { 0 } };
    for (long i = 0; i < workers * addresses; i++) {
        if (!take_number(&text, i ? ":" : ",listeners=", FD_MAX, &fd))
            return ERR_INVALID;
        out->listeners[i] = (int)fd;
    }
    return *text == '\0' ? OK : ERR_INVALID;
}

enum result inherited_take(struct inherited *out)
{
    const char *text = getenv(INHERITED_VARIABLE);
    if (!text)
        return ERR_NOT_FOUND;
    enum result rc = inherited_parse(text, out);
    unsetenv(INHERITED_VARIABLE);
    if (rc != OK)
        return rc;
    bool open = fcntl(out->ready_fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(out->recorder_fd, F_SETFD, FD_CLOEXEC) == 0;
    if (out->admin_fd >= 0)
        open = open && fcntl(out->admin_fd, F_SETFD, FD_CLOEXEC) == 0;
    for (uint32_t i = 0; i < out->workers * out->addresses; i++)
        open = open && fcntl(out->listeners[i], F_SETFD, FD_CLOEXEC) == 0;
    return open ? OK : ERR_INVALID;
}
