/*
 * `outrider run`: starts a command as an agent. Asks the daemon for a birth, binds a child as the answer says, starts
 * the command in it, and stays above it until it ends, to say how.
 *
 * It stays because of three things: orphans of the agent come to it (prctl(PR_SET_CHILD_SUBREAPER)), so that a process
 * that cuts itself off still descends from the agent; only a parent learns an exit status; and what is left when the
 * command ends is ended with it. What it is told comes from the person who starts it: its arguments and its environment.
 *
 * The conversation: "ORR1", four bytes length, fields "key=value" each ended by a NUL; the answer is "ORP1" and the same
 * shape; at the end "ORE1".
 */
#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { EXIT_USAGE = 2, EXIT_UNDECIDED = 3, EXIT_AWAY = 7, REQUEST_MAX = 1 << 20, WAIT_S = 10 };

static struct {
    const char *charter, *sponsor, *purpose, *home;
    int verbose, no_view, unseen;
} told;
static const char *lent[16]; /* Hosts and variables that the person lends. */
static size_t lending;
static struct plan *plan; /* shared with the child */
static char request[REQUEST_MAX];
static size_t asked = 8;

int same(const char *a, const char *b) { return strcmp(a, b) == 0; }

static void fail(int status, const char *what, const char *more) {
    fprintf(stderr, "outrider: %s%s%s\n", what, *more ? ": " : "", more);
    exit(status);
}

/* ---- fields -------------------------------------------------------------------------------------------------- */

const char *field(const struct plan *p, const char *key, size_t *at) {
    size_t n = strlen(key);
    while (*at < p->size) {
        const char *s = p->text + *at;
        *at += strnlen(s, p->size - *at) + 1;
        if (strncmp(s, key, n) == 0 && s[n] == '=') return s + n + 1;
    }
    return NULL;
}

const char *value(const struct plan *p, const char *key) {
    size_t at = 0;
    const char *found = field(p, key, &at);
    return found ? found : "";
}

static void tell(const char *key, const char *text) {
    size_t k = strlen(key), n = strlen(text);
    if (asked + k + n + 2 > sizeof request) fail(EXIT_USAGE, "the arguments and the environment are larger than 1 MiB", "");
    memcpy(request + asked, key, k);
    request[asked + k] = '=';
    memcpy(request + asked + k + 1, text, n + 1);
    asked += k + n + 2;
}

static void tell_number(const char *key, long number) {
    char text[24];
    snprintf(text, sizeof text, "%ld", number);
    tell(key, text);
}

static void finish(const char *magic) {
    size_t n = asked - 8;
    memcpy(request, magic, 4);
    request[4] = (char)(n >> 24);
    request[5] = (char)(n >> 16);
    request[6] = (char)(n >> 8);
    request[7] = (char)n;
}

static int send_all(int fd, const char *from, size_t n) {
    while (n) {
        ssize_t done = send(fd, from, n, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return 0;
        from += done;
        n -= (size_t)done;
    }
    return 1;
}

static int read_all(int fd, char *to, size_t n) {
    while (n) {
        ssize_t done = read(fd, to, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return 0;
        to += done;
        n -= (size_t)done;
    }
    return 1;
}

/* ---- the daemon ---------------------------------------------------------------------------------------------- */

static int dial(const char *name) {
    struct sockaddr_un a;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memset(&a, 0, sizeof a);
    a.sun_family = AF_UNIX;
    if (snprintf(a.sun_path, sizeof a.sun_path, "%s/run/%s", told.home, name) >= (int)sizeof a.sun_path)
        fail(EXIT_USAGE, "Outrider's home has too long a path for a socket; set OUTRIDER_HOME to a shorter one", told.home);
    while (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
        if (errno != EINTR) {
            close(fd);
            return -1;
        }
    return fd;
}

/* Start the daemon as hooks do; where `init` never ran there is no launcher, and `outrider up` does it. */
static void start_daemon(void) {
    char path[4096];
    char *by_itself[] = {path, NULL}, *by_name[] = {(char *)"outrider", (char *)"up", NULL};
    int status, null;
    pid_t child = fork();
    if (child == 0) {
        setsid();
        null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        snprintf(path, sizeof path, "%s/bin/outrider-daemon", told.home);
        if (access(path, X_OK) == 0) {
            dup2(null, 2);
            if (fork() == 0) execv(path, by_itself);
            _exit(0);
        }
        execvp("outrider", by_name);
        _exit(127);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
}

static int reach(void) {
    const struct timespec nap = {0, 5000000};
    time_t until = time(NULL) + WAIT_S;
    int fd = dial("daemon.sock");
    if (fd < 0) start_daemon();
    while (fd < 0 && time(NULL) < until) {
        nanosleep(&nap, NULL);
        fd = dial("daemon.sock");
    }
    if (fd < 0) fail(EXIT_AWAY, "no daemon answers, and none could be started; see `outrider doctor`", told.home);
    return fd;
}

static void hear(int fd) {
    unsigned char head[8];
    size_t n = 0;
    if (read_all(fd, (char *)head, 8)) n = (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 | head[7];
    if (!n || memcmp(head, "ORP1", 4) || n > PLAN_MAX || !read_all(fd, plan->text, n) || plan->text[n - 1])
        fail(EXIT_UNDECIDED, "the daemon gave no answer that makes sense; nothing was started", "");
    plan->size = n;
    if (*value(plan, "error")) {
        fprintf(stderr, "outrider: %s\n", value(plan, "error"));
        if (*value(plan, "fix")) fprintf(stderr, "  %s\n", value(plan, "fix"));
        exit(atoi(value(plan, "code")));
    }
}

/* Hand a listening socket to the daemon, with the word that says whose it is. The connection stays open: its end is the
 * end of the listening. */
static int hand_over(int listening, const char *word) {
    int fd = dial("egress.sock");
    if (fd >= 0 && !give(fd, word, strlen(word), listening)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Hand over what the child listens on for lent ports, "lend=PORT WORD" each; 0 if all of it was, else how much of
 * `text` says what was wrong. */
static ssize_t hand_over_lent(pid_t command, int channel, char *text, size_t room) {
    const char *s;
    size_t at = 0;
    ssize_t n;
    int listening, done;
    while ((s = field(plan, "lend", &at))) {
        if ((n = take(channel, text, room - 1, &listening)) != 1) return n;
        done = hand_over(listening, strchr(s, ' ') + 1);
        close(listening);
        if (done < 0) {
            kill(command, SIGKILL); /* It may have begun. */
            return snprintf(text, room, "the proxy could not be reached");
        }
    }
    return 0;
}

/* ---- the child ----------------------------------------------------------------------------------------------- */

static void wrong(int fd, int status, const char *what) {
    char text[4096];
    int n = snprintf(text, sizeof text, "%s: %s", what, strerror(errno));
    if (write(fd, text, (size_t)n) < 0) _exit(status);
    _exit(status);
}

static void new_environment(void) {
    const char *s;
    size_t at = 0;
    while ((s = field(plan, "drop", &at))) unsetenv(s);
    for (at = 0; (s = field(plan, "set", &at));) putenv((char *)(uintptr_t)s);
}

/* What the child does: take namespaces, offer the listening socket, wait for the plan, be bound, hand over what tells of
 * its calls, become the command. */
static void child(int fd, int view, char **command) {
    struct { int port, view; } offer = {0, view}; /* Port 0: any. */
    const char *step;
    char go;
    int listening, telling;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (view && take_namespaces()) _exit(1);
    listening = listen_here(&offer.port);
    if (!give(fd, &offer, sizeof offer, listening)) _exit(1);
    if (listening >= 0) close(listening);
    if (read(fd, &go, 1) != 1) _exit(1);
    if ((step = offer_lent(plan, fd))) wrong(fd, 126, step);
    if ((step = apply(plan, offer.port, &telling))) wrong(fd, 126, step);
    if (telling >= 0 && !give(fd, "l", 1, telling)) _exit(1);
    if (telling >= 0) close(telling);
    new_environment();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* Dropping capabilities may have cleared it. */
    execvp(command[0], command);
    wrong(fd, errno == ENOENT ? 127 : 126, command[0]);
}

static struct { int port, view; } offered;

/* Fork the child, which begins at once to take its namespaces: there is other work to do meanwhile. */
static pid_t conceive(int *channel, int view, char **command) {
    int ends[2];
    pid_t pid;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) fail(1, "socketpair", strerror(errno));
    pid = fork();
    if (pid < 0) fail(1, "fork", strerror(errno));
    if (pid == 0) {
        close(ends[0]);
        child(ends[1], view, command);
    }
    close(ends[1]);
    *channel = ends[0];
    return pid;
}

/* Take what the child offers; 0 if it could not take namespaces, and is gone. */
static pid_t bring_up(pid_t pid, int channel, int *listening) {
    if (take(channel, &offered, sizeof offered, listening) == (ssize_t)sizeof offered) return pid;
    close(channel);
    waitpid(pid, NULL, 0);
    return 0;
}

/* ---- start --------------------------------------------------------------------------------------------------- */

static const char usage[] =
    "Usage: outrider run --charter NAME [--sponsor WHO] [--purpose TEXT] [--lend WHAT] [--shared-view] [--unseen]\n"
    "                    [--verbose] -- COMMAND...\n";

static char **read_options(int argc, char **argv) {
    static char home[4096];
    int i;
    for (i = 1; i < argc && argv[i][0] == '-' && !same(argv[i], "--"); i++) {
        const char **text = same(argv[i], "--charter")   ? &told.charter
                            : same(argv[i], "--sponsor") ? &told.sponsor
                            : same(argv[i], "--purpose") ? &told.purpose
                                                         : NULL;
        if (text && i + 1 < argc) *text = argv[++i];
        else if (same(argv[i], "--lend") && i + 1 < argc && lending < sizeof lent / sizeof *lent) lent[lending++] = argv[++i];
        else if (same(argv[i], "--verbose")) told.verbose = 1;
        else if (same(argv[i], "--shared-view")) told.no_view = 1;
        else if (same(argv[i], "--unseen")) told.unseen = 1;
        else {
            fputs(usage, stderr);
            exit(EXIT_USAGE);
        }
    }
    if (i < argc && same(argv[i], "--")) i++;
    if (i >= argc || !told.charter) {
        fputs(usage, stderr);
        exit(EXIT_USAGE);
    }
    told.home = getenv("OUTRIDER_HOME");
    if (!told.home || !*told.home) {
        snprintf(home, sizeof home, "%s/.outrider", getenv("HOME") ? getenv("HOME") : "");
        told.home = home;
    }
    return argv + i;
}

/* Where the command's program lies, as execvp will find it. */
static void tell_program(const char *name) {
    const char *path = getenv("PATH"), *end;
    char whole[4096];
    if (strchr(name, '/')) {
        if (realpath(name, whole)) tell("program", name[0] == '/' ? name : whole);
        return;
    }
    for (; path && *path; path = *end ? end + 1 : end) {
        end = path + strcspn(path, ":");
        if (snprintf(whole, sizeof whole, "%.*s/%s", (int)(end - path), path, name) < (int)sizeof whole &&
            access(whole, X_OK) == 0) {
            tell("program", whole);
            return;
        }
    }
}

/* What is told of the host and the command, whatever the child comes to. */
static void prepare(char **command) {
    char cwd[4096];
    int i;
    tell("charter", told.charter);
    if (told.sponsor) tell("sponsor", told.sponsor);
    if (told.purpose) tell("purpose", told.purpose);
    tell("cwd", getcwd(cwd, sizeof cwd) ? cwd : "/");
    tell_number("landlock", landlock_version());
    tell_number("seccomp", seccomp_there());
    tell_number("seen", !told.unseen && seen_there());
    tell_program(command[0]);
    for (i = 0; command[i]; i++) tell("arg", command[i]);
    while (lending) tell("lend", lent[--lending]);
    for (i = 0; environ[i]; i++) tell("env", environ[i]);
}

static void ask(int fd) {
    tell_number("namespaces", offered.view);
    tell_number("port", offered.port);
    finish("ORR1");
    if (!send_all(fd, request, asked)) fail(EXIT_UNDECIDED, "the daemon hung up", strerror(errno));
}

static void say(void) {
    const char *s;
    size_t at = 0;
    while ((s = field(plan, "warn", &at))) fprintf(stderr, "outrider: %s\n", s);
    for (at = 0; told.verbose && (s = field(plan, "say", &at));) fprintf(stderr, "outrider: %s\n", s);
}

static void end(int fd, const char *key, long number, const char *text) {
    asked = 8;
    if (text) tell(key, text);
    else tell_number(key, number);
    finish("ORE1");
    send_all(fd, request, asked);
    shutdown(fd, SHUT_WR);
    (void)!read(fd, request, 1); /* Until it is in the record. */
}

static int probe(void) {
    int channel, listening;
    char *nothing[] = {NULL};
    pid_t child = conceive(&channel, 1, nothing);
    int there = bring_up(child, channel, &listening) > 0;
    printf("landlock=%d namespaces=%d seccomp=%d seen=%d\n", landlock_version(), there, seccomp_there(), seen_there());
    return 0;
}

int main(int argc, char **argv) {
    char text[4096], **command;
    int daemon, channel, listening, status, telling = -1, proxy = -1;
    pid_t command_pid = 0;
    ssize_t n;
    plan = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (plan == MAP_FAILED) fail(1, "mmap", strerror(errno));
    if (argc == 2 && same(argv[1], "--probe")) return probe();
    command = read_options(argc, argv);
    spare_children();
    daemon = reach();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    command_pid = conceive(&channel, !told.no_view, command);
    prepare(command);
    if (!(command_pid = bring_up(command_pid, channel, &listening)) && !told.no_view) {
        command_pid = conceive(&channel, 0, command);
        command_pid = bring_up(command_pid, channel, &listening);
    }
    if (!command_pid) fail(1, "the command's process could not be made", "");
    ask(daemon);
    hear(daemon);
    say();
    if (*value(plan, "egress") && listening >= 0 && (proxy = hand_over(listening, value(plan, "egress"))) < 0) {
        end(daemon, "failed", 0, "the proxy could not be reached");
        fail(EXIT_AWAY, "the proxy could not be reached; nothing was started", "");
    }
    if (listening >= 0) close(listening);
    take_signals(command_pid);
    if (write(channel, "g", 1) != 1) fail(1, "the command's process is gone", "");
    n = hand_over_lent(command_pid, channel, text, sizeof text);
    if (!n && same(value(plan, "seen"), "1")) n = take(channel, text, sizeof text - 1, &telling);
    if (n > 0 && telling < 0) {
        text[n] = 0;
        waitpid(command_pid, &status, 0);
    } else status = watch(channel, telling, daemon, text, sizeof text);
    if (*text) {
        end(daemon, "failed", 0, text);
        if (*value(plan, "hint")) fprintf(stderr, "outrider: %s\n", value(plan, "hint"));
        fail(WIFEXITED(status) ? WEXITSTATUS(status) : 126, "could not start", text);
    }
    if (WIFSIGNALED(status)) end(daemon, "signal", WTERMSIG(status), NULL);
    else end(daemon, "exit", WEXITSTATUS(status), NULL);
    if (proxy >= 0) close(proxy);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
