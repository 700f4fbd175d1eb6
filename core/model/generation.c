#include "model/generation.h"

#include <openssl/crypto.h>

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
    arena_deinit(&generation->arena);
    mem_free(generation);
}

const struct target *generation_target(const struct generation *generation, struct slice name)
{
    for (size_t i = 0; i < generation->target_count; i++)
        if (slice_eq(generation->targets[i].name, name))
            return &generation->targets[i];
    return NULL;
}

const struct route *generation_route(const struct generation *generation, struct slice path)
{
    for (size_t i = 0; i < generation->route_count; i++)
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
