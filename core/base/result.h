/* result.h: how a function says that it could not. */
#ifndef TIDEWIRE_RESULT_H
#define TIDEWIRE_RESULT_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum result {
    OK = 0,
    ERR_MEMORY, /* an allocation whose size the outside chooses was refused */
    ERR_LIMIT,  /* a named limit is reached */
    ERR_FULL,   /* a bounded queue has no room */
    ERR_NOT_FOUND,
    ERR_EXISTS,
    ERR_INVALID,   /* the input is not what it has to be */
    ERR_IO,        /* the system said no; errno holds */
    ERR_DISK_FULL, /* nothing was written; room may come back */
    ERR_STORE,     /* the store cannot be trusted any more: the server ends */
    ERR_SCRIPT,    /* Lua raised; the message is where the function says */
    ERR_STALE,     /* somebody else was first: the event is at another attempt, the key is taken */
    ERR_CLOSED,    /* the owner is closing */
};

#endif
