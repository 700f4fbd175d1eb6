/* certificates.h: certificates and private keys in PEM, looked at while loading. Any thread. */
#ifndef TIDEWIRE_CERTIFICATES_H
#define TIDEWIRE_CERTIFICATES_H

#include <stdint.h>

#include "base/slice.h"
#include "model/generation.h"

enum { CERTIFICATE_DATE_SIZE = 12 };

struct certificates {
    uint32_t count;
    char first_ends[CERTIFICATE_DATE_SIZE]; /* "2027-01-31": the first one's last day */
    int64_t first_left_s, last_left_s;      /* until then, and until the last of them ends; below zero: over */
};

/* All certificates of a text; what else is in it does not matter. Returns what is wrong, or NULL. now_s: since 1970. */
const char *certificates_read(struct slice pem, int64_t now_s, struct certificates *out);
/* Is it a private key, and that of the first certificate? Returns what is wrong, or NULL. */
const char *certificate_key_fault(struct slice certificate, struct slice key);
/* Makes the id of what is filled in else. false: no memory. */
bool target_tls_identify(struct target_tls *tls);

#endif
