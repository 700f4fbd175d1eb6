/* sender_url.h: an address that a request names is asked only where its scheme allows: https, a host of the list, no port, no
 * name in it. Pure. */
#ifndef TIDEWIRE_SENDER_URL_H
#define TIDEWIRE_SENDER_URL_H

#include "model/verification.h"

enum { SENDER_URL_MAX = 2048 };

/* '*' in a host stands for the name of an AWS region: letters in parts joined by '-', then '-' and digits. So no bucket is taken
 * for one (sns.s3.amazonaws.com is anybody's). */
bool sender_url_is_allowed(const struct verify_certificate *certificate, struct slice url);
/* Of a certificate besides: the path ends as it should, and there is no query. */
bool sender_url_is_certificate(const struct verify_certificate *certificate, struct slice url);

#endif
