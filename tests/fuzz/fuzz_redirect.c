/* Any bytes as a Location header: what is followed is http or https, never from https to http, and has no name, password or
 * fragment. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/redirect_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void follow(const char *base, const char *location)
{
    const char *why = NULL;
    char *scheme = NULL, *part = NULL;
    CURLU *from = curl_url();
    demand(curl_url_set(from, CURLUPART_URL, base, 0) == CURLUE_OK);
    CURLU *to = redirect_resolve(from, location, &why);
    demand((to == NULL) == (why != NULL));
    if (to) {
        demand(curl_url_get(to, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
        demand(strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && strncmp(base, "http:", 5) == 0));
        demand(curl_url_get(to, CURLUPART_USER, &part, 0) != CURLUE_OK);
        demand(curl_url_get(to, CURLUPART_FRAGMENT, &part, 0) != CURLUE_OK);
        (void)redirect_stays(from, to);
    }
    curl_free(scheme);
    curl_url_cleanup(to);
    curl_url_cleanup(from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *location = malloc(size + 1);
    memcpy(location, data, size);
    location[size] = '\0';
    follow("https://a.example.com:8443/x/y?q=1", location);
    follow("http://a.example.com/", location);
    free(location);
    return 0;
}
