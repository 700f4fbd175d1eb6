/* disk.h: the files beside the database: the lock that says whose it is, and the reserve that is given up when the disk is full.
 */
#ifndef TIDEWIRE_DISK_H
#define TIDEWIRE_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/result.h"

/* Takes PATH.lock for the life of the process; *fd is to be closed at the end. ERR_EXISTS: *owner has it. */
enum result disk_lock(const char *path, int *fd, pid_t *owner) MUST_CHECK;
/* Makes PATH.reserve of that many bytes, really allocated. false: no room now. */
bool disk_reserve(const char *path, uint64_t bytes);
/* Gives the reserve's room to the database. */
void disk_give_up_reserve(const char *path);
/* Free bytes for us on the disk of path, and the least that has to be free: min_free_bytes, or 5 % of the disk if that is less.
 */
bool disk_has_room(const char *path, uint64_t min_free_bytes);

#endif
