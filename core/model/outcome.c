#include "model/outcome.h"

#include <stddef.h>

void outcome_forget_notes(struct outcome *outcome)
{
    outcome->deliveries = NULL;
    outcome->delivery_count = 0;
    outcome->kv = NULL;
    outcome->runs = NULL;
}
