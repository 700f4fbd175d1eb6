/* schema_inside.h: a schema as it is judged by: what schema_compile.c makes and schema.c reads. Private to schema*.c. */
#ifndef TIDEWIRE_SCHEMA_INSIDE_H
#define TIDEWIRE_SCHEMA_INSIDE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/arena.h"
#include "json/schema.h"

enum keyword_kind {
    KEYWORD_NEVER, /* the schema `false` */
    KEYWORD_TYPE,
    KEYWORD_ENUM, /* const: a list of one */
    KEYWORD_MEMBERS,
    KEYWORD_REQUIRED,
    KEYWORD_ITEMS,
    KEYWORD_UNIQUE,
    KEYWORD_COUNT, /* of members, elements or characters */
    KEYWORD_PATTERN,
    KEYWORD_RANGE,
    KEYWORD_MULTIPLE,
    KEYWORD_ALL, /* $ref: a list of one */
    KEYWORD_ANY,
    KEYWORD_ONE,
    KEYWORD_NOT,
    KEYWORD_IF,
};

/* Bits of KEYWORD_TYPE. */
enum {
    TYPE_NULL = 1,
    TYPE_BOOLEAN = 2,
    TYPE_NUMBER = 4,
    TYPE_INTEGER = 8,
    TYPE_STRING = 16,
    TYPE_ARRAY = 32,
    TYPE_OBJECT = 64,
};

struct pattern {
    struct slice text;
    pcre2_code *code; /* owned by the schema's list */
    bool anchored;    /* it fits at the beginning or nowhere */
    struct pattern *next;
};

struct node;
struct named_node {
    struct slice name; /* decoded */
    const struct node *node;
};
struct pattern_node {
    const struct pattern *pattern;
    const struct node *node;
};

struct keyword {
    struct keyword *next;
    enum keyword_kind kind;
    union {
        unsigned types;
        struct {
            struct json_value list; /* or one value, with `one` */
            bool one;
        } values;
        struct {
            const struct named_node *named;
            size_t named_count;
            const struct pattern_node *patterns;
            size_t pattern_count;
            const struct node *others; /* NULL: anything */
        } members;
        struct {
            const struct slice *names; /* decoded */
            size_t count;
        } required;
        struct {
            const struct node *const *first;
            size_t first_count;
            const struct node *rest; /* NULL: anything */
        } items;
        struct {
            enum json_type of; /* JSON_OBJECT, JSON_ARRAY, JSON_STRING */
            double least, most;
        } count;
        const struct pattern *pattern;
        struct {
            double bound;
            bool is_least, exclusive;
        } range;
        double multiple;
        struct {
            const struct node *const *nodes;
            size_t count;
        } list;
        const struct node *not_this;
        struct {
            const struct node *condition, *then, *otherwise; /* NULL: anything */
        } choice;
    };
};

/* One schema: all of its keywords have to hold. */
struct node {
    struct keyword *keywords;
};

struct schema {
    struct arena arena;
    struct json_doc *doc; /* of the text, which lies in the arena: values of enum and const stay in it */
    const struct node *root;
    struct pattern *patterns; /* all of them */
};

#endif
