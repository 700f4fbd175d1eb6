#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* One setting: how it is called, and who takes its value. */
struct setting {
    const char *flag;     /* "--listen" */
    const char *variable; /* "TIDEWIRE_LISTEN" */
    bool alone;           /* a flag without a value */
    enum result (*take)(struct config *config, const char *value, char *why);
};

static enum result refuse(char *why, const char *what, const char *value, const char *write)
{
    snprintf(why, CONFIG_WHY_MAX, "%s %s: %s", what, value, write);
    return ERR_INVALID;
}

static enum result take_text(char *to, size_t size, const char *what, const char *value, char *why)
{
    if (value[0] == '\0' || strlen(value) >= size)
        return refuse(why, what, value, "empty or too long");
    strcpy(to, value);
    return OK;
}

static enum result take_folder(struct config *config, const char *value, char *why)
{
    return take_text(config->folder, sizeof(config->folder), "--folder", value, why);
}

/* A list with commas, or the flag several times. */
static enum result take_listen(struct config *config, const char *value, char *why)
{
    while (*value) {
        size_t len = strcspn(value, ",");
        if (config->listen_count == ADDRESSES_MAX || len == 0 || len >= LISTEN_TEXT_MAX)
            return refuse(why, "--listen", value, "write ADDR:PORT, for example 127.0.0.1:8080");
        memcpy(config->listen[config->listen_count], value, len);
        config->listen[config->listen_count++][len] = '\0';
        value += len + (value[len] == ',');
    }
    return OK;
}

static enum result take_admin(struct config *config, const char *value, char *why)
{
    config->admin = strcmp(value, "off") != 0;
    if (!config->admin)
        return OK;
    if (strncmp(value, "unix:", 5) != 0)
        return refuse(why, "--admin", value, "write unix:PATH or off (an address and port come with a later version)");
    return take_text(config->admin_socket, sizeof(config->admin_socket), "--admin", value + 5, why);
}

static enum result take_store(struct config *config, const char *value, char *why)
{
    if (strncmp(value, "sqlite:", 7) == 0)
        value += 7;
    else if (strstr(value, "://"))
        return refuse(why, "--store", value, "write sqlite:PATH or PATH");
    return take_text(config->store, sizeof(config->store), "--store", value, why);
}

static enum result take_workers(struct config *config, const char *value, char *why)
{
    char *end;
    long count = strtol(value, &end, 10);
    if (*end || count < 1 || count > WORKERS_MAX)
        return refuse(why, "--workers", value, "write a number from 1 to 128");
    config->workers = (uint32_t)count;
    return OK;
}

static bool is_true(const char *value)
{
    return strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0 || strcasecmp(value, "yes") == 0 ||
           strcasecmp(value, "on") == 0;
}

static enum result take_watch(struct config *config, const char *value, char *why)
{
    config->watch = is_true(value);
    return OK;
}

static enum result take_no_watch(struct config *config, const char *value, char *why)
{
    config->watch = !is_true(value);
    return OK;
}

static enum result take_strict(struct config *config, const char *value, char *why)
{
    config->production = config->production || is_true(value);
    return OK;
}

bool config_duration(const char *text, uint64_t *ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
    char *end;
    unsigned long long number = strtoull(text, &end, 10);
    for (size_t i = 0; text[0] >= '0' && text[0] <= '9' && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].unit) == 0 && number <= 1000000) {
            *ms = number * units[i].ms;
            return true;
        }
    }
    return false;
}

static enum result take_drain(struct config *config, const char *value, char *why)
{
    return config_duration(value, &config->drain_ms)
               ? OK
               : refuse(why, "--drain", value, "write a number and a unit, for example 10s");
}

static enum result take_log_format(struct config *config, const char *value, char *why)
{
    if (strcmp(value, "json") != 0 && strcmp(value, "terminal") != 0)
        return refuse(why, "--log-format", value, "write json or terminal");
    config->log_format = strcmp(value, "json") == 0 ? LOG_JSON : LOG_TERMINAL;
    return OK;
}

static enum result take_log_level(struct config *config, const char *value, char *why)
{
    return log_level_parse(slice_of(value), &config->log_level)
               ? OK
               : refuse(why, "--log-level", value, "write debug, info, warn or error");
}

static enum result take_no_color(struct config *config, const char *value, char *why)
{
    config->colour = config->colour && !is_true(value);
    return OK;
}

static const struct setting settings[] = {
    { "--folder", "TIDEWIRE_FOLDER", false, take_folder },
    { "--listen", "TIDEWIRE_LISTEN", false, take_listen },
    { "--admin", "TIDEWIRE_ADMIN", false, take_admin },
    { "--store", "TIDEWIRE_STORE", false, take_store },
    { "--workers", "TIDEWIRE_WORKERS", false, take_workers },
    { "--watch", "TIDEWIRE_WATCH", true, take_watch },
    { "--no-watch", "TIDEWIRE_NO_WATCH", true, take_no_watch },
    { "--strict", "TIDEWIRE_STRICT", true, take_strict },
    { "--drain", "TIDEWIRE_DRAIN", false, take_drain },
    { "--log-format", "TIDEWIRE_LOG_FORMAT", false, take_log_format },
    { "--log-level", "TIDEWIRE_LOG_LEVEL", false, take_log_level },
    { "--no-color", "TIDEWIRE_NO_COLOR", true, take_no_color },
};
enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

static bool has_utf8_terminal(int fd)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR"), *clicolor = getenv("CLICOLOR");
    return isatty(fd) && !(term && strcmp(term, "dumb") == 0) && !(no_color && *no_color) &&
           !(clicolor && strcmp(clicolor, "0") == 0);
}

static void set_defaults(struct config *config)
{
    const char *stage = getenv("TIDEWIRE_ENV");
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    *config = (struct config){ .folder = ".", .admin = true, .drain_ms = 10000, .log_level = LOG_INFO };
    config->workers = cpus < 1 ? 1 : cpus > WORKERS_MAX ? WORKERS_MAX : (uint32_t)cpus;
    config->watch = isatty(STDOUT_FILENO);
    config->production = stage && strcmp(stage, "production") == 0;
    config->log_format = isatty(STDERR_FILENO) ? LOG_TERMINAL : LOG_JSON;
    config->colour = has_utf8_terminal(STDOUT_FILENO);
    config->secrets_folder = getenv("CREDENTIALS_DIRECTORY");
#ifdef TIDEWIRE_TEST_FAULTS
    config->store_vfs = getenv("TIDEWIRE_STORE_VFS");
    config->ca_file = getenv("TIDEWIRE_TEST_CA");
    config->connect_to = getenv("TIDEWIRE_TEST_CONNECT_TO");
#endif
}

/* A flag and its value, in one word or two; how many words it took, 0: an error. */
static int take_flag(struct config *config, int argc, const char *const *argv, char *why)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        size_t len = strlen(settings[i].flag);
        if (strncmp(argv[0], settings[i].flag, len) != 0 || (argv[0][len] != '\0' && argv[0][len] != '='))
            continue;
        if (settings[i].alone)
            return argv[0][len] == '\0' && settings[i].take(config, "1", why) == OK ? 1 : 0;
        if (argv[0][len] == '=')
            return settings[i].take(config, argv[0] + len + 1, why) == OK ? 1 : 0;
        if (argc > 1)
            return settings[i].take(config, argv[1], why) == OK ? 2 : 0;
        snprintf(why, CONFIG_WHY_MAX, "%s needs a value behind it", argv[0]);
        return 0;
    }
    snprintf(why, CONFIG_WHY_MAX, "there is no flag %s; see: tidewire help run", argv[0]);
    return 0;
}

static enum result read_environment(struct config *config, char *why)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const char *value = getenv(settings[i].variable);
        char text[CONFIG_WHY_MAX];
        if (value && *value && settings[i].take(config, value, text) != OK) {
            snprintf(why, CONFIG_WHY_MAX, "%s=%.100s: %.300s", settings[i].variable, value, text);
            return ERR_INVALID;
        }
    }
    return OK;
}

static enum result read_flags(struct config *config, int argc, const char *const *argv, char *why)
{
    bool folder = false, listen = false;
    while (argc > 0) {
        int used = 1;
        if (argv[0][0] != '-') {
            if (folder) {
                snprintf(why, CONFIG_WHY_MAX, "run takes one folder, not both %.100s and %.100s", config->folder, argv[0]);
                return ERR_INVALID;
            }
            folder = true;
            if (take_folder(config, argv[0], why) != OK)
                return ERR_INVALID;
        } else {
            if (strncmp(argv[0], "--listen", 8) == 0 && !listen) { /* flags replace what the environment said */
                config->listen_count = 0;
                listen = true;
            }
            why[0] = '\0';
            used = take_flag(config, argc, argv, why);
            if (used == 0) {
                if (!why[0])
                    snprintf(why, CONFIG_WHY_MAX, "%s takes no value", argv[0]);
                return ERR_INVALID;
            }
        }
        argc -= used;
        argv += used;
    }
    return OK;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]", 5) == 0 || strncmp(address, "localhost:", 10) == 0 ||
           strchr(address, ':') == NULL;
}

enum result config_read(int argc, const char *const *argv, struct config *out, char why[CONFIG_WHY_MAX])
{
    set_defaults(out);
    if (read_environment(out, why) != OK || read_flags(out, argc, argv, why) != OK)
        return ERR_INVALID;
    if (out->listen_count == 0)
        strcpy(out->listen[out->listen_count++], "127.0.0.1:8080");
    if (out->admin && !out->admin_socket[0])
        snprintf(out->admin_socket, sizeof(out->admin_socket), "%.4000s/run/tidewire.sock", out->folder);
    if (!out->store[0])
        snprintf(out->store, sizeof(out->store), "%.4000s/data/tidewire.db", out->folder);
    for (size_t i = 0; i < out->listen_count; i++)
        out->production = out->production || !is_loopback(out->listen[i]);
    return OK;
}
