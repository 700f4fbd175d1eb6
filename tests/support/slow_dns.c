/* Put in front of the system's getaddrinfo by LD_PRELOAD: names that begin with "slow." are answered after 30 s, all others as
 * before. A name server that does not answer, for tests/flow/dns.test.js. */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int (*resolver)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict out)
{
    enum { SILENCE_S = 30 };
    resolver system_one = (resolver)dlsym(RTLD_NEXT, "getaddrinfo");
    if (name && strncmp(name, "slow.", 5) == 0) {
        sleep(SILENCE_S);
        return EAI_AGAIN;
    }
    return system_one(name, service, hints, out);
}
