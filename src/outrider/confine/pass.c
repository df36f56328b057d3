/* Handles that go from process to process over a UNIX socket (unix(7), SCM_RIGHTS). */
#define _GNU_SOURCE
#include "launch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int give(int fd, const void *data, size_t n, int handle) {
    char room[CMSG_SPACE(sizeof(int))];
    struct iovec part = {(void *)(uintptr_t)data, n};
    struct msghdr message;
    struct cmsghdr *head;
    memset(&message, 0, sizeof message);
    memset(room, 0, sizeof room);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (handle >= 0) {
        message.msg_control = room;
        message.msg_controllen = sizeof room;
        head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &handle, sizeof(int));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)n;
}

ssize_t take(int fd, void *data, size_t n, int *handle) {
    char room[CMSG_SPACE(sizeof(int))];
    struct iovec part = {data, n};
    struct msghdr message;
    struct cmsghdr *head;
    ssize_t done;
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    *handle = -1;
    while ((done = recvmsg(fd, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) continue;
    head = done < 0 ? NULL : CMSG_FIRSTHDR(&message);
    if (head && head->cmsg_type == SCM_RIGHTS) memcpy(handle, CMSG_DATA(head), sizeof(int));
    return done;
}

const char *offer_lent(const struct plan *p, int fd) {
    const char *s;
    size_t at = 0;
    while ((s = field(p, "lend", &at))) {
        int port = atoi(s), listening = listen_here(&port), good;
        if (listening < 0) return "a port that is lent to the command is taken";
        good = give(fd, "l", 1, listening);
        close(listening);
        if (!good) return "a port that is lent to the command";
    }
    return NULL;
}
