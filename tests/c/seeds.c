/* Faults that no Rust allocator can see, each in a function of its own name. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int nowhere = -1;
static _Alignas(4096) char fresh[64 * 4096];

/* On the main thread, before anything is watched. */
void seeded_prepare(void) {
    void *volatile warm = malloc(40);
    free(warm);
    nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0) {
        abort();
    }
    /* One fault a page. A kernel that knows no larger pages refuses, which is as good. */
    (void)madvise(fresh, sizeof fresh, MADV_NOHUGEPAGE);
}

void seeded_pthread_mutex_lock(void) {
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

int seeded_write(void) {
    return (int)write(nowhere, "sound", 5);
}

int seeded_nanosleep(void) {
    struct timespec time = {0, 1000};
    return nanosleep(&time, NULL);
}

/* Kept for good, as nothing is to be freed here. */
void *seeded_c_malloc(void) {
    void *volatile taken = malloc(40);
    return taken;
}

/* getppid, past every library. */
long seeded_inline_system_call(void) {
    long number = SYS_getppid;
    __asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
    return number;
}

void seeded_fresh_pages(void) {
    for (size_t at = 0; at < sizeof fresh; at += 4096) {
        ((volatile char *)fresh)[at] = 1;
    }
}
