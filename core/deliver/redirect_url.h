/* redirect_url.h: where an answer sends us to. Pure; any thread. */
#ifndef TIDEWIRE_REDIRECT_URL_H
#define TIDEWIRE_REDIRECT_URL_H

#include <curl/curl.h>
#include <stdbool.h>

/* The address of a Location header that came from `from`, by http or https and without a fragment; curl_url_cleanup. NULL: none
 * that is followed, and *why says it: no address, another scheme, from https to http, a name and password in it. */
CURLU *redirect_resolve(CURLU *from, const char *location, const char **why);
/* Scheme, host and port are those of the other. */
bool redirect_stays(CURLU *from, CURLU *to);

#endif
