//go:build !wasmtime_lts

// The engine of wasmtime-go, with what its C API has.
#include "weft.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// weft_config_tune has the C library, with which this engine allocates, give back what is free at the end of a thread's memory, and what was
// large. Left alone it goes by the largest piece that was ever freed: after one of 16 MiB each of a dozen such memories may keep 32 MiB,
// which malloc_trim leaves there.
void weft_config_tune(wasm_config_t *config) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
#endif
}

void weft_pool_tune(wasmtime_pooling_allocation_config_t *pool) {}

// weft_collect has nothing to do: the engine allocates with malloc.
void weft_collect(void) {}

struct weft_pre {
  const wasmtime_component_linker_t *linker;
  wasmtime_component_t *component;
};

wasmtime_error_t *weft_pre_new(const wasmtime_component_linker_t *linker, const wasmtime_component_t *component,
                               weft_pre **out) {
  *out = malloc(sizeof **out);
  if (*out == NULL) abort();
  **out = (weft_pre){linker, wasmtime_component_clone(component)};
  return NULL;
}

// weft_pre_instantiate checks and resolves the imports again each time.
wasmtime_error_t *weft_pre_instantiate(const weft_pre *pre, wasmtime_store_t *store, weft_component_instance *out) {
  return wasmtime_component_linker_instantiate(pre->linker, wasmtime_store_context(store), pre->component,
                                               (wasmtime_component_instance_t *)out);
}

void weft_pre_delete(weft_pre *pre) {
  wasmtime_component_delete(pre->component);
  free(pre);
}

// weft_initial_new knows of no instance what calls change.
weft_initial *weft_initial_new(wasmtime_store_t *store, const weft_component_instance *instance) { return NULL; }

bool weft_restore(wasmtime_store_t *store, const weft_component_instance *instance, const weft_initial *initial) {
  return false;
}

void weft_initial_delete(weft_initial *initial) {}

// weft_limit makes memory.grow return -1 to guests that want too much.
void weft_limit(wasmtime_store_t *store, uint64_t memory, uint64_t table_elements) {
  wasmtime_store_limiter(store, memory, table_elements, -1, -1, -1);
}

bool weft_memory_refused(const wasmtime_error_t *error) { return false; }

wasmtime_error_t *weft_linker_define_bytes(wasmtime_component_linker_instance_t *instance, const char *name, size_t size,
                                           size_t params, uint8_t returns, uintptr_t data) {
  weft_go_drop(data);
  return wasmtime_error_new("this engine has no functions of bytes");
}

bool weft_takes_straight(const wasmtime_component_t *component, const char *iface, size_t iface_size, const char *name,
                         size_t size) {
  return false;
}

wasmtime_error_t *weft_func_call_straight(const weft_component_func *func, wasmtime_store_t *store, const weft_val *args,
                                          size_t nargs, bool has_result, weft_val **value) {
  return wasmtime_error_new("this engine has no values that go straight");
}

void weft_straight_delete(weft_val *value) {}

wasmtime_error_t *weft_func_call_bytes(const weft_component_func *func, wasmtime_store_t *store,
                                       const weft_arguments *args, uint8_t returns, weft_answer *answer) {
  return wasmtime_error_new("this engine has no calls of bytes");
}
