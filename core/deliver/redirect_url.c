#include "deliver/redirect_url.h"

#include <string.h>
#include <strings.h>

static bool has_scheme(CURLU *url, const char *wanted)
{
    char *scheme = NULL;
    bool has = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && strcasecmp(scheme, wanted) == 0;
    curl_free(scheme);
    return has;
}

static const char *why_not(CURLU *from, CURLU *to, CURLUcode rc)
{
    if (rc == CURLUE_USER_NOT_ALLOWED)
        return "to an address with a name and password";
    if (rc == CURLUE_UNSUPPORTED_SCHEME || (rc == CURLUE_OK && !has_scheme(to, "http") && !has_scheme(to, "https")))
        return "to what is neither http nor https";
    if (rc == CURLUE_OUT_OF_MEMORY)
        return "but there was no memory to follow";
    if (rc != CURLUE_OK)
        return "to what is no address";
    return has_scheme(from, "https") && has_scheme(to, "http") ? "from https to http" : NULL;
}

CURLU *redirect_resolve(CURLU *from, const char *location, const char **why)
{
    CURLU *to = curl_url_dup(from);
    CURLUcode rc = to ? curl_url_set(to, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_DISALLOW_USER) : CURLUE_OUT_OF_MEMORY;
    if (rc == CURLUE_OK)
        rc = curl_url_set(to, CURLUPART_FRAGMENT, NULL, 0);
    *why = why_not(from, to, rc);
    if (!*why)
        return to;
    curl_url_cleanup(to);
    return NULL;
}

static bool same_part(CURLU *from, CURLU *to, CURLUPart part)
{
    char *one = NULL, *other = NULL;
    bool same = curl_url_get(from, part, &one, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                curl_url_get(to, part, &other, CURLU_DEFAULT_PORT) == CURLUE_OK && strcasecmp(one, other) == 0;
    curl_free(one);
    curl_free(other);
    return same;
}

bool redirect_stays(CURLU *from, CURLU *to)
{
    return same_part(from, to, CURLUPART_SCHEME) && same_part(from, to, CURLUPART_HOST) && same_part(from, to, CURLUPART_PORT);
}
