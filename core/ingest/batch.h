/* batch.h: one request, many events (`each = true`). Private to this folder. */
#ifndef TIDEWIRE_BATCH_H
#define TIDEWIRE_BATCH_H

#include "ingest/intake.h"

enum { EACH_ITEMS_MAX = 10000 };

/* The request was verified and decoded. true: it carries a list, and the batch has taken it over; false: it is one event. */
bool batch_take(struct intake *whole, const struct verify_result *verified);

/* Its signature is claimed, if that counts. */
void batch_begin(struct intake *whole);

/* What became of an item, instead of its answer; exactly one of the two, once. The intake goes on to its own end. */
enum settled { SETTLED_STORED, SETTLED_DUPLICATE, SETTLED_IGNORED };
void batch_settled(struct intake *intake, enum settled how, struct uuid id);
void batch_refused(struct intake *intake, enum refusal reason, uint16_t status, const char *detail);

#endif
