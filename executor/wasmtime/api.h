// The part of wasmtime's C API that weft uses, declared here so that the package builds against any engine library
// that has these symbols. TestDeclarations compiles this file together with wasmtime's own headers: a prototype that
// differs is a compile error there. Types that weft reads or writes are mirrored below as struct weft_*; the test
// compares their layout with the original.
#ifndef WEFT_API_H
#define WEFT_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wasm_byte_vec_t wasm_byte_vec_t;
typedef struct wasm_config_t wasm_config_t;
typedef struct wasm_engine_t wasm_engine_t;
typedef struct wasm_frame_t wasm_frame_t;
typedef struct wasm_frame_vec_t wasm_frame_vec_t;
typedef struct wasm_trap_t wasm_trap_t;
typedef struct wasi_config_t wasi_config_t;
typedef struct wasmtime_context wasmtime_context_t;
typedef struct wasmtime_error wasmtime_error_t;
typedef struct wasmtime_store wasmtime_store_t;
typedef struct wasmtime_pooling_allocation_config_t wasmtime_pooling_allocation_config_t;
typedef struct wasmtime_component_t wasmtime_component_t;
typedef struct wasmtime_component_export_index_t wasmtime_component_export_index_t;
typedef struct wasmtime_component_func wasmtime_component_func_t;
typedef struct wasmtime_component_func_type_t wasmtime_component_func_type_t;
typedef struct wasmtime_component_instance wasmtime_component_instance_t;
typedef struct wasmtime_component_instance_type wasmtime_component_instance_type_t;
typedef struct wasmtime_component_item_t wasmtime_component_item_t;
typedef struct wasmtime_component_linker_t wasmtime_component_linker_t;
typedef struct wasmtime_component_linker_instance_t wasmtime_component_linker_instance_t;
typedef struct wasmtime_component_resource_any wasmtime_component_resource_any_t;
typedef struct wasmtime_component_resource_host wasmtime_component_resource_host_t;
typedef struct wasmtime_component_resource_type wasmtime_component_resource_type_t;
typedef struct wasmtime_component_type_t wasmtime_component_type_t;
typedef struct wasmtime_component_val wasmtime_component_val_t;
typedef struct wasmtime_component_list_type wasmtime_component_list_type_t;
typedef struct wasmtime_component_valtype_t wasmtime_component_valtype_t;

// What only the long-term-support engine has as const.
#ifdef WEFT_LTS
#define WEFT_LTS_CONST const
#else
#define WEFT_LTS_CONST
#endif

// Mirrors.

typedef struct weft_bytes { // wasm_byte_vec_t, wasm_name_t
  size_t size;
  char *data;
} weft_bytes;

typedef struct weft_frames { // wasm_frame_vec_t
  size_t size;
  wasm_frame_t **data;
} weft_frames;

typedef struct weft_val { // wasmtime_component_val_t; Go's type slot
  uint8_t kind;
  uint64_t of[3];
} weft_val;

typedef struct weft_component_instance { // wasmtime_component_instance_t
  uint64_t store_id;
  uint32_t index;
} weft_component_instance;

typedef struct weft_component_func { // wasmtime_component_func_t
  struct {
    uint64_t store_id;
    uint32_t a;
  } outer;
  uint32_t b;
} weft_component_func;

typedef struct weft_valtype { // wasmtime_component_valtype_t
  uint8_t kind;
  void *of;
} weft_valtype;

typedef struct weft_item { // wasmtime_component_item_t
  uint8_t kind;
  union {
    void *pointer;
    weft_valtype type;
  } of;
} weft_item;

// The engine's types of which Go passes addresses in its own memory are complete here: a pointer to an incomplete type is to Go one
// into C's memory, which it does not correct when it moves a stack, nor look at when it collects.
#ifndef WASM_H
struct wasm_byte_vec_t {
  weft_bytes same;
};
struct wasm_frame_vec_t {
  weft_frames same;
};
struct wasmtime_component_val {
  weft_val same;
};
#endif

enum {
  WEFT_ITEM_INSTANCE = 1,
  WEFT_ITEM_FUNC = 3,
  WEFT_TYPE_U8 = 5, // wasmtime_component_valtype_kind_t
  WEFT_TYPE_LIST = 13,
  WEFT_CONTINUE = 0, // wasmtime_update_deadline_kind_t
  WEFT_LIST = 13, // wasmtime_component_valkind_t
  WEFT_RESOURCE = 21,
};

// Memory.

void wasm_byte_vec_new(wasm_byte_vec_t *, size_t, const char *);
void wasm_byte_vec_delete(wasm_byte_vec_t *);
void wasm_frame_vec_delete(wasm_frame_vec_t *);

// Engine.

wasm_config_t *wasm_config_new(void);
void wasmtime_config_epoch_interruption_set(wasm_config_t *, bool);
void wasmtime_config_max_wasm_stack_set(wasm_config_t *, size_t);
void wasmtime_config_wasm_threads_set(wasm_config_t *, bool);
void wasmtime_config_shared_memory_set(wasm_config_t *, bool);
void wasmtime_config_wasm_memory64_set(wasm_config_t *, bool);
void wasmtime_config_wasm_component_model_set(wasm_config_t *, bool);
void wasmtime_config_concurrency_support_set(wasm_config_t *, bool);
void wasmtime_config_memory_init_cow_set(wasm_config_t *, bool);
void wasmtime_config_memory_reservation_set(wasm_config_t *, uint64_t);
void wasmtime_config_memory_guard_size_set(wasm_config_t *, uint64_t);
void wasmtime_config_native_unwind_info_set(wasm_config_t *, bool);
void wasmtime_config_strategy_set(wasm_config_t *, uint8_t);
wasmtime_pooling_allocation_config_t *wasmtime_pooling_allocation_config_new(void);
void wasmtime_pooling_allocation_config_delete(wasmtime_pooling_allocation_config_t *);
void wasmtime_pooling_allocation_config_max_unused_warm_slots_set(wasmtime_pooling_allocation_config_t *, uint32_t);
void wasmtime_pooling_allocation_config_decommit_batch_size_set(wasmtime_pooling_allocation_config_t *, size_t);
void wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(wasmtime_pooling_allocation_config_t *, size_t);
void wasmtime_pooling_allocation_config_table_keep_resident_set(wasmtime_pooling_allocation_config_t *, size_t);
void wasmtime_pooling_allocation_config_total_component_instances_set(wasmtime_pooling_allocation_config_t *, uint32_t);
void wasmtime_pooling_allocation_config_total_core_instances_set(wasmtime_pooling_allocation_config_t *, uint32_t);
void wasmtime_pooling_allocation_config_max_core_instances_per_component_set(wasmtime_pooling_allocation_config_t *,
                                                                             uint32_t);
void wasmtime_pooling_allocation_config_total_memories_set(wasmtime_pooling_allocation_config_t *, uint32_t);
void wasmtime_pooling_allocation_config_max_memories_per_component_set(wasmtime_pooling_allocation_config_t *,
                                                                       uint32_t);
void wasmtime_pooling_allocation_config_max_memories_per_module_set(wasmtime_pooling_allocation_config_t *, uint32_t);
void wasmtime_pooling_allocation_config_total_tables_set(wasmtime_pooling_allocation_config_t *, uint32_t);
void wasmtime_pooling_allocation_config_max_tables_per_component_set(wasmtime_pooling_allocation_config_t *, uint32_t);
void wasmtime_pooling_allocation_config_max_tables_per_module_set(wasmtime_pooling_allocation_config_t *, uint32_t);
void wasmtime_pooling_allocation_config_table_elements_set(wasmtime_pooling_allocation_config_t *, size_t);
void wasmtime_pooling_allocation_config_max_memory_size_set(wasmtime_pooling_allocation_config_t *, size_t);
void wasmtime_pooling_allocation_config_total_stacks_set(wasmtime_pooling_allocation_config_t *, uint32_t);
void wasmtime_pooling_allocation_config_total_gc_heaps_set(wasmtime_pooling_allocation_config_t *, uint32_t);
void wasmtime_pooling_allocation_strategy_set(wasm_config_t *, const wasmtime_pooling_allocation_config_t *);
wasm_engine_t *wasm_engine_new_with_config(wasm_config_t *);
wasm_engine_t *wasmtime_engine_clone(WEFT_LTS_CONST wasm_engine_t *);
void wasmtime_engine_increment_epoch(WEFT_LTS_CONST wasm_engine_t *);
void wasm_engine_delete(wasm_engine_t *);

// Errors and traps.

wasmtime_error_t *wasmtime_error_new(const char *);
void wasmtime_error_delete(wasmtime_error_t *);
void wasmtime_error_message(const wasmtime_error_t *, wasm_byte_vec_t *);
bool wasmtime_error_exit_status(const wasmtime_error_t *, int *);
void wasmtime_error_wasm_trace(const wasmtime_error_t *, wasm_frame_vec_t *);
bool wasmtime_trap_code(const wasm_trap_t *, uint8_t *);
uint32_t wasm_frame_func_index(const wasm_frame_t *);
size_t wasm_frame_module_offset(const wasm_frame_t *);
const wasm_byte_vec_t *wasmtime_frame_func_name(const wasm_frame_t *);
const wasm_byte_vec_t *wasmtime_frame_module_name(const wasm_frame_t *);

// Components.

wasmtime_error_t *wasmtime_wat2wasm(const char *, size_t, wasm_byte_vec_t *);
wasmtime_error_t *wasmtime_component_new(const wasm_engine_t *, const uint8_t *, size_t, wasmtime_component_t **);
wasmtime_error_t *wasmtime_component_serialize(const wasmtime_component_t *, wasm_byte_vec_t *);
wasmtime_error_t *wasmtime_component_deserialize_file(const wasm_engine_t *, const char *, wasmtime_component_t **);
wasmtime_component_t *wasmtime_component_clone(const wasmtime_component_t *);
void wasmtime_component_delete(wasmtime_component_t *);
wasmtime_component_export_index_t *wasmtime_component_get_export_index(const wasmtime_component_t *,
                                                                       const wasmtime_component_export_index_t *,
                                                                       const char *, size_t);
void wasmtime_component_export_index_delete(wasmtime_component_export_index_t *);
wasmtime_component_type_t *wasmtime_component_type(const wasmtime_component_t *);
void wasmtime_component_type_delete(wasmtime_component_type_t *);
bool wasmtime_component_type_export_get(const wasmtime_component_type_t *, const wasm_engine_t *, const char *, size_t,
                                        wasmtime_component_item_t *);
bool wasmtime_component_instance_type_export_get(const wasmtime_component_instance_type_t *, const wasm_engine_t *,
                                                 const char *, size_t, wasmtime_component_item_t *);
void wasmtime_component_item_delete(wasmtime_component_item_t *);
size_t wasmtime_component_func_type_param_count(const wasmtime_component_func_type_t *);
bool wasmtime_component_func_type_param_nth(const wasmtime_component_func_type_t *, size_t, const char **, size_t *,
                                            wasmtime_component_valtype_t *);
bool wasmtime_component_func_type_result(const wasmtime_component_func_type_t *, wasmtime_component_valtype_t *);
void wasmtime_component_list_type_element(const wasmtime_component_list_type_t *, wasmtime_component_valtype_t *);
void wasmtime_component_valtype_delete(wasmtime_component_valtype_t *);

// Linking.

typedef wasmtime_error_t *(*weft_host_callback)(void *, wasmtime_context_t *, const wasmtime_component_func_type_t *,
                                                wasmtime_component_val_t *, size_t, wasmtime_component_val_t *, size_t);

wasmtime_component_linker_t *wasmtime_component_linker_new(const wasm_engine_t *);
void wasmtime_component_linker_delete(wasmtime_component_linker_t *);
wasmtime_component_linker_instance_t *wasmtime_component_linker_root(wasmtime_component_linker_t *);
wasmtime_error_t *wasmtime_component_linker_instance_add_instance(wasmtime_component_linker_instance_t *, const char *,
                                                                  size_t, wasmtime_component_linker_instance_t **);
wasmtime_error_t *wasmtime_component_linker_instance_add_func(wasmtime_component_linker_instance_t *, const char *,
                                                              size_t, weft_host_callback, void *, void (*)(void *));
wasmtime_error_t *wasmtime_component_linker_instance_add_resource(
    wasmtime_component_linker_instance_t *, const char *, size_t, const wasmtime_component_resource_type_t *,
    wasmtime_error_t *(*)(void *, wasmtime_context_t *, uint32_t), void *, void (*)(void *));
void wasmtime_component_linker_instance_delete(wasmtime_component_linker_instance_t *);
wasmtime_error_t *wasmtime_component_linker_add_wasip2(wasmtime_component_linker_t *);
wasmtime_error_t *wasmtime_component_linker_instantiate(const wasmtime_component_linker_t *, wasmtime_context_t *,
                                                        const wasmtime_component_t *, wasmtime_component_instance_t *);

// Stores and calls.

wasmtime_store_t *wasmtime_store_new(wasm_engine_t *, void *, void (*)(void *));
wasmtime_context_t *wasmtime_store_context(wasmtime_store_t *);
void wasmtime_store_limiter(wasmtime_store_t *, int64_t, int64_t, int64_t, int64_t, int64_t);
void wasmtime_store_epoch_deadline_callback(wasmtime_store_t *,
                                            wasmtime_error_t *(*)(wasmtime_context_t *, void *, uint64_t *, uint8_t *),
                                            void *, void (*)(void *));
void wasmtime_store_delete(wasmtime_store_t *);
void *wasmtime_context_get_data(const wasmtime_context_t *);
void wasmtime_context_set_epoch_deadline(wasmtime_context_t *, uint64_t);
wasmtime_error_t *wasmtime_context_set_wasi(wasmtime_context_t *, wasi_config_t *);
wasi_config_t *wasi_config_new(void);
bool wasi_config_set_env(wasi_config_t *, size_t, const char *[], const char *[]);
void wasi_config_set_stdout_custom(wasi_config_t *, ptrdiff_t (*)(void *, const unsigned char *, size_t), void *,
                                   void (*)(void *));
void wasi_config_set_stderr_custom(wasi_config_t *, ptrdiff_t (*)(void *, const unsigned char *, size_t), void *,
                                   void (*)(void *));
bool wasmtime_component_instance_get_func(const wasmtime_component_instance_t *, wasmtime_context_t *,
                                          const wasmtime_component_export_index_t *, wasmtime_component_func_t *);
wasmtime_error_t *wasmtime_component_func_call(const wasmtime_component_func_t *, wasmtime_context_t *,
                                               const wasmtime_component_val_t *, size_t, wasmtime_component_val_t *,
                                               size_t);
void wasmtime_component_val_clone(const wasmtime_component_val_t *, wasmtime_component_val_t *);
void wasmtime_component_val_delete(wasmtime_component_val_t *);

// Resources.

wasmtime_component_resource_type_t *wasmtime_component_resource_type_new_host(uint32_t);
void wasmtime_component_resource_type_delete(wasmtime_component_resource_type_t *);
wasmtime_component_resource_host_t *wasmtime_component_resource_host_new(bool, uint32_t, uint32_t);
uint32_t wasmtime_component_resource_host_rep(const wasmtime_component_resource_host_t *);
bool wasmtime_component_resource_host_owned(const wasmtime_component_resource_host_t *);
void wasmtime_component_resource_host_delete(wasmtime_component_resource_host_t *);
wasmtime_error_t *wasmtime_component_resource_any_to_host(wasmtime_context_t *, const wasmtime_component_resource_any_t *,
                                                          wasmtime_component_resource_host_t **);
wasmtime_error_t *wasmtime_component_resource_host_to_any(wasmtime_context_t *, const wasmtime_component_resource_host_t *,
                                                          wasmtime_component_resource_any_t **);
void wasmtime_component_resource_any_delete(wasmtime_component_resource_any_t *);

#endif
