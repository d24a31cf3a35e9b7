// What the crate in lts adds to wasmtime's C API; it says there what each function does. TestDeclarations compiles this
// file together with the header that the crate makes of itself.
#ifndef WEFT_LTS_H
#define WEFT_LTS_H

#include "api.h"

typedef struct weft_lts_initial_t weft_lts_initial_t;
typedef struct weft_lts_pre_t weft_lts_pre_t;

void weft_lts_name(wasm_config_t *);
void weft_lts_pagemap_scan(wasmtime_pooling_allocation_config_t *);
void weft_lts_collect(void);
wasmtime_error_t *weft_lts_pre_new(const wasmtime_component_linker_t *, const wasmtime_component_t *,
                                   weft_lts_pre_t **);
wasmtime_error_t *weft_lts_pre_instantiate(const weft_lts_pre_t *, wasmtime_store_t *, wasmtime_component_instance_t *);
void weft_lts_pre_delete(weft_lts_pre_t *);
weft_lts_initial_t *weft_lts_initial(wasmtime_store_t *, const wasmtime_component_instance_t *);
bool weft_lts_restore(wasmtime_store_t *, const wasmtime_component_instance_t *, const weft_lts_initial_t *);
void weft_lts_initial_delete(weft_lts_initial_t *);
void weft_lts_limit(wasmtime_store_t *, size_t memory, size_t table_elements);
bool weft_lts_memory_refused(const wasmtime_error_t *);
bool weft_lts_takes_values(const wasmtime_component_t *, const uint8_t *, size_t, const uint8_t *, size_t);
wasmtime_error_t *weft_lts_call_values(const wasmtime_component_func_t *, wasmtime_store_t *,
                                       const wasmtime_component_val_t *, size_t, bool, wasmtime_component_val_t **);
void weft_lts_values_delete(wasmtime_component_val_t *);
wasmtime_error_t *weft_lts_call_bytes(const wasmtime_component_func_t *, wasmtime_store_t *, const wasm_byte_vec_t *,
                                      size_t, uint8_t returns, wasm_byte_vec_t *, bool *);
wasmtime_error_t *weft_lts_define_bytes(wasmtime_component_linker_instance_t *, const uint8_t *, size_t, size_t, uint8_t,
                                        wasmtime_error_t *(*)(void *, void *, const uint8_t *const *, const size_t *,
                                                              size_t, wasm_byte_vec_t *, bool *),
                                        void *, void (*)(void *));

#endif
