// What Go calls: sequences of wasmtime calls that would otherwise cross from Go to C many times per call of a guest.
#ifndef WEFT_H
#define WEFT_H

#include "api.h"

// weft_engine_config is a validated Config.
typedef struct weft_engine_config {
  bool pooling, epochs;
  uint32_t instances, core_instances, memories, tables; // in all
  uint32_t component_core_instances, component_memories, component_tables;
  uint32_t module_tables;
  uint32_t warm_slots;
  size_t memory_size, memory_reservation, memory_guard;
  size_t memory_resident, table_elements, table_resident;
  size_t stack;
} weft_engine_config;

// weft_engine_new makes an engine. The configuration must be one that wasmtime accepts: it aborts otherwise.
wasm_engine_t *weft_engine_new(const weft_engine_config *);

// weft_can_reserve says whether that much address space can be reserved at once.
bool weft_can_reserve(size_t);

// weft_thread_stack returns the stack size of new threads.
size_t weft_thread_stack(void);

// weft_trim gives free memory back to the system.
void weft_trim(void);

// weft_linker_define adds a function to an instance. The data is a handle that weft_go_drop gets back.
wasmtime_error_t *weft_linker_define(wasmtime_component_linker_instance_t *, const char *name, size_t, uintptr_t data);

// weft_linker_define_resource adds a resource type to an instance. The number tells types apart.
wasmtime_error_t *weft_linker_define_resource(wasmtime_component_linker_instance_t *, const char *name, size_t,
                                              uint32_t type);

// weft_resource_new makes a handle of a resource, for weft_val.of[0]; it is to be deleted with
// wasmtime_component_resource_any_delete. The rep is what comes back in weft_go_host and weft_go_drop_resource.
wasmtime_error_t *weft_resource_new(wasmtime_context_t *, uint32_t type, uint32_t rep,
                                    wasmtime_component_resource_any_t **);

// weft_export is an exported function: whether it returns a value, and whether its values can go straight, into the guest's
// memory and from it without the engine's own form of them between. weft_func_find looks one up; without it, index is NULL.
typedef struct weft_export {
  const wasmtime_component_export_index_t *index;
  bool has_result, straight;
} weft_export;
weft_export weft_func_find(const wasmtime_component_t *, const wasm_engine_t *, const char *iface, size_t,
                          const char *name, size_t);

// weft_arguments are the arguments of a function of bytes.
enum { WEFT_MOST_ARGUMENTS = 4 };
typedef struct weft_arguments {
  size_t count;
  weft_bytes of[WEFT_MOST_ARGUMENTS];
} weft_arguments;

// weft_answer is what it returned, and whether that is the err of a result.
typedef struct weft_answer {
  weft_bytes bytes;
  bool failed;
} weft_answer;

// What differs by engine: stock.c or lts.c defines it.

// weft_config_tune and weft_pool_tune set what the engine's C API has no setter for.
void weft_config_tune(wasm_config_t *);
void weft_pool_tune(wasmtime_pooling_allocation_config_t *);

// weft_collect gives memory back to the system that an allocator of the engine's own keeps.
void weft_collect(void);

// weft_pre is a component and what its imports are linked with, resolved once where the engine can do that. The linker
// must live longer.
typedef struct weft_pre weft_pre;
wasmtime_error_t *weft_pre_new(const wasmtime_component_linker_t *, const wasmtime_component_t *, weft_pre **);
wasmtime_error_t *weft_pre_instantiate(const weft_pre *, wasmtime_store_t *, weft_component_instance *);
void weft_pre_delete(weft_pre *);

// weft_initial_new remembers what an instance is like before its first call; NULL if it can't be put back to that, or the engine has
// no such thing.
typedef struct weft_initial weft_initial;
weft_initial *weft_initial_new(wasmtime_store_t *, const weft_component_instance *);
// weft_restore puts an instance back to what it was like. If it is false, the store can only be deleted.
bool weft_restore(wasmtime_store_t *, const weft_component_instance *, const weft_initial *);
void weft_initial_delete(weft_initial *);

// weft_limit bounds each memory, in bytes, and each table of a store.
void weft_limit(wasmtime_store_t *, uint64_t memory, uint64_t table_elements);

// weft_memory_refused says whether the error is that weft_limit refused memory, as far as the engine tells.
bool weft_memory_refused(const wasmtime_error_t *);

// weft_takes_straight says whether the values of an exported function can go straight.
bool weft_takes_straight(const wasmtime_component_t *, const char *iface, size_t, const char *name, size_t);

// weft_func_call_straight does what weft_call does where they do. weft_straight_delete deletes the value.
wasmtime_error_t *weft_func_call_straight(const weft_component_func *, wasmtime_store_t *, const weft_val *args,
                                          size_t nargs, bool has_result, weft_val **);
void weft_straight_delete(weft_val *);

// weft_result is where the value of a call is; straight says how it is to be deleted. lts/src/values.rs declares it, too.
typedef struct weft_result {
  weft_val value;
  bool straight;
} weft_result;

// weft_func_call_bytes does what weft_call_bytes does.
wasmtime_error_t *weft_func_call_bytes(const weft_component_func *, wasmtime_store_t *, const weft_arguments *,
                                       uint8_t returns, weft_answer *);

// weft_linker_define_bytes adds a function of bytes to an instance, with so many parameters; returns is a number of Go's
// Returns. Its data is as that of weft_linker_define.
wasmtime_error_t *weft_linker_define_bytes(wasmtime_component_linker_instance_t *, const char *name, size_t,
                                           size_t params, uint8_t returns, uintptr_t data);

// The same for all engines.

// weft_interrupt is what other threads ask of a guest. Each word has the generation of the guest in its upper half.
typedef struct weft_interrupt {
  uint64_t cause;  // not 0: it is to stop
  uint64_t turn;   // of the flags below
  uint64_t thread; // on which it runs, if that is measured; else 0
  uint64_t began;  // what that thread had used of a processor when it began to run, in nanoseconds; without a generation
  uint64_t used;   // what the guest has used in all, but for the current run; as above
  uint64_t napped; // for how long it has napped; as above
} weft_interrupt;

enum {
  WEFT_PAUSE = 1,   // it is to wait until this is taken back
  WEFT_RESTS = 2,   // it does
  WEFT_LOWER = 4,   // its thread is to have a low priority
  WEFT_MEASURE = 8, // what it uses of a processor is to be measured
  WEFT_STOP = 16,   // it is to stop, and does not nap before it does
  WEFT_NAP = 8,     // the bits from here on say for how many microseconds it naps after each spell, where it has a low priority
};

// weft_wake wakes a guest that rests or naps.
void weft_wake(weft_interrupt *);

// weft_lowers says whether threads can be given a low priority for a while, which takes the right to undo it.
bool weft_lowers(void);

// weft_raise gives the thread its priority back: it is to be called before Go's code runs, which others may wait for.
void weft_raise(void);

// weft_instance is a store with one instance in it.
typedef struct weft_instance {
  wasmtime_store_t *store;
  wasmtime_context_t *context;
  weft_component_instance instance;
  weft_interrupt *interrupt; // or NULL
  uint32_t generation;
  const struct weft_instance *outer; // waits for this one, and is stopped by its own interrupt only; or NULL
  bool interrupted;                  // the epoch callback stopped the guest
  bool asked;                        // the guest has called the host
  weft_initial *initial;             // or NULL
  uintptr_t handle; // a Go handle (handle.go), for callbacks; or 0
  struct weft_apart *apart; // its last call apart, or NULL
} weft_instance;

typedef struct weft_instance_config {
  wasm_engine_t *engine;
  const weft_pre *pre;
  uint64_t memory, table_elements;
  bool wasi, out, err;
  bool restorable; // it is to be remembered what it is like, if that is the same each time
  size_t envc;
  const char **names, **values;
  weft_interrupt *interrupt;
  uint32_t generation;
  const weft_instance *outer;
  uintptr_t handle;
} weft_instance_config;

// weft_instance_new returns an instance in any case, to be deleted; it is good if error is NULL.
typedef struct weft_new {
  weft_instance *instance;
  wasmtime_error_t *error;
} weft_new;
weft_new weft_instance_new(const weft_instance_config *);
// weft_instance_delete deletes a value, too, unless that is NULL.
void weft_instance_delete(weft_instance *, weft_val *);
// weft_instance_restore deletes a value, too, and puts the instance back to what it was like when it was new. If it is false, that can't
// be done, and the instance is to be deleted.
bool weft_instance_restore(weft_instance *, weft_val *);

// weft_call calls an export. On success, value is the result, to be deleted with weft_value_delete, or NULL if there
// is none.
typedef struct weft_called {
  weft_val *value;
  wasmtime_error_t *error;
} weft_called;
weft_called weft_call(weft_instance *, weft_export, const weft_val *args, size_t nargs);
void weft_value_delete(weft_val *);

// weft_cancelled says whether a guest, or one that waits for it, is to stop.
bool weft_cancelled(const weft_instance *);

// weft_begin_turn does what the flags of the interrupts of a guest ask, and of those that wait for it, before it runs.
void weft_begin_turn(const weft_instance *);

// weft_take_turn does so while it runs, at each tick of the engine. With a low priority it gives way to other threads then, or naps if it has
// run for a spell of WEFT_SPELL microseconds.
void weft_take_turn(const weft_instance *);
enum { WEFT_SPELL = 1000 };

// weft_metronome ticks every WEFT_BEAT microseconds while it is to.
typedef struct weft_metronome weft_metronome;
enum { WEFT_BEAT = 250 };
weft_metronome *weft_metronome_new(const wasm_engine_t *);
void weft_metronome_set(weft_metronome *, bool beats);
void weft_metronome_delete(weft_metronome *);

// weft_measure has it measured from now on what the guest uses, which runs on this thread, if its interrupt asks for that.
// weft_measured ends that: it runs no more.
void weft_measure(const weft_instance *);
void weft_measured(const weft_instance *);

// weft_call_apart does what weft_call does, on a thread that Go does not know. It returns at once; when the call has ended it is among those of
// weft_take_ended. weft_called_apart is the result.
bool weft_call_apart(weft_instance *, weft_export, const weft_val *args, size_t nargs);
weft_called weft_called_apart(const weft_instance *);

// weft_take_ended gives the calls apart that have ended, each one once, after weft_ends, an eventfd, has counted them. weft_ended gives the
// handle of the instance of one, and the next: from then on the call may be gone.
typedef struct weft_apart weft_apart;
extern int weft_ends;
weft_apart *weft_take_ended(void);
uintptr_t weft_ended(const weft_apart *, weft_apart **next);

// weft_call_bytes calls an export whose parameters and results are list<u8> or string; returns is a number of Go's
// Returns. On success, the bytes of the answer are to be deleted with wasm_byte_vec_delete.
wasmtime_error_t *weft_call_bytes(weft_instance *, const wasmtime_component_export_index_t *, weft_arguments,
                                  uint8_t returns, weft_answer *);

// The same apart. The arguments are read until the call has ended.
bool weft_call_bytes_apart(weft_instance *, const wasmtime_component_export_index_t *, weft_arguments, uint8_t returns);
wasmtime_error_t *weft_called_bytes_apart(const weft_instance *, weft_answer *);

// weft_trap_code returns the code of the trap that caused an error, WEFT_TRAP_MEMORY or -1 if none did.
enum { WEFT_TRAP_MEMORY = 252 };
int weft_trap_code(const wasmtime_error_t *);

// What C calls in Go.
// An argument that is a resource has its rep in of[1], and in of[2] whether it is owned.
extern wasmtime_error_t *weft_go_host(uintptr_t data, uintptr_t handle, wasmtime_context_t *context, weft_val *args,
                                      size_t nargs, weft_val *results, size_t nresults);
// The arguments of a function of bytes lie in the guest's memory; what it returns is made with wasm_byte_vec_new.
extern wasmtime_error_t *weft_go_bytes(uintptr_t data, uintptr_t handle, weft_arguments *, weft_answer *);
extern wasmtime_error_t *weft_go_drop_resource(uintptr_t handle, uint32_t rep);
extern void weft_go_drop(uintptr_t data);
extern ptrdiff_t weft_go_write(uintptr_t handle, int stream, unsigned char *data, size_t size);

#endif
