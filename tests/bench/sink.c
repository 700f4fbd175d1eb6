/* sink.c: a target that is never the bottleneck: answers 200 at once, or after a while, and counts.
 *
 *   bench_sink [DELAY_MS]
 *
 *   GET /stats, and stdout when it ends:
 *   {"requests":N,"distinct":N,"without_id":N,"first_us":T,"last_us":T,"delay_us":{"count":N,"p50":N,"p99":N,"max":N}}
 *
 * distinct   values of `idempotency-key` (as 64-bit hashes: of a million, two are taken for one in one run of 30 million)
 * first_us, last_us   when the first and the last one came, microseconds since 1970
 * delay_us   from the `x-sent-at` of a message (microseconds since 1970, set by post.lua) to its arrival here; within 3 % */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/fnv.h"
#include "base/mem.h"
#include "server.h"

/* Delays in powers of two, each cut into 32 equal parts. */
enum { PARTS_BITS = 5, PARTS = 1 << PARTS_BITS, BUCKETS = (64 - PARTS_BITS + 1) * PARTS };
enum { IDS_FIRST = 1 << 16, STATS_MAX = 512 };

struct ids {
    uint64_t *slots; /* 0: free; open addressing, at most half full; owned */
    size_t size;     /* a power of two */
    size_t count;
};

struct delays {
    uint64_t buckets[BUCKETS];
    uint64_t count, max;
};

struct sink {
    struct ids ids;
    struct delays delays;
    uint64_t requests, without_id, first_us, last_us;
    char stats[STATS_MAX], answer[STATS_MAX + 128];
};

/* ---- distinct ids ---- */

static void ids_start(struct ids *ids, size_t size)
{
    ids->slots = mem_new(size * sizeof(ids->slots[0]));
    ids->size = size;
    ids->count = 0;
}

static void ids_add(struct ids *ids, uint64_t hash);

static void ids_grow(struct ids *ids)
{
    struct ids old = *ids;
    ids_start(ids, old.size * 2);
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i])
            ids_add(ids, old.slots[i]);
    mem_free(old.slots);
}

static void ids_add(struct ids *ids, uint64_t hash)
{
    size_t at = hash & (ids->size - 1);
    while (ids->slots[at] && ids->slots[at] != hash)
        at = (at + 1) & (ids->size - 1);
    if (ids->slots[at])
        return;
    ids->slots[at] = hash;
    if (++ids->count * 2 > ids->size)
        ids_grow(ids);
}

/* ---- delays ---- */

static size_t bucket_of(uint64_t us)
{
    if (us < PARTS)
        return (size_t)us;
    unsigned shift = 63 - (unsigned)__builtin_clzll(us) - PARTS_BITS;
    return (size_t)shift * PARTS + (size_t)(us >> shift);
}

static uint64_t bucket_start(size_t bucket)
{
    if (bucket < 2 * PARTS)
        return bucket;
    return (uint64_t)(PARTS + bucket % PARTS) << (bucket / PARTS - 1);
}

static void delays_add(struct delays *delays, uint64_t us)
{
    delays->buckets[bucket_of(us)]++;
    delays->count++;
    if (us > delays->max)
        delays->max = us;
}

static uint64_t delays_at(const struct delays *delays, double share)
{
    uint64_t wanted = (uint64_t)((double)delays->count * share), seen = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        seen += delays->buckets[i];
        if (seen > wanted)
            return bucket_start(i);
    }
    return delays->max;
}

/* ---- requests ---- */

static uint64_t wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void write_stats(struct sink *sink)
{
    const struct delays *delays = &sink->delays;
    snprintf(sink->stats, sizeof(sink->stats),
             "{\"requests\":%llu,\"distinct\":%zu,\"without_id\":%llu,\"first_us\":%llu,\"last_us\":%llu,"
             "\"delay_us\":{\"count\":%llu,\"p50\":%llu,\"p99\":%llu,\"max\":%llu}}\n",
             (unsigned long long)sink->requests, sink->ids.count, (unsigned long long)sink->without_id,
             (unsigned long long)sink->first_us, (unsigned long long)sink->last_us, (unsigned long long)delays->count,
             (unsigned long long)delays_at(delays, 0.5), (unsigned long long)delays_at(delays, 0.99),
             (unsigned long long)delays->max);
}

static struct slice answer_stats(struct sink *sink)
{
    write_stats(sink);
    snprintf(sink->answer, sizeof(sink->answer),
             "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(sink->stats),
             sink->stats);
    return slice_of(sink->answer);
}

static void count_id(struct sink *sink, struct slice id)
{
    uint64_t hash = fnv(FNV_START, id.data, id.len);
    if (id.len == 0)
        sink->without_id++;
    else
        ids_add(&sink->ids, hash ? hash : 1);
}

static void count_delay(struct sink *sink, struct slice sent_at)
{
    uint64_t sent_us = 0;
    for (size_t i = 0; i < sent_at.len && sent_at.data[i] >= '0' && sent_at.data[i] <= '9'; i++)
        sent_us = sent_us * 10 + (uint64_t)(sent_at.data[i] - '0');
    if (sent_us > 0)
        delays_add(&sink->delays, sink->last_us > sent_us ? sink->last_us - sent_us : 0);
}

static struct slice answer(void *arg, const struct bench_request *request)
{
    struct sink *sink = arg;
    if (slice_is(request->path, "/stats"))
        return answer_stats(sink);
    sink->requests++;
    sink->last_us = wall_us();
    if (sink->first_us == 0)
        sink->first_us = sink->last_us;
    count_id(sink, bench_header(request, SLICE("idempotency-key")));
    count_delay(sink, bench_header(request, SLICE("x-sent-at")));
    return SLICE("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

int main(int argc, char **argv)
{
    static struct sink sink;
    struct bench_server server = { .answer = answer, .arg = &sink };
    if (argc > 1)
        server.delay_ms = strtoull(argv[1], NULL, 10);
    ids_start(&sink.ids, IDS_FIRST);
    int failed = bench_serve(&server);
    write_stats(&sink);
    fputs(sink.stats, stdout);
    mem_free(sink.ids.slots);
    return failed ? 1 : 0;
}
