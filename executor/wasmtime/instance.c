#include "weft.h"

#include <stdlib.h>

static bool is_cancelled(const weft_instance *in) {
  if (in->interrupt == NULL) return false;
  uint64_t word = __atomic_load_n(&in->interrupt->cause, __ATOMIC_SEQ_CST);
  return (uint32_t)(word >> 32) == in->generation && (uint32_t)word != 0;
}

bool weft_cancelled(const weft_instance *in) {
  while (in != NULL && !is_cancelled(in)) in = in->outer;
  return in != NULL;
}

// on_epoch runs in the guest's thread at each tick of the engine. It enters Go not at all: a guest that never
// returns must not need a scheduler to be stopped.
static wasmtime_error_t *on_epoch(wasmtime_context_t *context, void *data, uint64_t *delta, uint8_t *kind) {
  weft_instance *in = data;
  *delta = 1;
  *kind = WEFT_CONTINUE;
  weft_take_turn(in);
  if (!weft_cancelled(in)) return NULL;
  in->interrupted = true;
  return wasmtime_error_new("interrupted");
}

static ptrdiff_t on_stdout(void *data, const unsigned char *bytes, size_t size) {
  if (size == 0) return 0; // Go's stack must not hold the pointer of an empty slice
  weft_raise();
  return weft_go_write((uintptr_t)data, 1, (unsigned char *)bytes, size);
}

static ptrdiff_t on_stderr(void *data, const unsigned char *bytes, size_t size) {
  if (size == 0) return 0;
  weft_raise();
  return weft_go_write((uintptr_t)data, 2, (unsigned char *)bytes, size);
}

static wasmtime_error_t *set_wasi(weft_instance *in, const weft_instance_config *c) {
  wasi_config_t *wasi = wasi_config_new();
  if (c->envc > 0) wasi_config_set_env(wasi, c->envc, c->names, c->values);
  if (c->out) wasi_config_set_stdout_custom(wasi, on_stdout, (void *)c->handle, NULL);
  if (c->err) wasi_config_set_stderr_custom(wasi, on_stderr, (void *)c->handle, NULL);
  return wasmtime_context_set_wasi(in->context, wasi);
}

weft_new weft_instance_new(const weft_instance_config *c) {
  weft_instance *in = calloc(1, sizeof *in);
  if (in == NULL) abort();
  in->interrupt = c->interrupt;
  in->generation = c->generation;
  in->outer = c->outer;
  in->handle = c->handle;
  in->store = wasmtime_store_new(c->engine, in, NULL);
  in->context = wasmtime_store_context(in->store);
  weft_limit(in->store, c->memory, c->table_elements);
  wasmtime_store_epoch_deadline_callback(in->store, on_epoch, in, NULL);
  wasmtime_context_set_epoch_deadline(in->context, 1);
  wasmtime_error_t *error = c->wasi ? set_wasi(in, c) : NULL;
  weft_measure(in);
  if (error == NULL) error = weft_pre_instantiate(c->pre, in->store, &in->instance);
  weft_raise();
  weft_measured(in);
  // What the host has answered while it started may be another thing next time.
  if (error == NULL && c->restorable && !c->wasi && !in->asked) in->initial = weft_initial_new(in->store, &in->instance);
  return (weft_new){in, error};
}

bool weft_instance_restore(weft_instance *in, weft_val *value) {
  if (value != NULL) weft_value_delete(value);
  return in->initial != NULL && weft_restore(in->store, &in->instance, in->initial);
}

void weft_instance_delete(weft_instance *in, weft_val *value) {
  if (value != NULL) weft_value_delete(value);
  if (in->initial != NULL) weft_initial_delete(in->initial);
  wasmtime_store_delete(in->store);
  free(in->apart);
  free(in);
}

static wasmtime_error_t *find_func(weft_instance *in, const wasmtime_component_export_index_t *index,
                                   weft_component_func *func) {
  bool found = wasmtime_component_instance_get_func((wasmtime_component_instance_t *)&in->instance, in->context, index,
                                                    (wasmtime_component_func_t *)func);
  return found ? NULL : wasmtime_error_new("the export is not a function");
}

// call_func calls a function by the C API, which makes the engine's own form of each value.
static wasmtime_error_t *call_func(const weft_component_func *func, weft_instance *in, const weft_val *args, size_t nargs,
                                   bool has_result, weft_val **value) {
  weft_result *result = NULL;
  if (has_result) {
    result = calloc(1, sizeof *result);
    if (result == NULL) abort();
  }
  wasmtime_error_t *error = wasmtime_component_func_call(
      (const wasmtime_component_func_t *)func, in->context, (const wasmtime_component_val_t *)args, nargs,
      (wasmtime_component_val_t *)result, has_result ? 1 : 0);
  if (error != NULL)
    free(result); // untouched
  else
    *value = (weft_val *)result;
  return error;
}

weft_called weft_call(weft_instance *in, weft_export export, const weft_val *args, size_t nargs) {
  weft_component_func func;
  weft_called out = {NULL, find_func(in, export.index, &func)};
  if (out.error != NULL) return out;
  weft_begin_turn(in);
  if (export.straight)
    out.error = weft_func_call_straight(&func, in->store, args, nargs, export.has_result, &out.value);
  else
    out.error = call_func(&func, in, args, nargs, export.has_result, &out.value);
  weft_raise();
  weft_measured(in);
  return out;
}

void weft_value_delete(weft_val *value) {
  if (((weft_result *)value)->straight) {
    weft_straight_delete(value);
    return;
  }
  wasmtime_component_val_delete((wasmtime_component_val_t *)value);
  free(value);
}

wasmtime_error_t *weft_call_bytes(weft_instance *in, const wasmtime_component_export_index_t *index,
                                  weft_arguments args, uint8_t returns, weft_answer *answer) {
  weft_component_func func;
  wasmtime_error_t *error = find_func(in, index, &func);
  weft_begin_turn(in);
  if (error == NULL) error = weft_func_call_bytes(&func, in->store, &args, returns, answer);
  weft_raise();
  weft_measured(in);
  if (error != NULL || answer->bytes.size != 0) return error;
  // Rust's empty vector has a pointer that Go must not see.
  wasm_byte_vec_delete((wasm_byte_vec_t *)&answer->bytes);
  answer->bytes.data = NULL;
  return NULL;
}

// weft_trap_code asks for the code of an error as if it were a trap. The C API has no function for it, but both of its
// types are a struct with C layout of one member, the same Rust type wasmtime::Error; TestTraps would show a change.
int weft_trap_code(const wasmtime_error_t *error) {
  if (weft_memory_refused(error)) return WEFT_TRAP_MEMORY;
  uint8_t code;
  return wasmtime_trap_code((const wasm_trap_t *)error, &code) ? code : -1;
}
