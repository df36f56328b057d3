/* What the two halves of the launcher share: launch.c asks and watches, apply.c binds the child. */
#ifndef OUTRIDER_LAUNCH_H
#define OUTRIDER_LAUNCH_H

#include <stddef.h>

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

/* Version of Landlock's interface, 0 for none; whether a filter of system calls can be had. */
int landlock_version(void);
int seccomp_there(void);
/* Take user, mount and network namespaces; 0 if that worked, else the step that did not. */
const char *take_namespaces(void);
/* A listening TCP socket on loopback; its port, or 0. */
int listen_here(int *port);
/* Apply a plan to this process; NULL if all of it was, else what was not. errno says why. */
const char *apply(const struct plan *p, int port);

#endif
