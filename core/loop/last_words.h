/* last_words.h: a delivery was given up, and its route has an on_dead: before that is written its event is read back, on_dead
 * runs, and what it sends is committed with the delivery's end. A crash before that repeats the attempt; nothing is told twice
 * that was written once. One per worker, on its thread. */
#ifndef TIDEWIRE_LAST_WORDS_H
#define TIDEWIRE_LAST_WORDS_H

#include "deliver/deliver.h"
#include "script/script.h"

struct handoff;
struct last_words;

struct last_words_config {
    struct store *store;
    struct handoff *handoff;
    /* false: for some milliseconds there is no state to ask. */
    bool (*can_tell)(void *arg);
    /* What is sent comes to the outcome, which lies in the event's arena. */
    void (*tell)(void *arg, struct event *event, const struct deliver_dead *dead, struct outcome *outcome);
    /* For deliver_told; event NULL: it cannot be read any more. */
    void (*told)(void *arg, struct record *record, struct event *event, struct outcome *outcome);
    void *arg;
};

struct last_words *last_words_new(const struct last_words_config *config);
/* dead is copied. false: not now, ask again. */
bool last_words_begin(struct last_words *words, const struct deliver_dead *dead);
/* Once a turn of the loop: what waits for a state. */
void last_words_go_on(struct last_words *words);
/* The time is over: what waits for a state stays as it is in the store. */
void last_words_give_up(struct last_words *words);
void last_words_free(struct last_words *words);

#endif
