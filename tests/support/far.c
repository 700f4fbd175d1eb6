/* far.c: preloaded, 11.22.33.44 is this machine: for what may happen only at an address that is not private. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { FAR = 0x0B16212C, NEAR = INADDR_LOOPBACK, DESCRIPTORS_MAX = 4096 };

static bool is_far[DESCRIPTORS_MAX];

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    int (*real)(int, const struct sockaddr *, socklen_t) =
        (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
    const struct sockaddr_in *there = (const struct sockaddr_in *)address;
    bool far = address->sa_family == AF_INET && ntohl(there->sin_addr.s_addr) == FAR;
    struct sockaddr_in here;
    if (fd >= 0 && fd < DESCRIPTORS_MAX)
        is_far[fd] = far;
    if (!far)
        return real(fd, address, size);
    here = *there;
    here.sin_addr.s_addr = htonl(NEAR);
    return real(fd, (struct sockaddr *)&here, sizeof(here));
}

int getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
    int (*real)(int, struct sockaddr *, socklen_t *) =
        (int (*)(int, struct sockaddr *, socklen_t *))dlsym(RTLD_NEXT, "getpeername");
    int rc = real(fd, address, size);
    if (rc == 0 && fd < DESCRIPTORS_MAX && is_far[fd] && address->sa_family == AF_INET)
        ((struct sockaddr_in *)address)->sin_addr.s_addr = htonl(FAR);
    return rc;
}
