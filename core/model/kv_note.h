/* kv_note.h: what a handler wants to change in kv: at most one note for each key, since later ones are folded into it as they
 * are made (script/kv.c). Lies in the event's arena, with everything that it points to. */
#ifndef TIDEWIRE_KV_NOTE_H
#define TIDEWIRE_KV_NOTE_H

#include <stdint.h>

#include "base/slice.h"

enum {
    KV_KEY_MAX = 512,        /* bytes of a key, at least 1 */
    KV_VALUE_MAX = 64 << 10, /* bytes of a value as JSON */
    KV_NOTES_MAX = 100,      /* keys that one run changes */
    KV_NOTED_MAX = 8 << 20,  /* bytes of keys and values noted by one run, those that it has noted anew too */
    KV_NUMBER_SIZE = 32,     /* of a sum as text */
};

/* What has to hold at the commit; else nothing of the run is written, and the handler runs again. */
enum kv_only_if { KV_ALWAYS, KV_IS_ABSENT, KV_IS /* `expected`, byte for byte */ };
enum kv_effect { KV_PUT, KV_REMOVE, KV_ADD_UP /* to what is committed then, which has to be a number, or absent for 0 */ };

struct kv_note {
    struct kv_note *next;
    struct slice key;
    enum kv_only_if only_if;
    struct slice expected; /* JSON */
    enum kv_effect effect;
    double by;          /* KV_ADD_UP */
    struct slice value; /* JSON: what the handler sees under this key from here on, and after the commit what is stored; data
                           NULL: nothing */
    uint64_t until_ms;  /* wall clock; 0: for ever. A number that is there already keeps its own with KV_ADD_UP */
    char *memory;       /* of values that it has had, to be written over */
    size_t room;        /* bytes there */
    char sum[KV_NUMBER_SIZE]; /* of KV_ADD_UP: value */
};

#endif
