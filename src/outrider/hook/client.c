/*
 * What an agent's host starts for every hook event: hands stdin to the daemon, hands the daemon's answer back.
 *
 * Trust: everything it is told comes from its own arguments (written by `outrider init`), never from the environment.
 * An answer counts only if it is framed, echoes this request's nonce and ends where it says that it ends. Whatever
 * else happens is "undecided", is answered as --undecided says (anything but an exact deny, ask or allow is deny) and
 * leaves one line in the spool, so that the gap shows. Never hangs: one deadline covers reading, connecting, starting
 * the daemon, asking and answering.
 *
 * client.py behaves the same, byte for byte; one test suite holds the two together.
 *
 * C99 and POSIX. Tested on Linux; not tried on macOS.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#else
#include <sys/random.h>
#endif

enum {
    PAYLOAD_MAX = 32 << 20,
    OUTPUT_MAX = 1 << 20, /* stdout and stderr of an answer, together */
    NONCE = 16,
    NAME_MAX_ = 64, /* longest door or event name */
    HEAD_MAX = 4 + NONCE + 1 + NAME_MAX_ + 1 + NAME_MAX_ + 4,
    ANSWER_HEAD = 4 + NONCE + 1 + 4 + 4,
    DEADLINE_MS = 2000,
    DEADLINE_START_MS = 4000, /* where a daemon is being started: on a busy machine that takes seconds */
    DEADLINE_END_MS = 500, /* SessionEnd: the host gives all its hooks 1.5 s together */
    NAP_MS = 2, /* between two attempts to connect, at first: each is half as long again as the last, so that many */
    NAP_MAX_MS = 25 /* who wait do not keep the processor from what they wait for */
};

enum { NOBODY = -1, BUSY = -2, BARRED = -3 };

enum { DOOR, EVENT, SOCKET, SPOOL, UNDECIDED, START, OPTIONS };
static const char *const option_names[OPTIONS] = {"--door", "--event", "--socket", "--spool", "--undecided", "--start"};
static const char *option[OPTIONS];

/* The request, then (once it is sent) the answer. Static, so that nothing can fail to be allocated; pages that are not
 * touched cost nothing. */
static unsigned char buffer[HEAD_MAX + PAYLOAD_MAX];
static unsigned char *const payload = buffer + HEAD_MAX;
static unsigned long long received; /* bytes read from stdin */
static unsigned char nonce[NONCE];
static long long began; /* ms, monotonic */
static long long allowed = DEADLINE_MS;

static long long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int left_ms(void) {
    long long left = began + allowed - now_ms();
    return left > 0 ? (int)left : 0;
}

/* Wait until fd is ready; 0 when the deadline has passed. */
static int ready(int fd, short events) {
    struct pollfd p = {fd, events, 0};
    for (;;) {
        int left = left_ms(), n;
        if (!left) return 0;
        n = poll(&p, 1, left);
        if (n > 0) return 1;
        if (n < 0 && errno != EINTR) return 1;
    }
}

static int same(const char *a, const char *b) { return a && strcmp(a, b) == 0; }

/* ---- text ---------------------------------------------------------------------------------------------------- */

/* Starts all zero and keeps its last byte, so that s is always a string. */
struct text {
    size_t n;
    char s[4096];
};

static void add(struct text *t, const char *s) {
    while (*s && t->n < sizeof t->s - 1) t->s[t->n++] = *s++;
}

static void add_number(struct text *t, unsigned long long v) {
    char digits[24], *p = digits + sizeof digits;
    *--p = 0;
    do *--p = (char)('0' + v % 10);
    while (v /= 10);
    add(t, p);
}

static int plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/* Names come from our own arguments, but a spool line must stay one JSON line whatever they are. */
static void add_name(struct text *t, const char *s) {
    size_t i;
    for (i = 0; s && s[i] && i < NAME_MAX_ && t->n < sizeof t->s - 1; i++) t->s[t->n++] = plain(s[i]) ? s[i] : '?';
}

static int valid_name(const char *s) {
    size_t i;
    for (i = 0; s && s[i]; i++)
        if (i >= NAME_MAX_ || !plain(s[i])) return 0;
    return i > 0;
}

/* Write all of it, never waiting past the deadline. poll() promises PIPE_BUF bytes of room and no more, so a blocking
 * descriptor is fed in such pieces. */
static int put(int fd, const void *data, size_t n) {
    const char *p = data;
    while (n) {
        ssize_t done;
        if (!ready(fd, POLLOUT)) return 0;
        done = write(fd, p, n < PIPE_BUF ? n : PIPE_BUF);
        if (done < 0) {
            if (errno == EINTR || errno == EAGAIN) continue;
            return 0;
        }
        p += done;
        n -= (size_t)done;
    }
    return 1;
}

/* ---- undecided ----------------------------------------------------------------------------------------------- */

static const char *explain(const char *why) {
    static const char *const table[][2] = {
        {"usage", "its hook was installed with arguments that it does not understand"},
        {"stdin", "what the host sent could not be read"},
        {"too-large", "what the host sent is larger than 32 MiB"},
        {"no-daemon", "its daemon is not running and could not be started"},
        {"connect", "its daemon's socket could not be opened"},
        {"deadline", "its daemon did not answer in time"},
        {"closed", "its daemon hung up without an answer"},
        {"malformed", "its daemon's answer was not a valid one"},
        {"output", "its answer could not be handed to the host"},
        {"random", "the system gave no random numbers"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (same(why, table[i][0])) return table[i][1];
    return "its hook failed in a way that has no name";
}

static void spool(const char *why, const char *answered) {
    struct text line = {0, {0}};
    struct timespec t;
    int fd;
    if (!option[SPOOL] || option[SPOOL][0] != '/') return;
    clock_gettime(CLOCK_REALTIME, &t);
    add(&line, "{\"ts\":");
    add_number(&line, (unsigned long long)t.tv_sec * 1000000ULL + (unsigned long long)t.tv_nsec / 1000ULL);
    add(&line, ",\"door\":\"");
    add_name(&line, option[DOOR]);
    add(&line, "\",\"event\":\"");
    add_name(&line, option[EVENT]);
    add(&line, "\",\"answered\":\"");
    add(&line, answered);
    add(&line, "\",\"why\":\"");
    add(&line, why);
    add(&line, "\",\"ppid\":");
    add_number(&line, (unsigned long long)getppid());
    add(&line, ",\"bytes\":");
    add_number(&line, received);
    add(&line, "}\n");
    fd = open(option[SPOOL], O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0) return;
    (void)!write(fd, line.s, line.n); /* nobody is left to be told */
    close(fd);
}

/* What each event is answered with when there is no daemon. Events that are not here can not be stopped by their hook,
 * or would be wrongly (a refused Stop keeps the agent running): they are answered with silence. */
static const struct form {
    const char *event;
    const char *open, *close; /* around the reason, of a deny */
    int code;                 /* of a deny; 2 blocks even where the JSON is lost */
    int asks;                 /* what ask becomes: 1 an answer, 0 silence (the host asks by itself), -1 a deny */
} forms[] = {
    {"PreToolUse",
     "{\"hookSpecificOutput\":{\"hookEventName\":\"PreToolUse\",\"permissionDecision\":\"deny\","
     "\"permissionDecisionReason\":\"",
     "\"}}", 2, 1},
    {"PermissionRequest",
     "{\"hookSpecificOutput\":{\"hookEventName\":\"PermissionRequest\",\"decision\":{\"behavior\":\"deny\","
     "\"message\":\"",
     "\"}}}", 0, 0},
    {"ConfigChange", "{\"decision\":\"block\",\"reason\":\"", "\"}", 2, -1},
};
static const char ask_open[] =
    "{\"hookSpecificOutput\":{\"hookEventName\":\"PreToolUse\",\"permissionDecision\":\"ask\","
    "\"permissionDecisionReason\":\"";
/* For a host that we do not know: the one deny that every known host obeys. */
static const struct form universal = {
    "", "{\"decision\":\"block\",\"permissionDecision\":\"deny\",\"cancel\":true,\"reason\":\"", "\"}", 2, -1};

static const struct form *form_of(const char *door, const char *event) {
    if (!same(door, "claude_code") || !event) return &universal;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (same(event, forms[i].event)) return &forms[i];
    return NULL;
}

/* Answer in the host's protocol without the daemon, leave the spool line, end. */
static void give_up(const char *why) {
    const struct form *form = form_of(option[DOOR], option[EVENT]);
    const char *answered = option[UNDECIDED];
    struct text reason = {0, {0}}, out = {0, {0}};

    if (same(why, "usage") || (!same(answered, "ask") && !same(answered, "allow"))) answered = "deny";
    if (!form) answered = "none";
    else if (same(answered, "ask") && form->asks < 0) answered = "deny";
    spool(why, answered);

    add(&reason, "Outrider could not judge this: ");
    add(&reason, explain(why));
    add(&reason, ". Run `outrider doctor` in a terminal of your own to see what to do.");
    if (same(answered, "deny") || (same(answered, "ask") && form->asks > 0)) {
        add(&out, same(answered, "deny") ? form->open : ask_open);
        add(&out, reason.s);
        add(&out, form->close);
    }
    began = now_ms(); /* the deadline may be over, but the answer must still get out */
    allowed = 200;
    if (same(answered, "deny") && form->code) {
        add(&reason, "\n");
        put(2, reason.s, reason.n);
    }
    if (out.n && !put(1, out.s, out.n)) _exit(2);
    _exit(same(answered, "deny") ? form->code : 0);
}

/* ---- the daemon ---------------------------------------------------------------------------------------------- */

/* A connected, non-blocking socket, or NOBODY, BUSY or BARRED. */
static int dial(void) {
    struct sockaddr_un a;
    int fd, flags;
    memset(&a, 0, sizeof a);
    a.sun_family = AF_UNIX;
    memcpy(a.sun_path, option[SOCKET], strlen(option[SOCKET]));
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) return BARRED;
    flags = fcntl(fd, F_GETFL);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        close(fd);
        return BARRED;
    }
    while (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        int reason = errno;
        if (reason == EINTR) continue;
        if (reason == EISCONN) break;
        close(fd);
        if (reason == ENOENT || reason == ECONNREFUSED) return NOBODY;
        return reason == EAGAIN || reason == EINPROGRESS || reason == EALREADY ? BUSY : BARRED;
    }
    return fd;
}

/* Descriptors that the host leaked to us are not the daemon's business. */
static void close_others(int keep) {
    long i, most;
#if defined(__linux__) && defined(SYS_close_range)
    if (syscall(SYS_close_range, 3U, (unsigned)keep - 1, 0U) == 0 &&
        syscall(SYS_close_range, (unsigned)keep + 1, ~0U, 0U) == 0)
        return;
#endif
    most = sysconf(_SC_OPEN_MAX);
    if (most < 0 || most > 65536) most = 65536;
    for (i = 3; i < most; i++)
        if (i != keep) close((int)i);
}

/* In the grandchild: become the daemon. Its environment is ours to choose, not the agent's. */
static void become_daemon(int report) {
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", lang[] = "LANG=C.UTF-8";
    char *argv[2] = {NULL, NULL}, *environment[3] = {path, lang, NULL};
    int null = open("/dev/null", O_RDWR);
    sigset_t none;
    int number;
    if (null < 0 || report < 3) _exit(127);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    close_others(report);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (number = 1; number <= 64; number++) signal(number, SIG_DFL); /* What was ignored would stay so. */
    umask(077);
    if (chdir("/") == 0) {
        argv[0] = (char *)(uintptr_t)option[START];
        execve(option[START], argv, environment);
    }
    if (write(report, "!", 1) < 0) _exit(126);
    _exit(127);
}

/* Start the daemon, detached from us and from the host. 0 if the program could not even be executed. */
static int launch(void) {
    int ends[2], status;
    char byte;
    pid_t child;
    ssize_t n = 0;
    if (pipe(ends) < 0) return 0;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC); /* closes by itself when exec succeeds */
    child = fork();
    if (child == 0) {
        setsid();
        child = fork();
        if (child == 0) become_daemon(ends[1]);
        _exit(child < 0 ? 1 : 0);
    }
    close(ends[1]);
    if (child > 0) {
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
        while (ready(ends[0], POLLIN) && (n = read(ends[0], &byte, 1)) < 0 && errno == EINTR) continue;
    }
    close(ends[0]);
    return child > 0 && n == 0;
}

/* Open the file whose lock decides who starts the daemon; it stands beside the socket. */
static int open_lock(void) {
    char path[sizeof((struct sockaddr_un *)0)->sun_path + 8];
    size_t n = strlen(option[SOCKET]);
    int fd, flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    memcpy(path, option[SOCKET], n);
    memcpy(path + n, ".start", 7);
    fd = open(path, flags, 0600);
    if (fd >= 0 || errno != ENOENT) return fd;
    while (n && path[n] != '/') n--;
    path[n] = 0;
    mkdir(path, 0700); /* a machine where Outrider never ran */
    path[n] = '/';
    return open(path, flags, 0600);
}

/* A connection to the daemon, which is started once if nobody listens. Does not return without one. */
static int reach(void) {
    struct timespec nap = {0, NAP_MS * 1000000L};
    int lock = -1, held = 0, started = 0, fd;
    for (;;) {
        fd = dial();
        if (fd >= 0) {
            if (lock >= 0) close(lock);
            return fd;
        }
        if (fd == BARRED) give_up("connect");
        if (fd == NOBODY) {
            if (!option[START]) give_up("no-daemon");
            if (allowed == DEADLINE_MS) allowed = DEADLINE_START_MS;
            if (lock < 0 && (lock = open_lock()) < 0) give_up("no-daemon");
            if (held && !started) {
                started = 1;
                if (!launch()) give_up("no-daemon");
            } else if (!held && flock(lock, LOCK_EX | LOCK_NB) == 0) {
                held = 1; /* somebody may have started it before we had the lock: dial once more */
                continue;
            }
        }
        if (!left_ms()) give_up(fd == BUSY ? "deadline" : "no-daemon");
        nanosleep(&nap, NULL);
        if (nap.tv_nsec < NAP_MAX_MS * 1000000L) nap.tv_nsec += nap.tv_nsec / 2;
    }
}

/* ---- one call ------------------------------------------------------------------------------------------------ */

/* Read stdin to its end. What is too large is read all the same, so that the host's write does not fail. */
static void read_payload(void) {
    static unsigned char spill[65536];
    for (;;) {
        unsigned char *at = received < PAYLOAD_MAX ? payload + received : spill;
        size_t room = received < PAYLOAD_MAX ? (size_t)(PAYLOAD_MAX - received) : sizeof spill;
        ssize_t n;
        if (!ready(0, POLLIN)) give_up(received > PAYLOAD_MAX ? "too-large" : "stdin");
        n = read(0, at, room);
        if (n == 0) break;
        if (n > 0) received += (unsigned long long)n;
        else if (errno != EINTR && errno != EAGAIN) give_up("stdin");
    }
    if (received > PAYLOAD_MAX) give_up("too-large");
}

static unsigned char *append(unsigned char *to, const void *from, size_t n) { return (unsigned char *)memcpy(to, from, n) + n; }

static void put_u32(unsigned char *to, unsigned long v) {
    to[0] = (unsigned char)(v >> 24);
    to[1] = (unsigned char)(v >> 16);
    to[2] = (unsigned char)(v >> 8);
    to[3] = (unsigned char)v;
}

static unsigned long get_u32(const unsigned char *p) {
    return (unsigned long)p[0] << 24 | (unsigned long)p[1] << 16 | (unsigned long)p[2] << 8 | p[3];
}

static void send_request(int fd) {
    size_t door = strlen(option[DOOR]), event = strlen(option[EVENT]);
    size_t head = 4 + NONCE + 1 + door + 1 + event + 4, left = head + (size_t)received;
    unsigned char *from = payload - head, *p = from, length;
    p = append(p, "ORQ1", 4);
    p = append(p, nonce, NONCE);
    length = (unsigned char)door;
    p = append(p, &length, 1);
    p = append(p, option[DOOR], door);
    length = (unsigned char)event;
    p = append(p, &length, 1);
    p = append(p, option[EVENT], event);
    put_u32(p, (unsigned long)received);
    while (left) {
        ssize_t n = write(fd, from, left);
        if (n >= 0) {
            from += n;
            left -= (size_t)n;
        } else if (errno == EAGAIN) {
            if (!ready(fd, POLLOUT)) give_up("deadline");
        } else if (errno != EINTR) {
            return; /* it hung up early; it may have left an answer */
        }
    }
}

/* Read to the end of the stream, check the frame, and say what it says. Does not return. */
static void read_answer(int fd) {
    const size_t most = ANSWER_HEAD + OUTPUT_MAX + 1, out_at = 4 + NONCE + 1 + 4;
    size_t have = 0, out, err;
    for (;;) {
        ssize_t n = read(fd, buffer + have, most - have);
        if (n > 0) {
            have += (size_t)n;
            if (have == most) give_up("malformed");
        } else if (n == 0 || errno == ECONNRESET) {
            break; /* a reset is an end too: only the frame says whether it is whole */
        } else if (errno == EAGAIN) {
            if (!ready(fd, POLLIN)) give_up("deadline");
        } else if (errno != EINTR) {
            give_up("malformed");
        }
    }
    if (!have) give_up("closed");
    if (have < ANSWER_HEAD || memcmp(buffer, "ORA1", 4) || memcmp(buffer + 4, nonce, NONCE)) give_up("malformed");
    out = get_u32(buffer + out_at - 4);
    if (out > have - ANSWER_HEAD) give_up("malformed");
    err = get_u32(buffer + out_at + out);
    if (have - ANSWER_HEAD - out != err) give_up("malformed");
    if (!put(1, buffer + out_at, out) || !put(2, buffer + out_at + out + 4, err)) give_up("output");
    _exit(buffer[4 + NONCE]);
}

/* ---- start --------------------------------------------------------------------------------------------------- */

static int read_options(int argc, char **argv) {
    int i, k, good = 1;
    for (i = 1; i < argc; i += 2) {
        for (k = 0; k < OPTIONS && !same(argv[i], option_names[k]); k++) continue;
        if (k == OPTIONS || i + 1 >= argc || option[k]) good = 0;
        else option[k] = argv[i + 1];
    }
    for (k = SOCKET; k <= START; k++)
        if (k != UNDECIDED && (option[k] ? option[k][0] != '/' : k != START)) good = 0;
    if (option[SOCKET] && strlen(option[SOCKET]) >= sizeof((struct sockaddr_un *)0)->sun_path) good = 0;
    return good && valid_name(option[DOOR]) && valid_name(option[EVENT]);
}

int main(int argc, char **argv) {
    int fd, good;
    began = now_ms();
    for (fd = 0; fd < 3; fd++) /* a socket must never land on a closed stdout */
        if (fcntl(fd, F_GETFD) < 0) (void)!open("/dev/null", fd ? O_WRONLY : O_RDONLY);
    signal(SIGPIPE, SIG_IGN);
    good = read_options(argc, argv);
    if (same(option[EVENT], "SessionEnd")) allowed = DEADLINE_END_MS;
    read_payload();
    if (!good) give_up("usage");
    if (getentropy(nonce, NONCE) < 0) give_up("random");
    fd = reach();
    send_request(fd);
    read_answer(fd);
    return 2; /* not reached */
}
