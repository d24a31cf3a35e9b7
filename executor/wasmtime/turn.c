#define _GNU_SOURCE // syscall, SCHED_IDLE
#include "weft.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// The flags are the lower half of the word, which is what the kernel waits on.
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the flags are where the kernel looks");

static uint32_t *flags_of(weft_interrupt *it) { return (uint32_t *)&it->turn; }

// A thread that is lowered has the policy SCHED_IDLE: it runs where no other wants to, and gives way to one that wakes up at once.
static _Thread_local bool is_lowered;

// Whether that can be undone, and what threads have otherwise.
static bool may_lower;
static int policy;
static struct sched_param priority;

static bool set_idle(void) { return sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}) == 0; }

static bool unset_idle(void) { return sched_setscheduler(0, policy, &priority) == 0; }

static void lower(void) {
  if (!is_lowered && weft_lowers()) is_lowered = set_idle();
}

// nap is how long a guest with a low priority is to nap, and who asks for that: as long as its flags are these.
typedef struct nap {
  uint32_t micros; // 0: it is to have its own priority
  weft_interrupt *of;
  uint32_t flags;
} nap;

static uint64_t now(void) {
  struct timespec t;
  return clock_gettime(CLOCK_MONOTONIC, &t) == 0 ? (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec : 0;
}

// give_way has a thread with a low priority not hold up others. A kernel that looks for the fairest (EEVDF, Linux 6.6 and later) may give it the core
// although another waits that has run more than it should, and looks again at the end of a slice of milliseconds. And a kernel that finds threads
// waiting for another core moves them to this one only when it is idle, or tens of milliseconds later: hence the naps.
static void give_way(nap n) {
  static _Thread_local uint64_t awake; // since when
  if (!is_lowered) return;
  uint64_t began = now();
  if (began - awake >= WEFT_SPELL * 1000) {
    struct timespec most = {.tv_sec = n.micros / 1000000, .tv_nsec = n.micros % 1000000 * 1000};
    bool naps = n.micros > 0 && !(n.flags & WEFT_STOP);
    if (naps) syscall(SYS_futex, flags_of(n.of), FUTEX_WAIT_PRIVATE, n.flags, &most, NULL, 0);
    awake = now();
    if (naps) __atomic_fetch_add(&n.of->napped, awake - began, __ATOMIC_RELAXED);
  }
  sched_yield();
}

void weft_raise(void) {
  if (is_lowered) is_lowered = !unset_idle();
}

static void *try_lower(void *unused) {
  policy = sched_getscheduler(0);
  may_lower = policy >= 0 && sched_getparam(0, &priority) == 0 && set_idle() && unset_idle();
  return unused;
}

static void find_out(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, try_lower, NULL) == 0) pthread_join(thread, NULL);
}

bool weft_lowers(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, find_out);
  return may_lower;
}

static nap nap_of(weft_interrupt *it, uint64_t word) {
  return (nap){word & WEFT_LOWER ? (uint32_t)word >> WEFT_NAP : 0, it, (uint32_t)word};
}

// obey has the thread, on which another guest may run, rest for as long as the interrupt of one asks for that. It gives how it is to nap
// then.
static nap obey(const weft_instance *of, const weft_instance *runs) {
  weft_interrupt *it = of->interrupt;
  if (it == NULL) return (nap){0};
  for (;;) {
    uint64_t word = __atomic_load_n(&it->turn, __ATOMIC_SEQ_CST);
    if ((uint32_t)(word >> 32) != of->generation) return (nap){0};
    if (!(word & WEFT_PAUSE)) return nap_of(it, word);
    if (!(word & WEFT_RESTS)) {
      // Whoever cancels from now on sees that it rests, and wakes it.
      __atomic_compare_exchange_n(&it->turn, &word, word | WEFT_RESTS, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
      continue;
    }
    if (weft_cancelled(runs)) return nap_of(it, word);
    syscall(SYS_futex, flags_of(it), FUTEX_WAIT_PRIVATE, (uint32_t)word, NULL, NULL, 0);
  }
}

// take_turn gives how the thread is to nap; it has the priority then that it is to have.
static nap take_turn(const weft_instance *in) {
  weft_measure(in);
  nap longest = {0};
  for (const weft_instance *of = in; of != NULL; of = of->outer) {
    nap asked = obey(of, in);
    if (asked.micros > longest.micros) longest = asked;
  }
  if (longest.micros > 0)
    lower();
  else
    weft_raise();
  return longest;
}

void weft_begin_turn(const weft_instance *in) { take_turn(in); }

void weft_take_turn(const weft_instance *in) {
  nap n = take_turn(in);
  if (weft_cancelled(in)) n.micros = 0; // by another interrupt than that which has it nap, it may be
  give_way(n);
}

void weft_wake(weft_interrupt *it) { syscall(SYS_futex, flags_of(it), FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }
