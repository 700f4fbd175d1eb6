/* crc32.h: the checksum of ISO 3309, as zlib, PNG and Ethernet have it (polynomial 0xEDB88320, reflected). It finds accidents,
 * not attacks. Pure, any thread. */
#ifndef TIDEWIRE_CRC32_H
#define TIDEWIRE_CRC32_H

#include <stdint.h>

#include "base/slice.h"

/* Of "123456789": 0xCBF43926; of nothing: 0. */
uint32_t crc32_of(struct slice bytes);

#endif
