#include "loop/probation.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/fnv.h"
#include "base/mem.h"
#include "script/rule_files.h"

enum { VERSION = 1 };

struct failure {
    struct uuid event;
    uint64_t at_ms;
};

/* One route or target that has failed at least once. */
struct entry {
    struct entry *next;
    enum ward_kind kind;
    enum standing standing;
    uint64_t fingerprint; /* of the rule that failed */
    char *name, *file;    /* owned */
    size_t name_len, file_len;
    struct failure failures[PROBATION_EVENTS]; /* of different events, the oldest first */
    uint32_t failure_count;
    enum run_reason reason;
    uint64_t since_ms, pace_ms, next_start_ms;
    uint32_t good;
    bool turn_taken;
};

struct probation {
    pthread_mutex_t lock;   /* guards all but the atomics */
    atomic_uint restricted; /* entries that do not stand well */
    atomic_uint version;
    struct entry *entries; /* owned */
    size_t count;
};

struct probation *probation_new(void)
{
    struct probation *probation = MEM_NEW(struct probation);
    pthread_mutex_init(&probation->lock, NULL);
    return probation;
}

static void entry_free(struct entry *entry)
{
    mem_free(entry->name);
    mem_free(entry->file);
    mem_free(entry);
}

void probation_free(struct probation *probation)
{
    while (probation->entries) {
        struct entry *next = probation->entries->next;
        entry_free(probation->entries);
        probation->entries = next;
    }
    pthread_mutex_destroy(&probation->lock);
    mem_free(probation);
}

/* ---- what a rule is made of ---- */

/* Of a file, of all below lib/, which may be part of any rule, and of the settings, whose limits hold for all. */
static uint64_t fingerprint_of(const struct generation *generation, struct slice file)
{
    uint64_t hash = FNV_START;
    for (size_t i = 0; i < generation->file_count; i++) {
        const struct rule_file *part = &generation->files[i];
        if (part->module.len > 0 || slice_eq(part->name, file) || slice_is(part->name, SETTINGS_FILE))
            hash = fnv(fnv(hash, part->name.data, part->name.len), part->text.data, part->text.len);
    }
    return hash;
}

/* ---- entries, under the lock ---- */

static struct slice name_of(const struct entry *entry)
{
    return slice_make(entry->name, entry->name_len);
}

static struct slice file_of(const struct entry *entry)
{
    return slice_make(entry->file, entry->file_len);
}

static struct entry *find(const struct probation *probation, enum ward_kind kind, struct slice name)
{
    for (struct entry *entry = probation->entries; entry; entry = entry->next)
        if (entry->kind == kind && slice_eq(name_of(entry), name))
            return entry;
    return NULL;
}

static struct entry *make(struct probation *probation, enum ward_kind kind, struct slice name, struct slice file)
{
    struct entry *entry = MEM_NEW(struct entry);
    entry->kind = kind;
    entry->name = mem_text(name);
    entry->name_len = name.len;
    entry->file = mem_text(file);
    entry->file_len = file.len;
    entry->pace_ms = PROBATION_PACE_MS;
    entry->next = probation->entries;
    probation->entries = entry;
    probation->count++;
    return entry;
}

static void remove_entry(struct probation *probation, struct entry **place)
{
    struct entry *entry = *place;
    *place = entry->next;
    probation->count--;
    entry_free(entry);
}

static struct slice declared_in(const struct generation *generation, enum ward_kind kind, struct slice name)
{
    const struct route *route = kind == WARD_ROUTE ? generation_route(generation, name) : NULL;
    const struct target *target = kind == WARD_TARGET ? generation_target(generation, name) : NULL;
    return route ? route->file : target ? target->file : SLICE("");
}

static uint64_t last_failure_ms(const struct entry *entry)
{
    return entry->failure_count ? entry->failures[entry->failure_count - 1].at_ms : 0;
}

/* Of those in good standing the one whose last failure lies furthest back: it says the least. false: none stands well. */
static bool make_room(struct probation *probation)
{
    struct entry **oldest = NULL;
    for (struct entry **place = &probation->entries; *place; place = &(*place)->next)
        if ((*place)->standing == STANDING_GOOD && (!oldest || last_failure_ms(*place) < last_failure_ms(*oldest)))
            oldest = place;
    if (oldest)
        remove_entry(probation, oldest);
    return oldest != NULL;
}

static struct entry *find_or_make(struct probation *probation, enum ward_kind kind, struct slice name,
                                  const struct generation *generation)
{
    struct entry *entry = find(probation, kind, name);
    if (entry || (probation->count == PROBATION_WARDS_MAX && !make_room(probation)))
        return entry;
    struct slice file = declared_in(generation, kind, name);
    entry = make(probation, kind, name, file);
    entry->fingerprint = fingerprint_of(generation, file);
    return entry;
}

static void set_standing(struct probation *probation, struct entry *entry, enum standing standing)
{
    if ((entry->standing == STANDING_GOOD) != (standing == STANDING_GOOD))
        atomic_fetch_add(&probation->restricted, standing == STANDING_GOOD ? -1 : 1);
    entry->standing = standing;
    atomic_fetch_add(&probation->version, 1);
}

static void forget_failures(struct entry *entry)
{
    entry->failure_count = entry->good = 0;
    entry->pace_ms = PROBATION_PACE_MS;
    entry->next_start_ms = 0;
}

/* The event that failed again is one event; what is older than the window does not count. */
static void note_failure(struct entry *entry, struct uuid event, uint64_t now_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < entry->failure_count; i++) {
        const struct failure *failure = &entry->failures[i];
        if (!uuid_eq(failure->event, event) && now_ms < failure->at_ms + PROBATION_WITHIN_MS)
            entry->failures[kept++] = *failure;
    }
    if (kept == PROBATION_EVENTS)
        memmove(entry->failures, entry->failures + 1, (size_t)--kept * sizeof(entry->failures[0]));
    entry->failures[kept++] = (struct failure){ event, now_ms };
    entry->failure_count = kept;
}

/* ---- what workers say and ask ---- */

enum standing probation_of(struct probation *probation, enum ward_kind kind, struct slice name)
{
    if (atomic_load_explicit(&probation->restricted, memory_order_relaxed) == 0)
        return STANDING_GOOD;
    pthread_mutex_lock(&probation->lock);
    const struct entry *entry = find(probation, kind, name);
    enum standing standing = entry ? entry->standing : STANDING_GOOD;
    pthread_mutex_unlock(&probation->lock);
    return standing;
}

static bool failed(struct probation *probation, struct entry *entry, struct uuid event, enum run_reason reason, uint64_t now_ms)
{
    note_failure(entry, event, now_ms);
    atomic_fetch_add(&probation->version, 1); /* three falls of the process are three failures, too */
    entry->reason = reason;
    entry->good = 0;
    if (entry->standing == STANDING_PROBATION) {
        entry->pace_ms = entry->pace_ms * 2 < PROBATION_PACE_MAX_MS ? entry->pace_ms * 2 : PROBATION_PACE_MAX_MS;
        entry->next_start_ms = now_ms + entry->pace_ms;
        return false;
    }
    if (entry->failure_count < PROBATION_EVENTS)
        return false;
    entry->since_ms = now_ms;
    set_standing(probation, entry, STANDING_PROBATION);
    return true;
}

bool probation_failed(struct probation *probation, enum ward_kind kind, struct slice name, const struct generation *generation,
                      struct uuid event, enum run_reason reason, uint64_t now_ms)
{
    pthread_mutex_lock(&probation->lock);
    struct entry *entry = find_or_make(probation, kind, name, generation);
    bool came_on = entry && failed(probation, entry, event, reason, now_ms);
    pthread_mutex_unlock(&probation->lock);
    return came_on;
}

bool probation_went_well(struct probation *probation, struct slice route)
{
    if (atomic_load_explicit(&probation->restricted, memory_order_relaxed) == 0)
        return false;
    pthread_mutex_lock(&probation->lock);
    struct entry *entry = find(probation, WARD_ROUTE, route);
    bool over = false;
    if (entry && entry->standing == STANDING_PROBATION) {
        entry->pace_ms = PROBATION_PACE_MS;
        over = ++entry->good >= PROBATION_GOOD;
        if (over) {
            forget_failures(entry);
            set_standing(probation, entry, STANDING_GOOD);
        }
    }
    pthread_mutex_unlock(&probation->lock);
    return over;
}

void probation_store_first(struct probation *probation, enum ward_kind kind, struct slice name,
                           const struct generation *generation, uint64_t now_ms)
{
    pthread_mutex_lock(&probation->lock);
    struct entry *entry = find_or_make(probation, kind, name, generation);
    if (entry && entry->standing == STANDING_GOOD) {
        entry->reason = RUN_CRASH;
        entry->since_ms = now_ms;
        set_standing(probation, entry, STANDING_STORE_FIRST);
    }
    pthread_mutex_unlock(&probation->lock);
}

uint64_t probation_take_turn(struct probation *probation, struct slice route, uint64_t now_ms)
{
    uint64_t wait_ms = 0;
    if (atomic_load_explicit(&probation->restricted, memory_order_relaxed) == 0)
        return 0;
    pthread_mutex_lock(&probation->lock);
    struct entry *entry = find(probation, WARD_ROUTE, route);
    if (entry && entry->standing == STANDING_PROBATION) {
        if (entry->turn_taken)
            wait_ms = PROBATION_PACE_MS;
        else if (now_ms < entry->next_start_ms &&
                 entry->next_start_ms <= now_ms + PROBATION_PACE_MAX_MS) /* clocks are set back */
            wait_ms = entry->next_start_ms - now_ms;
        else
            entry->turn_taken = true;
        if (entry->turn_taken && wait_ms == 0)
            entry->next_start_ms = now_ms + entry->pace_ms;
    }
    pthread_mutex_unlock(&probation->lock);
    return wait_ms;
}

void probation_give_turn(struct probation *probation, struct slice route)
{
    pthread_mutex_lock(&probation->lock);
    struct entry *entry = find(probation, WARD_ROUTE, route);
    if (entry)
        entry->turn_taken = false;
    pthread_mutex_unlock(&probation->lock);
}

/* ---- reload ---- */

static bool is_declared(const struct generation *generation, const struct entry *entry)
{
    return entry->kind == WARD_ROUTE ? generation_route(generation, name_of(entry)) != NULL
                                     : generation_target(generation, name_of(entry)) != NULL;
}

void probation_rules_changed(struct probation *probation, const struct generation *now)
{
    pthread_mutex_lock(&probation->lock);
    for (struct entry **place = &probation->entries; *place;) {
        struct entry *entry = *place;
        if (is_declared(now, entry) && entry->fingerprint == fingerprint_of(now, file_of(entry))) {
            place = &entry->next;
            continue;
        }
        set_standing(probation, entry, STANDING_GOOD);
        remove_entry(probation, place);
    }
    pthread_mutex_unlock(&probation->lock);
}

/* ---- kept in the store ---- */

uint32_t probation_version(const struct probation *probation)
{
    return atomic_load(&probation->version);
}

static void write_entry(const struct entry *entry, struct buf *out)
{
    buf_add_u32(out, entry->kind);
    buf_add_u32(out, entry->standing);
    buf_add_u32(out, entry->reason);
    buf_add_u64(out, entry->since_ms);
    buf_add_u64(out, entry->fingerprint);
    buf_add_block(out, name_of(entry));
    buf_add_block(out, file_of(entry));
    buf_add_u32(out, entry->failure_count);
    for (uint32_t i = 0; i < entry->failure_count; i++) {
        buf_add(out, entry->failures[i].event.bytes, sizeof(entry->failures[i].event.bytes));
        buf_add_u64(out, entry->failures[i].at_ms);
    }
}

void probation_write(struct probation *probation, struct buf *out)
{
    pthread_mutex_lock(&probation->lock);
    buf_add_u32(out, VERSION);
    buf_add_u32(out, (uint32_t)probation->count);
    for (const struct entry *entry = probation->entries; entry; entry = entry->next)
        write_entry(entry, out);
    pthread_mutex_unlock(&probation->lock);
}

static void read_entry(struct probation *probation, struct cursor *cursor)
{
    enum ward_kind kind = (enum ward_kind)cursor_u32(cursor);
    enum standing standing = (enum standing)cursor_u32(cursor);
    enum run_reason reason = (enum run_reason)cursor_u32(cursor);
    uint64_t since_ms = cursor_u64(cursor), fingerprint = cursor_u64(cursor);
    struct slice name = cursor_block(cursor), file = cursor_block(cursor);
    uint32_t failures = cursor_u32(cursor);
    if (cursor->failed || kind > WARD_TARGET || standing > STANDING_PROBATION || reason > RUN_CRASH ||
        failures > PROBATION_EVENTS) {
        cursor->failed = true;
        return;
    }
    struct entry *entry = make(probation, kind, name, file);
    entry->fingerprint = fingerprint;
    entry->reason = reason;
    entry->since_ms = since_ms;
    for (; entry->failure_count < failures && !cursor->failed; entry->failure_count++) {
        struct failure *failure = &entry->failures[entry->failure_count];
        for (size_t i = 0; i < sizeof(failure->event.bytes); i++)
            failure->event.bytes[i] = cursor_u8(cursor);
        failure->at_ms = cursor_u64(cursor);
    }
    set_standing(probation, entry, standing);
}

bool probation_read(struct probation *probation, struct slice blob)
{
    struct cursor cursor = { blob, false };
    if (cursor_u32(&cursor) != VERSION)
        return false;
    uint32_t count = cursor_u32(&cursor);
    pthread_mutex_lock(&probation->lock);
    for (uint32_t i = 0; i < count && i < PROBATION_WARDS_MAX && !cursor.failed; i++)
        read_entry(probation, &cursor);
    pthread_mutex_unlock(&probation->lock);
    return !cursor.failed;
}

/* ---- for status ---- */

void probation_each(struct probation *probation, void (*each)(void *arg, const struct ward *ward), void *arg)
{
    pthread_mutex_lock(&probation->lock);
    for (const struct entry *entry = probation->entries; entry; entry = entry->next) {
        struct ward ward = { .kind = entry->kind,
                             .standing = entry->standing,
                             .name = name_of(entry),
                             .file = file_of(entry),
                             .reason = entry->reason,
                             .since_ms = entry->since_ms,
                             .good = entry->good };
        if (entry->standing != STANDING_GOOD)
            each(arg, &ward);
    }
    pthread_mutex_unlock(&probation->lock);
}
