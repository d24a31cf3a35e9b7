#define _GNU_SOURCE // syscall
#include "weft.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t thread_time(void) {
  struct timespec t;
  return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0 ? (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec : 0;
}

static uint32_t this_thread(void) {
  static _Thread_local uint32_t id;
  if (id == 0) id = (uint32_t)syscall(SYS_gettid);
  return id;
}

void weft_measure(const weft_instance *in) {
  weft_interrupt *it = in->interrupt;
  if (it == NULL) return;
  uint64_t word = __atomic_load_n(&it->turn, __ATOMIC_RELAXED);
  if (!(word & WEFT_MEASURE) || (uint32_t)(word >> 32) != in->generation) return;
  if (__atomic_load_n(&it->thread, __ATOMIC_RELAXED) != 0) return;
  __atomic_store_n(&it->began, thread_time(), __ATOMIC_RELAXED);
  __atomic_store_n(&it->thread, (uint64_t)in->generation << 32 | this_thread(), __ATOMIC_RELEASE);
}

void weft_measured(const weft_instance *in) {
  weft_interrupt *it = in->interrupt;
  if (it == NULL || __atomic_load_n(&it->thread, __ATOMIC_RELAXED) == 0) return;
  __atomic_store_n(&it->thread, 0, __ATOMIC_RELEASE);
  __atomic_fetch_add(&it->used, thread_time() - it->began, __ATOMIC_RELEASE);
}
