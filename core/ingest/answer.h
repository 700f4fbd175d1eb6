/* answer.h: what a sender is told about its event: the route's static reply, what its handler says, or the event's id. */
#ifndef TIDEWIRE_ANSWER_H
#define TIDEWIRE_ANSWER_H

#include "base/uuid.h"
#include "http/reply.h"
#include "model/generation.h"

/* Room for the texts that an answer points to; lives until it is sent. */
struct answer_text {
    char id[UUID_TEXT_SIZE];
    char body[80];
};

/* The static reply with the event's id: in the header tidewire-event-id, and in the body unless the route has one of its own. */
void answer_stored(struct reply *reply, struct answer_text *text, const struct route *route, struct uuid id);
/* The same for a request of many events: the id of the first of them, and how many it added. */
void answer_items(struct reply *reply, struct answer_text *text, const struct route *route, struct uuid id, uint32_t count);
/* What the handler said with `respond`, and the id as a header. */
void answer_response(struct reply *reply, struct answer_text *text, const struct response *response, struct uuid id);
/* 500: the handler failed, and the sender knows. */
void answer_failed(struct reply *reply, struct answer_text *text, struct uuid id);
/* 502: a message of the event is dead, of this target. */
void answer_undelivered(struct reply *reply, struct answer_text *text, const char *target, struct uuid id);
/* The same as answer_stored for an event that `when` did not want. */
void answer_ignored(struct reply *reply, const struct route *route);

#endif
