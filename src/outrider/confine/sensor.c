/*
 * Puts the sensor into the kernel, then tells what it hears. Compiled by `outrider sensor build` over libbpf, and started
 * by `outrider sensor run` with a connection to the daemon as its standard input and output.
 *
 *   outrider-sensor --probe             say whether this kernel takes the sensor, and end
 *   outrider-sensor --uid N [--uid N]   tell of processes below those that the daemon names, if N owns them
 *
 * In come frames of fields: `follow=PID.START` (tell of this process and what it starts), `leave=PID.START` (somebody else
 * tells of it), `drop=PID.START` (no more; what is left of it counts for the tree that it is in, if it is in one). Out go
 * frames as a launcher's, each of one tree: `tree=PID.START`, `exec=...`, `connect=...`, `lost=N`; `beat=1` in silence.
 *
 * Once attached it keeps three capabilities and no user: one to change the map of processes, two to read which file a
 * program's name leads to. It ends when its input does. What the daemon is too slow for waits in the kernel's buffer; what
 * finds no room there is counted, tree by tree, and the count is told.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sensor.h"
#include "sensor.object.h" /* Made by `outrider sensor build`: sensor.bpf.c, compiled. */

enum { HEAD = 8, BATCH = 32768, BACKLOG = 1 << 20, LATE_MS = 50, BEAT_MS = 5000, MOST_ROOTS = 4096, MOST_UIDS = 64 };
enum { IN_ROOT = 0x10, NR_OPENAT2 = 437, LONGEST = 8192, NOBODY = 65534 };

static int places, lost, deeds;
static char wrong[512];

/* ---- into the kernel ------------------------------------------------------------------------------------------- */

static int keep_warning(enum libbpf_print_level level, const char *format, va_list rest) {
    if (level == LIBBPF_WARN && !*wrong) vsnprintf(wrong, sizeof wrong, format, rest);
    return 0;
}

static int attach(void) {
    struct bpf_program *program;
    struct bpf_object *object;
    libbpf_set_print(keep_warning);
    object = bpf_object__open_mem(sensor_object, sizeof sensor_object, NULL);
    if (!object || bpf_object__load(object)) return 0;
    bpf_object__for_each_program(program, object) if (!bpf_program__attach(program)) return 0;
    places = bpf_object__find_map_fd_by_name(object, "places");
    lost = bpf_object__find_map_fd_by_name(object, "lost");
    deeds = bpf_object__find_map_fd_by_name(object, "deeds");
    return places >= 0 && lost >= 0 && deeds >= 0;
}

/* Keep what the loop needs and nothing else, and be nobody: capabilities(7). 0 if that cannot be done. */
static int let_go(void) {
    static const int kept[] = {CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_BPF};
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct have[2], want[2];
    int i;
    memset(want, 0, sizeof want);
    if (syscall(SYS_capget, &head, have)) return 0;
    for (i = 0; i < 3; i++) want[kept[i] / 32].permitted |= have[kept[i] / 32].permitted & (1u << (kept[i] % 32));
    want[0].effective = want[0].permitted;
    want[1].effective = want[1].permitted;
    for (i = 0; i < 64; i++)
        if (i != kept[0] && i != kept[1] && i != kept[2]) prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    if (getuid() == 0) {
        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setgroups(0, NULL)) return 0;
        if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)) return 0;
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &head, want) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return 0;
    return !prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0); /* At last: a change of user undoes it. */
}

/* ---- out: frames of one tree each ------------------------------------------------------------------------------ */

static char batch[BATCH], backlog[BACKLOG];
static size_t filled = HEAD, waiting, sent_on;
static uint64_t tree, tree_start;
static int64_t since, last;

static int64_t clock_ms(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void close_frame(const char *magic) {
    size_t n = filled - HEAD;
    if (!n) return;
    if (waiting + filled > sizeof backlog) exit(1); /* It asks and does not listen: no daemon of ours. */
    memcpy(batch, magic, 4);
    batch[4] = (char)(n >> 24);
    batch[5] = (char)(n >> 16);
    batch[6] = (char)(n >> 8);
    batch[7] = (char)n;
    memcpy(backlog + waiting, batch, filled);
    waiting += filled;
    filled = HEAD;
    tree = 0;
    last = clock_ms(CLOCK_MONOTONIC);
}

static void put(const char *text, size_t n) {
    if (filled == HEAD) since = clock_ms(CLOCK_MONOTONIC);
    memcpy(batch + filled, text, n);
    batch[filled + n] = 0;
    filled += n + 1;
}

/* Put a field of a tree; another tree's begins another frame. */
static void put_of(uint64_t root, uint64_t root_start, const char *text, size_t n) {
    char name[64];
    if (tree != root || tree_start != root_start || filled + n + 80 > sizeof batch) {
        close_frame("ORS1");
        put(name, (size_t)snprintf(name, sizeof name, "tree=%llu.%llu", (unsigned long long)root,
                                   (unsigned long long)root_start));
        tree = root;
        tree_start = root_start;
    }
    put(text, n);
}

/* Whether a batch more has room; what has none stays in the kernel's buffer. */
static int room(void) { return waiting + 2 * sizeof batch <= sizeof backlog; }

static int send_some(void) {
    while (sent_on < waiting) {
        ssize_t n = write(STDOUT_FILENO, backlog + sent_on, waiting - sent_on);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
        sent_on += (size_t)n;
    }
    sent_on = waiting = 0;
    return 1;
}

/* ---- what a process is ----------------------------------------------------------------------------------------- */

struct who {
    uint32_t pid, parent;
    uint64_t start;
};

static ssize_t slurp(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);
    if (fd >= 0) close(fd);
    text[n > 0 ? n : 0] = 0;
    return n;
}

/* Parent and start (clock ticks since boot) of a process: proc_pid_stat(5). */
static int look(uint32_t pid, struct who *w) {
    char path[48], text[1024], *at;
    int i;
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    if (slurp(path, text, sizeof text) <= 0 || !(at = strrchr(text, ')'))) return 0;
    w->pid = pid;
    w->parent = (uint32_t)strtoul(at + 4, &at, 10);
    for (i = 4; i < 21 && at; i++) at = strchr(at + 1, ' ');
    w->start = at ? strtoull(at + 1, NULL, 10) : 0;
    return at != NULL;
}

static uint32_t uids[MOST_UIDS];
static int uid_count;

/* Whether a process is one of those whose owner may be told of: the daemon is believed in this and nothing else. */
static int may_be_told(uint32_t pid) {
    char path[48], text[2048], *at;
    uint32_t uid;
    int i;
    snprintf(path, sizeof path, "/proc/%u/status", pid);
    if (slurp(path, text, sizeof text) <= 0 || !(at = strstr(text, "\nUid:"))) return 0;
    uid = (uint32_t)strtoul(at + 5, NULL, 10);
    for (i = 0; i < uid_count; i++)
        if (uids[i] == uid) return 1;
    return 0;
}

/* Where a path leads in a view of files. */
static void leads(const char *view, const char *path, char *to, size_t size) {
    struct { uint64_t flags, mode, resolve; } how = {O_PATH | O_CLOEXEC, 0, IN_ROOT};
    int root = open(view, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;
    char name[48];
    ssize_t n = 0;
    if (root >= 0 && (fd = (int)syscall(NR_OPENAT2, root, path, &how, sizeof how)) >= 0) {
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        n = readlink(name, to, size - 1);
        close(fd);
    }
    if (root >= 0) close(root);
    to[n > 0 ? n : 0] = 0;
}

static uint32_t common_view;

/* The path as it was asked for, absolute where that can be known, and where it leads. A process that is gone already is
 * looked for in the view of files of the first process, if that was its own. */
static void find(const struct program *p, char *path, char *real, size_t size) {
    char link[64], view[64] = "/proc/1/root";
    struct who w;
    int there = look(p->head.pid, &w) && w.start == p->head.start;
    ssize_t n = 0;
    *real = 0;
    if (there) snprintf(view, sizeof view, "/proc/%u/root", p->head.pid);
    if (p->path[0] == '/' && strncmp(p->path, "/dev/fd/", 8) == 0 && there) { /* execveat(2) of an open file. */
        snprintf(link, sizeof link, "/proc/%u/exe", p->head.pid);
        n = readlink(link, path, size - 1);
        path[n > 0 ? n : 0] = 0;
        if (n > 0) return;
    } else if (p->path[0] != '/') {
        snprintf(link, sizeof link, "/proc/%u/cwd", there ? p->head.pid : p->head.above);
        n = readlink(link, path, size - 1);
    }
    n = n > 0 ? n : 0;
    snprintf(path + n, size - (size_t)n, n ? "/%s" : "%s", p->path);
    if (*path == '/' && (there || p->view == common_view)) leads(view, path, real, size);
    if (strcmp(path, real) == 0) *real = 0;
}

/* ---- what it did ----------------------------------------------------------------------------------------------- */

static char text[LONGEST + 4096];

static int begin(const char *kind, const struct head *h) {
    struct timespec now, boot;
    int64_t at;
    int n;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    at = ((int64_t)(now.tv_sec - boot.tv_sec) * 1000000000 + now.tv_nsec - boot.tv_nsec + (int64_t)h->at) / 1000;
    n = snprintf(text, sizeof text, "%s=%lld\t%u.%llu\t", kind, (long long)at, h->pid, (unsigned long long)h->start);
    if (h->above) n += snprintf(text + n, sizeof text - (size_t)n, "%u.%llu", h->above, (unsigned long long)h->above_start);
    return n;
}

/* Add a field's part; tabs part ours, so that one in a name becomes a space. */
static int add(int n, const char *part, size_t most) {
    size_t i;
    text[n++] = '\t';
    for (i = 0; i < most && part[i]; i++) text[n++] = part[i] == '\t' ? ' ' : part[i];
    text[n] = 0;
    return n;
}

/* Where the arguments begin behind the name: that is the first word, or of a script what the kernel put its path behind. */
static uint32_t behind_name(const struct program *p, uint32_t size) {
    uint32_t at = 0, first = 0;
    int word;
    for (word = 0; word < 3 && at < size; word++) {
        int here = strncmp(p->words + at, p->path, size - at) == 0;
        at += (uint32_t)strnlen(p->words + at, size - at) + 1;
        if (here) return at;
        if (!first) first = at;
    }
    return first;
}

static void tell_program(const struct program *p) {
    static char path[4096], real[4096];
    uint32_t at, words = 0, size = p->size < sizeof p->words ? p->size : sizeof p->words;
    int n = begin("exec", &p->head);
    find(p, path, real, sizeof path);
    n = add(n, path, 2048);
    n = add(n, real, 2048);
    at = behind_name(p, size);
    for (; at < size && words < 6; words++) {
        size_t left = size - at;
        n = add(n, p->words + at, left < 240 ? left : 240);
        at += (uint32_t)strnlen(p->words + at, left) + 1;
    }
    put_of(p->head.root, p->head.root_start, text, (size_t)n);
}

static void tell_peer(const struct reach *r) {
    char name[INET6_ADDRSTRLEN] = "", peer[160];
    int n = begin("connect", &r->head);
    if (r->peer.family == AF_INET) {
        inet_ntop(AF_INET, r->peer.address, name, sizeof name);
        snprintf(peer, sizeof peer, "%s:%d", name, ntohs(r->peer.port));
    } else if (r->peer.family == AF_INET6) {
        inet_ntop(AF_INET6, r->peer.address, name, sizeof name);
        snprintf(peer, sizeof peer, "[%s]:%d", name, ntohs(r->peer.port));
    } else if (r->path[0]) snprintf(peer, sizeof peer, "unix:%.108s", r->path);
    else return;
    n = add(n, peer, sizeof peer);
    put_of(r->head.root, r->head.root_start, text, (size_t)n);
}

static int take(void *nothing, void *data, size_t size) {
    const struct head *h = data;
    (void)nothing;
    if (h->kind == PROGRAM && size >= sizeof(struct program)) tell_program(data);
    else if (h->kind == PEER && size >= sizeof(struct reach)) tell_peer(data);
    return room() ? 0 : -ENOBUFS;
}

/* ---- whose it is ----------------------------------------------------------------------------------------------- */

/* A process that is followed, how much of its tree was lost, and the tree that it is in itself, if any. */
static struct root { uint32_t pid, in; uint64_t start, in_start, lost; } roots[MOST_ROOTS];
static int root_count;

static int root_of(uint32_t pid, uint64_t start) {
    int i;
    for (i = 0; i < root_count; i++)
        if (roots[i].pid == pid && roots[i].start == start) return i;
    return -1;
}

static struct who every[MOST_PROCESSES];

static int processes(void) {
    DIR *all = opendir("/proc");
    struct dirent *one;
    int n = 0;
    while (all && n < MOST_PROCESSES && (one = readdir(all)))
        if (one->d_name[0] > '0' && one->d_name[0] <= '9') n += look((uint32_t)strtoul(one->d_name, NULL, 10), every + n);
    if (all) closedir(all);
    return n;
}

/* A process that was there before anybody listened is told as started when it was. */
static void tell_there(const struct who *w, const struct who *above, const struct place *p) {
    static struct program out;
    char name[64];
    ssize_t n;
    memset(&out, 0, sizeof out);
    out.head.pid = w->pid;
    out.head.start = w->start;
    out.head.at = w->start * 10000000;
    out.head.above = above->pid;
    out.head.above_start = above->start;
    out.head.root = p->root;
    out.head.root_start = p->root_start;
    snprintf(name, sizeof name, "/proc/%u/exe", w->pid);
    n = readlink(name, out.path, sizeof out.path - 1);
    if (n <= 0) return;
    snprintf(name, sizeof name, "/proc/%u/cmdline", w->pid);
    n = slurp(name, out.words, sizeof out.words);
    out.size = n > 0 ? (uint32_t)n : 0;
    tell_program(&out);
}

/* Enter what is below a process already; what is followed for itself stays as it is. 0 if nothing was new. */
static int enter_below(const struct who *top, struct place *place) {
    static struct who found[MOST_PROCESSES];
    struct place old;
    int known = processes(), count = 1, at, i, fresh = 0;
    found[0] = *top;
    for (at = 0; at < count; at++)
        for (i = 0; i < known && count < MOST_PROCESSES; i++) {
            if (every[i].parent != found[at].pid || every[i].start < found[at].start) continue;
            if (root_of(every[i].pid, every[i].start) >= 0) continue;
            found[count++] = every[i];
            if (!bpf_map_lookup_elem(places, &every[i].pid, &old) && old.root == place->root) continue;
            place->above = found[at].pid;
            place->above_start = found[at].start;
            if (bpf_map_update_elem(places, &every[i].pid, place, BPF_ANY)) continue;
            if (!place->quiet && room()) tell_there(every + i, found + at, place);
            fresh++;
        }
    return fresh;
}

static void follow(uint32_t pid, uint64_t start, int quiet) {
    struct place place = {.root = pid, .root_start = start, .told = 1, .quiet = (uint32_t)quiet};
    struct place in = {0};
    struct who top;
    uint64_t none = 0;
    int rounds;
    if (root_of(pid, start) >= 0) return;
    if (root_count == MOST_ROOTS || !look(pid, &top) || top.start != start || !may_be_told(pid)) {
        put_of(pid, start, "not=1", 5);
        return;
    }
    bpf_map_lookup_elem(places, &pid, &in);
    roots[root_count++] = (struct root){pid, in.root, start, in.root_start, 0};
    bpf_map_update_elem(lost, &pid, &none, BPF_ANY);
    if (bpf_map_update_elem(places, &pid, &place, BPF_ANY)) put_of(pid, start, "not=1", 5);
    for (rounds = 0; rounds < 4 && enter_below(&top, &place); rounds++) continue;
}

static void count_losses(void) {
    uint64_t now;
    int i, n;
    for (i = 0; i < root_count && room(); i++)
        if (!bpf_map_lookup_elem(lost, &roots[i].pid, &now) && now > roots[i].lost) {
            n = snprintf(text, sizeof text, "lost=%llu", (unsigned long long)(now - roots[i].lost));
            put_of(roots[i].pid, roots[i].start, text, (size_t)n);
            roots[i].lost = now;
        }
}

/* Follow a tree no more; what is left of it counts for the tree that it is in, or for nobody. */
static void drop(uint32_t pid, uint64_t start) {
    uint32_t key, next, to, *at = NULL;
    uint64_t to_start;
    struct place place;
    int i, other, more;
    count_losses();
    if ((i = root_of(pid, start)) < 0) return;
    to = roots[i].in;
    to_start = roots[i].in_start;
    for (other = 0; other < root_count; other++)
        if (roots[other].in == pid && roots[other].in_start == start) {
            roots[other].in = to;
            roots[other].in_start = to_start;
        }
    for (more = !bpf_map_get_next_key(places, at, &next); more;) {
        key = next;
        more = !bpf_map_get_next_key(places, &key, &next);
        if (bpf_map_lookup_elem(places, &key, &place) || place.root != pid || place.root_start != start) continue;
        place.root = to;
        place.root_start = to_start;
        if (to) bpf_map_update_elem(places, &key, &place, BPF_EXIST);
        else bpf_map_delete_elem(places, &key);
    }
    bpf_map_delete_elem(lost, &pid);
    roots[i] = roots[--root_count];
}

/* ---- in: what the daemon asks for ------------------------------------------------------------------------------ */

/* Take one field; 0 if it says that we are not wanted. */
static int asked(const char *field) {
    unsigned pid = 0;
    unsigned long long start = 0;
    if (strncmp(field, "error=", 6) == 0) {
        fprintf(stderr, "%s\n", field + 6);
        return 0;
    }
    if (sscanf(field, "follow=%u.%llu", &pid, &start) == 2) follow(pid, start, 0);
    else if (sscanf(field, "leave=%u.%llu", &pid, &start) == 2) follow(pid, start, 1);
    else if (sscanf(field, "drop=%u.%llu", &pid, &start) == 2) drop(pid, start);
    return 1;
}

/* Read what came. 1 to go on, 0 at the end, -1 if we are not wanted. */
static int hear(void) {
    static char in[1 << 18];
    static size_t have;
    ssize_t n = read(STDIN_FILENO, in + have, sizeof in - have);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 1;
    if (n <= 0) return 0;
    have += (size_t)n;
    while (have >= HEAD) {
        const unsigned char *h = (const unsigned char *)in + 4;
        size_t size = ((size_t)h[0] << 24 | (size_t)h[1] << 16 | (size_t)h[2] << 8 | h[3]) + HEAD, at;
        if (size > sizeof in) return 0;
        if (have < size) break;
        for (at = HEAD; at < size; at += strnlen(in + at, size - at) + 1)
            if (in[size - 1] == 0 && !asked(in + at)) return -1;
        memmove(in, in + size, have - size);
        have -= size;
    }
    return 1;
}

/* ---- the loop -------------------------------------------------------------------------------------------------- */

static int serve(struct ring_buffer *ring) {
    struct pollfd on[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = ring_buffer__epoll_fd(ring), .events = POLLIN}};
    int64_t looked = 0;
    int going;
    for (;;) {
        int64_t now = clock_ms(CLOCK_MONOTONIC);
        if (now - looked >= 500) {
            count_losses();
            looked = now;
        }
        if (filled == HEAD && now - last >= BEAT_MS) put("beat=1", 6);
        if (filled > HEAD && now - since >= LATE_MS) close_frame("ORS1");
        if (!send_some()) return 0;
        on[0].events = (short)(POLLIN | (sent_on < waiting ? POLLOUT : 0));
        on[1].fd = room() ? ring_buffer__epoll_fd(ring) : -1;
        if (poll(on, 2, filled > HEAD ? LATE_MS : 500) < 0 && errno != EINTR) return 1;
        if (on[1].revents && ring_buffer__consume(ring) < 0 && room()) return 1;
        if (on[0].revents & (POLLIN | POLLHUP | POLLERR) && (going = hear()) <= 0) return going ? 4 : 0;
    }
}

int main(int count, char **words) {
    struct ring_buffer *ring;
    struct stat facts;
    int i, probe = 0;
    for (i = 1; i < count; i++) {
        if (strcmp(words[i], "--probe") == 0) probe = 1;
        else if (strcmp(words[i], "--uid") == 0 && i + 1 < count && uid_count < MOST_UIDS)
            uids[uid_count++] = (uint32_t)strtoul(words[++i], NULL, 10);
        else {
            fprintf(stderr, "outrider-sensor: %s is not known\n", words[i]);
            return 2;
        }
    }
    if (!attach()) {
        fprintf(stderr, "%s\n", *wrong ? wrong : strerror(errno));
        return 1;
    }
    if (stat("/proc/1/ns/mnt", &facts) == 0) common_view = (uint32_t)facts.st_ino;
    if (!let_go()) {
        fprintf(stderr, "its privileges could not be dropped: %s\n", strerror(errno));
        return 1;
    }
    if (probe) return 0;
    ring = ring_buffer__new(deeds, take, NULL, NULL);
    if (!ring) {
        fprintf(stderr, "%s\n", strerror(errno));
        return 1;
    }
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
    put("sensor=1", 8);
    close_frame("ORR1");
    return serve(ring);
}
