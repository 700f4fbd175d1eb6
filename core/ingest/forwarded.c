#include "ingest/forwarded.h"

#include "ingest/cidr.h"

/* "192.0.2.7:4711", "[2001:db8::1]:4711" or an address alone. */
static struct slice without_port(struct slice entry)
{
    if (entry.len > 1 && entry.data[0] == '[') {
        const char *end = memchr(entry.data, ']', entry.len);
        return end ? (struct slice){ entry.data + 1, (size_t)(end - entry.data) - 1 } : entry;
    }
    const char *colon = entry.len ? memchr(entry.data, ':', entry.len) : NULL;
    bool is_port = colon && !memchr(colon + 1, ':', (size_t)(entry.data + entry.len - colon) - 1);
    return is_port ? (struct slice){ entry.data, (size_t)(colon - entry.data) } : entry;
}

static bool is_address(struct slice text)
{
    struct cidr address;
    return text.len > 0 && !memchr(text.data, '/', text.len) && cidr_parse(text, &address);
}

/* Walks one header from its end. true: *found is as far as it can be trusted. */
static bool walk_back(struct slice list, const struct cidr *trusted, size_t count, struct slice *found)
{
    for (size_t end = list.len;;) {
        size_t start = end;
        while (start > 0 && list.data[start - 1] != ',')
            start--;
        struct slice address = without_port(slice_trim((struct slice){ list.data + start, end - start }));
        if (!is_address(address))
            return true;
        *found = address;
        if (!cidr_contains_any(trusted, count, address))
            return true;
        if (start == 0)
            return false;
        end = start - 1;
    }
}

struct slice forwarded_address(const struct request *request, struct slice peer, const struct cidr *trusted, size_t count)
{
    struct slice found = peer;
    if (count == 0 || !cidr_contains_any(trusted, count, peer))
        return peer;
    for (size_t i = request->header_count; i-- > 0;)
        if (slice_eq_nocase(request->headers[i].name, SLICE("x-forwarded-for")) &&
            walk_back(request->headers[i].value, trusted, count, &found))
            break;
    return found;
}
