/* kv.h: the values that rules keep (`kv` in rules.md 3). What is committed lies in one table, and in memory as far as
 * KV_MEMORY_MAX goes: as long as everything fits, a key that is not in memory is absent, and no read waits. Beyond that what was
 * not used for the longest time leaves memory, and a key that is not there has to be read (store_read_kv).
 *
 * The writer changes memory after each commit, before anybody hears of it: whoever was told of a commit sees it. */
#ifndef TIDEWIRE_KV_H
#define TIDEWIRE_KV_H

#include "base/buf.h"
#include "store/store.h"

enum { KV_MEMORY_MAX = 64 << 20 };

enum kv_look { KV_FOUND, KV_ABSENT, KV_UNKNOWN /* to be read */ };
/* Appends the value as JSON to `out`, which needs room for KV_VALUE_MAX (else out fails). Any thread. */
enum kv_look kv_look(struct store *store, struct slice key, uint64_t now_ms, struct buf *out);

#endif
