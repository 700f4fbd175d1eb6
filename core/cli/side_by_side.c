#include "cli/side_by_side.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES_AT_ONCE = 64 << 10 };

struct piece {
    size_t i;
    pid_t process;
};

struct running {
    const struct side_by_side *work;
    struct pollfd pipes[SIDE_BY_SIDE_MAX];
    struct piece pieces[SIDE_BY_SIDE_MAX];
    nfds_t count;
    size_t next;
};

static void be_the_piece(const struct side_by_side *work, size_t i, int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* who waits for it has been cut short */
    work->work(work->arg, i, fd);
    fflush(NULL);
    _exit(0);
}

static enum result start_next(struct running *running)
{
    int ends[2];
    size_t i = running->next++;
    fflush(NULL); /* else both would write it */
    if (pipe(ends) != 0)
        return ERR_IO;
    pid_t process = fork();
    if (process == 0) {
        close(ends[0]);
        be_the_piece(running->work, i, ends[1]);
    }
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        return ERR_IO;
    }
    running->pipes[running->count] = (struct pollfd){ ends[0], POLLIN, 0 };
    running->pieces[running->count++] = (struct piece){ i, process };
    return OK;
}

static void end_piece(struct running *running, nfds_t place)
{
    struct piece piece = running->pieces[place];
    int status = 0;
    close(running->pipes[place].fd);
    while (waitpid(piece.process, &status, 0) < 0 && errno == EINTR)
        ;
    running->count--;
    running->pipes[place] = running->pipes[running->count];
    running->pieces[place] = running->pieces[running->count];
    running->work->on_end(running->work->arg, piece.i, status);
}

static void take(struct running *running, nfds_t place)
{
    static char bytes[BYTES_AT_ONCE];
    ssize_t len = read(running->pipes[place].fd, bytes, sizeof(bytes));
    if (len > 0)
        running->work->on_bytes(running->work->arg, running->pieces[place].i, slice_make(bytes, (size_t)len));
    else if (len == 0 || errno != EINTR)
        end_piece(running, place);
}

enum result side_by_side_run(const struct side_by_side *work)
{
    struct running running = { .work = work };
    enum result rc = OK;
    while (rc == OK && (running.next < work->count || running.count > 0)) {
        while (rc == OK && running.next < work->count && running.count < work->at_once)
            rc = start_next(&running);
        poll(running.pipes, running.count, -1);
        for (nfds_t place = running.count; place-- > 0;)
            if (running.pipes[place].revents)
                take(&running, place);
    }
    while (running.count > 0)
        take(&running, 0);
    return rc;
}

size_t side_by_side_processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > SIDE_BY_SIDE_MAX ? SIDE_BY_SIDE_MAX : (size_t)count;
}
