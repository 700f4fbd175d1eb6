/* stamp.h: the times that senders sign. Pure. */
#ifndef TIDEWIRE_STAMP_H
#define TIDEWIRE_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/verification.h"

/* STAMP_UNIX: 10 to 13 digits, no sign, no leading zero; 13 of them are milliseconds. STAMP_UNIX_MS: these 13. STAMP_RFC3339: a
 * date and time of 1970 to 9999 with its zone, the fraction of a second as long as it likes (RFC 3339, 5.6). false: anything
 * else. */
bool stamp_read(enum stamp_format format, struct slice text, uint64_t *time_ms);

#endif
