#include "ingest/cidr.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { TEXT_MAX = 64, V4_OFFSET_BITS = 96 };

static bool parse_address(const char *text, uint8_t out[16], bool *is_v4)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };
    *is_v4 = inet_pton(AF_INET, text, out + 12) == 1;
    if (!*is_v4)
        return inet_pton(AF_INET6, text, out) == 1;
    memcpy(out, mapped, sizeof(mapped));
    return true;
}

bool cidr_parse(struct slice text, struct cidr *out)
{
    char copy[TEXT_MAX], *end;
    bool is_v4;
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.data, '\0', text.len))
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    char *slash = strchr(copy, '/');
    if (slash)
        *slash = '\0';
    if (!parse_address(copy, out->address, &is_v4))
        return false;
    unsigned long most = is_v4 ? 32 : 128, bits = most;
    if (slash) {
        if (slash[1] < '0' || slash[1] > '9')
            return false;
        bits = strtoul(slash + 1, &end, 10);
        if (*end || bits > most)
            return false;
    }
    out->bits = (uint8_t)(bits + (is_v4 ? V4_OFFSET_BITS : 0));
    return true;
}

static bool contains(const struct cidr *range, const uint8_t address[16])
{
    unsigned bytes = range->bits / 8, rest = range->bits % 8;
    if (memcmp(range->address, address, bytes) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xFF00 >> rest);
    return rest == 0 || ((range->address[bytes] ^ address[bytes]) & mask) == 0;
}

bool cidr_contains_any(const struct cidr *ranges, size_t count, struct slice address)
{
    struct cidr one;
    if (!cidr_parse(address, &one))
        return false;
    for (size_t i = 0; i < count; i++)
        if (contains(&ranges[i], one.address))
            return true;
    return false;
}
