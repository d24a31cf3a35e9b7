#define _GNU_SOURCE // syscall
#include "weft.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// The flags are the lower half of the word, which is what the kernel waits on.
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the flags are where the kernel looks");

static uint32_t *flags_of(weft_interrupt *it) { return (uint32_t *)&it->turn; }

// By how much niceness a thread is lowered.
enum { lower_by = 10 };

// A thread that is lowered, and what its niceness was.
static _Thread_local bool is_lowered;
static _Thread_local int niceness;

static void lower(void) {
  if (is_lowered || !weft_lowers()) return;
  niceness = getpriority(PRIO_PROCESS, 0);
  is_lowered = setpriority(PRIO_PROCESS, 0, niceness + lower_by) == 0;
}

void weft_raise(void) {
  if (!is_lowered) return;
  setpriority(PRIO_PROCESS, 0, niceness);
  is_lowered = false;
}

static void *try_lower(void *may) {
  int before = getpriority(PRIO_PROCESS, 0);
  *(bool *)may = setpriority(PRIO_PROCESS, 0, before + 1) == 0 && setpriority(PRIO_PROCESS, 0, before) == 0;
  return NULL;
}

static bool may_lower;

static void find_out(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, try_lower, &may_lower) == 0) pthread_join(thread, NULL);
}

bool weft_lowers(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, find_out);
  return may_lower;
}

// obey does what the flags of the interrupt of one guest ask of the thread, on which another may run.
static void obey(const weft_instance *of, const weft_instance *runs) {
  weft_interrupt *it = of->interrupt;
  if (it == NULL) return;
  for (;;) {
    uint64_t word = __atomic_load_n(&it->turn, __ATOMIC_SEQ_CST);
    if ((uint32_t)(word >> 32) != of->generation) return;
    if (word & WEFT_LOWER) lower();
    if (!(word & WEFT_PAUSE)) return;
    if (!(word & WEFT_RESTS)) {
      // Whoever cancels from now on sees that it rests, and wakes it.
      __atomic_compare_exchange_n(&it->turn, &word, word | WEFT_RESTS, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
      continue;
    }
    if (weft_cancelled(runs)) return;
    syscall(SYS_futex, flags_of(it), FUTEX_WAIT_PRIVATE, (uint32_t)word, NULL, NULL, 0);
  }
}

void weft_take_turn(const weft_instance *in) {
  for (const weft_instance *of = in; of != NULL; of = of->outer) obey(of, in);
}

void weft_wake(weft_interrupt *it) { syscall(SYS_futex, flags_of(it), FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }
