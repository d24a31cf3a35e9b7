#include "weft.h"

// take_resource turns a handle that a guest passes into the rep that the host gave it. The engine then regards a borrowed
// one as given back. The words that it writes to are not used by values of this kind.
static wasmtime_error_t *take_resource(wasmtime_context_t *context, weft_val *arg) {
  wasmtime_component_resource_host_t *host = NULL;
  wasmtime_error_t *error =
      wasmtime_component_resource_any_to_host(context, (wasmtime_component_resource_any_t *)arg->of[0], &host);
  if (error != NULL) return error;
  arg->of[1] = wasmtime_component_resource_host_rep(host);
  arg->of[2] = wasmtime_component_resource_host_owned(host);
  wasmtime_component_resource_host_delete(host);
  return NULL;
}

// take_resources does so for an argument that is a resource or a list of them.
static wasmtime_error_t *take_resources(wasmtime_context_t *context, weft_val *arg) {
  if (arg->kind == WEFT_RESOURCE) return take_resource(context, arg);
  if (arg->kind != WEFT_LIST || arg->of[0] == 0) return NULL;
  weft_val *elements = (weft_val *)arg->of[1];
  if (elements[0].kind != WEFT_RESOURCE) return NULL;
  for (size_t i = 0; i < arg->of[0]; i++) {
    wasmtime_error_t *error = take_resource(context, &elements[i]);
    if (error != NULL) return error;
  }
  return NULL;
}

static wasmtime_error_t *on_host(void *data, wasmtime_context_t *context, const wasmtime_component_func_type_t *type,
                                 wasmtime_component_val_t *args, size_t nargs, wasmtime_component_val_t *results,
                                 size_t nresults) {
  weft_instance *in = wasmtime_context_get_data(context);
  in->asked = true;
  // An empty slice of Rust points to its alignment. Go's stack must hold no such pointer.
  if (nargs == 0) args = NULL;
  if (nresults == 0) results = NULL;
  weft_val *vals = (weft_val *)args;
  for (size_t i = 0; i < nargs; i++) {
    wasmtime_error_t *error = take_resources(context, &vals[i]);
    if (error != NULL) return error;
  }
  weft_raise();
  return weft_go_host((uintptr_t)data, in->handle, context, vals, nargs, (weft_val *)results, nresults);
}

static void on_drop(void *data) { weft_go_drop((uintptr_t)data); }

wasmtime_error_t *weft_linker_define(wasmtime_component_linker_instance_t *instance, const char *name, size_t size,
                                     uintptr_t data) {
  return wasmtime_component_linker_instance_add_func(instance, name, size, on_host, (void *)data, on_drop);
}

static wasmtime_error_t *on_drop_resource(void *data, wasmtime_context_t *context, uint32_t rep) {
  weft_instance *in = wasmtime_context_get_data(context);
  in->asked = true;
  weft_raise();
  return weft_go_drop_resource(in->handle, rep);
}

wasmtime_error_t *weft_linker_define_resource(wasmtime_component_linker_instance_t *instance, const char *name,
                                              size_t size, uint32_t type) {
  wasmtime_component_resource_type_t *resource = wasmtime_component_resource_type_new_host(type);
  wasmtime_error_t *error =
      wasmtime_component_linker_instance_add_resource(instance, name, size, resource, on_drop_resource, NULL, NULL);
  wasmtime_component_resource_type_delete(resource);
  return error;
}

wasmtime_error_t *weft_resource_new(wasmtime_context_t *context, uint32_t type, uint32_t rep,
                                    wasmtime_component_resource_any_t **any) {
  wasmtime_component_resource_host_t *host = wasmtime_component_resource_host_new(true, rep, type);
  wasmtime_error_t *error = wasmtime_component_resource_host_to_any(context, host, any);
  wasmtime_component_resource_host_delete(host);
  return error;
}

// find_type finds the type of an export of the component, or of one of its instances.
static bool find_type(const wasmtime_component_type_t *type, const wasm_engine_t *engine, const char *iface,
                      size_t iface_size, const char *name, size_t size, weft_item *item) {
  if (iface_size == 0) {
    return wasmtime_component_type_export_get(type, engine, name, size, (wasmtime_component_item_t *)item);
  }
  weft_item outer;
  if (!wasmtime_component_type_export_get(type, engine, iface, iface_size, (wasmtime_component_item_t *)&outer)) {
    return false;
  }
  bool found = outer.kind == WEFT_ITEM_INSTANCE &&
               wasmtime_component_instance_type_export_get(outer.of.pointer, engine, name, size,
                                                           (wasmtime_component_item_t *)item);
  wasmtime_component_item_delete((wasmtime_component_item_t *)&outer);
  return found;
}

weft_export weft_func_find(const wasmtime_component_t *component, const wasm_engine_t *engine, const char *iface,
                           size_t iface_size, const char *name, size_t size) {
  weft_export out = {NULL, false, false};
  bool is_func = false;
  wasmtime_component_type_t *type = wasmtime_component_type(component);
  weft_item item;
  if (find_type(type, engine, iface, iface_size, name, size, &item)) {
    if (item.kind == WEFT_ITEM_FUNC) {
      weft_valtype result;
      is_func = true;
      out.has_result = wasmtime_component_func_type_result(item.of.pointer, (wasmtime_component_valtype_t *)&result);
      if (out.has_result) wasmtime_component_valtype_delete((wasmtime_component_valtype_t *)&result);
    }
    wasmtime_component_item_delete((wasmtime_component_item_t *)&item);
  }
  wasmtime_component_type_delete(type);
  if (!is_func) return out;
  out.straight = weft_takes_straight(component, iface, iface_size, name, size);

  wasmtime_component_export_index_t *outer = NULL;
  if (iface_size > 0) outer = wasmtime_component_get_export_index(component, NULL, iface, iface_size);
  out.index = wasmtime_component_get_export_index(component, outer, name, size);
  if (outer != NULL) wasmtime_component_export_index_delete(outer);
  return out;
}
