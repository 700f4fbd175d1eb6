/* handed.h: the first member of what one thread hands to another: a link, and what the receiver does with it. */
#ifndef TIDEWIRE_HANDED_H
#define TIDEWIRE_HANDED_H

struct handed {
    struct handed *next;                /* of whichever queue it stands in */
    void (*run)(struct handed *handed); /* on the receiver's thread; owns the struct from then on */
};

#endif
