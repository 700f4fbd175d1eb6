/* tokens.h: the access tokens of auth.oauth2 (RFC 6749, 4.4: the client's own credentials), of one worker. Each is asked for
 * once, however many attempts wait for it, and kept in memory only, until shortly before it ends. Worker thread.
 *
 *   none ----tokens_wait----> asked for ----answer----> there ----its time, or tokens_refuse----> none
 *    ^                            '--no token: all that wait are told why--'                                                   */
#ifndef TIDEWIRE_TOKENS_H
#define TIDEWIRE_TOKENS_H

#include "deliver/fetcher.h"
#include "model/generation.h"

struct tokens;
struct token;

enum {
    TOKEN_MARGIN_MS = 30000,        /* so long before its end it is used no more: this, or a tenth of its life */
    TOKEN_LIFE_LEAST_MS = 1000,     /* however short its life: those that have waited for it use it */
    TOKEN_REFUSED_AGAIN_MS = 60000, /* one is thrown away no earlier than so long after the one before */
};

/* One attempt that waits. Its owner's, where it is until on_done or tokens_leave. */
struct token_wait {
    /* From the loop; it may get, wait and refuse. why NULL: a token is there; else why there is none, for the call. */
    void (*on_done)(struct token_wait *wait, const char *why);
    void *owner;
    /* the rest is tokens' own */
    struct token *token;
    struct token_wait *next, *prev;
};

/* fetcher: outlives it; NULL, in trials of rules: there is always a token, and it is "token-of-a-test". */
struct tokens *tokens_new(struct fetcher *fetcher);
/* Nothing waits. Tokens are wiped. */
void tokens_free(struct tokens *tokens);

/* For a target with AUTH_OAUTH2. data NULL: none is there now. Borrowed until the loop comes round; *serial names it. */
struct slice tokens_get(struct tokens *tokens, const struct target *target, uint32_t *serial);
/* After tokens_get gave none. NULL: on_done will be called, not from here. Otherwise why it can never be asked for, in words. */
const char *tokens_wait(struct tokens *tokens, const struct target *target, struct generation *generation,
                        struct token_wait *wait);
/* Waits no more, without on_done. */
void tokens_leave(struct tokens *tokens, struct token_wait *wait);
/* The target has answered 401 to the token with this serial. true: it is gone, ask again; false: it stays. */
bool tokens_refuse(struct tokens *tokens, const struct target *target, uint32_t serial);

#endif
