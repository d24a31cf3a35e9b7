//go:build wasmtime_lts

// Functions of bytes that guests import, which the long-term-support engine has.
#include "weft.h"

#include "lts.h"

static wasmtime_error_t *on_bytes(void *data, void *guest, const uint8_t *const *args, const size_t *sizes, size_t nargs,
                                  wasm_byte_vec_t *out, bool *failed) {
  weft_instance *in = guest;
  in->asked = true;
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
