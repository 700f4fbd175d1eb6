/* faults.h: an SQLite VFS between the store and the disk: it fails on demand, writes down what was asked of the disk and in which
 * order, and remembers what was not synced, so that a power cut can take it back. Builds for tests only (CMake option
 * TIDEWIRE_FAULTS).
 *
 * A running process is also told by the file that TIDEWIRE_FAULTS_FILE names: "full", "write", "fsync" or nothing; it is read
 * before each write and sync.
 *
 * Everything here is of the process, not of one store; any thread, but where said. A forked child inherits it: faults_clear. */
#ifndef TIDEWIRE_FAULTS_H
#define TIDEWIRE_FAULTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULTS_VFS "faults"

/* FAULTS_ANSWER is no operation of the disk: a test notes it when something was acknowledged. */
enum faults_operation { FAULTS_WRITE, FAULTS_SYNC, FAULTS_TRUNCATE, FAULTS_ANSWER, FAULTS_OPERATIONS };
enum {
    FAULTS_ALWAYS = INT_MAX, /* times */
    FAULTS_CUT_EXIT = 99,    /* exit code of a process whose power was cut */
    FAULTS_LOG_MAX = 8192,   /* entries; later ones are counted, not written down */
};

/* Registers the VFS, once. */
void faults_register(void);
/* No fault, no cut, an empty log, nothing unsynced, all counts zero. No connection may be open. */
void faults_clear(void);

/* The nth such operation from now on (1: the next) and those after it, `times` in all, fail with `code`, an SQLite error such as
 * SQLITE_FULL or SQLITE_IOERR_FSYNC, and do nothing. A later call for the same operation takes the place of this one. */
void faults_fail(enum faults_operation operation, unsigned nth, int code, int times);
/* The nth write from now on writes only its first `bytes`, then fails with SQLITE_IOERR_WRITE. */
void faults_tear(unsigned nth, size_t bytes);
/* Nothing fails any more. What is unsynced, counted and logged stays. */
void faults_heal(void);

/* Just before the nth operation from now on, of any kind, the power goes: what is unsynced is dropped as by faults_drop_unsynced,
 * and the process ends with FAULTS_CUT_EXIT. */
void faults_cut(unsigned nth, uint64_t seed);
/* Rewrites the files below the folder (NULL: all files) as a disk may have them after a power cut: what was synced is there;
 * of what was written or truncated since, nothing with seed 0, else each with an even chance, some writes by half. */
void faults_drop_unsynced(const char *folder, uint64_t seed);

struct faults_entry {
    enum faults_operation operation;
    bool is_wal; /* of the log, not of the database file */
    int code;    /* SQLITE_OK or what it failed with */
};
/* So many were asked for since faults_clear, failed ones included. */
unsigned faults_count(enum faults_operation operation);
void faults_note_answer(void);
/* Moves the log out: what came since the last call, in order. Returns the number of entries, at most room. */
size_t faults_log(struct faults_entry *out, size_t room);

#endif
