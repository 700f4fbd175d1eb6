/* A server as the supervisor sees one: it inherits, says ready, answers each connection with its number of restarts, and ends as
 * its argument says. */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "super/inherited.h"
#include "super/recorder.h"

static volatile sig_atomic_t stopping, hung_up;

static void on_signal(int signal)
{
    if (signal == SIGHUP)
        hung_up = 1;
    else
        stopping = 1;
}

static void answer(int listener, uint32_t restarts)
{
    char text[64];
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return;
    int len = snprintf(text, sizeof(text), "%u %s\n", restarts, hung_up ? "hup" : "");
    if (send(fd, text, (size_t)len, MSG_NOSIGNAL) < 0)
        perror("send");
    close(fd);
}

int main(int argc, char **argv)
{
    static struct inherited inherited;
    struct recorder *recorder;
    const char *how = argc > 1 ? argv[1] : "";
    if (inherited_take(&inherited) != OK || recorder_map(inherited.recorder_fd, inherited.workers, &recorder) != OK)
        return 9;
    if (strcmp(how, "never-ready") == 0)
        return 3;
    signal(SIGTERM, on_signal);
    signal(SIGHUP, on_signal);
    if (write(inherited.ready_fd, "ready\n", 6) != 6)
        return 8;
    if (strcmp(how, "fall") == 0 && inherited.restarts < 3)
        return 70;
    if (strcmp(how, "replace") == 0 && inherited.restarts < 3)
        return 75;
    while (!stopping || strcmp(how, "deaf") == 0) {
        struct pollfd watched[8];
        uint32_t count = inherited.workers * inherited.addresses;
        bool hang = strcmp(how, "hang") == 0 && inherited.restarts == 0;
        for (uint32_t i = 0; i < count; i++)
            watched[i] = (struct pollfd){ inherited.listeners[i], POLLIN, 0 };
        poll(watched, count, 10);
        for (uint32_t i = 0; i < count; i++)
            if (watched[i].revents)
                answer(inherited.listeners[i], inherited.restarts);
        bool drains = strcmp(how, "drain") == 0 && inherited.restarts == 0;
        for (uint32_t i = 0; !hang && i < inherited.workers; i++) {
            struct recorder_slot *slot = recorder_slot(recorder, i);
            bool ends = drains && (i == 0 || hung_up);
            if (ends)
                recorder_ended(slot);
            else
                recorder_tick(slot);
        }
    }
    return 0;
}
