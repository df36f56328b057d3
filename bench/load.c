/* Ask a daemon as fast as it answers, as C agents that each run for SECONDS or until their questions are used up.
 * usage: load SOCKET DIR AGENTS SECONDS PAUSE-US [AGAIN]      AGAIN: begin anew when the questions are used up
 * Agent I asks what is in DIR/I.frames: per question one byte (0: silence is expected, 1: a refusal, 2: anything), four
 * bytes length (big-endian), one whole request as the hook client sends it. Its first question is not counted.
 * Every agent is a process (its host) with a child of its own (the hook client that is below it), as in real life.
 * Prints "agent microseconds right" a question, and "us N" for the time that all took together. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 20000
enum { READY, GO, SHARED };

struct agent {
    int done;
    double began, ended;
    float took[MOST];
    unsigned char right[MOST];
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int ask(const struct sockaddr_un *to, const unsigned char *frame, size_t size, int expected) {
    static char answer[1 << 20];
    size_t sent = 0, have = 0;
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), refused;
    if (s < 0) return 0;
    while (connect(s, (const struct sockaddr *)to, sizeof *to)) usleep(100);
    while (sent < size) {
        ssize_t some = send(s, frame + sent, size - sent, MSG_NOSIGNAL);
        if (some <= 0) break;
        sent += (size_t)some;
    }
    while (have < sizeof answer - 1) {
        ssize_t some = recv(s, answer + have, sizeof answer - 1 - have, 0);
        if (some <= 0) break;
        have += (size_t)some;
    }
    close(s);
    if (have < 29 || memcmp(answer, "ORA1", 4) || memcmp(answer + 4, frame + 4, 16)) return 0;
    refused = memmem(answer, have, "\"deny\"", 6) != NULL;
    return expected == 2 || refused == expected;
}

static void live(struct agent *me, const struct sockaddr_un *to, const char *path, volatile int *shared, double seconds,
                 int pause, int again) {
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const unsigned char *data, *at, *second = NULL;
    if (fd < 0 || fstat(fd, &facts)) _exit(4);
    data = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (data == MAP_FAILED) _exit(4);
    for (at = data; at < data + facts.st_size && me->done < MOST;) {
        size_t size = (size_t)at[1] << 24 | (size_t)at[2] << 16 | (size_t)at[3] << 8 | at[4];
        double began = now();
        int right = ask(to, at + 5, size, at[0]);
        if (at == data) {
            __sync_fetch_and_add(&shared[READY], 1);
            while (!shared[GO]) usleep(200);
            me->began = now();
        } else {
            me->ended = now();
            me->took[me->done] = (float)(me->ended - began);
            me->right[me->done++] = (unsigned char)right;
            if (me->ended - me->began > seconds * 1e6) break;
            if (pause) usleep((useconds_t)pause);
        }
        at += 5 + size;
        if (!second) second = at;
        if (again && at >= data + facts.st_size) at = second;
    }
    _exit(0);
}

int main(int argc, char **argv) {
    int agents = argc > 5 ? atoi(argv[3]) : 0, pause = argc > 5 ? atoi(argv[5]) : 0, i, n;
    double seconds = argc > 5 ? atof(argv[4]) : 0, first = 0, last = 0;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    volatile int *shared = mmap(NULL, SHARED * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct agent *all = mmap(NULL, (size_t)(agents + 1) * sizeof *all, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (agents < 1 || shared == MAP_FAILED || all == MAP_FAILED) return 2;
    strncpy(to.sun_path, argv[1], sizeof to.sun_path - 1);
    for (i = 0; i < agents; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%d.frames", argv[2], i);
        if (fork() == 0) {
            if (fork() == 0) live(&all[i], &to, path, shared, seconds, pause, argc > 6);
            wait(NULL);
            _exit(0);
        }
    }
    while (shared[READY] < agents) {
        usleep(1000);
        if (waitpid(-1, NULL, WNOHANG) > 0) return 5; /* Nobody may end before all have begun. */
    }
    shared[GO] = 1;
    while (wait(NULL) > 0) {}
    for (i = 0; i < agents; i++) {
        for (n = 0; n < all[i].done; n++) printf("%d %.1f %d\n", i, (double)all[i].took[n], all[i].right[n]);
        if (all[i].done && (first == 0 || all[i].began < first)) first = all[i].began;
        if (all[i].ended > last) last = all[i].ended;
    }
    printf("us %.0f\n", last - first);
    return 0;
}
