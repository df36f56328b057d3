/*
 * Stays above the command until it ends: passes signals on, notices the end, ends what is left of the tree, and tells
 * the daemon what the tree does.
 *
 * What it does is heard from the kernel: the filter of system calls hands `execve`, `execveat` and `connect` here before
 * they happen (seccomp_unotify(2)). Each is read from the caller's memory and let go on. This observes and refuses
 * nothing: another thread of the caller may change its memory after we have read it. What holds is Landlock and the
 * namespaces. While nobody stands here, those calls fail (ENOSYS): a tree that is not seen starts no program.
 *
 * The daemon is told in batches and never waited for: what finds no room is counted, and the count is told.
 */
#define _GNU_SOURCE
#include "launch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- signals, and the end of the tree ------------------------------------------------------------------------ */

static volatile pid_t watched;
static pid_t spared[64];
static int sparing;

static void pass_on(int number) {
    if (watched > 0) kill(watched, number);
}

/* Call `each` for every child of ours; return how many it counted. */
static int children(int (*each)(pid_t)) {
    static char path[64], text[65536];
    char *at;
    int fd, counted = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    ssize_t n = (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    text[n > 0 ? n : 0] = 0;
    for (at = text; *at;) {
        long pid = strtol(at, &at, 10);
        if (pid > 0) counted += each((pid_t)pid);
        while (*at == ' ') at++;
    }
    return counted;
}

static int spare(pid_t pid) {
    if (sparing < 64) spared[sparing++] = pid;
    return 1;
}

void spare_children(void) { children(spare); }

static int kill_one(pid_t pid) {
    for (int i = 0; i < sparing; i++)
        if (spared[i] == pid) return 0;
    kill(pid, SIGKILL);
    return 1;
}

/* Kill what is left of the tree: orphans come to us, so that there is nowhere to hide. */
static void end_the_rest(void) {
    const struct timespec nap = {0, 1000000};
    int round;
    for (round = 0; round < 2000; round++) {
        while (waitpid(-1, NULL, WNOHANG) > 0) continue;
        if (!children(kill_one)) return;
        nanosleep(&nap, NULL);
    }
}

/* From before the command begins: it may tell somebody that it is there sooner than we get round to watching it. */
void take_signals(pid_t command) {
    static const int passed[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH};
    size_t i;
    watched = command;
    for (i = 0; i < sizeof passed / sizeof *passed; i++) signal(passed[i], pass_on);
    signal(SIGINT, SIG_IGN); /* The terminal sends these two to the command as well. */
    signal(SIGQUIT, SIG_IGN);
}

/* ---- telling ------------------------------------------------------------------------------------------------- */

enum { BATCH = 16384, ENOUGH = 8192, BACKLOG = 262144, HEAD = 8, LATE_MS = 100 };
static char batch[BATCH], backlog[BACKLOG];
static size_t told = HEAD, waiting, sent;
static unsigned long lost_programs, lost_peers;
static int64_t since;

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Put a field into the batch; 0 if there is no room. */
static int put(const char *text, size_t n) {
    if (told + n + 1 > sizeof batch) return 0;
    if (told == HEAD) since = now_us();
    memcpy(batch + told, text, n);
    batch[told + n] = 0;
    told += n + 1;
    return 1;
}

static void put_lost(const char *what, unsigned long *count) {
    char text[48];
    int n = snprintf(text, sizeof text, "%s=%lu", what, *count);
    if (*count && put(text, (size_t)n)) *count = 0;
}

/* Close the batch and queue it, if the backlog has room. */
static void queue(void) {
    size_t n;
    if (sent) {
        memmove(backlog, backlog + sent, waiting - sent);
        waiting -= sent;
        sent = 0;
    }
    if (waiting + sizeof batch > sizeof backlog) return;
    put_lost("lost-exec", &lost_programs);
    put_lost("lost-connect", &lost_peers);
    if (!(n = told - HEAD)) return;
    memcpy(batch, "ORS1", 4);
    batch[4] = (char)(n >> 24);
    batch[5] = (char)(n >> 16);
    batch[6] = (char)(n >> 8);
    batch[7] = (char)n;
    memcpy(backlog + waiting, batch, told);
    waiting += told;
    told = HEAD;
}

/* Send what waits; without `patiently` only what is taken at once. A daemon that is gone is told nothing more. */
static void send_on(int *daemon, int patiently) {
    while (*daemon >= 0 && sent < waiting) {
        ssize_t n = send(*daemon, backlog + sent, waiting - sent, MSG_NOSIGNAL | (patiently ? 0 : MSG_DONTWAIT));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (n < 0) *daemon = -1;
        else sent += (size_t)n;
    }
    if (sent == waiting || *daemon < 0) sent = waiting = 0;
}

/* ---- what a process is --------------------------------------------------------------------------------------- */

struct who {
    long pid, parent;
    unsigned long long start;
};

enum { KNOWN = 16384, DEEPEST = 32 };
static struct { long pid; unsigned long long start; } known[KNOWN];

static int is_known(const struct who *w) {
    return known[w->pid % KNOWN].pid == w->pid && known[w->pid % KNOWN].start == w->start;
}

/* Without the further call that a C library makes of O_CLOEXEC: the caller waits meanwhile. */
static int quick_open(const char *path, int flags) { return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC); }

static ssize_t slurp(const char *path, char *text, size_t room) {
    int fd = quick_open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);
    if (fd >= 0) close(fd);
    text[n > 0 ? n : 0] = 0;
    return n;
}

/* Parent and start (clock ticks since boot) of a process: proc_pid_stat(5). */
static int look(long pid, struct who *w) {
    char path[48], text[1024], *at;
    int i;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    if (slurp(path, text, sizeof text) <= 0 || !(at = strrchr(text, ')'))) return 0;
    w->pid = pid;
    w->parent = strtol(at + 4, &at, 10);
    for (i = 4; i < 21 && at; i++) at = strchr(at + 1, ' ');
    w->start = at ? strtoull(at + 1, NULL, 10) : 0;
    return at != NULL;
}

/* The process of a thread: nearly always the thread itself is the first of its process. */
static long process_of(long thread) {
    char path[48], text[2048], *at;
    if (syscall(SYS_tgkill, thread, thread, 0) == 0 || errno == EPERM) return thread;
    snprintf(path, sizeof path, "/proc/%ld/status", thread);
    if (slurp(path, text, sizeof text) <= 0 || !(at = strstr(text, "\nTgid:"))) return thread;
    return strtol(at + 6, NULL, 10);
}

/* "TIME\tPID.START\tPID.START,...": a process, and those above it up to the first that the daemon was told of; none if it
 * was told of the process itself. */
static int placed(char *to, size_t room, long thread, struct who *w) {
    struct who up;
    int n, deep;
    if (!look(process_of(thread), w)) return 0;
    n = snprintf(to, room, "%lld\t%ld.%llu\t", (long long)now_us(), w->pid, w->start);
    if (is_known(w)) return n;
    for (up = *w, deep = 0; deep < DEEPEST && up.parent > 1 && up.parent != getpid() && look(up.parent, &up); deep++) {
        n += snprintf(to + n, room - (size_t)n, deep ? ",%ld.%llu" : "%ld.%llu", up.pid, up.start);
        if (is_known(&up)) break;
    }
    return n;
}

static size_t peek(long pid, uint64_t at, void *to, size_t room) {
    size_t first = 4096 - (size_t)(at & 4095);
    struct iovec here = {to, room}, there[2];
    ssize_t n;
    if (first > room) first = room;
    there[0].iov_base = (void *)(uintptr_t)at;
    there[0].iov_len = first;
    there[1].iov_base = (void *)(uintptr_t)(at + first);
    there[1].iov_len = room - first;
    n = process_vm_readv((pid_t)pid, &here, 1, there, 2, 0);
    return n > 0 ? (size_t)n : 0;
}

/* A string of another process, cut to what there is room for; tabs, which part our fields, become spaces. */
static size_t peek_text(long pid, uint64_t at, char *to, size_t room) {
    size_t i, n = at ? peek(pid, at, to, room - 1) : 0;
    to[n] = 0;
    n = strlen(to);
    for (i = 0; i < n; i++)
        if (to[i] == '\t') to[i] = ' ';
    return n;
}

/* ---- what it asks for ---------------------------------------------------------------------------------------- */

struct asked { /* struct seccomp_notif */
    uint64_t id;
    uint32_t pid, flags;
    int32_t number;
    uint32_t architecture;
    uint64_t where, arguments[6];
};
struct answer {
    uint64_t id;
    int64_t value;
    int32_t error;
    uint32_t flags;
};
#define TAKE _IOWR('!', 0, struct asked)
#define ANSWER _IOWR('!', 1, struct answer)
#define STILL_THERE _IOW('!', 2, uint64_t)
#define SET_FLAGS _IOW('!', 4, uint64_t)
enum { GO_ON = 1, SAME_CPU = 1, IN_ROOT = 0x10, NR_OPENAT2 = 437, PATH_MAX_ = 4096 };

/* Where a path leads in the caller's own view of files. 0 if there is nothing that could be run. */
static int leads(long pid, const char *path, char *to, size_t room) {
    struct { uint64_t flags, mode, resolve; } how = {O_PATH | O_CLOEXEC, 0, IN_ROOT};
    struct stat facts;
    char name[48];
    int root, fd, there;
    ssize_t n;
    *to = 0;
    snprintf(name, sizeof name, "/proc/%ld/root", pid);
    if ((root = quick_open(name, O_PATH | O_DIRECTORY)) < 0) return 1;
    fd = (int)syscall(NR_OPENAT2, root, path, &how, sizeof how);
    there = fd >= 0 || (errno != ENOENT && errno != ENOTDIR);
    close(root);
    if (fd < 0) return there;
    there = fstat(fd, &facts) < 0 || (S_ISREG(facts.st_mode) && facts.st_mode & 0111);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    n = readlink(name, to, room - 1);
    to[n > 0 ? n : 0] = 0;
    close(fd);
    return there;
}

/* The program of an execve or execveat, as an absolute path; 1 if it was named by an open file, which no path leads to. */
static int program(const struct asked *a, long pid, char *to, size_t room) {
    char path[PATH_MAX_], from[PATH_MAX_ + 32];
    int at = a->number == SYS_execveat;
    ssize_t n = 0;
    peek_text(a->pid, a->arguments[at], path, sizeof path);
    if (strncmp(path, "/proc/self/", 11) == 0) {
        snprintf(from, sizeof from, "/proc/%ld/%s", pid, path + 11);
        if ((n = readlink(from, to, room - 1)) > 0) {
            to[n] = 0;
            return 1;
        }
    } else if (path[0] != '/') {
        if (at && (int32_t)a->arguments[0] != AT_FDCWD)
            snprintf(from, sizeof from, "/proc/%ld/fd/%d", pid, (int)a->arguments[0]);
        else snprintf(from, sizeof from, "/proc/%ld/cwd", pid);
        n = readlink(from, to, room - 1);
    }
    n = n > 0 ? n : 0;
    snprintf(to + n, room - (size_t)n, n && path[0] ? "/%s" : "%s", path);
    return at && !path[0];
}

/* "exec=TIME\tPID\tABOVE\tPATH\tWHERE IT LEADS\tSIX ARGUMENTS" */
static int about_program(const struct asked *a, char *to, size_t room, struct who *w) {
    static char path[2 * PATH_MAX_], real[PATH_MAX_];
    uint64_t list[7] = {0, 0, 0, 0, 0, 0, 0};
    int i, n = snprintf(to, room, "exec=");
    int more = placed(to + n, 2048, a->pid, w);
    if (!more) return 0;
    n += more;
    *real = 0;
    if (!program(a, w->pid, path, sizeof path) && (!*path || !leads(w->pid, path, real, sizeof real))) return 0;
    n += snprintf(to + n, room - (size_t)n, "\t%.2048s\t%.2048s", path, same(path, real) ? "" : real);
    peek(a->pid, a->arguments[a->number == SYS_execveat ? 2 : 1], list, sizeof list);
    for (i = 1; i < 7 && list[i]; i++) {
        to[n++] = '\t';
        n += (int)peek_text(a->pid, list[i], to + n, 240);
    }
    return n;
}

/* "connect=TIME\tPID\tABOVE\tPEER" */
static int about_peer(const struct asked *a, char *to, size_t room, struct who *w) {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_un local;
        char bytes[128];
    } peer;
    char text[INET6_ADDRSTRLEN] = "";
    size_t size = a->arguments[2] < sizeof peer ? (size_t)a->arguments[2] : sizeof peer;
    int n = snprintf(to, room, "connect="), more;
    memset(&peer, 0, sizeof peer);
    if (peek(a->pid, a->arguments[1], &peer, size) < sizeof peer.any.sa_family) return 0;
    if (!(more = placed(to + n, 2048, a->pid, w))) return 0;
    n += more;
    if (peer.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &peer.four.sin_addr, text, sizeof text);
        n += snprintf(to + n, room - (size_t)n, "\t%s:%d", text, ntohs(peer.four.sin_port));
    } else if (peer.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &peer.six.sin6_addr, text, sizeof text);
        n += snprintf(to + n, room - (size_t)n, "\t[%s]:%d", text, ntohs(peer.six.sin6_port));
    } else if (peer.any.sa_family == AF_UNIX && peer.local.sun_path[0])
        n += snprintf(to + n, room - (size_t)n, "\tunix:%.108s", peer.local.sun_path);
    else return 0;
    return n;
}

/* Take one call, let it go on, and note it. */
static void serve(int listener) {
    static union { struct asked asked; char room[512]; } in;
    static union { struct answer answer; char room[512]; } out;
    static char text[12288];
    struct who w;
    int n, runs;
    memset(&in, 0, sizeof in);
    if (ioctl(listener, TAKE, &in) < 0) return;
    runs = in.asked.number != SYS_connect;
    n = runs ? about_program(&in.asked, text, sizeof text, &w) : about_peer(&in.asked, text, sizeof text, &w);
    if (ioctl(listener, STILL_THERE, &in.asked.id) < 0) return; /* What was read may be somebody else's. */
    memset(&out, 0, sizeof out);
    out.answer.id = in.asked.id;
    out.answer.flags = GO_ON;
    ioctl(listener, ANSWER, &out);
    if (n <= 0) return;
    if (told + (size_t)n + 100 > sizeof batch) queue();
    if (!put(text, (size_t)n)) {
        if (runs) lost_programs++;
        else lost_peers++;
    } else if (runs) {
        known[w.pid % KNOWN].pid = w.pid;
        known[w.pid % KNOWN].start = w.start;
    }
}

/* ---- the loop ------------------------------------------------------------------------------------------------ */

/* Reap what has ended; 1 if the command is among it. */
static int reap(int *status) {
    int one;
    pid_t pid;
    while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
        if (pid == watched) {
            *status = one;
            return 1;
        }
    return pid < 0 && errno == ECHILD;
}

int watch(int channel, int listener, int daemon, char *wrong, size_t room) {
    enum { CHILDREN, CALLS, STARTED, DAEMON };
    struct pollfd on[4];
    struct signalfd_siginfo told_of;
    uint64_t flags = SAME_CPU;
    sigset_t child;
    int status = -1, ended = 1;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    memset(on, 0, sizeof on);
    on[CHILDREN].fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    on[CALLS].fd = listener;
    on[STARTED].fd = channel;
    on[CHILDREN].events = on[CALLS].events = on[STARTED].events = POLLIN;
    if (listener >= 0) ioctl(listener, SET_FLAGS, flags);
    *wrong = 0;
    for (;;) {
        if (ended && reap(&status)) break;
        int late = told > HEAD ? LATE_MS - (int)((now_us() - since) / 1000) : -1;
        if (told > ENOUGH || (told > HEAD && late <= 0)) {
            queue();
            send_on(&daemon, 0);
            late = told > HEAD ? LATE_MS : -1;
        }
        on[DAEMON].fd = sent < waiting ? daemon : -1;
        on[DAEMON].events = POLLOUT;
        ended = 0;
        if (poll(on, 4, late) <= 0) continue;
        ended = on[CHILDREN].revents != 0;
        if (ended) (void)!read(on[CHILDREN].fd, &told_of, sizeof told_of);
        if (on[CALLS].revents & POLLIN) serve(listener);
        else if (on[CALLS].revents) on[CALLS].fd = -1; /* Nobody of the tree is left to ask. */
        if (on[DAEMON].revents) send_on(&daemon, 0);
        if (on[STARTED].revents) {
            ssize_t n = read(channel, wrong, room - 1);
            wrong[n > 0 ? n : 0] = 0;
            on[STARTED].fd = -1;
        }
    }
    watched = 0;
    if (on[STARTED].fd >= 0) {
        ssize_t n = read(channel, wrong, room - 1);
        wrong[n > 0 ? n : 0] = 0;
    }
    end_the_rest();
    for (int last = 0; last < 2; last++) { /* What had no room before, and the count of what found none. */
        send_on(&daemon, 1);
        queue();
    }
    send_on(&daemon, 1);
    return status;
}
