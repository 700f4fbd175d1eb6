/* rule_files.h: the files of a rules folder, read at one moment (rules.md 1, "Files"). Main thread and command line. */
#ifndef TIDEWIRE_RULE_FILES_H
#define TIDEWIRE_RULE_FILES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/result.h"
#include "model/generation.h"

enum { RULE_FILES_MAX = 1000, RULE_FILE_BYTES_MAX = 1 << 20, RULE_BYTES_MAX = 16 << 20, RULE_DEPTH_MAX = 16 };

#define SETTINGS_FILE "tidewire.lua" /* of the folder of `run`: no rule file, and read with them (interface.md 2.1) */

struct rule_files {
    const struct rule_file *list; /* sorted by name, in the arena that was given */
    size_t count;
    char hash[65]; /* SHA-256 of all names and bytes, hex, zero-terminated */
};

/* Where rules are read from, in out (size: PATH_MAX): "FOLDER/rules" when there is one, else FOLDER. Returns what stands before a
 * file's name in messages: "rules/" or "". */
const char *rule_files_folder(const char *folder, char *out, size_t size);
/* ERR_IO, ERR_LIMIT, ERR_MEMORY: *why says what, in the arena. */
enum result rule_files_read(const char *folder, struct arena *arena, struct rule_files *out, struct slice *why) MUST_CHECK;

/* All files as one blob, for the store, and back; the parsed ones point into the blob. ERR_INVALID: it is damaged. */
void rule_files_write(const struct rule_file *list, size_t count, struct buf *out);
enum result rule_files_parse(struct slice blob, struct arena *arena, struct rule_files *out) MUST_CHECK;

#endif
