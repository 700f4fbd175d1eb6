/* notify.h: tells systemd how it goes (sd_notify(3)): one datagram to NOTIFY_SOCKET; without one nothing happens. */
#ifndef TIDEWIRE_NOTIFY_H
#define TIDEWIRE_NOTIFY_H

#include <stdint.h>

void notify_systemd(const char *state); /* "READY=1", "WATCHDOG=1", "STOPPING=1" */
/* How often WATCHDOG=1 is wanted, in ms; 0: not at all (sd_watchdog_enabled(3)). */
uint64_t notify_watchdog_ms(void);

#endif
