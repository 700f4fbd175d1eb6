/* The supervisor with a small server of ours in place of the real one. */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "super/inherited.h"
#include "super/listeners.h"
#include "super/stall.h"
#include "super/supervisor.h"

enum { DEADLINE_MS = 20000 };

/* A port nobody has just now. */
static int free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        abort();
    close(fd);
    return ntohs(address.sin_port);
}

struct running {
    pid_t pid;
    int port;
};

static struct running start(const char *how, const char *admin)
{
    struct running running = { .port = free_port() };
    char address[32];
    const char *listen[] = { address };
    snprintf(address, sizeof(address), "127.0.0.1:%d", running.port);
    char *argv[] = { (char *)"fake_server", (char *)how, NULL };
    struct supervisor_config config = { .listen = listen,
                                        .listen_count = 1,
                                        .admin_socket = admin,
                                        .workers = 2,
                                        .server = FAKE_SERVER,
                                        .argv = argv,
                                        .waits_ms = { 1, 10, 20, 30, 40 },
                                        .hung_ms = 300,
                                        .calm_ms = 60000 };
    fflush(stdout);
    running.pid = fork();
    if (running.pid == 0) {
        log_setup(LOG_JSON, LOG_ERROR + 1, "", false, STDERR_FILENO);
        _exit(supervisor_run(&config));
    }
    return running;
}

static int connect_to(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* What the server says: how many went before it. -1: no answer. */
static int ask(int port, char *text, size_t size)
{
    int fd = connect_to(port);
    ssize_t len = fd < 0 ? -1 : recv(fd, text, size - 1, 0);
    if (fd >= 0)
        close(fd);
    if (len <= 0)
        return -1;
    text[len] = '\0';
    return atoi(text);
}

static int wait_for_server(int port, int least)
{
    char text[64];
    int number = -1;
    for (uint64_t end_ms = clock_mono_ms() + DEADLINE_MS; number < least && clock_mono_ms() < end_ms; sched_yield())
        number = ask(port, text, sizeof(text));
    CHECK("a server answers", number >= least);
    return number;
}

static int end_code(pid_t pid)
{
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static pid_t child_of(pid_t parent)
{
    char path[64];
    int pid = 0;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%d", &pid) != 1)
        pid = 0;
    if (file)
        fclose(file);
    return pid;
}

TEST(sigterm_is_passed_on_and_ends_with_0)
{
    struct running run = start("", NULL);
    wait_for_server(run.port, 0);
    kill(run.pid, SIGTERM);
    CHECK_EQ("code", end_code(run.pid), 0);
}

TEST(a_killed_server_is_followed_by_the_next_and_no_connection_is_refused)
{
    struct running run = start("", NULL);
    wait_for_server(run.port, 0);
    for (int i = 0; i < 4; i++) {
        pid_t server = child_of(run.pid);
        kill(server, SIGKILL);
        while (kill(server, 0) == 0)
            sched_yield();
        int fd = connect_to(run.port);
        CHECK("the port is open all the time", fd >= 0);
        char text[32];
        CHECK("and the next server answers it", recv(fd, text, sizeof(text), 0) > 0);
        close(fd);
    }
    kill(run.pid, SIGTERM);
    CHECK_EQ("code", end_code(run.pid), 0);
}

TEST(a_server_that_never_served_ends_the_run_with_its_own_code)
{
    struct running run = start("never-ready", NULL);
    CHECK_EQ("code", end_code(run.pid), 3);
}

TEST(a_server_that_ended_itself_is_started_again)
{
    struct running run = start("fall", NULL);
    CHECK_EQ("after three", wait_for_server(run.port, 3), 3);
    kill(run.pid, SIGINT);
    CHECK_EQ("code", end_code(run.pid), 0);
    run = start("replace", NULL);
    CHECK_EQ("after three", wait_for_server(run.port, 3), 3);
    kill(run.pid, SIGTERM);
    CHECK_EQ("code", end_code(run.pid), 0);
}

TEST(a_loop_that_stands_still_is_ended)
{
    struct running run = start("hang", NULL);
    CHECK_EQ("the next one", wait_for_server(run.port, 1), 1);
    kill(run.pid, SIGTERM);
    CHECK_EQ("code", end_code(run.pid), 0);
}

TEST(a_loop_that_has_ended_does_not_stand_still_while_others_drain)
{
    struct running run = start("drain", NULL);
    wait_for_server(run.port, 0);
    pid_t server = child_of(run.pid);
    for (uint64_t end_ms = clock_mono_ms() + 2000; clock_mono_ms() < end_ms; sched_yield())
        if (child_of(run.pid) != server)
            break;
    CHECK_EQ("the same one", child_of(run.pid), server);
    kill(run.pid, SIGHUP);
    CHECK_EQ("all have ended, and it has not", wait_for_server(run.port, 1), 1);
    kill(run.pid, SIGTERM);
    CHECK_EQ("code", end_code(run.pid), 0);
}

TEST(a_second_signal_does_not_wait)
{
    struct running run = start("deaf", NULL);
    wait_for_server(run.port, 0);
    kill(run.pid, SIGTERM);
    while (kill(run.pid, SIGTERM) == 0 && waitpid(run.pid, NULL, WNOHANG) == 0)
        sched_yield();
    CHECK("ended", kill(run.pid, 0) != 0);
}

TEST(sighup_reaches_the_server)
{
    struct running run = start("", NULL);
    char text[64] = "";
    wait_for_server(run.port, 0);
    kill(run.pid, SIGHUP);
    for (uint64_t end_ms = clock_mono_ms() + DEADLINE_MS; !strstr(text, "hup") && clock_mono_ms() < end_ms; sched_yield())
        ask(run.port, text, sizeof(text));
    CHECK("heard", strstr(text, "hup") != NULL);
    kill(run.pid, SIGTERM);
    CHECK_EQ("code", end_code(run.pid), 0);
}

TEST(a_supervisor_that_is_killed_takes_its_server_along)
{
    struct running run = start("", NULL);
    wait_for_server(run.port, 0);
    pid_t server = child_of(run.pid);
    kill(run.pid, SIGKILL);
    end_code(run.pid);
    uint64_t end_ms = clock_mono_ms() + DEADLINE_MS;
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/exe", server);
    char target[256];
    while (readlink(path, target, sizeof(target)) >= 0 && clock_mono_ms() < end_ms)
        sched_yield();
    CHECK("gone", clock_mono_ms() < end_ms);
}

TEST(systemd_is_told)
{
    char path[64], text[64];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(path, sizeof(path), "/tmp/tidewire-notify-%d", getpid());
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK_EQ("bound", bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", path, 1);
    setenv("WATCHDOG_USEC", "20000", 1);
    struct running run = start("", NULL);
    ssize_t len = recv(fd, text, sizeof(text), 0);
    CHECK_BYTES("first", text, (size_t)len, "READY=1", 7);
    len = recv(fd, text, sizeof(text), 0);
    CHECK_BYTES("then", text, (size_t)len, "WATCHDOG=1", 10);
    kill(run.pid, SIGTERM);
    do {
        len = recv(fd, text, sizeof(text), 0);
    } while (len == 10 && memcmp(text, "WATCHDOG=1", 10) == 0);
    CHECK_BYTES("last", text, (size_t)len, "STOPPING=1", 10);
    CHECK_EQ("code", end_code(run.pid), 0);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    close(fd);
    unlink(path);
}

/* ---- sockets ---- */

TEST(a_taken_port_is_said)
{
    int fds[2], others[2];
    char bound[64], again[64], why[LISTEN_WHY_MAX];
    CHECK_EQ("any port", listeners_open("127.0.0.1:0", 2, fds, bound, why), OK);
    CHECK_EQ("taken", listeners_open(bound, 2, others, again, why), ERR_EXISTS);
    CHECK(why, strstr(why, "is taken") && strstr(why, bound) && strstr(why, "--listen"));
    close(fds[0]);
    close(fds[1]);
    const char *const junk[] = {
        "", ":", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999x", "127.0.0.1:65537", "127.0.0.1:0x50", "[::1", "host with space:1"
    };
    for (size_t i = 0; i < COUNT(junk); i++)
        CHECK_EQ(junk[i], listeners_open(junk[i], 1, fds, bound, why), ERR_INVALID);
}

TEST(the_admin_socket_is_for_its_owner_only)
{
    char folder[] = "/tmp/tidewire-super-XXXXXX", path[128], why[LISTEN_WHY_MAX], long_path[200];
    int fd, other;
    struct stat info;
    CHECK("folder", mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/run/tidewire.sock", folder);
    CHECK_EQ("made", listeners_open_unix(path, &fd, why), OK);
    CHECK("mode", stat(path, &info) == 0 && (info.st_mode & 0777) == 0600);
    CHECK_EQ("somebody answers", listeners_open_unix(path, &other, why), ERR_EXISTS);
    close(fd);
    CHECK_EQ("a left over file is replaced", listeners_open_unix(path, &fd, why), OK);
    close(fd);
    unlink(path);
    FILE *file = fopen(path, "w");
    CHECK("a file of somebody's", file && fputs("keep me", file) >= 0);
    fclose(file);
    CHECK("stays", listeners_open_unix(path, &fd, why) == ERR_EXISTS && strstr(why, "not a socket") && access(path, F_OK) == 0);
    memset(long_path, 'a', sizeof(long_path));
    long_path[199] = '\0';
    CHECK("too long", listeners_open_unix(long_path, &fd, why) == ERR_INVALID && strstr(why, "--admin"));
    unlink(path);
    snprintf(path, sizeof(path), "%s/run", folder);
    rmdir(path);
    rmdir(folder);
}

/* ---- ticks ---- */

TEST(only_time_that_was_looked_at_counts_as_standing_still)
{
    struct stall stall = { 0 };
    CHECK_EQ("moves", stall_look(&stall, 1, 500), 0);
    CHECK_EQ("stands", stall_look(&stall, 1, 500), 500);
    CHECK_EQ("stands on", stall_look(&stall, 1, 700), 1200);
    CHECK_EQ("a machine that slept for an hour", stall_look(&stall, 1, 3600000), 1200 + STALL_STEP_MAX_MS);
    CHECK_EQ("moves again", stall_look(&stall, 2, 500), 0);
}

/* ---- what is passed on ---- */

TEST(what_is_passed_on_reads_back_and_nothing_else)
{
    static struct inherited in, out;
    static char text[INHERITED_TEXT_MAX];
    in = (struct inherited){ 3, 4, -1, 7, 2, 2, { 5, 6, 7, 8 } };
    inherited_format(&in, text);
    CHECK_EQ("reads", inherited_parse(text, &out), OK);
    CHECK("the same", out.ready_fd == 3 && out.admin_fd == -1 && out.restarts == 7 && out.listeners[3] == 8);
    const char *const junk[] = { "",
                                 "ready=3",
                                 "ready=3,recorder=4,admin=-2,restarts=0,workers=1,addresses=1,listeners=5",
                                 "ready=3,recorder=4,admin=5,restarts=0,workers=0,addresses=1,listeners=",
                                 "ready=3,recorder=4,admin=5,restarts=0,workers=1,addresses=1,listeners=5:6",
                                 "ready=3,recorder=4,admin=5,restarts=0,workers=2,addresses=1,listeners=5",
                                 "ready=3,recorder=4,admin=5,restarts=0,workers=9999,addresses=1,listeners=5",
                                 "ready=-3,recorder=4,admin=5,restarts=0,workers=1,addresses=1,listeners=5",
                                 " ready=3,recorder=4,admin=5,restarts=0,workers=1,addresses=1,listeners=5" };
    for (size_t i = 0; i < COUNT(junk); i++)
        CHECK_EQ(junk[i], inherited_parse(junk[i], &out), ERR_INVALID);
}

TEST_MAIN()
