/* Spawn a program N times, one after the other or W at once, and print each time from spawn to end (microseconds) and
 * each exit status. Run I reads DIR/I.in and prints into DIR/I.out. The program and its arguments are the lines of
 * DIR/program: a parent that has a hook's arguments in its own command line is taken for a shell that only runs one.
 * usage: spawn N W DIR      a C parent: nothing of an interpreter is in the numbers. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int start(pid_t *pid, const char *dir, int number, char **program) {
    char in[4096], out[4096];
    posix_spawn_file_actions_t actions;
    int failed;
    snprintf(in, sizeof in, "%s/%d.in", dir, number);
    snprintf(out, sizeof out, "%s/%d.out", dir, number);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, in, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    failed = posix_spawn(pid, program[0], &actions, NULL, program, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static int words(const char *dir, char **program) {
    static char text[65536];
    char path[4096], *word;
    int n = 0;
    FILE *file;
    snprintf(path, sizeof path, "%s/program", dir);
    if (!(file = fopen(path, "r"))) return 0;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    for (word = strtok(text, "\n"); word && n < 63; word = strtok(NULL, "\n")) program[n++] = word;
    return n;
}

int main(int argc, char **argv) {
    int n = argc > 3 ? atoi(argv[1]) : 0, wide = argc > 3 ? atoi(argv[2]) : 0, started = 0, ended = 0, i;
    char *program[64] = {0};
    pid_t *pid = calloc((size_t)n + 1, sizeof *pid);
    int *status = calloc((size_t)n + 1, sizeof *status);
    double *began = calloc((size_t)n + 1, sizeof *began), *took = calloc((size_t)n + 1, sizeof *took);
    if (n < 1 || wide < 1 || !words(argv[3], program) || !pid || !status || !began || !took) return 2;
    while (ended < n) {
        int how, room = started < n && started - ended < wide;
        pid_t gone = waitpid(-1, &how, room ? WNOHANG : 0); /* Who has ended is seen to before the next is started. */
        if (gone <= 0 && room) {
            began[started] = now();
            if (start(&pid[started], argv[3], started, program)) return 3;
            started++;
        }
        for (i = 0; gone > 0 && i < started; i++)
            if (pid[i] == gone) {
                took[i] = now() - began[i];
                status[i] = WIFEXITED(how) ? WEXITSTATUS(how) : 255;
                pid[i] = 0;
                ended++;
            }
    }
    for (i = 0; i < n; i++) printf("%.1f %d\n", took[i], status[i]);
    return 0;
}
