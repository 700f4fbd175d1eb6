#include "cli/run.h"

#include <stdio.h>
#include <unistd.h>

#include "config/config.h"
#include "loop/server.h"
#include "super/inherited.h"
#include "super/supervisor.h"

enum { EXIT_USAGE = 2 };

static int supervise(const struct config *config, char **argv)
{
    const char *listen[ADDRESSES_MAX];
    for (size_t i = 0; i < config->listen_count; i++)
        listen[i] = config->listen[i];
    struct supervisor_config supervisor = {
        .listen = listen,
        .listen_count = config->listen_count,
        .admin_socket = config->admin ? config->admin_socket : NULL,
        .workers = config->workers,
        .argv = argv,
    };
    log_setup(config->log_format, config->log_level, "", config->colour, STDERR_FILENO);
    if (access(config->folder, R_OK | X_OK) != 0) {
        fprintf(stderr, "tidewire: there is no folder %s to read rules from\n", config->folder);
        return EXIT_USAGE;
    }
    return supervisor_run(&supervisor);
}

int run_main(int argc, char **argv)
{
    static struct config config; /* large */
    static struct inherited inherited;
    char why[CONFIG_WHY_MAX];
    if (config_read(argc - 2, (const char *const *)argv + 2, &config, why) != OK) {
        fprintf(stderr, "tidewire: %s\n", why);
        return EXIT_USAGE;
    }
    enum result rc = inherited_take(&inherited);
    if (rc == ERR_INVALID) {
        fprintf(stderr, "tidewire: %s is not what a supervisor writes: unset it\n", INHERITED_VARIABLE);
        return EXIT_USAGE;
    }
    return rc == OK ? server_run(&config, &inherited) : supervise(&config, argv);
}
