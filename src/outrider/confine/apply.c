/*
 * Binds the process that is about to become the agent: a view of files of its own, no capabilities, Landlock, a filter
 * of system calls. In this order, since each step needs what the next one takes away. Every step that the plan names
 * and that fails ends the start: nothing runs less bound than its birth says.
 *
 * Sources: user_namespaces(7), mount_setattr(2), open_tree(2), landlock(7), seccomp(2), capabilities(7).
 */
#define _GNU_SOURCE
#include "launch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* Numbers that are the same on every architecture since they were given out after 2019. */
enum {
    NR_OPEN_TREE = 428, NR_MOVE_MOUNT = 429, NR_FSOPEN = 430, NR_FSCONFIG = 431, NR_FSMOUNT = 432, NR_FSPICK = 433,
    NR_CLONE3 = 435, NR_PIDFD_GETFD = 438, NR_MOUNT_SETATTR = 442, NR_LANDLOCK_CREATE = 444, NR_LANDLOCK_RULE = 445,
    NR_LANDLOCK_SELF = 446, NR_IO_URING_SETUP = 425, NR_IO_URING_REGISTER = 427
};
enum {
    CLONE_TREE = 1, TREE_CLOEXEC = 0x80000, TREE_RECURSIVE = 0x8000, TREE_NO_FOLLOW = 0x100, AT_EMPTY = 0x1000,
    MOVE_EMPTY = 4, MOVE_FOLLOW = 0x10, READ_ONLY = 1
};

/* ---- namespaces ---------------------------------------------------------------------------------------------- */

static int put_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC), good;
    if (fd < 0) return 0;
    good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return good;
}

static int raise_loopback(void) {
    struct ifreq what;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), good;
    memset(&what, 0, sizeof what);
    memcpy(what.ifr_name, "lo", 3);
    what.ifr_flags = IFF_UP | IFF_RUNNING;
    good = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &what) == 0;
    if (fd >= 0) close(fd);
    return good;
}

const char *take_namespaces(void) {
    char line[64];
    unsigned uid = (unsigned)geteuid(), gid = (unsigned)getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) < 0) return "unshare";
    if (!put_file("/proc/self/setgroups", "deny")) return "setgroups";
    snprintf(line, sizeof line, "%u %u 1", uid, uid);
    if (!put_file("/proc/self/uid_map", line)) return "uid_map";
    snprintf(line, sizeof line, "%u %u 1", gid, gid);
    if (!put_file("/proc/self/gid_map", line)) return "gid_map";
    /* Some systems give the namespace and none of its powers: these two tell. */
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return "mount";
    if (!raise_loopback()) return "loopback";
    return NULL;
}

int listen_here(int *port) {
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memset(&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)*port);
    *port = 0;
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 256) < 0) {
        if (fd >= 0) close(fd);
        return -1;
    }
    if (getsockname(fd, (struct sockaddr *)&a, &size) == 0) *port = ntohs(a.sin_port);
    return fd;
}

/* ---- a view of its own --------------------------------------------------------------------------------------- */

struct attributes {
    uint64_t set, clear, propagation, userns;
};

static int read_only(int fd, const char *path, int recursive) {
    struct attributes a = {READ_ONLY, 0, 0, 0};
    return (int)syscall(NR_MOUNT_SETATTR, fd, path, (*path ? 0 : AT_EMPTY) | (recursive ? TREE_RECURSIVE : 0), &a,
                        sizeof a);
}

static int copy_of(const char *path, int follow) {
    int flags = CLONE_TREE | TREE_CLOEXEC | TREE_RECURSIVE | (follow ? 0 : TREE_NO_FOLLOW);
    return (int)syscall(NR_OPEN_TREE, AT_FDCWD, path, flags);
}

/* Onto the name itself, also where that is a link, or onto what the link leads to. */
static int place(int fd, const char *path, int follow) {
    int done = (int)syscall(NR_MOVE_MOUNT, fd, "", AT_FDCWD, path, MOVE_EMPTY | (follow ? MOVE_FOLLOW : 0));
    close(fd);
    return done;
}

/* Make what a mount will stand on. What is there already stays. */
static void make_way(const char *path, int folder) {
    char part[4096];
    size_t i, n = strlen(path);
    int fd;
    if (n >= sizeof part) return;
    memcpy(part, path, n + 1);
    for (i = 1; i < n; i++)
        if (part[i] == '/') {
            part[i] = 0;
            mkdir(part, 0755);
            part[i] = '/';
        }
    if (folder) {
        mkdir(part, 0755);
        return;
    }
    fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
}

enum { MOST_SHOWN = 512 };
static int shown_fd[MOST_SHOWN];
static const char *shown_at[MOST_SHOWN];
static int shown, bound; /* Of those, the ones from `bound` on are sockets: they come last, on top of what is hidden. */

/* Hold on to what is to be shown, before it is covered. "show=PATH", or "bind=FROM\tTO". */
static const char *gather(const struct plan *p) {
    static char from[4096];
    const char *s;
    size_t at = 0;
    while ((s = field(p, "show", &at)))
        if (shown < MOST_SHOWN && (shown_fd[shown] = copy_of(s, 1)) >= 0) shown_at[shown++] = s;
        else if (errno != ENOENT && errno != EACCES) return s;
    bound = shown;
    for (at = 0; (s = field(p, "bind", &at));) {
        const char *tab = strchr(s, '\t');
        if (!tab || (size_t)(tab - s) >= sizeof from || shown >= MOST_SHOWN) return s;
        memcpy(from, s, (size_t)(tab - s));
        from[tab - s] = 0;
        if ((shown_fd[shown] = copy_of(from, 1)) < 0) return from;
        shown_at[shown++] = tab + 1;
    }
    return NULL;
}

static const char *empty_out(const struct plan *p) {
    const char *s;
    size_t at = 0;
    struct stat facts;
    while ((s = field(p, "tmp", &at)))
        if (stat(s, &facts) == 0 && mount("tmpfs", s, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0) return s;
    for (at = 0; (s = field(p, "empty", &at));)
        if (stat(s, &facts) == 0 && mount("tmpfs", s, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0) return s;
    return NULL;
}

static const char *show(int i, int end) {
    struct stat facts;
    for (; i < end; i++) {
        make_way(shown_at[i], fstat(shown_fd[i], &facts) == 0 && S_ISDIR(facts.st_mode));
        if (place(shown_fd[i], shown_at[i], 0) < 0) return shown_at[i];
    }
    return NULL;
}

/* "hide": shown as nothing. "cover": shown as an empty directory, in which a socket will stand. */
static const char *hide(const struct plan *p) {
    const char *s, *blank = value(p, "blank");
    struct stat facts;
    size_t at = 0;
    int fd;
    while ((s = field(p, "cover", &at)))
        if (lstat(s, &facts) == 0 && mount("tmpfs", s, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0) return s;
    at = 0;
    while ((s = field(p, "hide", &at))) {
        if (lstat(s, &facts) < 0) continue;
        if (S_ISDIR(facts.st_mode)) {
            if (mount("tmpfs", s, "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, "mode=0,size=4k") < 0) return s;
            continue;
        }
        fd = open(blank, O_RDONLY | O_CREAT | O_CLOEXEC, 0);
        if (fd >= 0) close(fd);
        if ((fd = copy_of(blank, 1)) < 0 || place(fd, s, 0) < 0) return s;
    }
    return NULL;
}

/* "pin": a mount of its own, so that nobody moves it away from above what is kept. "keep": nothing can be written.
 * Of a link both are kept: where it leads, if that is anywhere, and the link itself, so that it leads nowhere else. */
static const char *keep(const struct plan *p, const char *key) {
    const char *s;
    size_t at = 0;
    struct stat facts;
    const int written = same(key, "pin");
    while ((s = field(p, key, &at))) {
        int follow;
        if (same(s, "/")) { /* Nothing can be mounted over the root that we have already. */
            if (!written && read_only(AT_FDCWD, s, 1) < 0) return s;
            continue;
        }
        if (lstat(s, &facts) < 0) {
            if (errno == ENOENT || errno == ENOTDIR) continue;
            return s;
        }
        for (follow = S_ISLNK(facts.st_mode) && !written; follow >= 0; follow--) {
            int fd = copy_of(s, follow);
            if (fd < 0 && follow) continue; /* It leads nowhere that the agent could reach either. */
            if (fd < 0 || (!written && read_only(fd, "", 1) < 0) || place(fd, s, follow) < 0) return s;
        }
    }
    return NULL;
}

static const char *view(const struct plan *p) {
    const char *wrong, *s;
    size_t at = 0;
    if ((wrong = gather(p))) return wrong;
    if (same(value(p, "rest"), "ro") && read_only(AT_FDCWD, "/", 1) < 0) return "/";
    if ((wrong = empty_out(p)) || (wrong = show(0, bound)) || (wrong = hide(p)) || (wrong = show(bound, shown)))
        return wrong;
    if ((wrong = keep(p, "pin")) || (wrong = keep(p, "keep"))) return wrong;
    while ((s = field(p, "empty", &at)))
        if (read_only(AT_FDCWD, s, 0) < 0 && errno != ENOENT && errno != EINVAL) return s;
    for (at = 0; (s = field(p, "cover", &at));)
        if (read_only(AT_FDCWD, s, 0) < 0 && errno != ENOENT && errno != EINVAL) return s;
    return NULL;
}

/* ---- Landlock ------------------------------------------------------------------------------------------------ */

enum {
    FS_EXECUTE = 1 << 0, FS_WRITE = 1 << 1, FS_READ = 1 << 2, FS_LIST = 1 << 3, FS_RMDIR = 1 << 4, FS_REMOVE = 1 << 5,
    FS_MKDIR = 1 << 7, FS_MKREG = 1 << 8, FS_MKSOCK = 1 << 9, FS_MKFIFO = 1 << 10, FS_MKSYM = 1 << 12,
    FS_REFER = 1 << 13, FS_TRUNCATE = 1 << 14, FS_IOCTL = 1 << 15,
    READS = FS_EXECUTE | FS_READ | FS_LIST,
    WRITES = FS_WRITE | FS_MKDIR | FS_MKREG | FS_MKSOCK | FS_MKFIFO | FS_MKSYM | FS_REFER | FS_TRUNCATE | FS_IOCTL,
    DELETES = FS_RMDIR | FS_REMOVE | FS_REFER,
    OF_FILES = FS_EXECUTE | FS_WRITE | FS_READ | FS_TRUNCATE | FS_IOCTL
};
struct ruleset {
    uint64_t files, ports, scopes;
};
struct __attribute__((packed)) beneath {
    uint64_t allowed;
    int32_t fd;
};
struct port {
    uint64_t allowed, number;
};

int landlock_version(void) {
    long version = syscall(NR_LANDLOCK_CREATE, NULL, 0, 1);
    return version > 0 ? (int)version : 0;
}

static uint64_t all_of(int version) {
    uint64_t every = (1 << 13) - 1;
    if (version >= 2) every |= FS_REFER;
    if (version >= 3) every |= FS_TRUNCATE;
    if (version >= 5) every |= FS_IOCTL;
    return every;
}

/* "grant=LETTERS PATH": r, w, d, and t for a whole tree. */
static int grant(int rules, const char *s, uint64_t every) {
    struct beneath b = {0, -1};
    struct stat facts;
    const char *path = strchr(s, ' ');
    int whole = 0, done;
    if (!path) return -1;
    for (; s < path; s++) {
        if (*s == 'r') b.allowed |= READS;
        if (*s == 'w') b.allowed |= WRITES;
        if (*s == 'd') b.allowed |= DELETES;
        if (*s == 't') whole = 1;
    }
    b.fd = open(path + 1, O_PATH | O_CLOEXEC);
    if (b.fd < 0) return 0; /* It is not there, or not for this user: nothing to grant. */
    b.allowed &= every;
    if (fstat(b.fd, &facts) < 0 || (S_ISDIR(facts.st_mode) && !whole)) b.allowed = 0;
    else if (!S_ISDIR(facts.st_mode)) b.allowed &= OF_FILES;
    done = b.allowed ? (int)syscall(NR_LANDLOCK_RULE, rules, 1, &b, 0) : 0;
    close(b.fd);
    return done;
}

static const char *restrict_files(const struct plan *p, int port) {
    int version = landlock_version(), rules;
    struct ruleset r = {all_of(version), 0, version >= 6 ? 3 : 0};
    struct port out = {2, (uint64_t)port};
    const char *s;
    size_t at = 0;
    if (version >= 4 && same(value(p, "network"), "port")) r.ports = 2;
    rules = (int)syscall(NR_LANDLOCK_CREATE, &r, version >= 6 ? sizeof r : version >= 4 ? 16 : 8, 0);
    if (rules < 0) return "landlock_create_ruleset";
    while ((s = field(p, "grant", &at)))
        if (grant(rules, s, r.files) < 0) return s;
    if (r.ports && port && syscall(NR_LANDLOCK_RULE, rules, 2, &out, 0) < 0) return "landlock_add_rule of the port";
    for (at = 0; r.ports && (s = field(p, "reach", &at));) {
        out.number = (uint64_t)atoi(s);
        if (syscall(NR_LANDLOCK_RULE, rules, 2, &out, 0) < 0) return "landlock_add_rule of a port that is lent";
    }
    if (syscall(NR_LANDLOCK_SELF, rules, 0) < 0) return "landlock_restrict_self";
    close(rules);
    return NULL;
}

/* ---- system calls -------------------------------------------------------------------------------------------- */

struct instruction {
    uint16_t code;
    uint8_t yes, no;
    uint32_t k;
};
struct program {
    uint16_t length;
    struct instruction *first;
};
enum { LOAD = 0x20, EQUAL = 0x15, AT_LEAST = 0x35, ANY_BIT = 0x45, AND = 0x54, GIVE = 0x06 };
enum { NUMBER = 0, ARCHITECTURE = 4, ARGUMENT = 16 };
#define ALLOW 0x7fff0000U
#define REFUSE(number) (0x00050000U | (number))
#define NOTIFY 0x7fc00000U

#if defined(__x86_64__)
#define OURS 0xc000003eU
#elif defined(__aarch64__)
#define OURS 0xc00000b7U
#endif

/* What no build needs: the kernel's insides, other processes' memory, mounts, keys, other name spaces. */
static const int refused[] = {
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_kexec_load,
    SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns,
    SYS_swapon, SYS_swapoff, SYS_reboot, SYS_acct, SYS_quotactl, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp,
    SYS_open_by_handle_at, SYS_fanotify_init, SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex,
    SYS_sethostname, SYS_setdomainname, SYS_syslog, SYS_vhangup, SYS_move_pages, SYS_migrate_pages, NR_OPEN_TREE,
    NR_MOVE_MOUNT, NR_FSOPEN, NR_FSCONFIG, NR_FSMOUNT, NR_FSPICK, NR_MOUNT_SETATTR, NR_PIDFD_GETFD,
#ifdef SYS_iopl
    SYS_iopl, SYS_ioperm, SYS_modify_ldt,
#endif
};
/* What has an older way that programs fall back to: a ring would pass the filter by. */
static const int unknown[] = {NR_CLONE3, NR_IO_URING_SETUP, NR_IO_URING_SETUP + 1, NR_IO_URING_REGISTER};
/* What whoever watches is told of, and then lets go on (watch.c). */
static const int told_of[] = {SYS_execve, SYS_execveat, SYS_connect};
enum { NEW_NAMESPACES = 0x7e020080, STI = 0x5412, LINUX_CONSOLE = 0x541c, MOST = 256 };

static struct instruction code[MOST];
static int length;

static void add(int what, uint32_t k, int yes, int no) {
    struct instruction one = {(uint16_t)what, (uint8_t)yes, (uint8_t)no, k};
    if (length < MOST) code[length++] = one;
}

static void when_number(int number, uint32_t verdict) {
    add(EQUAL, (uint32_t)number, 0, 1);
    add(GIVE, verdict, 0, 0);
}

/* A socket: only of families that the namespace or Landlock holds, and in the shared network only TCP itself. */
static void sockets(int tcp_only) {
    static const int families[] = {AF_UNIX, AF_NETLINK, AF_INET, AF_INET6};
    int i, many = tcp_only ? 2 : 4;
    add(EQUAL, SYS_socket, 0, tcp_only ? 15 : 7);
    add(LOAD, ARGUMENT, 0, 0);
    for (i = 0; i < many; i++) add(EQUAL, (uint32_t)families[i], (tcp_only ? 12 : 4) - i, 0);
    if (!tcp_only) {
        add(GIVE, REFUSE(EAFNOSUPPORT), 0, 0);
        add(GIVE, ALLOW, 0, 0);
        return;
    }
    add(EQUAL, AF_INET, 2, 0);
    add(EQUAL, AF_INET6, 1, 0);
    add(GIVE, REFUSE(EAFNOSUPPORT), 0, 0);
    add(LOAD, ARGUMENT + 8, 0, 0);
    add(AND, 0xf, 0, 0);
    add(EQUAL, SOCK_STREAM, 1, 0);
    add(GIVE, REFUSE(EPERM), 0, 0);
    add(LOAD, ARGUMENT + 16, 0, 0);
    add(EQUAL, 0, 2, 0);
    add(EQUAL, IPPROTO_TCP, 1, 0);
    add(GIVE, REFUSE(EPROTONOSUPPORT), 0, 0);
    add(GIVE, ALLOW, 0, 0);
}

/* Data that is sent with the opening of a connection (tcp(7), TCP Fast Open) passes no connect, and so no Landlock. */
static void fast_open(void) {
    static const int sends[] = {SYS_sendto, SYS_sendmsg, SYS_sendmmsg}, flags[] = {3, 2, 3};
    size_t i;
    for (i = 0; i < sizeof sends / sizeof *sends; i++) {
        add(EQUAL, (uint32_t)sends[i], 0, 4);
        add(LOAD, ARGUMENT + 8 * (uint32_t)flags[i], 0, 0);
        add(ANY_BIT, MSG_FASTOPEN, 0, 1);
        add(GIVE, REFUSE(EOPNOTSUPP), 0, 0);
        add(GIVE, ALLOW, 0, 0);
    }
}

static void write_filter(const struct plan *p) {
    size_t i;
    add(LOAD, ARCHITECTURE, 0, 0);
    add(EQUAL, OURS, 1, 0);
    add(GIVE, REFUSE(ENOSYS), 0, 0);
    add(LOAD, NUMBER, 0, 0);
    add(AT_LEAST, 0x40000000, 0, 1); /* x32 */
    add(GIVE, REFUSE(ENOSYS), 0, 0);
    for (i = 0; i < sizeof refused / sizeof *refused; i++) when_number(refused[i], REFUSE(EPERM));
    for (i = 0; i < sizeof unknown / sizeof *unknown; i++) when_number(unknown[i], REFUSE(ENOSYS));
    for (i = 0; i < sizeof told_of / sizeof *told_of && same(value(p, "seen"), "1"); i++) when_number(told_of[i], NOTIFY);
    if (!landlock_version()) when_number(SYS_ptrace, REFUSE(EPERM)); /* Landlock keeps it inside by itself. */
    for (i = 0; i < 2; i++) {
        add(EQUAL, i ? SYS_unshare : SYS_clone, 0, 4);
        add(LOAD, ARGUMENT, 0, 0);
        add(ANY_BIT, NEW_NAMESPACES, 0, 1);
        add(GIVE, REFUSE(EPERM), 0, 0);
        add(GIVE, ALLOW, 0, 0);
    }
    add(EQUAL, SYS_ioctl, 0, 5);
    add(LOAD, ARGUMENT + 8, 0, 0);
    add(EQUAL, STI, 1, 0); /* Typing into the terminal of whoever started us. */
    add(EQUAL, LINUX_CONSOLE, 0, 1);
    add(GIVE, REFUSE(EPERM), 0, 0);
    add(GIVE, ALLOW, 0, 0);
    if (!same(value(p, "network"), "proxy")) fast_open();
    sockets(!same(value(p, "network"), "proxy"));
    add(GIVE, ALLOW, 0, 0);
}

int seccomp_there(void) {
    uint32_t action = 0x00050000U;
#ifdef OURS
    return syscall(SYS_seccomp, 2, 0, &action) == 0;
#else
    return 0;
#endif
}

enum { NEW_LISTENER = 8, UNTIL_KILLED = 32 };

/* Install a filter; the descriptor on which its notifications come, or -1. A tree has room for one listener only. */
static int listening_filter(struct program *filter) {
    int fd = (int)syscall(SYS_seccomp, 1, NEW_LISTENER | UNTIL_KILLED, filter);
    if (fd < 0 && errno == EINVAL) fd = (int)syscall(SYS_seccomp, 1, NEW_LISTENER, filter); /* Before Linux 5.19. */
    return fd;
}

/* Whether a tree's calls can be heard of and let go on (Linux 5.5). Only trying tells whether somebody above us does. */
int seen_there(void) {
    struct instruction let_all = {GIVE, 0, 0, ALLOW};
    struct program filter = {1, &let_all};
    struct utsname kernel;
    uint32_t action = NOTIFY;
    int status = 1, major = 0, minor = 0;
    pid_t child;
    if (!seccomp_there() || syscall(SYS_seccomp, 2, 0, &action) < 0 || uname(&kernel) < 0) return 0;
    if (sscanf(kernel.release, "%d.%d", &major, &minor) != 2 || major < 5 || (major == 5 && minor < 5)) return 0;
    if ((child = fork()) == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(listening_filter(&filter) < 0);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- all of it ----------------------------------------------------------------------------------------------- */

static int drop_capabilities(void) {
    struct {
        uint32_t version;
        int pid;
    } head = {0x20080522, 0};
    uint32_t none[6] = {0, 0, 0, 0, 0, 0};
    return (int)syscall(SYS_capset, &head, none);
}

const char *apply(const struct plan *p, int port, int *listener) {
    struct program filter;
    const char *wrong;
    *listener = -1;
    if (same(value(p, "view"), "1") && (wrong = view(p))) return wrong;
    if (chdir(value(p, "cwd")) < 0) return value(p, "cwd");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return "no_new_privs";
    if (drop_capabilities() < 0) return "capset";
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) return "dumpable";
    if (same(value(p, "landlock"), "1") && (wrong = restrict_files(p, port))) return wrong;
    if (same(value(p, "seccomp"), "1")) {
        write_filter(p);
        filter.length = (uint16_t)length;
        filter.first = code;
        if (same(value(p, "seen"), "1")) {
            if ((*listener = listening_filter(&filter)) < 0) return "seccomp with a listener";
        } else if (syscall(SYS_seccomp, 1, 0, &filter) < 0) return "seccomp";
    }
    return NULL;
}
