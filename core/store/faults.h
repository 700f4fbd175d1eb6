/* faults.h: an SQLite VFS between the store and the disk that fails on demand and remembers what was not synced. Builds for tests
 * only (CMake option TIDEWIRE_FAULTS). */
#ifndef TIDEWIRE_FAULTS_H
#define TIDEWIRE_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#define FAULTS_VFS "faults"

/* What fails from now on. FAULT_FULL: writes, as on a full disk; FAULT_TORN: a write is done by half, then fails. */
enum fault { FAULT_NONE, FAULT_FULL, FAULT_WRITE, FAULT_SYNC, FAULT_TORN };

/* Registers the VFS, once. A running process is also told by the file that TIDEWIRE_FAULTS_FILE names: "full", "write", "fsync"
 * or nothing; it is read before each write and sync. */
void faults_register(void);
/* after: so many writes (or syncs) succeed first. Any thread. */
void faults_set(enum fault fault, unsigned after);
/* Since the last call: how many writes came, and how many syncs followed the last of them. */
void faults_counts(unsigned *writes, unsigned *syncs_after);
/* The power goes: what was written since a file's last sync is taken back. No connection may be open. */
void faults_power_cut(void);

#endif
