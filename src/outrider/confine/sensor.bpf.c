// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only
/*
 * What the processes of agents do, told from inside the kernel: programs that were started, connections and datagrams
 * that were asked for. Loaded by `sensor.c`, which says whose processes these are.
 *
 * Only what is followed is told: a process that `places` holds, and whatever it forks, wherever that goes: a double fork
 * leaves no gap, because a child is entered in the moment in which it is made. Nothing here refuses or delays anything.
 *
 * CO-RE: the few fields that are read are named below and found by BTF where this kernel has them, so that one object
 * fits kernels from 5.8 on. Raw tracepoints alone are used; neither kprobes nor tracefs need be there.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "sensor.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL"; /* Some helpers ask for it; see the first line. */

/* ---- what is read of the kernel -------------------------------------------------------------------------------- */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct mm_struct { unsigned long arg_start, arg_end; };
struct signal_struct { struct { int counter; } live; };
struct ns_common { unsigned int inum; };
struct mnt_namespace { struct ns_common ns; };
struct nsproxy { struct mnt_namespace *mnt_ns; };
struct thread_info { unsigned long flags; __u32 status; };
struct task_struct {
    struct thread_info thread_info;
    int pid, tgid;
    __u64 start_boottime;
    struct task_struct *group_leader;
    struct signal_struct *signal;
    struct nsproxy *nsproxy;
    struct mm_struct *mm;
};
struct linux_binprm { const char *filename; };
struct in6_addr { union { __u8 u6_addr8[16]; } in6_u; };
struct sock_common {
    unsigned short skc_family;
    __be16 skc_dport;
    __be32 skc_daddr;
    struct in6_addr skc_v6_daddr;
};
struct sock { struct sock_common __sk_common; };
#ifdef __TARGET_ARCH_x86
struct pt_regs { unsigned long di, si, dx, r10, r8, r9; };
#else
struct pt_regs { unsigned long long regs[31]; };
#endif
#pragma clang attribute pop

#ifdef __TARGET_ARCH_x86
enum { NR_CONNECT = 42, NR_SENDTO = 44, NR_SENDMSG = 46, NR_SENDMMSG = 307 };
#define SECOND(r) BPF_CORE_READ(r, si)
#define THIRD(r) BPF_CORE_READ(r, dx)
#define FIFTH(r) BPF_CORE_READ(r, r8)
#define SIXTH(r) BPF_CORE_READ(r, r9)
#define OTHER_NUMBERS(t) (BPF_CORE_READ(t, thread_info.status) & 2) /* TS_COMPAT */
#else
enum { NR_CONNECT = 203, NR_SENDTO = 206, NR_SENDMSG = 211, NR_SENDMMSG = 269 };
#define SECOND(r) BPF_CORE_READ(r, regs[1])
#define THIRD(r) BPF_CORE_READ(r, regs[2])
#define FIFTH(r) BPF_CORE_READ(r, regs[4])
#define SIXTH(r) BPF_CORE_READ(r, regs[5])
#define OTHER_NUMBERS(t) (BPF_CORE_READ(t, thread_info.flags) & (1 << 22)) /* TIF_32BIT */
#endif

enum { UNIX = 1, INET = 2, INET6 = 10, SYN_SENT = 2, TICK_NS = 10000000 }; /* USER_HZ is 100: proc_pid_stat(5). */

/* ---- what is kept ---------------------------------------------------------------------------------------------- */

struct { /* By process: whose it is, and what stands above it. */
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, MOST_PROCESSES);
    __type(key, __u32);
    __type(value, struct place);
} places SEC(".maps");

struct { /* By the process that is followed: what found no room. Made by whoever follows it. */
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, __u32);
    __type(value, __u64);
} lost SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4 << 20);
} deeds SEC(".maps");

struct { /* By thread: the peer that it named last, so that the kernel's own word of the same is not a second deed. */
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, __u64);
    __type(value, struct peer);
} named SEC(".maps");

struct to {
    __u32 pid;
    struct peer peer;
};
struct { /* When a process last sent a datagram to a peer. */
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, struct to);
    __type(value, __u64);
} sent SEC(".maps");

static __always_inline void count_lost(__u32 root) {
    __u64 *n = bpf_map_lookup_elem(&lost, &root);
    if (n) __sync_fetch_and_add(n, 1);
}

static __always_inline __u64 ticks(struct task_struct *task) {
    return BPF_CORE_READ(task, group_leader, start_boottime) / TICK_NS;
}

static __always_inline void head(struct head *h, __u32 kind, __u32 pid, struct task_struct *task, struct place *p) {
    h->kind = kind;
    h->pid = pid;
    h->start = ticks(task);
    h->at = bpf_ktime_get_boot_ns();
    h->root = p->root;
    h->root_start = p->root_start;
    h->above = p->told ? 0 : p->above;
    h->above_start = p->above_start;
}

/* ---- processes ------------------------------------------------------------------------------------------------- */

SEC("tp_btf/sched_process_fork")
int BPF_PROG(forked, struct task_struct *parent, struct task_struct *child) {
    __u32 up = parent->tgid, here = child->tgid;
    struct place mine, *p = bpf_map_lookup_elem(&places, &up);
    if (!p || child->pid != child->tgid) return 0;
    mine = *p;
    if (p->told) {
        mine.above = up;
        mine.above_start = ticks(parent);
        mine.told = 0;
    }
    if (bpf_map_update_elem(&places, &here, &mine, BPF_ANY)) count_lost(p->root);
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exited, struct task_struct *task) {
    __u32 here = task->tgid;
    if (BPF_CORE_READ(task, signal, live.counter) == 0) bpf_map_delete_elem(&places, &here);
    return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(executed, struct task_struct *task, int old, struct linux_binprm *program) {
    __u32 here = task->tgid;
    struct place *p = bpf_map_lookup_elem(&places, &here);
    struct program *out;
    unsigned long from, size;
    long n;
    if (!p || p->quiet) return 0;
    out = bpf_ringbuf_reserve(&deeds, sizeof *out, 0);
    if (!out) {
        count_lost(p->root);
        return 0;
    }
    head(&out->head, PROGRAM, here, task, p);
    out->view = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
    n = bpf_probe_read_kernel_str(out->path, sizeof out->path, program->filename);
    if (n <= 0) out->path[0] = 0;
    from = BPF_CORE_READ(task, mm, arg_start);
    size = BPF_CORE_READ(task, mm, arg_end) - from;
    if (size > sizeof out->words) size = sizeof out->words;
    out->size = bpf_probe_read_user(out->words, size, (void *)from) ? 0 : size;
    p->told = 1;
    bpf_ringbuf_submit(out, 0);
    return 0;
}

/* ---- peers ----------------------------------------------------------------------------------------------------- */

static __always_inline void tell(struct place *p, __u32 here, struct peer *peer, const char *path) {
    struct reach *out = bpf_ringbuf_reserve(&deeds, sizeof *out, 0);
    if (!out) {
        count_lost(p->root);
        return;
    }
    head(&out->head, PEER, here, (struct task_struct *)bpf_get_current_task(), p);
    out->peer = *peer;
    out->path[0] = 0;
    if (path && bpf_probe_read_user_str(out->path, sizeof out->path, path) < 0) out->path[0] = 0;
    bpf_ringbuf_submit(out, 0);
}

/* Read an address; 0 if it is of no family that is told. */
static __always_inline int address(struct peer *to, const void *from, __u64 size) {
    struct { __u16 family; __be16 port; __u32 four; __u8 six[16]; } in = {};
    if (!from || size < 3 || bpf_probe_read_user(&in, 2, from)) return 0;
    if (in.family == INET && size >= 8) {
        if (bpf_probe_read_user(&in, 8, from)) return 0;
        __builtin_memcpy(to->address, &in.four, 4);
    } else if (in.family == INET6 && size >= 24) {
        if (bpf_probe_read_user(&in, 24, from)) return 0;
        __builtin_memcpy(to->address, in.six, 16);
    } else if (in.family != UNIX) return 0;
    to->family = in.family;
    to->port = in.family == UNIX ? 0 : in.port;
    return 1;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(entered, struct pt_regs *regs, long number) {
    struct peer peer = {};
    struct place *p;
    const void *where = 0;
    __u64 size = 0, thread, now, *before;
    __u32 here;
    if (number != NR_CONNECT && number != NR_SENDTO && number != NR_SENDMSG && number != NR_SENDMMSG) return 0;
    thread = bpf_get_current_pid_tgid();
    here = thread >> 32;
    p = bpf_map_lookup_elem(&places, &here);
    if (!p || p->quiet || OTHER_NUMBERS((struct task_struct *)bpf_get_current_task())) return 0;
    if (number == NR_CONNECT) {
        where = (const void *)SECOND(regs);
        size = (__u32)THIRD(regs);
    } else if (number == NR_SENDTO) {
        where = (const void *)FIFTH(regs);
        size = (__u32)SIXTH(regs);
    } else { /* Of many messages the first: whoever sends to many peers at once is seen to send to one. */
        struct { const void *name; __u32 size; } message = {};
        if (bpf_probe_read_user(&message, sizeof message, (const void *)SECOND(regs))) return 0;
        where = message.name;
        size = message.size;
    }
    if (!address(&peer, where, size)) return 0;
    if (number != NR_CONNECT) {
        struct to to = {.pid = here, .peer = peer};
        if (peer.family == UNIX) return 0;
        now = bpf_ktime_get_boot_ns();
        before = bpf_map_lookup_elem(&sent, &to);
        if (before && now - *before < SENT_AGAIN_NS) return 0;
        bpf_map_update_elem(&sent, &to, &now, BPF_ANY);
    } else if (peer.family != UNIX) bpf_map_update_elem(&named, &thread, &peer, BPF_ANY);
    tell(p, here, &peer, peer.family == UNIX ? (const char *)where + 2 : 0);
    return 0;
}

/* TCP as the kernel itself has it: what io_uring and 32-bit programs ask for, and what another thread put into memory
 * after it was read above. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_set, const struct sock *sock, int before, int now) {
    struct peer peer = {}, *old;
    struct place *p;
    __u64 thread;
    __u32 here;
    if (now != SYN_SENT) return 0;
    thread = bpf_get_current_pid_tgid();
    here = thread >> 32;
    p = bpf_map_lookup_elem(&places, &here);
    if (!p || p->quiet) return 0;
    peer.family = BPF_CORE_READ(sock, __sk_common.skc_family);
    peer.port = BPF_CORE_READ(sock, __sk_common.skc_dport);
    if (peer.family == INET) {
        __u32 four = BPF_CORE_READ(sock, __sk_common.skc_daddr);
        __builtin_memcpy(peer.address, &four, 4);
    } else BPF_CORE_READ_INTO(&peer.address, sock, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
    old = bpf_map_lookup_elem(&named, &thread);
    if (old && old->family == peer.family && old->port == peer.port) {
        __u64 *a = (__u64 *)old->address, *b = (__u64 *)peer.address;
        if (a[0] == b[0] && a[1] == b[1]) return 0;
    }
    tell(p, here, &peer, 0);
    return 0;
}
