#include "loop/last_words.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/handoff.h"

/* One of them: being read, or waiting for a state. */
struct word {
    struct word *next; /* of those that wait */
    struct last_words *words;
    struct deliver_dead dead; /* its slices lie in arena */
    struct arena arena;
    struct store_read_event read;
    struct handed handed;
};

struct last_words {
    struct last_words_config config;
    struct word *waiting;
};

static void word_free(struct word *word)
{
    event_unref(word->read.event);
    arena_deinit(&word->arena);
    mem_free(word);
}

static void tell(struct word *word)
{
    const struct last_words_config *config = &word->words->config;
    struct event *event = word->read.event;
    struct outcome *outcome = event ? arena_alloc(&event->arena, sizeof(*outcome)) : NULL;
    if (outcome) {
        *outcome = (struct outcome){ .state = EVENT_HANDLED };
        config->tell(config->arg, event, &word->dead, outcome);
    } else {
        LOG(LOG_WARN, "on_dead not asked: the event cannot be read", LOG_ID("event_id", word->dead.event_id),
            LOG_ID("delivery_id", word->dead.delivery_id));
    }
    config->told(config->arg, word->dead.record, outcome ? event : NULL, outcome);
    word_free(word);
}

static void on_read_back(struct handed *handed)
{
    struct word *word = (struct word *)((char *)handed - offsetof(struct word, handed));
    struct last_words *words = word->words;
    if (word->read.op.result != OK)
        word->read.event = NULL;
    word->next = words->waiting;
    words->waiting = word;
    last_words_go_on(words);
}

static void on_read_done(struct store_op *op)
{
    struct word *word = op->owner;
    word->handed.run = on_read_back;
    if (handoff_send(word->words->config.handoff, &word->handed) != OK)
        return; /* the worker waits for all its operations before it closes */
}

bool last_words_begin(struct last_words *words, const struct deliver_dead *dead)
{
    struct word *word = MEM_NEW(struct word);
    word->words = words;
    word->dead = *dead;
    word->dead.route = arena_copy(&word->arena, dead->route);
    word->dead.target = arena_copy(&word->arena, dead->target);
    word->dead.why = arena_copy(&word->arena, dead->why);
    word->read = (struct store_read_event){ .op = { .kind = STORE_READ_EVENT, .on_done = on_read_done, .owner = word },
                                            .seq = dead->event_seq };
    if (word->dead.route.data && word->dead.target.data && word->dead.why.data &&
        store_submit_read(words->config.store, &word->read.op))
        return true;
    word_free(word);
    return false;
}

void last_words_go_on(struct last_words *words)
{
    while (words->waiting && words->config.can_tell(words->config.arg)) {
        struct word *word = words->waiting;
        words->waiting = word->next;
        tell(word);
    }
}

void last_words_give_up(struct last_words *words)
{
    while (words->waiting) {
        struct word *word = words->waiting;
        words->waiting = word->next;
        deliver_untold(word->dead.record);
        word_free(word);
    }
}

struct last_words *last_words_new(const struct last_words_config *config)
{
    struct last_words *words = MEM_NEW(struct last_words);
    words->config = *config;
    return words;
}

void last_words_free(struct last_words *words)
{
    mem_free(words);
}
