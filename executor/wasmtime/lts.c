//go:build wasmtime_lts

// The long-term-support engine, with the functions that the crate in lts adds to its C API.
#include "weft.h"

#include "lts.h"

void weft_config_tune(wasm_config_t *config) { weft_lts_name(config); }

void weft_pool_tune(wasmtime_pooling_allocation_config_t *pool) { weft_lts_pagemap_scan(pool); }

void weft_collect(void) { weft_lts_collect(); }

wasmtime_error_t *weft_pre_new(const wasmtime_component_linker_t *linker, const wasmtime_component_t *component,
                               weft_pre **out) {
  return weft_lts_pre_new(linker, component, (weft_lts_pre_t **)out);
}

wasmtime_error_t *weft_pre_instantiate(const weft_pre *pre, wasmtime_store_t *store, weft_component_instance *out) {
  return weft_lts_pre_instantiate((const weft_lts_pre_t *)pre, store, (wasmtime_component_instance_t *)out);
}

void weft_pre_delete(weft_pre *pre) { weft_lts_pre_delete((weft_lts_pre_t *)pre); }

// weft_limit makes memory.grow trap in guests that want too much.
void weft_limit(wasmtime_store_t *store, uint64_t memory, uint64_t table_elements) {
  weft_lts_limit(store, memory, table_elements);
}

bool weft_memory_refused(const wasmtime_error_t *error) { return weft_lts_memory_refused(error); }

wasmtime_error_t *weft_func_call_bytes(const weft_component_func *func, wasmtime_store_t *store,
                                       const weft_arguments *args, uint8_t returns, weft_answer *answer) {
  return weft_lts_call_bytes((const wasmtime_component_func_t *)func, store, (const wasm_byte_vec_t *)args->of,
                             args->count, returns, (wasm_byte_vec_t *)&answer->bytes, &answer->failed);
}

static wasmtime_error_t *on_bytes(void *data, void *guest, const uint8_t *const *args, const size_t *sizes, size_t nargs,
                                  wasm_byte_vec_t *out, bool *failed) {
  const weft_instance *in = guest;
  weft_arguments given = {.count = nargs};
  for (size_t i = 0; i < nargs; i++) {
    // An empty slice of Rust points to its alignment. Go must not see that.
    if (sizes[i] > 0) given.of[i] = (weft_bytes){sizes[i], (char *)args[i]};
  }
  weft_answer answer = {{0, NULL}, false};
  weft_raise();
  wasmtime_error_t *error = weft_go_bytes((uintptr_t)data, in->handle, &given, &answer);
  *(weft_bytes *)out = answer.bytes;
  *failed = answer.failed;
  return error;
}

static void on_drop(void *data) { weft_go_drop((uintptr_t)data); }

wasmtime_error_t *weft_linker_define_bytes(wasmtime_component_linker_instance_t *instance, const char *name, size_t size,
                                           size_t params, uint8_t returns, uintptr_t data) {
  return weft_lts_define_bytes(instance, (const uint8_t *)name, size, params, returns, on_bytes, (void *)data, on_drop);
}
