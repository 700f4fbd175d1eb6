#include "ingest/key_store.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/certificate.h"
#include "ingest/jwks.h"

/* What an address gave. */
struct key_set {
    struct key_store *store;
    struct get get; /* get.url: owned */
    char *name_end; /* owned; of its query */
    bool is_jwks, under_way;
    bool is_wrong;                          /* the last time something came, and it was none of what is wanted */
    struct named_key keys[KEYS_OF_SET_MAX]; /* owned; of a certificate one without a name */
    size_t count;
    uint64_t from_ms, until_ms; /* of a certificate: wall clock */
    uint64_t asked_ms, used_ms; /* the engine's clock */
    struct key_wait waiting;    /* the head of a ring */
};

struct key_store {
    struct key_store_config config;
    X509_STORE *authorities; /* owned; made when the first chain is checked */
    struct key_set *sets[KEY_SETS_MAX];
    size_t count;
};

/* ---- who waits ---- */

static void ring_init(struct key_wait *head)
{
    head->next = head->prev = head;
}

void key_set_wait(struct key_set *set, struct key_wait *wait)
{
    wait->next = &set->waiting;
    wait->prev = set->waiting.prev;
    wait->prev->next = wait->next->prev = wait;
}

void key_wait_end(struct key_wait *wait)
{
    if (!wait->next)
        return;
    wait->prev->next = wait->next;
    wait->next->prev = wait->prev;
    wait->next = wait->prev = NULL;
}

/* Those who wait now; who waits again meanwhile waits for the next time. */
static void wake(struct key_set *set)
{
    struct key_wait now;
    if (set->waiting.next == &set->waiting)
        return;
    now = set->waiting;
    now.next->prev = now.prev->next = &now;
    ring_init(&set->waiting);
    while (now.next != &now) {
        struct key_wait *wait = now.next;
        key_wait_end(wait);
        wait->on_ready(wait);
    }
}

/* ---- the sets ---- */

static void drop_keys(struct key_set *set)
{
    while (set->count > 0)
        named_key_free(&set->keys[--set->count]);
}

static void set_free(struct key_set *set)
{
    drop_keys(set);
    mem_free((char *)set->get.url);
    mem_free(set->name_end);
    mem_free(set);
}

static bool is_for(const struct key_set *set, const struct key_query *query)
{
    return set->is_jwks == (query->kid.data != NULL) && slice_is(query->url, set->get.url) &&
           slice_is(query->name_end, set->name_end);
}

static struct key_set *known(const struct key_store *store, const struct key_query *query)
{
    for (size_t i = 0; i < store->count; i++)
        if (is_for(store->sets[i], query))
            return store->sets[i];
    return NULL;
}

static bool may_ask(const struct key_set *set, uint64_t now_ms)
{
    return !set->under_way && (set->asked_ms == 0 || now_ms - set->asked_ms >= KEY_ASK_AGAIN_MS);
}

static void forget(struct key_store *store, size_t place)
{
    set_free(store->sets[place]);
    store->sets[place] = store->sets[--store->count];
}

/* The one of its kind, with keys or without, that was used longest ago; store->count: none. */
static size_t least_used(const struct key_store *store, bool with_keys, uint64_t now_ms)
{
    size_t place = store->count;
    for (size_t i = 0; i < store->count; i++) {
        const struct key_set *set = store->sets[i];
        bool may_go = with_keys ? set->count > 0 && !set->under_way : set->count == 0 && may_ask(set, now_ms);
        if (may_go && (place == store->count || set->used_ms < store->sets[place]->used_ms))
            place = i;
    }
    return place;
}

static bool make_room(struct key_store *store, uint64_t now_ms)
{
    size_t empty = 0;
    for (size_t i = 0; i < store->count; i++)
        empty += store->sets[i]->count == 0;
    if (empty < KEY_SETS_EMPTY_MAX && store->count < KEY_SETS_MAX)
        return true;
    size_t place = least_used(store, false, now_ms);
    if (place == store->count && empty < KEY_SETS_EMPTY_MAX)
        place = least_used(store, true, now_ms);
    if (place == store->count)
        return false;
    forget(store, place);
    return true;
}

/* NULL: there is no room. */
static struct key_set *make_set(struct key_store *store, const struct key_query *query, uint64_t now_ms)
{
    if (!make_room(store, now_ms))
        return NULL;
    struct key_set *set = MEM_NEW(struct key_set);
    set->store = store;
    set->get.url = mem_text(query->url);
    set->get.owner = set;
    set->name_end = mem_text(query->name_end);
    set->is_jwks = query->kid.data != NULL;
    ring_init(&set->waiting);
    store->sets[store->count++] = set;
    return set;
}

/* ---- asking ---- */

static const char *take_certificate(struct key_set *set, struct slice text)
{
    struct key_store *store = set->store;
    struct certificate certificate;
    if (!store->authorities && set->name_end[0])
        store->authorities = authorities_new(store->config.ca_file);
    const char *why = certificate_read(text, store->authorities, slice_of(set->name_end), clock_wall_ms(), &certificate);
    if (why)
        return why;
    drop_keys(set);
    set->keys[0] = (struct named_key){ NULL, certificate.key };
    set->count = 1;
    set->from_ms = certificate.from_ms;
    set->until_ms = certificate.until_ms;
    return NULL;
}

static const char *take_jwks(struct key_set *set, struct slice text)
{
    struct named_key keys[KEYS_OF_SET_MAX];
    size_t count = jwks_read(text, keys, KEYS_OF_SET_MAX, KID_MAX);
    if (count == 0)
        return "it is no key set with a key that can be used";
    drop_keys(set);
    memcpy(set->keys, keys, count * sizeof(*keys));
    set->count = count;
    return NULL;
}

/* NULL: the keys are there. */
static const char *take(struct key_set *set, const struct get_answer *answer)
{
    if (answer->cut)
        return "it is larger than 64 KiB";
    if (answer->status != 200)
        return "the answer has another status than 200";
    return set->is_jwks ? take_jwks(set, answer->body) : take_certificate(set, answer->body);
}

static void on_got(struct get *get, const struct get_answer *answer)
{
    struct key_set *set = get->owner;
    bool came = answer->status != 0 && answer->status < 500 && answer->status != 429;
    const char *why = came ? take(set, answer) : answer->status ? "the server cannot answer now" : answer->detail;
    set->under_way = false;
    set->is_wrong = came && why;
    if (why)
        LOG(LOG_WARN, "a key to verify with could not be had", LOG_T("url", get->url), LOG_I("status", answer->status),
            LOG_T("detail", why));
    wake(set);
}

static bool ask(struct key_set *set, uint64_t now_ms)
{
    set->get.on_done = on_got;
    set->under_way = set->store->config.get(set->store->config.arg, &set->get);
    if (set->under_way)
        set->asked_ms = now_ms;
    return set->under_way;
}

/* ---- finding ---- */

static EVP_PKEY *key_of(const struct key_set *set, const struct key_query *query)
{
    if (!set->is_jwks)
        return set->count && query->now_ms >= set->from_ms && query->now_ms <= set->until_ms ? set->keys[0].key : NULL;
    for (size_t i = 0; i < set->count; i++)
        if (slice_is(query->kid, set->keys[i].kid) && public_key_is(set->keys[i].key, query->kind))
            return set->keys[i].key;
    return NULL;
}

static enum key_found ask_for(struct key_set *set, uint64_t now_ms)
{
    if (set->under_way)
        return KEY_COMES;
    if (may_ask(set, now_ms))
        return ask(set, now_ms) ? KEY_COMES : KEY_AWAY;
    return set->is_wrong || set->count > 0 ? KEY_REFUSED : KEY_AWAY;
}

enum key_found key_store_find(struct key_store *store, const struct key_query *query, EVP_PKEY **key, struct key_set **set)
{
    uint64_t now_ms = store->config.clock_ms();
    struct key_set *found = known(store, query);
    if (!found)
        found = make_set(store, query, now_ms);
    if (!found)
        return KEY_AWAY;
    found->used_ms = now_ms;
    *set = found;
    *key = key_of(found, query);
    if (!*key)
        return ask_for(found, now_ms);
    if (found->is_jwks && now_ms - found->asked_ms >= KEY_SET_FRESH_MS && !found->under_way)
        (void)ask(found, now_ms); /* else with the next one */
    return KEY_THERE;
}

/* ---- life ---- */

struct key_store *key_store_new(const struct key_store_config *config)
{
    struct key_store *store = MEM_NEW(struct key_store);
    store->config = *config;
    return store;
}

void key_store_free(struct key_store *store)
{
    while (store->count > 0)
        forget(store, store->count - 1);
    X509_STORE_free(store->authorities);
    mem_free(store);
}
