/* address.h: addresses that a target may not have unless it says `private = true`: a rule's URL must not reach into the network
 * that the router stands in. Judged on the socket that connects, so no spelling and no DNS answer gets round it. Pure. Ranges:
 * IANA IPv4 and IPv6 Special-Purpose Address Registries. */
#ifndef TIDEWIRE_ADDRESS_H
#define TIDEWIRE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Anything but IPv4 and IPv6 is private. IPv4 inside IPv6 (mapped, NAT64, 6to4) is judged as the IPv4 address. */
bool address_is_private(const struct sockaddr *address);

#endif
