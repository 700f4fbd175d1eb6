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

enum { HOST_MAX = 256, PORT_MAX = 65535, SYSTEMD_FIRST_FD = 3 };

static void close_all(const int *fds, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        close(fds[i]);
}

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
    size_t digits = strspn(*port, "0123456789");
    /* getaddrinfo takes 65537 for port 1 */
    return host[0] != '\0' && digits > 0 && digits <= 5 && (*port)[digits] == '\0' && atoi(*port) <= PORT_MAX;
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
    if (family == AF_INET6) /* else [::] would meet our own 0.0.0.0 */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
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

/* 0, or the errno of what failed; then nothing stays open. */
static int open_each(const struct addrinfo *where, uint32_t workers, int *fds, char *bound)
{
    struct sockaddr_storage place;
    socklen_t len = where->ai_addrlen;
    memcpy(&place, where->ai_addr, len);
    if (is_taken((struct sockaddr *)&place, len, where->ai_family))
        return EADDRINUSE;
    for (uint32_t i = 0; i < workers; i++) {
        fds[i] = open_one((struct sockaddr *)&place, len, where->ai_family);
        if (fds[i] < 0) {
            int error = errno;
            close_all(fds, i);
            return error;
        }
        if (i == 0) /* port 0 has become one */
            getsockname(fds[i], (struct sockaddr *)&place, &len);
    }
    show_bound((struct sockaddr *)&place, bound);
    return 0;
}

enum result listeners_open(const char *address, uint32_t workers, int *fds, char *bound, char *why)
{
    struct addrinfo *found = NULL;
    enum result rc = resolve(address, &found, why);
    if (rc != OK)
        return rc;
    int error = EADDRNOTAVAIL;
    /* a name may have an address that this machine has not: localhost is ::1 too, also where there is no IPv6 */
    for (const struct addrinfo *where = found; where && (error == EADDRNOTAVAIL || error == EAFNOSUPPORT); where = where->ai_next)
        error = open_each(where, workers, fds, bound);
    freeaddrinfo(found);
    if (error == 0)
        return OK;
    say_why(address, error, why);
    return error == EADDRINUSE ? ERR_EXISTS : ERR_IO;
}

/* ---- UNIX ---- */

/* Only a refusal says that a socket file is left over: a full queue, or another user's socket, has somebody behind it. */
static bool is_left_over(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

/* Makes room for the socket at its path; what is not a socket is somebody's file, and stays. */
static enum result clear_path(const struct sockaddr_un *address, char *why)
{
    const char *path = address->sun_path;
    struct stat info;
    if (lstat(path, &info) != 0)
        return OK; /* nothing there; if it is something else, bind says so */
    if (!S_ISSOCK(info.st_mode)) {
        snprintf(why, LISTEN_WHY_MAX, "%s is there and is not a socket; choose another with --admin unix:PATH", path);
        return ERR_EXISTS;
    }
    if (!is_left_over(address)) {
        snprintf(why, LISTEN_WHY_MAX, "a router already answers on %s. End it, or choose another with --admin unix:PATH", path);
        return ERR_EXISTS;
    }
    unlink(path);
    return OK;
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
    enum result rc = clear_path(&address, why);
    if (rc != OK)
        return rc;
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0177);
    bool ok = *fd >= 0 && bind(*fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(*fd, LISTEN_BACKLOG) == 0;
    umask(before);
    if (ok)
        return OK;
    snprintf(why, LISTEN_WHY_MAX, "%s: %s; choose another with --admin unix:PATH, or --admin off", path, strerror(errno));
    if (*fd >= 0)
        close(*fd);
    return ERR_IO;
}

/* ---- systemd ---- */

/* How many sockets were passed to this very process; says so once. */
static long count_given(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    long given = pid && count && strtol(pid, NULL, 10) == getpid() ? strtol(count, NULL, 10) : 0;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return given;
}

static bool is_listening_stream(int fd)
{
    int type = 0, listening = 0;
    socklen_t len = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

/* fds: of the first worker; the next one's is `step` further. The original stays with the supervisor. */
static bool copy_for_workers(int fd, uint32_t workers, int *fds, uint32_t step)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    for (uint32_t worker = 0; worker < workers; worker++) {
        fds[worker * step] = fcntl(fd, F_DUPFD_CLOEXEC, SYSTEMD_FIRST_FD);
        if (fds[worker * step] < 0)
            return false;
    }
    return true;
}

enum result listeners_of_systemd(uint32_t workers, int *fds, uint32_t *addresses, char *why)
{
    long given = count_given();
    *addresses = 0;
    if (given <= 0)
        return OK;
    if (given > ADDRESSES_MAX) {
        snprintf(why, LISTEN_WHY_MAX, "systemd passes %ld sockets, and %d is the most", given, ADDRESSES_MAX);
        return ERR_INVALID;
    }
    for (uint32_t address = 0; address < (uint32_t)given; address++) {
        int fd = SYSTEMD_FIRST_FD + (int)address;
        if (!is_listening_stream(fd)) {
            snprintf(why, LISTEN_WHY_MAX, "socket %u that systemd passes does not listen: use ListenStream= and Accept=no",
                     address + 1);
            return ERR_INVALID;
        }
        if (!copy_for_workers(fd, workers, fds + address, (uint32_t)given)) {
            snprintf(why, LISTEN_WHY_MAX, "the sockets that systemd passes: %s", strerror(errno));
            return ERR_IO;
        }
    }
    *addresses = (uint32_t)given;
    return OK;
}
