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

weft_initial *weft_initial_new(wasmtime_store_t *store, const weft_component_instance *instance) {
  return (weft_initial *)weft_lts_initial(store, (const wasmtime_component_instance_t *)instance);
}

bool weft_restore(wasmtime_store_t *store, const weft_component_instance *instance, const weft_initial *initial) {
  return weft_lts_restore(store, (const wasmtime_component_instance_t *)instance, (const weft_lts_initial_t *)initial);
}

void weft_initial_delete(weft_initial *initial) { weft_lts_initial_delete((weft_lts_initial_t *)initial); }

// weft_limit makes memory.grow trap in guests that want too much.
void weft_limit(wasmtime_store_t *store, uint64_t memory, uint64_t table_elements) {
  weft_lts_limit(store, memory, table_elements);
}

bool weft_memory_refused(const wasmtime_error_t *error) { return weft_lts_memory_refused(error); }

bool weft_takes_straight(const wasmtime_component_t *component, const char *iface, size_t iface_size, const char *name,
                         size_t size) {
  return weft_lts_takes_values(component, (const uint8_t *)iface, iface_size, (const uint8_t *)name, size);
}

wasmtime_error_t *weft_func_call_straight(const weft_component_func *func, wasmtime_store_t *store, const weft_val *args,
                                          size_t nargs, bool has_result, weft_val **value) {
  return weft_lts_call_values((const wasmtime_component_func_t *)func, store, (const wasmtime_component_val_t *)args,
                              nargs, has_result, (wasmtime_component_val_t **)value);
}

void weft_straight_delete(weft_val *value) { weft_lts_values_delete((wasmtime_component_val_t *)value); }

wasmtime_error_t *weft_func_call_bytes(const weft_component_func *func, wasmtime_store_t *store,
                                       const weft_arguments *args, uint8_t returns, weft_answer *answer) {
  return weft_lts_call_bytes((const wasmtime_component_func_t *)func, store, (const wasm_byte_vec_t *)args->of,
                             args->count, returns, (wasm_byte_vec_t *)&answer->bytes, &answer->failed);
}
