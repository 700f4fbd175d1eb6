#include "model/generation.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/fnv.h"
#include "base/mem.h"

struct generation *generation_ref(struct generation *generation)
{
    atomic_fetch_add_explicit(&generation->refs, 1, memory_order_relaxed);
    return generation;
}

void generation_unref(struct generation *generation)
{
    if (!generation || atomic_fetch_sub_explicit(&generation->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < generation->secret_count; i++)
        if (generation->secrets[i].value.len)
            OPENSSL_cleanse((void *)generation->secrets[i].value.data, generation->secrets[i].value.len);
    for (size_t i = 0; i < generation->target_count; i++)
        if (generation->targets[i].tls && generation->targets[i].tls->key.len)
            OPENSSL_cleanse((void *)generation->targets[i].tls->key.data, generation->targets[i].tls->key.len);
    for (size_t i = 0; i < generation->route_count; i++)
        schema_free(generation->routes[i].schema);
    for (size_t i = 0; i < generation->target_count; i++)
        if (generation->targets[i].signing)
            EVP_PKEY_free(generation->targets[i].signing->key);
    arena_deinit(&generation->arena);
    mem_free(generation);
}

/* ---- names ---- */

static size_t slot_of(const struct name_index *index, struct slice name)
{
    return fnv(FNV_START, name.data, name.len) & index->mask;
}

static bool index_init(struct name_index *index, struct arena *arena, size_t count)
{
    size_t size = 2;
    while (size < count * 2)
        size *= 2;
    index->slots = arena_alloc(arena, size * sizeof(*index->slots));
    index->mask = size - 1;
    return index->slots != NULL;
}

static void index_add(struct name_index *index, struct slice name, size_t place)
{
    size_t at = slot_of(index, name);
    while (index->slots[at])
        at = (at + 1) & index->mask;
    index->slots[at] = (uint32_t)place + 1;
}

enum result generation_index(struct generation *generation)
{
    if (!index_init(&generation->route_index, &generation->arena, generation->route_count) ||
        !index_init(&generation->target_index, &generation->arena, generation->target_count))
        return ERR_MEMORY;
    for (size_t i = 0; i < generation->route_count; i++)
        index_add(&generation->route_index, generation->routes[i].path, i);
    for (size_t i = 0; i < generation->target_count; i++)
        index_add(&generation->target_index, generation->targets[i].name, i);
    return OK;
}

/* Where a name may stand: by its hash, or anywhere without an index. */
struct candidates {
    const struct name_index *index;
    size_t count, at;
};

static struct candidates candidates_of(const struct name_index *index, size_t count, struct slice name)
{
    return (struct candidates){ index, count, index->slots ? slot_of(index, name) : 0 };
}

static bool next_candidate(struct candidates *candidates, size_t *place)
{
    const struct name_index *index = candidates->index;
    size_t at = candidates->at++;
    if (!index->slots) {
        *place = at;
        return at < candidates->count;
    }
    *place = (size_t)index->slots[at & index->mask] - 1;
    return index->slots[at & index->mask] != 0;
}

const struct target *generation_target(const struct generation *generation, struct slice name)
{
    struct candidates candidates = candidates_of(&generation->target_index, generation->target_count, name);
    for (size_t i; next_candidate(&candidates, &i);)
        if (slice_eq(generation->targets[i].name, name))
            return &generation->targets[i];
    return NULL;
}

const struct route *generation_inner_route(const struct generation *generation, size_t i)
{
    if (i < generation->task_count)
        return &generation->tasks[i].route;
    return i - generation->task_count < generation->batch_count ? &generation->batches[i - generation->task_count] : NULL;
}

static const struct route *find_inner(const struct generation *generation, struct slice path)
{
    const struct route *route;
    for (size_t i = 0; (route = generation_inner_route(generation, i)); i++)
        if (slice_eq(route->path, path))
            return route;
    return NULL;
}

const struct route *generation_route(const struct generation *generation, struct slice path)
{
    if (path.len == 0 || path.data[0] != '/')
        return find_inner(generation, path);
    struct candidates candidates = candidates_of(&generation->route_index, generation->route_count, path);
    for (size_t i; next_candidate(&candidates, &i);)
        if (slice_eq(generation->routes[i].path, path))
            return &generation->routes[i];
    return NULL;
}

bool generation_secret(void *arg, struct slice name, struct slice *value)
{
    const struct generation *generation = arg;
    for (size_t i = 0; i < generation->secret_count; i++) {
        if (slice_eq(generation->secrets[i].name, name)) {
            *value = generation->secrets[i].value;
            return value->data != NULL;
        }
    }
    return false;
}
