/* A disk that is full, that fails, and that forgets what was not synced. */
#include "check.h"

#include <fcntl.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"
#include "store/faults.h"

static struct event *event_with(const char *body, struct outcome **outcome)
{
    struct event *event = make_event("/in", body);
    *outcome = make_outcome(event, 1, 1);
    return event;
}

static enum result accept_one(struct store *store)
{
    struct outcome *outcome;
    struct event *event = event_with("{\"n\":1}", &outcome);
    enum result rc = accept(store, event, outcome, NULL);
    event_unref(event);
    return rc;
}

static bool waits_until(bool (*holds)(struct store *store), struct store *store)
{
    for (uint64_t end_ms = clock_mono_ms() + DEADLINE_S * 1000; !holds(store);) {
        if (clock_mono_ms() > end_ms)
            return false;
        sched_yield();
    }
    return true;
}

/* Until the disk has been asked for so many writes, failed ones counted. */
static void wait_for_writes(unsigned wanted)
{
    unsigned all = 0, writes, syncs;
    for (uint64_t end_ms = clock_mono_ms() + DEADLINE_S * 1000; all < wanted; all += writes) {
        faults_counts(&writes, &syncs);
        if (clock_mono_ms() > end_ms)
            abort();
        sched_yield();
    }
}

static bool accepts(struct store *store)
{
    return store_accepts(store);
}

static bool exists(const char *end)
{
    char file[128];
    snprintf(file, sizeof(file), "%s%s", path, end);
    return access(file, F_OK) == 0;
}

TEST(a_full_disk_refuses_events_keeps_results_and_recovers)
{
    fresh_folder();
    vfs = FAULTS_VFS;
    struct store *store = open_store();
    struct outcome *outcome;
    struct event *event = event_with("{}", &outcome);
    CHECK_EQ("before", accept(store, event, outcome, NULL), OK);
    CHECK("reserve", exists(".reserve"));
    faults_set(FAULT_FULL, 0);
    CHECK_EQ("an event", accept_one(store), ERR_DISK_FULL);
    CHECK("nothing is accepted now", !store_accepts(store));
    CHECK("the reserve is given up", !exists(".reserve"));
    /* a result waits inside until there is room */
    struct store_result result = { .op = { .kind = STORE_RESULT, .on_done = on_done },
                                   .delivery_seq = outcome->deliveries->seq,
                                   .event_seq = event->seq,
                                   .attempt = { .n = 1, .status = 200 },
                                   .state = DELIVERY_DELIVERED };
    CHECK("room", store_take_room(store, ROOM_RESULT));
    int before = done_count;
    unsigned writes, syncs;
    faults_counts(&writes, &syncs);
    store_submit(store, &result.op);
    wait_for_writes(1);
    CHECK_EQ("not yet", done_count, before);
    faults_set(FAULT_NONE, 0);
    wait_for(before + 1);
    CHECK_EQ("recorded", result.op.result, OK);
    CHECK("accepts again", waits_until(accepts, store));
    CHECK("the reserve is back", exists(".reserve"));
    event_unref(event);
    event = event_with("{}", &outcome);
    CHECK_EQ("after", accept(store, event, outcome, NULL), OK);
    CHECK_EQ("the refused event took no number", outcome->deliveries->seq, 2);
    event_unref(event);
    store_stop(store);
    remove_folder();
}

/* ---- failures that end the server: in a child, whose on_fatal ends it ---- */

static void child_fatal(void *arg, const char *why)
{
    _exit(70);
}

static struct store *child_store(void)
{
    struct store_config config = { .path = path, .on_fatal = child_fatal, .vfs = FAULTS_VFS };
    struct store *store = NULL;
    char why[512] = "";
    if (store_open(&config, &store, why, sizeof(why)) != OK || store_start(store) != OK)
        _exit(3);
    return store;
}

static int ends_with_fault(enum fault fault, unsigned after)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct store *store = child_store();
        if (accept_one(store) != OK)
            _exit(4);
        faults_set(fault, after);
        for (int i = 0; i < 200; i++)
            (void)accept_one(store);
        _exit(5); /* it went on as if nothing had happened */
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int rows(const char *table)
{
    sqlite3 *db;
    sqlite3_stmt *query;
    char sql[64];
    int count = -1;
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
    if (sqlite3_open(path, &db) == SQLITE_OK && sqlite3_prepare_v2(db, sql, -1, &query, NULL) == SQLITE_OK) {
        count = sqlite3_step(query) == SQLITE_ROW ? sqlite3_column_int(query, 0) : -1;
        sqlite3_finalize(query);
    }
    sqlite3_close(db);
    return count;
}

TEST(a_failing_write_sync_or_commit_ends_the_server)
{
    const struct {
        const char *what;
        enum fault fault;
        unsigned after;
    } cases[] = { { "write", FAULT_WRITE, 0 },
                  { "a later write", FAULT_WRITE, 3 },
                  { "torn", FAULT_TORN, 1 },
                  { "sync", FAULT_SYNC, 0 },
                  { "a later sync", FAULT_SYNC, 2 } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        fresh_folder();
        CHECK_EQ(cases[i].what, ends_with_fault(cases[i].fault, cases[i].after), 70);
        vfs = NULL;
        struct store *store = open_store(); /* the next server opens it and serves */
        CHECK_EQ("the next one", accept_one(store), OK);
        store_stop(store);
        remove_folder();
    }
}

TEST(an_answer_comes_only_after_the_sync_of_its_commit)
{
    unsigned writes, syncs;
    fresh_folder();
    vfs = FAULTS_VFS;
    struct store *store = open_store();
    for (int i = 0; i < 20; i++) {
        faults_counts(&writes, &syncs);
        CHECK_EQ("stored", accept_one(store), OK);
        faults_counts(&writes, &syncs);
        CHECK("written", writes > 0);
        CHECK("and synced after the last write", syncs > 0);
    }
    store_stop(store);
    remove_folder();
}

/* The child writes the number of acknowledged events to a shared byte count, then the power goes at some moment. */
static int acknowledged_before_cut(int moment)
{
    int ends[2], status, count = 0;
    char byte;
    if (pipe(ends) != 0)
        abort();
    pid_t child = fork();
    if (child == 0) {
        struct store *store = child_store();
        faults_set(FAULT_SYNC, (unsigned)moment);
        for (int i = 0; i < 200; i++)
            if (accept_one(store) == OK && write(ends[1], "x", 1) != 1)
                _exit(6);
        _exit(5);
    }
    close(ends[1]);
    waitpid(child, &status, 0);
    while (read(ends[0], &byte, 1) == 1)
        count++;
    close(ends[0]);
    return count;
}

TEST(everything_acknowledged_survives_a_crash_at_any_sync)
{
    for (int moment = 0; moment < 12; moment++) {
        fresh_folder();
        int acknowledged = acknowledged_before_cut(moment);
        vfs = NULL;
        if (acknowledged > 0) {
            struct store *store = open_store();
            store_stop(store);
            CHECK("all of them", rows("event") >= acknowledged);
            CHECK_EQ("with their deliveries", rows("delivery"), rows("event"));
        }
        remove_folder();
    }
}

static void cut_fatal(void *arg, const char *why)
{
    pause(); /* the power goes now: nothing happens any more */
}

TEST(everything_acknowledged_survives_a_power_cut)
{
    for (int round = 1; round <= 10; round++) {
        int ends[2], status;
        char byte;
        fresh_folder();
        if (pipe(ends) != 0)
            abort();
        pid_t child = fork();
        if (child == 0) {
            struct store_config config = { .path = path, .on_fatal = cut_fatal, .vfs = FAULTS_VFS };
            struct store *store = NULL;
            char why[512];
            if (store_open(&config, &store, why, sizeof(why)) != OK || store_start(store) != OK)
                _exit(3);
            for (int i = 0; i < round * 3; i++)
                if (accept_one(store) != OK || write(ends[1], "x", 1) != 1)
                    _exit(6);
            struct outcome *outcome; /* one more is on its way, and its write is the last that reaches the disk's cache */
            struct event *event = event_with("{}", &outcome);
            struct store_accept op = {
                .op = { .kind = STORE_ACCEPT, .on_done = on_done }, .event = event, .outcome = outcome, .keep_body = true
            };
            if (!store_take_room(store, ROOM_EVENT))
                _exit(7);
            unsigned writes, syncs;
            faults_set(FAULT_WRITE, 2);
            faults_counts(&writes, &syncs);
            store_submit(store, &op.op);
            wait_for_writes(3);
            faults_power_cut();
            _exit(0);
        }
        close(ends[1]);
        waitpid(child, &status, 0);
        int acknowledged = 0;
        while (read(ends[0], &byte, 1) == 1)
            acknowledged++;
        close(ends[0]);
        CHECK_EQ("acknowledged", acknowledged, round * 3);
        vfs = NULL;
        struct store *store = open_store();
        store_stop(store);
        CHECK_EQ("all are there, and nothing else", rows("event"), acknowledged);
        CHECK_EQ("bodies", rows("body"), acknowledged);
        remove_folder();
    }
}

TEST_MAIN()
