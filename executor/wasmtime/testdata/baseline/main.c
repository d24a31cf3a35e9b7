// The sequence of BenchmarkFresh, written directly against the C API: a fresh store and instance, one call, and
// dropping both. Usage: baseline ENGINE-CONFIG-IN-HEX COMPILED-CODE THREADS CALLS; it prints the nanoseconds that
// a call takes a thread.
#include "weft.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static wasm_engine_t *engine;
static wasmtime_component_t *component;
static weft_pre *pre;
static wasmtime_component_export_index_t *export;
static uint64_t memory, table_elements;
static long calls;

enum { u32 = 6, u64 = 8, string = 12, list = 13, record = 14 }; // wasmtime_component_valkind_t

// A member of a record: wasmtime_component_valrecord_entry_t.
typedef struct entry {
  weft_bytes name;
  weft_val value;
} entry;

// TEXT is a string as the size and the data of a value or a name.
#define TEXT(text) {sizeof(text) - 1, (uint64_t)(uintptr_t)(text)}

// weft_go_drop is Go's. The engine's file refers to it for functions that Go defines; there are none here.
void weft_go_drop(uintptr_t data) {}

static void check(wasmtime_error_t *error) {
  if (error == NULL) return;
  weft_bytes text;
  wasmtime_error_message(error, (wasm_byte_vec_t *)&text);
  fprintf(stderr, "baseline: %.*s\n", (int)text.size, text.data);
  exit(1);
}

static wasmtime_error_t *on_epoch(wasmtime_context_t *context, void *data, uint64_t *delta, uint8_t *kind) {
  *delta = 1;
  *kind = WEFT_CONTINUE;
  return NULL;
}

static void call(void) {
  wasmtime_store_t *store = wasmtime_store_new(engine, NULL, NULL);
  wasmtime_context_t *context = wasmtime_store_context(store);
  weft_limit(store, memory, table_elements);
  wasmtime_store_epoch_deadline_callback(store, on_epoch, NULL, NULL);
  wasmtime_context_set_epoch_deadline(context, 1);
  check(wasmtime_context_set_wasi(context, wasi_config_new()));
  weft_component_instance instance;
  check(weft_pre_instantiate(pre, store, &instance));
  weft_component_func func;
  if (!wasmtime_component_instance_get_func((wasmtime_component_instance_t *)&instance, context, export,
                                            (wasmtime_component_func_t *)&func)) {
    exit(1);
  }
  entry line[] = {
      {{sizeof "sku" - 1, (void *)"sku"}, {string, TEXT("book-loom")}},
      {{sizeof "cents" - 1, (void *)"cents"}, {u32, {1999}}},
      {{sizeof "count" - 1, (void *)"count"}, {u32, {2}}},
  };
  weft_val lines[] = {{record, {sizeof line / sizeof *line, (uint64_t)(uintptr_t)line}}};
  weft_val args[] = {{list, {1, (uint64_t)(uintptr_t)lines}}, {u32, {19}}};
  weft_val result = {0};
  check(wasmtime_component_func_call((wasmtime_component_func_t *)&func, context, (wasmtime_component_val_t *)args, 2,
                                     (wasmtime_component_val_t *)&result, 1));
  const entry *receipt = (const entry *)(uintptr_t)result.of[1];
  if (result.kind != record || result.of[0] != 3 || receipt->value.kind != u64 || receipt->value.of[0] != 4758) exit(1);
  wasmtime_component_val_delete((wasmtime_component_val_t *)&result);
  wasmtime_store_delete(store);
}

static void *loop(void *unused) {
  for (long i = 0; i < calls; i++) call();
  return NULL;
}

static void parallel(int threads) {
  pthread_t t[64];
  for (int i = 0; i < threads; i++) pthread_create(&t[i], NULL, loop, NULL);
  for (int i = 0; i < threads; i++) pthread_join(t[i], NULL);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
  weft_engine_config config;
  if (argc != 5 || strlen(argv[1]) != 2 * sizeof config || atoi(argv[3]) > 64) return 2;
  for (size_t i = 0; i < sizeof config; i++) sscanf(argv[1] + 2 * i, "%2hhx", (unsigned char *)&config + i);
  memory = config.memory_size;
  table_elements = config.table_elements;
  engine = weft_engine_new(&config);
  check(wasmtime_component_deserialize_file(engine, argv[2], &component));
  wasmtime_component_linker_t *linker = wasmtime_component_linker_new(engine);
  check(wasmtime_component_linker_add_wasip2(linker));
  check(weft_pre_new(linker, component, &pre));
  static const char till[] = "bench:receipt/till@1.0.0", ring_up[] = "ring-up";
  wasmtime_component_export_index_t *iface = wasmtime_component_get_export_index(component, NULL, till, sizeof till - 1);
  if (iface == NULL) return 1;
  export = wasmtime_component_get_export_index(component, iface, ring_up, sizeof ring_up - 1);
  if (export == NULL) return 1;
  int threads = atoi(argv[3]);
  long n = atol(argv[4]);
  calls = n / 10 + 1;
  parallel(threads);
  calls = n;
  double start = now();
  parallel(threads);
  printf("%.1f\n", (now() - start) / n);
  return 0;
}
