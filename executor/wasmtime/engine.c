#include "weft.h"

#include <pthread.h>
#include <sys/mman.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

wasm_engine_t *weft_engine_new(const weft_engine_config *c) {
  wasm_config_t *config = wasm_config_new();
  wasmtime_config_strategy_set(config, 1); // Cranelift
  wasmtime_config_epoch_interruption_set(config, c->epochs);
  wasmtime_config_max_wasm_stack_set(config, c->stack);
  wasmtime_config_wasm_component_model_set(config, true);
  wasmtime_config_concurrency_support_set(config, false);
  wasmtime_config_wasm_threads_set(config, false);
  wasmtime_config_shared_memory_set(config, false);
  wasmtime_config_wasm_memory64_set(config, false);
  wasmtime_config_memory_init_cow_set(config, true);
  wasmtime_config_memory_reservation_set(config, c->memory_reservation);
  wasmtime_config_memory_guard_size_set(config, c->memory_guard);
  // Backtraces follow frame pointers, so nothing needs unwind tables.
  wasmtime_config_native_unwind_info_set(config, false);
  weft_config_tune(config);
  if (c->pooling) {
    wasmtime_pooling_allocation_config_t *pool = wasmtime_pooling_allocation_config_new();
    wasmtime_pooling_allocation_config_total_component_instances_set(pool, c->instances);
    wasmtime_pooling_allocation_config_total_core_instances_set(pool, c->core_instances);
    wasmtime_pooling_allocation_config_total_memories_set(pool, c->memories);
    wasmtime_pooling_allocation_config_total_tables_set(pool, c->tables);
    wasmtime_pooling_allocation_config_max_core_instances_per_component_set(pool, c->component_core_instances);
    wasmtime_pooling_allocation_config_max_memories_per_component_set(pool, c->component_memories);
    wasmtime_pooling_allocation_config_max_tables_per_component_set(pool, c->component_tables);
    wasmtime_pooling_allocation_config_max_memories_per_module_set(pool, c->component_memories);
    wasmtime_pooling_allocation_config_max_tables_per_module_set(pool, c->module_tables);
    wasmtime_pooling_allocation_config_table_elements_set(pool, c->table_elements);
    wasmtime_pooling_allocation_config_max_memory_size_set(pool, c->memory_size);
    wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(pool, c->memory_resident);
    wasmtime_pooling_allocation_config_table_keep_resident_set(pool, c->table_resident);
    wasmtime_pooling_allocation_config_max_unused_warm_slots_set(pool, c->warm_slots);
    wasmtime_pooling_allocation_config_total_stacks_set(pool, 0); // for asynchronous calls only
    weft_pool_tune(pool);
    wasmtime_pooling_allocation_strategy_set(config, pool);
    wasmtime_pooling_allocation_config_delete(pool);
  }
  return wasm_engine_new_with_config(config);
}

bool weft_can_reserve(size_t size) {
  void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return false;
  munmap(p, size);
  return true;
}

size_t weft_thread_stack(void) {
#ifdef __APPLE__
  return pthread_get_stacksize_np(pthread_self()); // as Go makes its threads there
#endif
  pthread_attr_t attr;
  size_t size = 0;
  if (pthread_attr_init(&attr) != 0) return 0;
  pthread_attr_getstacksize(&attr, &size);
  pthread_attr_destroy(&attr);
  return size;
}

void weft_trim(void) {
  weft_collect();
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
