/* rule_files.h: the files of a rules folder, read at one moment (rules.md 1, "Files"). Certificates and keys are among them by
 * their hash only, so that another one makes another generation: their text is read when a target names them, and kept nowhere.
 * Main thread and command line. */
#ifndef TIDEWIRE_RULE_FILES_H
#define TIDEWIRE_RULE_FILES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/result.h"
#include "model/generation.h"

enum {
    RULE_FILES_MAX = 10000,
    RULE_FILE_BYTES_MAX = 1 << 20,
    RULE_BYTES_MAX = 16 << 20,
    RULE_DEPTH_MAX = 16,
    RULE_READS_MAX = 5, /* how often files that change meanwhile are read again */
};

#define SETTINGS_FILE "tidewire.lua" /* of the folder of `run`: no rule file, and read with them (interface.md 2.1) */

struct rule_files {
    const struct rule_file *list; /* sorted by name, in the arena that was given */
    size_t count;
    char hash[65]; /* SHA-256 of all names and bytes, hex, zero-terminated */
};

/* Where rules are read from. */
struct rules_place {
    const char *folder; /* of `run`: FOLDER/rules/ is read if there is one, else FOLDER */
    bool always_below;  /* FOLDER/rules/ was there once: without it the rules are gone, and FOLDER is not read instead */
};

/* "FOLDER/rules" or "FOLDER", in out (size: PATH_MAX). Returns what stands before a file's name in messages: "rules/" or "". */
const char *rule_files_folder(const struct rules_place *place, char *out, size_t size);
/* Read as they are at one moment: again until two readings agree, so that files which are swapped at once are never mixed.
 * ERR_IO, ERR_LIMIT, ERR_MEMORY, ERR_STALE (they never agreed): *why says what, in the arena, and out->hash is that of *why. */
enum result rule_files_read(const struct rules_place *place, struct arena *arena, struct rule_files *out,
                            struct slice *why) MUST_CHECK;
/* The text of a certificate or key; path: below the rules folder. Returns what is wrong, or NULL. */
const char *rule_files_pem(const struct rules_place *place, const char *path, struct arena *arena, struct slice *text);
/* What one reading finds, hashed: of the files, or of why they cannot be read. true: one of them is empty, as a file is that
 * somebody has just begun to write. */
bool rule_files_look(const struct rules_place *place, char hash[65]);
/* Looks at names, sizes and times only: another stamp means that something may be new. */
uint64_t rule_files_stamp(const struct rules_place *place);

/* All files as one blob, for the store, and back; the parsed ones point into the blob. ERR_INVALID: it is damaged. */
void rule_files_write(const struct rule_file *list, size_t count, struct buf *out);
enum result rule_files_parse(struct slice blob, struct arena *arena, struct rule_files *out) MUST_CHECK;

#endif
