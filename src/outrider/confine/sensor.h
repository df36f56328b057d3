/* What the sensor's two halves say to each other: `sensor.bpf.c` in the kernel, `sensor.c` beside it. */
#ifndef OUTRIDER_SENSOR_H
#define OUTRIDER_SENSOR_H

enum { MOST_PROCESSES = 65536, PROGRAM = 1, PEER = 2 };
#define SENT_AGAIN_NS 5000000000ULL /* Datagrams to one peer are one deed in five seconds. */

/* Where a process stands. Times are clock ticks since boot, as /proc/PID/stat has them. */
struct place {
    __u64 root_start, above_start;
    __u32 root, above; /* The process that is followed; the nearest above it whose program was told of. */
    __u32 told, quiet; /* Whether its own program was; whether nothing of it is told. */
};

struct head {
    __u32 kind, pid;
    __u64 start, at; /* Clock ticks; nanoseconds since boot. */
    __u64 root_start, above_start;
    __u32 root, above; /* above 0: none, its own program was told of. */
};

struct program {
    struct head head;
    __u32 view, size; /* Mount namespace; bytes of words. */
    char path[512];   /* As it was asked for. */
    char words[512];  /* Its arguments, each ended by a NUL, the first its name. */
};

struct peer {
    __u16 family, port; /* port in network order */
    __u32 unused;
    __u8 address[16];
} __attribute__((aligned(8)));

struct reach {
    struct head head;
    struct peer peer;
    char path[112];
};

#endif
