/* coverage.h: which lines of rule files were run, for tests of rules. A state that is covered compiles nothing: compiled code
 * does not say where it is. One thread. */
#ifndef TIDEWIRE_COVERAGE_H
#define TIDEWIRE_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/generation.h"

struct coverage;
struct lua_State;

/* Of the files of a generation, which outlives it. */
struct coverage *coverage_new(const struct generation *generation);
void coverage_free(struct coverage *coverage);
/* From here on this state notes its lines, until another hook is set. */
void coverage_hook(struct lua_State *L);
/* file: its place in the generation; line from 1. */
bool coverage_has(const struct coverage *coverage, size_t file, uint32_t line);
/* Lines of that file. */
uint32_t coverage_lines(const struct coverage *coverage, size_t file);

#endif
