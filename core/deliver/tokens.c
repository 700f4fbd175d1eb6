#include "deliver/tokens.h"

#include <openssl/crypto.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/mem.h"
#include "deliver/token_answer.h"
#include "model/message.h"

enum { ANSWER_MAX = 64 << 10, MESSAGE_BYTES_MAX = 64 << 10 };

/* What a token is asked for with: targets that say the same have it together. */
struct grant {
    struct slice url, id, secret; /* pieces of message.h */
    struct slice scope;
    bool allow_private;
};

struct token {
    struct token *next;
    struct tokens *tokens;
    struct arena arena; /* of what grant and message point to */
    struct grant grant;
    struct slice message;          /* blob of message.h: the request */
    struct fetch fetch;            /* under way while somebody waits, and only then */
    struct generation *generation; /* counted; of fetch */
    struct token_wait *waiting;
    struct buf text;     /* wiped when it goes; "": none */
    uint32_t serial;     /* of text */
    uint64_t end_ms;     /* monotonic: it is not used from here on */
    uint64_t refused_ms; /* monotonic: when the last one was thrown away; 0: none was */
};

struct tokens {
    struct fetcher *fetcher;
    struct token *list; /* owned */
    uint32_t last_serial;
};

/* ---- which one ---- */

static struct grant grant_of(const struct target *target)
{
    return (struct grant){ target->token_url, target->auth_user, target->auth_value, target->scope, target->allow_private };
}

static bool grants_are_equal(const struct grant *a, const struct grant *b)
{
    return slice_eq(a->url, b->url) && slice_eq(a->id, b->id) && slice_eq(a->secret, b->secret) && slice_eq(a->scope, b->scope) &&
           a->allow_private == b->allow_private;
}

static struct token *find(const struct tokens *tokens, const struct target *target)
{
    struct grant grant = grant_of(target);
    struct token *token = tokens->list;
    while (token && !grants_are_equal(&token->grant, &grant))
        token = token->next;
    return token;
}

static bool is_there(const struct token *token)
{
    return token->text.len > 0 && clock_mono_ms() < token->end_ms;
}

static void forget_text(struct token *token)
{
    if (token->text.data)
        OPENSSL_cleanse(token->text.data, token->text.cap);
    buf_deinit(&token->text);
    buf_init(&token->text, TOKEN_BYTES_MAX);
}

static void token_free(struct token *token)
{
    forget_text(token);
    arena_deinit(&token->arena);
    mem_free(token);
}

/* Those of rules that were: nobody waits for them, and their time is over. */
static void drop_old(struct tokens *tokens)
{
    for (struct token **place = &tokens->list; *place;) {
        struct token *token = *place;
        if (token->waiting || is_there(token)) {
            place = &token->next;
        } else {
            *place = token->next;
            token_free(token);
        }
    }
}

/* ---- the request ---- */

static void write_request(struct slice scope, struct buf *out)
{
    struct buf pieces;
    buf_init(&pieces, MESSAGE_BYTES_MAX);
    message_set_method(out, SLICE("POST"));
    message_set_content_type(out, SLICE("application/x-www-form-urlencoded"));
    pieces_bytes(&pieces, SLICE("application/json"));
    message_add_header(out, SLICE("accept"), buf_slice(&pieces));
    buf_clear(&pieces);
    pieces_bytes(&pieces, SLICE("grant_type=client_credentials"));
    if (scope.len > 0) {
        pieces_bytes(&pieces, SLICE("&scope="));
        pieces_text(&pieces, scope, ESCAPE_FORM);
    }
    message_set_body(out, buf_slice(&pieces));
    if (!buf_ok(&pieces))
        out->failed = true;
    buf_deinit(&pieces);
}

/* Copies: the generation that says so may go while it is asked for. */
static bool keep_grant(struct token *token, const struct target *target)
{
    struct grant grant = grant_of(target);
    struct buf request;
    buf_init(&request, MESSAGE_BYTES_MAX);
    write_request(grant.scope, &request);
    token->grant =
        (struct grant){ arena_copy(&token->arena, grant.url), arena_copy(&token->arena, grant.id),
                        arena_copy(&token->arena, grant.secret), arena_copy(&token->arena, grant.scope), grant.allow_private };
    token->message = buf_ok(&request) ? arena_copy(&token->arena, buf_slice(&request)) : (struct slice){ NULL, 0 };
    buf_deinit(&request);
    return token->message.data && token->grant.url.data && token->grant.id.data && token->grant.secret.data &&
           token->grant.scope.data;
}

/* NULL: no memory. */
static struct token *need(struct tokens *tokens, const struct target *target)
{
    struct token *token = find(tokens, target);
    if (token)
        return token;
    drop_old(tokens);
    token = MEM_NEW(struct token);
    token->tokens = tokens;
    buf_init(&token->text, TOKEN_BYTES_MAX);
    if (!keep_grant(token, target)) {
        token_free(token);
        return NULL;
    }
    token->next = tokens->list;
    tokens->list = token;
    return token;
}

/* ---- the answer ---- */

static void take_text(struct token *token, uint64_t life_s)
{
    uint64_t life_ms = life_s * 1000;
    life_ms -= life_ms / 10 < TOKEN_MARGIN_MS ? life_ms / 10 : TOKEN_MARGIN_MS;
    token->end_ms = clock_mono_ms() + (life_ms > TOKEN_LIFE_LEAST_MS ? life_ms : TOKEN_LIFE_LEAST_MS);
    token->serial = ++token->tokens->last_serial;
}

/* false: why says it. */
static bool read_answer(struct token *token, const struct fetch_answer *answer, char why[TOKEN_WHY_SIZE])
{
    static const char blocked[] = "a private address; set private = true on the target if that is meant";
    uint64_t life_s;
    forget_text(token);
    if (answer->error == ATTEMPT_BLOCKED_ADDRESS)
        snprintf(why, TOKEN_WHY_SIZE, "no answer of the token endpoint: %s", blocked);
    else if (answer->error != ATTEMPT_ANSWERED)
        snprintf(why, TOKEN_WHY_SIZE, "no answer of the token endpoint: %s: %s", attempt_error_name(answer->error),
                 answer->detail);
    else if (token_answer_read(answer->status, answer->body, &token->text, &life_s, why) != OK)
        forget_text(token); /* it may be half a one */
    else
        take_text(token, life_s);
    return token->text.len > 0;
}

/* All that wait now: they may wait again at once, for the next one. */
static void tell(struct token *token, const char *why)
{
    struct token_wait *first = token->waiting;
    token->waiting = NULL;
    while (first) {
        struct token_wait *wait = first;
        first = wait->next;
        if (first)
            first->prev = NULL;
        wait->token = NULL;
        wait->on_done(wait, why);
    }
}

static void on_answer(struct fetch *fetch, const struct fetch_answer *answer)
{
    struct token *token = fetch->owner;
    char why[TOKEN_WHY_SIZE];
    bool there = read_answer(token, answer, why);
    generation_unref(token->generation);
    token->generation = NULL;
    tell(token, there ? NULL : why);
}

static const char *ask(struct token *token, const struct target *target, struct generation *generation)
{
    token->fetch = (struct fetch){ .generation = generation,
                                   .url = token->grant.url,
                                   .auth = AUTH_BASIC,
                                   .auth_user = token->grant.id,
                                   .auth_value = token->grant.secret,
                                   .message = token->message,
                                   .timeout_ms = target->timeout_ms,
                                   .max_response_bytes = ANSWER_MAX,
                                   .allow_private = token->grant.allow_private,
                                   .on_done = on_answer,
                                   .owner = token };
    const char *why = fetcher_begin(token->tokens->fetcher, &token->fetch);
    if (!why)
        token->generation = generation_ref(generation);
    return why;
}

/* ---- what an attempt asks ---- */

struct slice tokens_get(struct tokens *tokens, const struct target *target, uint32_t *serial)
{
    *serial = 0;
    if (!tokens->fetcher)
        return SLICE("token-of-a-test");
    struct token *token = find(tokens, target);
    if (!token || !is_there(token))
        return (struct slice){ NULL, 0 };
    *serial = token->serial;
    return buf_slice(&token->text);
}

const char *tokens_wait(struct tokens *tokens, const struct target *target, struct generation *generation,
                        struct token_wait *wait)
{
    struct token *token = need(tokens, target);
    const char *why = token ? NULL : "not enough memory";
    if (token && !token->waiting)
        why = ask(token, target, generation);
    if (why)
        return why;
    wait->token = token;
    wait->prev = NULL;
    wait->next = token->waiting;
    if (wait->next)
        wait->next->prev = wait;
    token->waiting = wait;
    return NULL;
}

void tokens_leave(struct tokens *tokens, struct token_wait *wait)
{
    struct token *token = wait->token;
    if (wait->prev)
        wait->prev->next = wait->next;
    else
        token->waiting = wait->next;
    if (wait->next)
        wait->next->prev = wait->prev;
    wait->token = NULL;
    if (token->waiting)
        return;
    fetcher_cancel(tokens->fetcher, &token->fetch);
    generation_unref(token->generation);
    token->generation = NULL;
}

bool tokens_refuse(struct tokens *tokens, const struct target *target, uint32_t serial)
{
    struct token *token = find(tokens, target);
    if (!token || token->serial != serial || token->text.len == 0)
        return true; /* another one is there already, or on its way */
    uint64_t now_ms = clock_mono_ms();
    if (token->refused_ms && now_ms - token->refused_ms < TOKEN_REFUSED_AGAIN_MS)
        return false; /* the token is not what the target dislikes */
    token->refused_ms = now_ms;
    forget_text(token);
    return true;
}

/* ---- life ---- */

struct tokens *tokens_new(struct fetcher *fetcher)
{
    struct tokens *tokens = MEM_NEW(struct tokens);
    tokens->fetcher = fetcher;
    return tokens;
}

void tokens_free(struct tokens *tokens)
{
    while (tokens->list) {
        struct token *next = tokens->list->next;
        token_free(tokens->list);
        tokens->list = next;
    }
    mem_free(tokens);
}
