/* index.h: the inside of a document, shared by index.c (makes it) and value.c (reads it). Private to this folder.
 *
 * One node of 16 bytes per value, in the order of the text; the key of a member is a node directly before its value. A
 * container's first child follows it, `next` leads from child to child. */
#ifndef TIDEWIRE_JSON_INDEX_H
#define TIDEWIRE_JSON_INDEX_H

#include "json/json.h"

struct node {
    uint32_t start, end; /* offsets into the text; of a string: without its quotes */
    uint32_t next;       /* the next sibling's value node; 0: none */
    uint32_t type : 3;   /* enum json_type */
    uint32_t escaped : 1;
    uint32_t keyed : 1;  /* the node before this one is its key */
    uint32_t count : 27; /* children of a container */
};

enum { JSON_CHILDREN_MAX = (1 << 27) - 1 };

struct json_doc {
    struct slice text;
    struct node *nodes; /* owned; nodes[0] is the root */
    uint32_t count, room;
};

/* After json_empty. */
static inline bool json_is_empty(const struct json_doc *doc)
{
    return !doc->nodes;
}

#endif
