#include "weft.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

struct weft_metronome {
  wasm_engine_t *engine;
  pthread_t thread;
  bool has_thread;

  pthread_mutex_t mutex;
  pthread_cond_t changed;
  bool beats, over; // guarded by mutex
};

static void *beat(void *metronome) {
  weft_metronome *m = metronome;
  prctl(PR_SET_TIMERSLACK, 1);
  pthread_mutex_lock(&m->mutex);
  while (!m->over) {
    if (!m->beats) {
      pthread_cond_wait(&m->changed, &m->mutex);
      continue;
    }
    pthread_mutex_unlock(&m->mutex);
    nanosleep(&(struct timespec){.tv_nsec = WEFT_BEAT * 1000}, NULL);
    wasmtime_engine_increment_epoch(m->engine);
    pthread_mutex_lock(&m->mutex);
  }
  pthread_mutex_unlock(&m->mutex);
  return NULL;
}

weft_metronome *weft_metronome_new(const wasm_engine_t *engine) {
  weft_metronome *m = calloc(1, sizeof *m);
  if (m == NULL) abort();
  m->engine = wasmtime_engine_clone((wasm_engine_t *)engine);
  pthread_mutex_init(&m->mutex, NULL);
  pthread_cond_init(&m->changed, NULL);
  return m;
}

void weft_metronome_set(weft_metronome *m, bool beats) {
  pthread_mutex_lock(&m->mutex);
  m->beats = beats;
  if (beats && !m->has_thread) m->has_thread = pthread_create(&m->thread, NULL, beat, m) == 0;
  pthread_cond_signal(&m->changed);
  pthread_mutex_unlock(&m->mutex);
}

void weft_metronome_delete(weft_metronome *m) {
  pthread_mutex_lock(&m->mutex);
  m->over = true;
  pthread_cond_signal(&m->changed);
  pthread_mutex_unlock(&m->mutex);
  if (m->has_thread) pthread_join(m->thread, NULL);
  pthread_cond_destroy(&m->changed);
  pthread_mutex_destroy(&m->mutex);
  wasm_engine_delete(m->engine);
  free(m);
}
