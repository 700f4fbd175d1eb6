/* Flags, environment, defaults, in that order. */
#include "check.h"

#include "config/config.h"

static struct config config;
static char why[CONFIG_WHY_MAX];

static enum result read_words(const char *const *words)
{
    int count = 0;
    while (words[count])
        count++;
    why[0] = '\0';
    return config_read(count, words, &config, why);
}
#define READ(...) read_words((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

TEST(defaults_are_safe)
{
    CHECK_EQ("reads", READ(), OK);
    CHECK_BYTES("listen", config.listen[0], strlen(config.listen[0]), "127.0.0.1:8080", 14);
    CHECK_BYTES("store", config.store, strlen(config.store), "./data/tidewire.db", 18);
    CHECK_BYTES("admin", config.admin_socket, strlen(config.admin_socket), "./run/tidewire.sock", 19);
    CHECK("not public, so not production", !config.production);
    CHECK_EQ("drain", config.drain_ms, 10000);
    CHECK("workers", config.workers >= 1);
}

TEST(flags_win_over_the_environment)
{
    setenv("TIDEWIRE_LISTEN", "127.0.0.1:1,127.0.0.1:2", 1);
    setenv("TIDEWIRE_WORKERS", "3", 1);
    CHECK_EQ("environment", READ(), OK);
    CHECK_EQ("two addresses", config.listen_count, 2);
    CHECK_EQ("workers", config.workers, 3);
    CHECK_EQ("flags", READ("folder", "--listen", "127.0.0.1:9", "--workers=5", "--no-watch", "--drain", "2m"), OK);
    CHECK_EQ("one address", config.listen_count, 1);
    CHECK_EQ("workers", config.workers, 5);
    CHECK_EQ("drain", config.drain_ms, 120000);
    CHECK_BYTES("folder", config.folder, strlen(config.folder), "folder", 6);
    CHECK_EQ("several", READ("--listen", "127.0.0.1:9", "--listen=[::1]:9"), OK);
    CHECK_EQ("both", config.listen_count, 2);
    unsetenv("TIDEWIRE_LISTEN");
    unsetenv("TIDEWIRE_WORKERS");
}

TEST(public_addresses_mean_production)
{
    CHECK("public", READ("--listen", "0.0.0.0:8080") == OK && config.production);
    CHECK("loopback", READ("--listen", "[::1]:8080") == OK && !config.production);
    CHECK("a port alone is loopback", READ("--listen", "8080") == OK && !config.production);
    CHECK("asked for", READ("--strict") == OK && config.production);
}

TEST(mistakes_say_what_to_write)
{
    const struct {
        const char *const *words;
        const char *says;
    } cases[] = {
        { (const char *const[]){ "--listn", "x", NULL }, "there is no flag --listn" },
        { (const char *const[]){ "--listen", NULL }, "needs a value" },
        { (const char *const[]){ "--workers", "0", NULL }, "1 to 128" },
        { (const char *const[]){ "--workers", "129", NULL }, "1 to 128" },
        { (const char *const[]){ "--workers", "two", NULL }, "1 to 128" },
        { (const char *const[]){ "--admin", "127.0.0.1:1", NULL }, "unix:PATH or off" },
        { (const char *const[]){ "--store", "postgres://x", NULL }, "sqlite:PATH" },
        { (const char *const[]){ "--drain", "10", NULL }, "10s" },
        { (const char *const[]){ "--watch=maybe", NULL }, "takes no value" },
        { (const char *const[]){ "--log-level", "loud", NULL }, "debug, info, warn or error" },
        { (const char *const[]){ "a", "b", NULL }, "one folder" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        CHECK_EQ(cases[i].says, read_words(cases[i].words), ERR_INVALID);
        CHECK(why, strstr(why, cases[i].says) != NULL);
    }
    setenv("TIDEWIRE_DRAIN", "soon", 1);
    CHECK("the variable is named", READ() == ERR_INVALID && strstr(why, "TIDEWIRE_DRAIN=soon"));
    unsetenv("TIDEWIRE_DRAIN");
}

TEST_MAIN()
