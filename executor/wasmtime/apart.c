#include "weft.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

// Threads that wait for calls. The last that came is the first to have one, so that those that are not needed end.

struct weft_apart {
  weft_instance *in;
  weft_apart *next; // of those that have ended
  weft_export export;
  const weft_val *args;
  size_t nargs;
  weft_called out;

  bool of_bytes; // then these count
  weft_arguments arguments;
  uint8_t returns;
  weft_answer answer;
};

typedef struct idle {
  pthread_cond_t wake;
  weft_apart *call;
  struct idle *next;
} idle;

enum { idle_seconds = 10 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static idle *waiting;

int weft_ends = -1;
static weft_apart *ended;

// end tells Go of a call that has ended, without entering it: what this thread used with a low priority counts against it now, and others would wait
// for milliseconds for what it held. The call is Go's then.
static void end(weft_apart *call) {
  call->next = __atomic_load_n(&ended, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(&ended, &call->next, call, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {}
  while (write(weft_ends, &(uint64_t){1}, sizeof(uint64_t)) < 0 && errno == EINTR) {}
}

weft_apart *weft_take_ended(void) { return __atomic_exchange_n(&ended, NULL, __ATOMIC_ACQUIRE); }

uintptr_t weft_ended(const weft_apart *call, weft_apart **next) {
  *next = call->next;
  return call->in->handle;
}

static void run(weft_apart *call) {
  weft_instance *in = call->in;
  if (call->of_bytes)
    call->out.error = weft_call_bytes(in, call->export.index, call->arguments, call->returns, &call->answer);
  else
    call->out = weft_call(in, call->export, call->args, call->nargs);
  end(call);
}

// await gives the next call, NULL if none comes.
static weft_apart *await(void) {
  idle me = {PTHREAD_COND_INITIALIZER, NULL, NULL};
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += idle_seconds;
  pthread_mutex_lock(&mutex);
  me.next = waiting;
  waiting = &me;
  while (me.call == NULL && pthread_cond_timedwait(&me.wake, &mutex, &until) == 0) {}
  if (me.call == NULL) {
    idle **at = &waiting;
    while (*at != &me) at = &(*at)->next;
    *at = me.next;
  }
  pthread_mutex_unlock(&mutex);
  return me.call;
}

static void *loop(void *call) {
  for (weft_apart *c = call; c != NULL; c = await()) run(c);
  return NULL;
}

static bool start(weft_apart *call) {
  pthread_attr_t attributes;
  pthread_t thread;
  if (pthread_attr_init(&attributes) != 0) return false;
  bool started = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
                 pthread_create(&thread, &attributes, loop, call) == 0;
  pthread_attr_destroy(&attributes);
  return started;
}

static bool hand_over(weft_instance *in, weft_apart call) {
  if (in->apart == NULL) in->apart = malloc(sizeof *in->apart);
  if (in->apart == NULL) abort();
  *in->apart = call;
  pthread_mutex_lock(&mutex);
  idle *first = waiting;
  if (first != NULL) {
    waiting = first->next;
    first->call = in->apart;
    pthread_cond_signal(&first->wake);
  }
  pthread_mutex_unlock(&mutex);
  return first != NULL || start(in->apart);
}

bool weft_call_apart(weft_instance *in, weft_export export, const weft_val *args, size_t nargs) {
  return hand_over(in, (weft_apart){.in = in, .export = export, .args = args, .nargs = nargs});
}

weft_called weft_called_apart(const weft_instance *in) { return in->apart->out; }

bool weft_call_bytes_apart(weft_instance *in, const wasmtime_component_export_index_t *index, weft_arguments arguments,
                           uint8_t returns) {
  return hand_over(in, (weft_apart){.in = in, .export.index = index, .of_bytes = true, .arguments = arguments, .returns = returns});
}

wasmtime_error_t *weft_called_bytes_apart(const weft_instance *in, weft_answer *answer) {
  *answer = in->apart->answer;
  return in->apart->out.error;
}
