#include "ingest/sender_url.h"

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Length of the region's name at the start, 0: none. "ap-southeast-2", "us-gov-west-1". */
static size_t region_length(struct slice text)
{
    size_t at = 0, parts = 0;
    for (;;) {
        size_t from = at;
        while (at < text.len && is_letter(text.data[at]))
            at++;
        if (at == from)
            break;
        if (at == text.len || text.data[at] != '-')
            return 0;
        at++;
        parts++;
    }
    size_t digits = at;
    while (at < text.len && is_digit(text.data[at]))
        at++;
    return parts >= 2 && at > digits ? at : 0;
}

/* At most one '*'. */
static bool host_fits(struct slice pattern, struct slice host)
{
    const char *star = memchr(pattern.data, '*', pattern.len);
    if (!star)
        return slice_eq(host, pattern);
    struct slice before = { pattern.data, (size_t)(star - pattern.data) }, behind = slice_from(pattern, before.len + 1);
    if (!slice_starts(host, before))
        return false;
    struct slice rest = slice_from(host, before.len);
    return slice_eq(slice_from(rest, region_length(rest)), behind) && region_length(rest) > 0;
}

static bool is_plain(struct slice url)
{
    for (size_t i = 0; i < url.len; i++)
        if (url.data[i] <= ' ' || url.data[i] >= 0x7F || url.data[i] == '\\' || url.data[i] == '#')
            return false;
    return url.len <= SENDER_URL_MAX;
}

/* The host up to the path or query, the rest behind it; false: it is not of that form. */
static bool split(struct slice url, struct slice *host, struct slice *rest)
{
    static const struct slice scheme = SLICE("https://");
    if (!is_plain(url) || !slice_starts(url, scheme))
        return false;
    *host = slice_from(url, scheme.len);
    size_t len = 0;
    while (len < host->len && host->data[len] != '/' && host->data[len] != '?')
        len++;
    *rest = slice_from(*host, len);
    host->len = len;
    return true;
}

bool sender_url_is_allowed(const struct verify_certificate *certificate, struct slice url)
{
    struct slice host, rest;
    if (!split(url, &host, &rest))
        return false;
    for (size_t i = 0; i < certificate->host_count; i++)
        if (host_fits(certificate->hosts[i], host))
            return true;
    return false;
}

bool sender_url_is_certificate(const struct verify_certificate *certificate, struct slice url)
{
    return sender_url_is_allowed(certificate, url) && !memchr(url.data, '?', url.len) && slice_ends(url, certificate->path_end);
}
