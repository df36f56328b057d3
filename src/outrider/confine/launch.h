/* What the parts of the launcher share: launch.c asks, apply.c binds the child, pass.c carries handles between processes,
 * watch.c stays above the command. */
#ifndef OUTRIDER_LAUNCH_H
#define OUTRIDER_LAUNCH_H

#include <stddef.h>
#include <sys/types.h>

enum { PLAN_MAX = 1 << 20 };

/* The daemon's answer: fields "key=value", each ended by a NUL. */
struct plan {
    size_t size;
    char text[PLAN_MAX];
};

/* The next value of a key after *at (0 to begin), or NULL. */
const char *field(const struct plan *p, const char *key, size_t *at);
/* The first value of a key, or "". */
const char *value(const struct plan *p, const char *key);

int same(const char *a, const char *b);

/* Version of Landlock's interface, 0 for none; whether a filter of system calls can be had, and one that tells. */
int landlock_version(void);
int seccomp_there(void);
int seen_there(void);
/* Take user, mount and network namespaces; 0 if that worked, else the step that did not. */
const char *take_namespaces(void);
/* A TCP socket that listens on a port of loopback, on any free one where that is 0; its port, or 0. -1 for none. */
int listen_here(int *port);
/* Apply a plan to this process; NULL if all of it was, else what was not. errno says why. The listener of the filter is
 * given where the plan wants the tree seen, else -1. */
const char *apply(const struct plan *p, int port, int *listener);
/* Send data, and a handle if it is not -1; whether all of it was sent. Take both; the bytes, and the handle or -1. */
int give(int fd, const void *data, size_t n, int handle);
ssize_t take(int fd, void *data, size_t n, int *handle);
/* Listen on each lent port, and give what listens; NULL if all could be had. */
const char *offer_lent(const struct plan *p, int fd);

/* Leave alone the children that we have now: whoever became the launcher by exec may have had some. */
void spare_children(void);
/* From now on pass signals on to the command. */
void take_signals(pid_t command);
/* Stay until the command has ended, and what is left of its tree too; its status. `channel` says in `wrong` why it could
 * not begin, `listener` (or -1) what the tree asks for, and `daemon` is told. */
int watch(int channel, int listener, int daemon, char *wrong, size_t room);

#endif
