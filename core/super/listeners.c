#include "super/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "super/inherited.h"

enum { HOST_MAX = 256, SYSTEMD_FIRST_FD = 3 };

/* ---- TCP ---- */

static bool split(const char *address, char *host, const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : 0;
    *port = colon ? colon + 1 : address;
    if (len >= HOST_MAX)
        return false;
    if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
        memcpy(host, address + 1, len - 2);
        host[len - 2] = '\0';
    } else {
        memcpy(host, address, len);
        host[len] = '\0';
    }
    if (!colon)
        strcpy(host, "127.0.0.1");
    return host[0] != '\0' && (*port)[0] != '\0' && strspn(*port, "0123456789") == strlen(*port) && strlen(*port) <= 5;
}

static enum result resolve(const char *address, struct addrinfo **found, char *why)
{
    char host[HOST_MAX];
    const char *port;
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    if (!split(address, host, &port)) {
        snprintf(why, LISTEN_WHY_MAX, "--listen %s is not an address: write 127.0.0.1:8080 or [::1]:8080", address);
        return ERR_INVALID;
    }
    int failed = getaddrinfo(host, port, &hints, found);
    if (failed) {
        snprintf(why, LISTEN_WHY_MAX, "--listen %s: %s", address, gai_strerror(failed));
        return ERR_INVALID;
    }
    return OK;
}

static void say_why(const char *address, int error, char *why)
{
    if (error == EADDRINUSE)
        snprintf(why, LISTEN_WHY_MAX,
                 "%s is taken: another program listens there. End it, or choose another with --listen ADDR:PORT", address);
    else if (error == EACCES)
        snprintf(why, LISTEN_WHY_MAX, "%s: ports below 1024 need a right this user does not have; choose another with --listen",
                 address);
    else if (error == EADDRNOTAVAIL)
        snprintf(why, LISTEN_WHY_MAX, "%s is not an address of this machine", address);
    else
        snprintf(why, LISTEN_WHY_MAX, "%s: %s", address, strerror(error));
}

/* Is somebody else listening there? With SO_REUSEPORT a second router of the same user would quietly share the port. */
static bool is_taken(const struct sockaddr *address, socklen_t len, int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    bool taken = bind(fd, address, len) != 0 && errno == EADDRINUSE;
    close(fd);
    return taken;
}

static int open_one(const struct sockaddr *address, socklen_t len, int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, address, len) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void show_bound(const struct sockaddr *address, char *bound)
{
    char host[INET6_ADDRSTRLEN];
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        snprintf(bound, 64, "[%s]:%d", host, ntohs(in6->sin6_port));
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        snprintf(bound, 64, "%s:%d", host, ntohs(in->sin_port));
    }
}

enum result listeners_open(const char *address, uint32_t workers, int *fds, char *bound, char *why)
{
    struct addrinfo *found = NULL;
    struct sockaddr_storage place;
    enum result rc = resolve(address, &found, why);
    if (rc != OK)
        return rc;
    socklen_t len = found->ai_addrlen;
    int family = found->ai_family;
    memcpy(&place, found->ai_addr, len);
    freeaddrinfo(found);
    if (is_taken((struct sockaddr *)&place, len, family)) {
        say_why(address, EADDRINUSE, why);
        return ERR_EXISTS;
    }
    for (uint32_t i = 0; i < workers; i++) {
        fds[i] = open_one((struct sockaddr *)&place, len, family);
        if (fds[i] < 0) {
            int error = errno;
            say_why(address, error, why);
            return error == EADDRINUSE ? ERR_EXISTS : ERR_IO;
        }
        if (i == 0) /* port 0 has become one */
            getsockname(fds[i], (struct sockaddr *)&place, &len);
    }
    show_bound((struct sockaddr *)&place, bound);
    return OK;
}

/* ---- UNIX ---- */

static bool answers(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
    if (fd >= 0)
        close(fd);
    return connected;
}

static bool make_folder_of(const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return true;
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    return mkdir(folder, 0700) == 0 || errno == EEXIST;
}

enum result listeners_open_unix(const char *path, int *fd, char *why)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path)) {
        snprintf(why, LISTEN_WHY_MAX,
                 "the path of the admin socket is longer than %zu bytes: %s; choose another with --admin unix:PATH",
                 sizeof(address.sun_path) - 1, path);
        return ERR_INVALID;
    }
    strcpy(address.sun_path, path);
    if (!make_folder_of(path)) {
        snprintf(why, LISTEN_WHY_MAX,
                 "the folder of %s cannot be made: %s; choose another with --admin unix:PATH, or --admin off", path,
                 strerror(errno));
        return ERR_IO;
    }
    if (answers(&address)) {
        snprintf(why, LISTEN_WHY_MAX, "a router already answers on %s. End it, or choose another with --admin unix:PATH", path);
        return ERR_EXISTS;
    }
    unlink(path);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0177);
    bool ok = *fd >= 0 && bind(*fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(*fd, LISTEN_BACKLOG) == 0;
    umask(before);
    if (!ok) {
        snprintf(why, LISTEN_WHY_MAX, "%s: %s; choose another with --admin unix:PATH, or --admin off", path, strerror(errno));
        return ERR_IO;
    }
    return OK;
}

/* ---- systemd ---- */

uint32_t listeners_of_systemd(uint32_t workers, int *fds)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    uint32_t addresses = 0;
    if (pid && count && strtol(pid, NULL, 10) == getpid()) {
        long given = strtol(count, NULL, 10);
        addresses = given > 0 && given <= ADDRESSES_MAX ? (uint32_t)given : 0;
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    for (uint32_t worker = 0; worker < workers; worker++)
        for (uint32_t address = 0; address < addresses; address++)
            fds[worker * addresses + address] = fcntl(SYSTEMD_FIRST_FD + (int)address, F_DUPFD_CLOEXEC, 3);
    return addresses;
}
