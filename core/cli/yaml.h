/* yaml.h: a YAML file as JSON text, for files of other programs that are moved in. Command line only. */
#ifndef TIDEWIRE_YAML_H
#define TIDEWIRE_YAML_H

#include "base/buf.h"
#include "base/result.h"

enum { YAML_WHY_SIZE = 200, YAML_DEPTH_MAX = 64 };

/* The first document. Plain words are null, booleans, integers and decimal numbers as YAML 1.2's core schema has them, else text;
 * a key is text whatever it looks like. ERR_INVALID: why says the line and what; ERR_LIMIT: nested too deep, or more than out may
 * hold (aliases are written out each time). */
enum result yaml_to_json(struct slice text, struct buf *out, char why[YAML_WHY_SIZE]) MUST_CHECK;

#endif
