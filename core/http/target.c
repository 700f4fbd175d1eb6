#include "http/request.h"

/* What a target may consist of: visible ASCII without the fragment sign (RFC 3986; '"<>\\^`{|}' pass, as browsers send some of
 * them). */
static bool is_visible(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= ' ' || c >= 0x7F || c == '#')
            return false;
    }
    return true;
}

static bool starts_nocase(struct slice text, struct slice prefix)
{
    return text.len >= prefix.len && slice_eq_nocase((struct slice){ text.data, prefix.len }, prefix);
}

/* http://authority and what follows it. */
static bool skip_authority(struct slice *target)
{
    static const struct slice schemes[] = { SLICE("http://"), SLICE("https://") };
    for (size_t i = 0; i < 2; i++) {
        if (!starts_nocase(*target, schemes[i]))
            continue;
        struct slice rest = slice_from(*target, schemes[i].len), host = { rest.data, 0 };
        while (host.len < rest.len && rest.data[host.len] != '/' && rest.data[host.len] != '?')
            host.len++;
        *target = slice_from(rest, host.len);
        return host.len > 0 && host_is_valid(host);
    }
    return false;
}

bool target_split(struct slice target, struct slice *path, struct slice *query)
{
    if (!is_visible(target) || target.len == 0)
        return false;
    if (slice_is(target, "*")) {
        *path = target;
        *query = (struct slice){ target.data + 1, 0 };
        return true;
    }
    if (target.data[0] != '/' && !skip_authority(&target))
        return false;
    const char *mark = target.len ? memchr(target.data, '?', target.len) : NULL;
    *path = (struct slice){ target.data, mark ? (size_t)(mark - target.data) : target.len };
    *query = mark ? slice_from(target, path->len + 1) : (struct slice){ target.data + target.len, 0 };
    if (path->len == 0)
        *path = SLICE("/");
    return true;
}

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~!$&'()*+,;=%", c));
}

bool host_is_valid(struct slice host)
{
    size_t at = 0;
    if (host.len > 0 && host.data[0] == '[') { /* an IPv6 address */
        for (at = 1; at < host.len && host.data[at] != ']'; at++)
            if (!strchr("0123456789abcdefABCDEF:.", host.data[at]) || !host.data[at])
                return false;
        if (at++ == host.len)
            return false;
    } else {
        while (at < host.len && is_host_byte(host.data[at]))
            at++;
    }
    if (at < host.len && host.data[at] == ':')
        for (at++; at < host.len && host.data[at] >= '0' && host.data[at] <= '9'; at++)
            ;
    return at == host.len;
}
