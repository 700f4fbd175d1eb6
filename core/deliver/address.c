#include "deliver/address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct range4 {
    uint32_t network;
    unsigned bits;
};

static bool is_private4(uint32_t address)
{
    static const struct range4 ranges[] = {
        { 0x00000000, 8 },  /* 0.0.0.0/8 this network */
        { 0x0A000000, 8 },  /* 10.0.0.0/8 */
        { 0x64400000, 10 }, /* 100.64.0.0/10 shared, carrier-grade NAT */
        { 0x7F000000, 8 },  /* 127.0.0.0/8 loopback */
        { 0xA9FE0000, 16 }, /* 169.254.0.0/16 link-local, cloud metadata */
        { 0xAC100000, 12 }, /* 172.16.0.0/12 */
        { 0xC0000000, 24 }, /* 192.0.0.0/24 protocol assignments */
        { 0xC0000200, 24 }, /* 192.0.2.0/24 documentation */
        { 0xC0A80000, 16 }, /* 192.168.0.0/16 */
        { 0xC6120000, 15 }, /* 198.18.0.0/15 benchmarking */
        { 0xC6336400, 24 }, /* 198.51.100.0/24 documentation */
        { 0xCB007100, 24 }, /* 203.0.113.0/24 documentation */
        { 0xE0000000, 4 },  /* 224.0.0.0/4 multicast */
        { 0xF0000000, 4 },  /* 240.0.0.0/4 reserved, broadcast */
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if ((address ^ ranges[i].network) >> (32 - ranges[i].bits) == 0)
            return true;
    return false;
}

static uint32_t inner4(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool is_private6(const uint8_t a[16])
{
    static const uint8_t zero[16], mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF }, nat64[12] = { 0, 0x64, 0xFF, 0x9B };
    if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
        return is_private4(inner4(a + 12));
    if (memcmp(a, zero, 12) == 0)
        return true;                  /* ::, ::1 and the deprecated IPv4-compatible ones */
    if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 */
        return is_private4(inner4(a + 2));
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 2) /* 2001::/23: Teredo and other protocol assignments */
        return true;
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0D && a[3] == 0xB8) /* documentation */
        return true;
    if (a[0] == 0 && a[1] == 0x64 && a[2] == 0xFF && a[3] == 0x9B) /* 64:ff9b:1::/48 local NAT64 */
        return true;
    return (a[0] & 0xFE) == 0xFC             /* fc00::/7 unique local */
           || (a[0] == 0xFE && a[1] >= 0x80) /* fe80::/10 link-local, fec0::/10 site-local */
           || a[0] == 0xFF                   /* multicast */
           || (a[0] == 0x01 && a[1] == 0);   /* 100::/64 discard */
}

bool address_is_private(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return is_private4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
    if (address->sa_family == AF_INET6)
        return is_private6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
    return true;
}
