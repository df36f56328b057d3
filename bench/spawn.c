/* Spawn a program N times, one after the other or W at once, and print each time from spawn to end, in microseconds.
 * usage: spawn N W INPUT-FILE PROGRAM [ARG...]      a C parent: nothing of an interpreter is in the numbers. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
    int n = argc > 4 ? atoi(argv[1]) : 0, wide = argc > 4 ? atoi(argv[2]) : 0, started = 0, ended = 0, bad = 0, i;
    pid_t *pid = calloc((size_t)n + 1, sizeof *pid);
    double *began = calloc((size_t)n + 1, sizeof *began), *took = calloc((size_t)n + 1, sizeof *took);
    posix_spawn_file_actions_t actions;
    if (n < 1 || wide < 1 || !pid || !began || !took) return 2;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, argv[3], O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    while (ended < n) {
        int status;
        pid_t gone;
        while (started < n && started - ended < wide) {
            began[started] = now();
            if (posix_spawn(&pid[started], argv[4], &actions, NULL, argv + 4, environ)) return 3;
            started++;
        }
        gone = waitpid(-1, &status, 0);
        for (i = 0; i < started; i++)
            if (pid[i] == gone) {
                took[i] = now() - began[i];
                bad += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
                ended++;
            }
    }
    for (i = 0; i < n; i++) printf("%.1f\n", took[i]);
    fprintf(stderr, "%d\n", bad);
    return 0;
}
