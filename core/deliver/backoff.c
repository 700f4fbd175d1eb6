#include "deliver/backoff.h"

#include <curl/curl.h>

#include "base/mem.h"

enum { RETRY_AFTER_MAX_S = 30 * 86400, DATE_MAX = 64 };

uint64_t backoff_wait_ms(const struct retry_policy *policy, uint32_t retry, struct rng *rng)
{
    double wait = (double)policy->first_ms, most = (double)policy->max_ms;
    for (uint32_t i = 1; i < retry && wait < most; i++)
        wait *= policy->factor;
    uint64_t whole = wait < most ? (uint64_t)wait : policy->max_ms, half = whole / 2;
    return whole - half + rng_below(rng, half + 1);
}

uint64_t backoff_retry_after_ms(struct slice value, uint64_t now_ms)
{
    char text[DATE_MAX];
    uint64_t seconds = 0;
    size_t i = 0;
    value = slice_trim(value);
    if (value.len == 0 || value.len >= sizeof(text))
        return 0;
    for (; i < value.len && value.data[i] >= '0' && value.data[i] <= '9'; i++)
        seconds = seconds < RETRY_AFTER_MAX_S ? seconds * 10 + (uint64_t)(value.data[i] - '0') : seconds;
    if (i == value.len)
        return (seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S) * 1000;
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    time_t at = curl_getdate(text, NULL);
    return at > 0 && (uint64_t)at * 1000 > now_ms ? (uint64_t)at * 1000 - now_ms : 0;
}

bool backoff_status_is_retried(const struct retry_policy *policy, uint16_t status)
{
    if (!policy->on)
        return status == 408 || status == 425 || status == 429 || status >= 500;
    for (size_t i = 0; i < policy->on_count; i++)
        if (policy->on[i] == status)
            return true;
    return false;
}
