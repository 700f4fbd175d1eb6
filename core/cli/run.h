/* run.h: `tidewire run`: the supervisor, and, started by it, the server. */
#ifndef TIDEWIRE_RUN_H
#define TIDEWIRE_RUN_H

/* argv: all words of the process. Returns the exit code (interface.md 1.3). */
int run_main(int argc, char **argv);

#endif
