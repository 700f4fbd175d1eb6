#include "ingest/gate.h"

enum { NS_PER_MS = 1000000 };

uint64_t gate_pass(struct gate *gate, uint64_t now_ns)
{
    uint64_t interval_ns = (uint64_t)(1e9 / gate->per_second), ahead_ns = (uint64_t)((gate->burst - 1) * 1e9 / gate->per_second);
    uint64_t next_ns = atomic_load_explicit(&gate->next_ns, memory_order_relaxed), due_ns;
    do {
        if (next_ns > now_ns + ahead_ns)
            return (next_ns - now_ns - ahead_ns) / NS_PER_MS + 1;
        due_ns = next_ns > now_ns ? next_ns : now_ns;
    } while (!atomic_compare_exchange_weak_explicit(&gate->next_ns, &next_ns, due_ns + interval_ns, memory_order_relaxed,
                                                    memory_order_relaxed));
    return 0;
}

void gates_carry(const struct generation *before, const struct generation *after)
{
    for (size_t i = 0; i < after->route_count; i++) {
        struct gate *gate = after->routes[i].gate;
        const struct route *old = gate ? generation_route(before, after->routes[i].path) : NULL;
        if (old && old->gate)
            atomic_store(&gate->next_ns, atomic_load(&old->gate->next_ns));
    }
}
