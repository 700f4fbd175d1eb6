/* Keys of the idempotency window grow old: the steps are called here, by the thread of the test, with few keys. */
#include "check.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "helpers.h"
#include "store/faults.h"
#include "store/inside.h"

enum { KEYS_MAX = 1000, BEGINS = 900, STAYS = 400, PER_EVENT = 10, HOUR_MS = 3600000, STEPS_MAX = 1000, KEYS_ALL = 4 * KEYS_MAX };

/* ---- a store without threads, its keys, and their events ---- */

static struct dedupe_key keys[KEYS_ALL];
static struct uuid winners[KEYS_ALL];
static int key_count;
static uint64_t steps_ms; /* the time of the next step */

static struct store *open_still(void)
{
    struct store_config config = { .path = path, .keys_max = KEYS_MAX, .on_fatal = on_fatal, .vfs = vfs };
    struct store *store = NULL;
    char why[512] = "";
    if (store_open(&config, &store, why, sizeof(why)) != OK) {
        CHECK_FAIL("%s", why);
        abort();
    }
    return store;
}

static struct store *fresh_store(const char *on_vfs)
{
    fresh_folder();
    vfs = on_vfs;
    key_count = 0;
    steps_ms = clock_wall_ms();
    return open_still();
}

static void end_store(struct store *store)
{
    store_stop(store);
    vfs = NULL;
    remove_folder();
}

static struct store *open_again(struct store *store)
{
    store_stop(store);
    return open_still();
}

static enum result write_event(struct store *store, struct event *event, const struct dedupe_key *of, size_t count,
                               struct store_accept *op)
{
    *op = (struct store_accept){ .op = { .kind = STORE_ACCEPT }, .event = event, .keys = of, .key_count = count };
    return store_write_now(store, &op->op);
}

static enum claim claim(struct store *store, int i, struct uuid id, struct uuid *winner)
{
    struct dedupe_wait wait;
    enum claim claim = dedupe_claim(store, &keys[i], id, clock_wall_ms(), &wait, winner);
    if (claim == CLAIM_WAIT)
        CHECK("nobody waits long", dedupe_unwait(store, &keys[i], &wait));
    return claim;
}

/* As the writer does: committed with its event, then known as such. */
static void store_keys(struct store *store, struct event *event, int first, int count)
{
    struct store_accept op;
    struct uuid winner;
    for (int i = first; i < first + count; i++) {
        CHECK_EQ("is new", claim(store, i, event->id, &winner), CLAIM_NEW);
        winners[i] = event->id;
    }
    CHECK_EQ("stored", write_event(store, event, &keys[first], (size_t)count, &op), OK);
    for (int i = first; i < first + count; i++)
        dedupe_commit(store, &keys[i]);
}

static int make_key(struct store *store, uint64_t until_ms)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", key_count);
    keys[key_count] = dedupe_key_make(store, SLICE("/a"), 'k', slice_of(text), until_ms);
    return key_count++;
}

static void add_keys(struct store *store, int count, uint64_t within_ms)
{
    for (int i = 0; i < count; i += PER_EVENT) {
        struct event *event = make_event("/a", "{}");
        int first = key_count;
        for (int j = 0; j < PER_EVENT; j++)
            (void)make_key(store, event->received_ms + within_ms);
        store_keys(store, event, first, PER_EVENT);
        event_unref(event);
    }
}

/* In memory, or found by the writer; the store stays as it is. */
static bool is_duplicate(struct store *store, int i)
{
    struct event *event = make_event("/a", "{}");
    struct store_accept op;
    struct uuid winner = { { 0 } };
    bool found = claim(store, i, event->id, &winner) == CLAIM_DUPLICATE;
    if (!found) {
        found = write_event(store, event, &keys[i], 1, &op) == ERR_EXISTS;
        winner = op.winner;
        dedupe_release(store, &keys[i]);
    }
    event_unref(event);
    return found && uuid_eq(winner, winners[i]);
}

/* Not noted with the events: else their keys would stay in memory until that is written. */
static int count_duplicates(struct store *store)
{
    static struct duplicate noted[KEYS_ALL];
    int count = 0;
    for (int i = 0; i < key_count; i++)
        count += is_duplicate(store, i);
    (void)dedupe_take_duplicates(store, noted, COUNT(noted));
    return count;
}

/* ---- rounds ---- */

static enum result step(struct store *store)
{
    return retention_step(store, steps_ms += 100);
}

static void take_steps(struct store *store, int count)
{
    for (int i = 0; i < count; i++)
        CHECK_EQ("step", step(store), OK);
}

static bool in_round(const struct store *store)
{
    return store->round.state != ROUND_RESTS;
}

/* Begins one, if none is on its way, and finishes it. */
static void finish_round(struct store *store)
{
    int count = 0;
    take_steps(store, 1);
    CHECK("began", in_round(store));
    for (; in_round(store) && count < STEPS_MAX; count++)
        take_steps(store, 1);
    CHECK("ends", !in_round(store));
}

static int recent_rows(void)
{
    return count_rows("SELECT count(*) FROM dedupe_recent");
}

static int old_rows(void)
{
    return count_rows("SELECT count(*) FROM dedupe_old");
}

TEST(a_round_begins_late_leaves_the_newest_keys_in_memory_and_forgets_none)
{
    struct store *store = fresh_store(NULL);
    add_keys(store, BEGINS, HOUR_MS);
    take_steps(store, 3);
    CHECK("few enough", !in_round(store));
    add_keys(store, PER_EVENT, HOUR_MS);
    finish_round(store);
    CHECK_EQ("in memory", dedupe_count(store), STAYS);
    CHECK_EQ("in its table", recent_rows(), STAYS);
    CHECK_EQ("the others", old_rows(), key_count - STAYS);
    CHECK_EQ("all are known", count_duplicates(store), key_count);
    take_steps(store, 3);
    CHECK("once", !in_round(store));
    store = open_again(store);
    CHECK_EQ("memory after a restart", dedupe_count(store), STAYS);
    CHECK_EQ("all are known after a restart", count_duplicates(store), key_count);
    add_keys(store, BEGINS - STAYS + PER_EVENT, HOUR_MS);
    finish_round(store);
    CHECK_EQ("in memory after another", dedupe_count(store), STAYS);
    CHECK_EQ("in its table after another", recent_rows(), STAYS);
    CHECK_EQ("all are known after another", count_duplicates(store), key_count);
    end_store(store);
}

TEST(too_many_keys_move_faster)
{
    struct store *store = fresh_store(NULL);
    add_keys(store, KEYS_MAX, HOUR_MS);
    take_steps(store, 1);
    CHECK_EQ("enough", store->round.slice, 1);
    add_keys(store, 5 * PER_EVENT, HOUR_MS);
    take_steps(store, 1);
    CHECK_EQ("too many", store->round.slice, 3);
    add_keys(store, KEYS_MAX / 4, HOUR_MS);
    take_steps(store, 1);
    CHECK_EQ("far too many", store->round.slice, 7);
    finish_round(store);
    CHECK_EQ("in the end", count_duplicates(store), key_count);
    end_store(store);
}

TEST(keys_whose_window_is_over_leave_memory_and_both_tables)
{
    struct store *store = fresh_store(NULL);
    add_keys(store, BEGINS + PER_EVENT, 2 * HOUR_MS);
    finish_round(store);
    CHECK("old ones", store->has_old_keys && old_rows() > 0);
    steps_ms += 3 * HOUR_MS;
    take_steps(store, 3);
    CHECK("no hurry", !in_round(store));
    steps_ms += 3 * HOUR_MS;
    finish_round(store);
    CHECK_EQ("old", old_rows(), 0);
    CHECK_EQ("in memory", dedupe_count(store), 0);
    CHECK("nothing to look for", !store->has_old_keys);
    CHECK_EQ("recent ones are replaced by later ones", recent_rows(), STAYS);
    end_store(store);
}

TEST(a_claim_is_never_moved)
{
    struct store *store = fresh_store(NULL);
    struct event *event = make_event("/a", "{}"); /* older than all others */
    struct uuid winner;
    int claimed = make_key(store, event->received_ms + HOUR_MS);
    winners[claimed] = event->id;
    add_keys(store, BEGINS, HOUR_MS);
    CHECK_EQ("claimed", claim(store, claimed, event->id, &winner), CLAIM_NEW);
    finish_round(store);
    CHECK_EQ("it and the newest", dedupe_count(store), STAYS + 1);
    CHECK_EQ("still claimed", claim(store, claimed, event->id, &winner), CLAIM_WAIT);
    dedupe_release(store, &keys[claimed]);
    CHECK("was not written", !is_duplicate(store, claimed));
    event_unref(event);
    end_store(store);
}

/* Its slice is done already, so the round may not take its row. */
TEST(a_key_that_comes_late_is_kept_by_the_round_it_meets)
{
    struct store *store = fresh_store(NULL);
    struct event *event = make_event("/a", "{}");
    int late = make_key(store, event->received_ms + HOUR_MS);
    add_keys(store, BEGINS + PER_EVENT, HOUR_MS);
    while (store->round.slice < DEDUPE_SLICES)
        take_steps(store, 1);
    store_keys(store, event, late, 1);
    event_unref(event);
    finish_round(store);
    CHECK_EQ("in memory", dedupe_count(store), STAYS + 1);
    store = open_again(store);
    CHECK_EQ("all are known", count_duplicates(store), key_count);
    end_store(store);
}

/* Newer than the cut though its row comes before: the round moves neither it nor its row. */
TEST(a_key_from_a_clock_that_was_ahead_stays_in_memory_and_in_its_table)
{
    struct store *store = fresh_store(NULL);
    struct event *event = make_event("/a", "{}");
    struct uuid_maker ahead;
    uuid_maker_init(&ahead);
    event->id = uuid_v7(&ahead, event->received_ms + HOUR_MS);
    int early = make_key(store, event->received_ms + HOUR_MS);
    store_keys(store, event, early, 1);
    event_unref(event);
    add_keys(store, BEGINS, HOUR_MS);
    finish_round(store);
    CHECK_EQ("in memory", dedupe_count(store), STAYS + 1);
    CHECK_EQ("in its table", recent_rows(), STAYS + 1);
    store = open_again(store);
    CHECK_EQ("all are known", count_duplicates(store), key_count);
    end_store(store);
}

TEST(a_restart_in_a_round_loses_nothing)
{
    static const int moments[] = { 1, 64, 127, 128, 129, 135, 145 };
    for (size_t i = 0; i < COUNT(moments); i++) {
        struct store *store = fresh_store(NULL);
        add_keys(store, BEGINS + PER_EVENT, HOUR_MS);
        take_steps(store, moments[i]);
        CHECK("in a round", in_round(store));
        store = open_again(store);
        CHECK("not in a round", !in_round(store));
        CHECK_EQ("all are known", count_duplicates(store), key_count);
        add_keys(store, BEGINS + PER_EVENT - (int)dedupe_count(store), HOUR_MS);
        finish_round(store);
        CHECK_EQ("in memory", dedupe_count(store), STAYS);
        CHECK_EQ("all are known after a round", count_duplicates(store), key_count);
        end_store(store);
    }
}

TEST(a_key_that_is_found_keeps_the_window_it_had)
{
    struct store *store = fresh_store(NULL);
    add_keys(store, BEGINS + PER_EVENT, HOUR_MS);
    finish_round(store);
    struct dedupe_key again = keys[0];
    struct event *event = make_event("/a", "{}");
    struct store_accept op;
    struct dedupe_wait wait;
    struct uuid winner;
    again.until_ms = event->received_ms + 2 * HOUR_MS;
    CHECK_EQ("claimed", dedupe_claim(store, &again, event->id, event->received_ms, &wait, &winner), CLAIM_NEW);
    CHECK_EQ("found", write_event(store, event, &again, 1, &op), ERR_EXISTS);
    CHECK_EQ("until", op.winner_until_ms, keys[0].until_ms);
    dedupe_found(store, &again, op.winner, op.winner_until_ms);
    CHECK_EQ("duplicate", dedupe_claim(store, &again, event->id, keys[0].until_ms - 1, &wait, &winner), CLAIM_DUPLICATE);
    CHECK("of the first", uuid_eq(winner, winners[0]));
    CHECK_EQ("then free", dedupe_claim(store, &again, event->id, keys[0].until_ms, &wait, &winner), CLAIM_NEW);
    dedupe_release(store, &again);
    event_unref(event);
    end_store(store);
}

TEST(duplicates_that_were_not_written_yet_are_not_lost)
{
    struct store *store = fresh_store(NULL);
    add_keys(store, BEGINS + PER_EVENT, HOUR_MS);
    take_steps(store, 1);
    int in_memory = (int)dedupe_count(store);
    for (int i = 0; i < key_count; i++)
        CHECK("all once more", is_duplicate(store, i));
    finish_round(store);
    for (int i = 0; i < STEPS_MAX && count_rows("SELECT sum(duplicates) FROM event") < in_memory; i++)
        take_steps(store, 1);
    CHECK_EQ("counted", count_rows("SELECT sum(duplicates) FROM event"), in_memory);
    end_store(store);
}

/* ---- what need not be looked for ---- */

static uint8_t *hash_of(struct rng *rng)
{
    static uint8_t hash[16];
    uint64_t halves[2] = { rng_next(rng), rng_next(rng) };
    memcpy(hash, halves, sizeof(hash));
    return hash;
}

TEST(a_sieve_holds_all_that_was_added_and_little_else)
{
    static const int sizes[] = { 0, 1, 100, 60000 };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct sieve *sieve = sieve_new((size_t)sizes[i]);
        struct rng rng;
        int others = 0;
        rng_seed(&rng, 1);
        for (int n = 0; n < sizes[i]; n++)
            sieve_add(sieve, hash_of(&rng));
        CHECK("has room for them", !sieve_is_full(sieve, 0));
        CHECK("and no more", sieve_is_full(sieve, 1));
        for (int n = 0; n < 10000; n++)
            others += sieve_may_hold(sieve, hash_of(&rng));
        CHECK("little else", others < 400);
        rng_seed(&rng, 1);
        for (int n = 0; n < sizes[i]; n++)
            CHECK("each of them", sieve_may_hold(sieve, hash_of(&rng)));
        sieve_free(sieve);
    }
    CHECK("without memory: perhaps", sieve_may_hold(NULL, keys[0].hash));
}

/* How many of a thousand new keys the writer looks for in the table. */
static int looked_for(const struct store *store)
{
    struct rng rng;
    int count = 0;
    rng_seed(&rng, 2);
    for (int i = 0; i < 1000; i++)
        count += dedupe_may_be_old(store, hash_of(&rng));
    return count;
}

TEST(hardly_any_new_key_is_looked_for_in_the_table)
{
    struct store *store = fresh_store(NULL);
    CHECK_EQ("nothing is old", looked_for(store), 0);
    for (int round = 0; round < 5; round++) { /* the sieves are built, and grow, and are built anew */
        add_keys(store, BEGINS + PER_EVENT - (int)dedupe_count(store), HOUR_MS);
        finish_round(store);
        CHECK("after a round", looked_for(store) < 100);
        CHECK_EQ("all are known", count_duplicates(store), key_count);
    }
    store = open_again(store);
    CHECK_EQ("at first all are", looked_for(store), 1000);
    take_steps(store, DEDUPE_SLICES * 5); /* a sieve every half second */
    CHECK("soon hardly any", looked_for(store) < 100);
    CHECK_EQ("all are known after a restart", count_duplicates(store), key_count);
    end_store(store);
}

/* ---- a disk that fails ---- */

/* A slice without any key writes nothing, so the first step behind the fault need not be the one that fails. */
static enum result step_into(struct store *store, enum fault fault)
{
    enum result rc = OK;
    faults_set(fault, 0);
    for (int i = 0; i < STEPS_MAX && rc == OK && in_round(store); i++) {
        unsigned slice = store->round.slice;
        size_t count = dedupe_count(store);
        rc = step(store);
        if (rc != OK) {
            CHECK_EQ("not moved", store->round.slice, slice);
            CHECK_EQ("still in memory", dedupe_count(store), count);
        }
    }
    faults_set(FAULT_NONE, 0);
    return rc;
}

TEST(a_slice_that_finds_the_disk_full_is_moved_later)
{
    struct store *store = fresh_store(FAULTS_VFS);
    add_keys(store, BEGINS + PER_EVENT, HOUR_MS);
    take_steps(store, 10);
    CHECK_EQ("full", step_into(store, FAULT_FULL), ERR_DISK_FULL);
    CHECK("taken back", sqlite3_get_autocommit(store->write_db) || db_run(store->write_db, "ROLLBACK") == OK);
    CHECK_EQ("all are known", count_duplicates(store), key_count);
    finish_round(store);
    CHECK_EQ("in memory", dedupe_count(store), STAYS);
    CHECK_EQ("all are known after the round", count_duplicates(store), key_count);
    end_store(store);
}

TEST(a_commit_that_fails_loses_no_key)
{
    static const struct {
        const char *what;
        enum fault fault;
        int steps;
    } cases[] = { { "a write of a slice", FAULT_WRITE, 10 },
                  { "the sync of a slice", FAULT_SYNC, 10 },
                  { "half of a slice", FAULT_TORN, 10 },
                  { "the sync of rows", FAULT_SYNC, 130 } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store *store = fresh_store(FAULTS_VFS);
        add_keys(store, BEGINS + PER_EVENT, HOUR_MS);
        take_steps(store, cases[i].steps);
        CHECK_EQ(cases[i].what, step_into(store, cases[i].fault), ERR_STORE);
        store->dead = true; /* as the writer says then: nothing more is written */
        store = open_again(store);
        CHECK_EQ(cases[i].what, count_duplicates(store), key_count);
        end_store(store);
    }
}

/* ---- while workers claim ---- */

static atomic_bool over;
static atomic_int in_neither, looked;

/* Claims all keys again and again; what memory does not know is in the table, as another connection sees it. */
static void *claim_all(void *arg)
{
    struct store *store = arg;
    struct uuid id = { { 1 } }, winner;
    sqlite3 *db = NULL;
    sqlite3_stmt *find = NULL;
    enum result rc = OK;
    CHECK_EQ("opened", sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    CHECK_EQ("query", db_prepare(db, "SELECT 1 FROM dedupe_old WHERE hash = ?1", &find), OK);
    while (!atomic_load(&over)) {
        for (int i = 0; i < key_count; i++) {
            if (claim(store, i, id, &winner) == CLAIM_DUPLICATE)
                continue;
            sqlite3_bind_blob(find, 1, keys[i].hash, sizeof(keys[i].hash), SQLITE_STATIC);
            if (!db_row(find, &rc))
                atomic_fetch_add(&in_neither, 1);
            sqlite3_reset(find);
            dedupe_release(store, &keys[i]);
        }
        atomic_fetch_add(&looked, 1);
    }
    sqlite3_finalize(find);
    sqlite3_close(db);
    return NULL;
}

TEST(a_key_is_always_in_memory_or_in_the_table)
{
    struct store *store = fresh_store(NULL);
    pthread_t worker;
    add_keys(store, BEGINS + PER_EVENT, HOUR_MS);
    atomic_store(&over, false);
    CHECK_EQ("started", pthread_create(&worker, NULL, claim_all, store), 0);
    finish_round(store);
    for (int before = atomic_load(&looked); atomic_load(&looked) < before + 2;)
        sched_yield();
    atomic_store(&over, true);
    pthread_join(worker, NULL);
    CHECK_EQ("in neither", atomic_load(&in_neither), 0);
    end_store(store);
}

TEST_MAIN()
