#include "script/rule_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fnv.h"

struct reading {
    struct rules_place place;
    struct arena *arena;
    struct rule_file *files;
    size_t count, room, bytes;
    const char *shown; /* "rules/" or "" */
    struct slice *why;
    bool only_stamp; /* files are not opened */
    uint64_t stamp;
};

const char *rule_files_folder(const struct rules_place *place, char *out, size_t size)
{
    struct stat info;
    snprintf(out, size, "%s/rules", place->folder);
    if (place->always_below || (stat(out, &info) == 0 && S_ISDIR(info.st_mode)))
        return "rules/";
    snprintf(out, size, "%s", place->folder);
    return "";
}

static enum result refuse(struct reading *reading, enum result rc, const char *format, ...) __attribute__((format(printf, 3, 4)));
static enum result refuse(struct reading *reading, enum result rc, const char *format, ...)
{
    char text[PATH_MAX + 200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    *reading->why = arena_copy(reading->arena, slice_of(text));
    return rc;
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);
    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

/* Folders of the top whose files are no rule files. */
static bool is_other_folder(const char *name)
{
    return strcmp(name, "samples") == 0;
}

static bool is_pem(const char *inside)
{
    return ends_with(inside, ".pem") || ends_with(inside, ".crt") || ends_with(inside, ".cer") || ends_with(inside, ".key");
}

/* Is it read with the rules? Of schemas/ what is JSON. */
static bool belongs(const char *inside)
{
    if (strncmp(inside, "schemas/", 8) == 0)
        return ends_with(inside, ".json");
    return ends_with(inside, ".lua") && !ends_with(inside, "_test.lua");
}

/* "lib/slack/names.lua" → "lib.slack.names", and the same of compat/ and providers/; "" for rule files. */
static struct slice module_of(struct arena *arena, const char *inside)
{
    struct slice module = SLICE("");
    if (strncmp(inside, "lib/", 4) == 0 || strncmp(inside, "compat/", 7) == 0 || strncmp(inside, "providers/", 10) == 0) {
        module = arena_copy(arena, slice_make(inside, strlen(inside) - 4));
        for (size_t i = 0; module.data && i < module.len; i++)
            if (module.data[i] == '/')
                ((char *)module.data)[i] = '.';
    }
    return module;
}

static enum result read_text(struct reading *reading, const char *path, struct slice *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        enum result rc = refuse(reading, ERR_IO, "%s cannot be read: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    if (info.st_size > RULE_FILE_BYTES_MAX || reading->bytes + (size_t)info.st_size > RULE_BYTES_MAX) {
        close(fd);
        return refuse(reading, ERR_LIMIT, "%s is too large: a rule file has at most %d KiB, all together %d MiB", path,
                      RULE_FILE_BYTES_MAX >> 10, RULE_BYTES_MAX >> 20);
    }
    char *data = arena_alloc(reading->arena, (size_t)info.st_size + 1);
    ssize_t got, len = 0;
    while (data && len < info.st_size && (got = read(fd, data + len, (size_t)(info.st_size - len))) > 0)
        len += got;
    close(fd);
    if (!data)
        return refuse(reading, ERR_MEMORY, "not enough memory for %s", path);
    reading->bytes += (size_t)len;
    *text = slice_make(data, (size_t)len);
    return OK;
}

/* ---- certificates and keys ---- */

static const char *read_pem(int fd, char *data, size_t len)
{
    size_t got = 0;
    ssize_t more;
    while (got < len && (more = read(fd, data + got, len - got)) > 0)
        got += (size_t)more;
    return got < len ? "it changes while it is read" : NULL;
}

const char *rule_files_pem(const struct rules_place *place, const char *path, struct arena *arena, struct slice *text)
{
    char folder[PATH_MAX], whole[PATH_MAX];
    struct stat info;
    (void)rule_files_folder(place, folder, sizeof(folder));
    if (snprintf(whole, sizeof(whole), "%s/%s", folder, path) >= (int)sizeof(whole))
        return "its path is too long";
    int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return strerror(errno);
    const char *why = NULL;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        why = "it is no file";
    else if (info.st_size > RULE_FILE_BYTES_MAX)
        why = "it has more than 1 MiB";
    char *data = why ? NULL : arena_alloc(arena, (size_t)info.st_size + 1);
    if (!why)
        why = data ? read_pem(fd, data, (size_t)info.st_size) : "not enough memory";
    close(fd);
    if (!why)
        *text = slice_make(data, (size_t)info.st_size);
    return why;
}

static bool hash_text(struct slice text, char *out, size_t size)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    int len = snprintf(out, size, "sha256 ");
    bool ok = EVP_Digest(text.data, text.len, digest, NULL, EVP_sha256(), NULL);
    for (int i = 0; ok && i < 32; i++)
        len += snprintf(out + len, size - (size_t)len, "%02x", digest[i]);
    return ok;
}

/* In place of its text; "" stays so (rule_files_look). One that cannot be read is of no interest until a target names it. */
static bool hash_pem(const struct reading *reading, const char *inside, struct slice *hash)
{
    struct arena scratch = { 0 };
    struct slice text;
    char line[80] = "";
    bool ok = !rule_files_pem(&reading->place, inside, &scratch, &text) && (text.len == 0 || hash_text(text, line, sizeof(line)));
    if (ok) {
        OPENSSL_cleanse((void *)text.data, text.len);
        *hash = arena_copy(reading->arena, slice_of(line));
    }
    arena_deinit(&scratch);
    return ok;
}

/* ---- reading ---- */

static bool make_room(struct arena *arena, struct rule_file **files, size_t count, size_t *room)
{
    size_t wanted = *room ? *room * 2 : 16;
    if (count < *room)
        return true;
    struct rule_file *more = arena_alloc(arena, wanted * sizeof(*more));
    if (!more)
        return false;
    if (count)
        memcpy(more, *files, count * sizeof(*more));
    *files = more;
    *room = wanted;
    return true;
}

static enum result add_file(struct reading *reading, const char *path, const char *inside)
{
    char name[PATH_MAX];
    struct rule_file file = { .module = is_pem(inside) ? SLICE("") : module_of(reading->arena, inside) };
    if (reading->count == RULE_FILES_MAX)
        return refuse(reading, ERR_LIMIT, "more than %d rule files", RULE_FILES_MAX);
    if (!make_room(reading->arena, &reading->files, reading->count, &reading->room))
        return refuse(reading, ERR_MEMORY, "not enough memory for the rule files");
    if (snprintf(name, sizeof(name), "%s%s", reading->shown, inside) >= (int)sizeof(name))
        return refuse(reading, ERR_LIMIT, "the path of %s is too long", inside);
    file.name = arena_copy(reading->arena, slice_of(name));
    if (is_pem(inside) && !hash_pem(reading, inside, &file.text))
        return OK;
    enum result rc = is_pem(inside) ? OK : read_text(reading, path, &file.text);
    if (rc == OK)
        reading->files[reading->count++] = file;
    return rc;
}

/* A sum, so that the order in which a folder lists them does not matter. */
static void add_stamp(struct reading *reading, const char *inside, const struct stat *info)
{
    const uint64_t numbers[] = { (uint64_t)info->st_dev,          (uint64_t)info->st_ino,          (uint64_t)info->st_size,
                                 (uint64_t)info->st_mtim.tv_sec,  (uint64_t)info->st_mtim.tv_nsec, (uint64_t)info->st_ctim.tv_sec,
                                 (uint64_t)info->st_ctim.tv_nsec, (uint64_t)info->st_mode };
    reading->stamp += fnv(fnv(FNV_START, inside, strlen(inside)), numbers, sizeof(numbers));
}

/* A name that was listed and is not there: gone meanwhile, which is fine, or a rule file that is a symlink to nowhere, or behind
 * a folder that may not be entered, which is not: the routes in it would be gone. */
static enum result miss_file(struct reading *reading, const char *path, const char *inside)
{
    struct stat info;
    int why = errno;
    if (!belongs(inside) || (why == ENOENT && lstat(path, &info) != 0))
        return OK;
    return refuse(reading, ERR_IO, "%s cannot be read: %s", path, strerror(why));
}

/* inside: the folder's path below the rules folder, "" or with '/' at its end. */
static enum result read_folder(struct reading *reading, const char *folder, const char *inside, int depth)
{
    DIR *dir = opendir(folder);
    enum result rc = OK;
    if (!dir)
        return refuse(reading, ERR_IO, "%s cannot be read: %s", folder, strerror(errno));
    for (struct dirent *entry; rc == OK && (entry = readdir(dir));) {
        char path[PATH_MAX], below[PATH_MAX];
        struct stat info;
        if (entry->d_name[0] == '.' || snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path) - 1 ||
            snprintf(below, sizeof(below), "%s%s", inside, entry->d_name) >= (int)sizeof(below) - 1)
            continue;
        if (stat(path, &info) != 0) {
            rc = miss_file(reading, path, below);
        } else if (S_ISDIR(info.st_mode)) {
            strcat(below, "/");
            if (depth < RULE_DEPTH_MAX && !(depth == 0 && is_other_folder(entry->d_name)))
                rc = read_folder(reading, path, below, depth + 1);
        } else if (S_ISREG(info.st_mode) && (belongs(below) || is_pem(below)) &&
                   !(depth == 0 && strcmp(below, SETTINGS_FILE) == 0)) {
            add_stamp(reading, below, &info);
            rc = reading->only_stamp ? OK : add_file(reading, path, below);
        }
    }
    closedir(dir);
    return rc;
}

/* FOLDER/tidewire.lua, where there is one: read, hashed and kept with the rules. */
static enum result read_settings(struct reading *reading, const char *folder)
{
    char path[PATH_MAX];
    struct stat info;
    snprintf(path, sizeof(path), "%s/%s", folder, SETTINGS_FILE);
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return OK;
    reading->shown = "";
    add_stamp(reading, SETTINGS_FILE, &info);
    return reading->only_stamp ? OK : add_file(reading, path, SETTINGS_FILE);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct rule_file *)a)->name.data, ((const struct rule_file *)b)->name.data);
}

static bool hash_files(const struct rule_files *files, char hex[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    for (size_t i = 0; ok && i < files->count; i++) {
        const struct rule_file *file = &files->list[i];
        uint64_t lengths[2] = { file->name.len, file->text.len };
        ok = EVP_DigestUpdate(context, lengths, sizeof(lengths)) && EVP_DigestUpdate(context, file->name.data, file->name.len) &&
             EVP_DigestUpdate(context, file->text.data, file->text.len);
    }
    ok = ok && EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    for (int i = 0; ok && i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return ok;
}

/* One reading. What cannot be read is hashed as one file without a name, whose text says why. */
static enum result read_once(const struct rules_place *place, struct arena *arena, struct rule_files *out, struct slice *why)
{
    char path[PATH_MAX];
    struct reading reading = { .place = *place, .arena = arena, .why = why };
    reading.shown = rule_files_folder(place, path, sizeof(path));
    enum result rc = read_folder(&reading, path, "", 0);
    if (rc == OK)
        rc = read_settings(&reading, place->folder);
    struct rule_file failed = { .name = SLICE(""), .module = SLICE(""), .text = *why };
    if (rc == OK && reading.count > 1)
        qsort(reading.files, reading.count, sizeof(*reading.files), by_name);
    *out = (struct rule_files){ .list = rc == OK ? reading.files : &failed, .count = rc == OK ? reading.count : 1 };
    if (!hash_files(out, out->hash))
        rc = refuse(&reading, ERR_MEMORY, "not enough memory for the rule files");
    if (rc != OK)
        out->list = NULL;
    return rc;
}

static bool has_empty(const struct rule_files *files)
{
    for (size_t i = 0; files->list && i < files->count; i++)
        if (files->list[i].text.len == 0)
            return true;
    return false;
}

bool rule_files_look(const struct rules_place *place, char hash[65])
{
    struct arena arena = { 0 };
    struct rule_files files;
    struct slice why = SLICE("");
    (void)read_once(place, &arena, &files, &why); /* a failure has its own hash */
    bool empty = has_empty(&files);
    memcpy(hash, files.hash, sizeof(files.hash));
    arena_deinit(&arena);
    return empty;
}

uint64_t rule_files_stamp(const struct rules_place *place)
{
    char path[PATH_MAX];
    struct arena arena = { 0 };
    struct slice why = SLICE("");
    struct reading reading = { .place = *place, .arena = &arena, .why = &why, .only_stamp = true };
    (void)rule_files_folder(place, path, sizeof(path));
    if (read_folder(&reading, path, "", 0) == OK) /* a failure stamps by what it says */
        (void)read_settings(&reading, place->folder);
    uint64_t stamp = fnv(reading.stamp, why.data, why.len);
    arena_deinit(&arena);
    return stamp;
}

enum result rule_files_read(const struct rules_place *place, struct arena *arena, struct rule_files *out, struct slice *why)
{
    for (int i = 0; i < RULE_READS_MAX; i++) {
        char before[65];
        (void)rule_files_look(place, before);
        enum result rc = read_once(place, arena, out, why);
        if (strcmp(out->hash, before) == 0)
            return rc;
    }
    *why = SLICE("the rule files change while they are read");
    out->count = 0;
    return ERR_STALE;
}

void rule_files_write(const struct rule_file *list, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        buf_add_block(out, list[i].name);
        buf_add_block(out, list[i].module);
        buf_add_block(out, list[i].text);
    }
}

enum result rule_files_parse(struct slice blob, struct arena *arena, struct rule_files *out)
{
    struct cursor cursor = { blob, false };
    struct rule_file *list = NULL;
    size_t room = 0;
    *out = (struct rule_files){ 0 };
    while (cursor.rest.len > 0 && !cursor.failed && out->count < RULE_FILES_MAX) {
        if (!make_room(arena, &list, out->count, &room))
            return ERR_MEMORY;
        out->list = list;
        list[out->count].name = cursor_block(&cursor);
        list[out->count].module = cursor_block(&cursor);
        list[out->count++].text = cursor_block(&cursor);
    }
    if (cursor.failed || cursor.rest.len > 0)
        return ERR_INVALID;
    return hash_files(out, out->hash) ? OK : ERR_MEMORY;
}
