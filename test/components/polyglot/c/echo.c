// Interfaces whose functions return their argument.
//
// A value that fits a register is passed as it is, others by address; an option is an address or NULL. What is returned
// takes over the memory that the argument has.

#include "polyglot.h"

#define DIRECT(interface, name, type) \
  type exports_test_conformance_##interface##_echo_##name(type v) { return v; }

#define BY_ADDRESS(interface, name, type) \
  void exports_test_conformance_##interface##_echo_##name(type *v, type *ret) { *ret = *v; }

#define OPTION(interface, name, type) \
  bool exports_test_conformance_##interface##_echo_##name(type *maybe_v, type *ret) { \
    if (maybe_v == NULL) return false; \
    *ret = *maybe_v; \
    return true; \
  }

DIRECT(scalars, bool, bool)
DIRECT(scalars, u8, uint8_t)
DIRECT(scalars, s8, int8_t)
DIRECT(scalars, u16, uint16_t)
DIRECT(scalars, s16, int16_t)
DIRECT(scalars, u32, uint32_t)
DIRECT(scalars, s32, int32_t)
DIRECT(scalars, u64, uint64_t)
DIRECT(scalars, s64, int64_t)
DIRECT(scalars, f32, float)
DIRECT(scalars, f64, double)
DIRECT(scalars, char, uint32_t)
BY_ADDRESS(scalars, string, polyglot_string_t)
BY_ADDRESS(scalars, bytes, polyglot_list_u8_t)

DIRECT(shapes, level, exports_test_conformance_shapes_level_t)
DIRECT(shapes, unit, exports_test_conformance_shapes_unit_t)
DIRECT(shapes, permissions, exports_test_conformance_shapes_permissions_t)
DIRECT(shapes, several, exports_test_conformance_shapes_several_t)
DIRECT(shapes, few, exports_test_conformance_shapes_few_t)
BY_ADDRESS(shapes, point, exports_test_conformance_shapes_point_t)
BY_ADDRESS(shapes, leaf, exports_test_conformance_shapes_leaf_t)
BY_ADDRESS(shapes, tree, exports_test_conformance_shapes_tree_t)
BY_ADDRESS(shapes, everything, exports_test_conformance_shapes_everything_t)
BY_ADDRESS(shapes, empties, exports_test_conformance_shapes_empties_t)
BY_ADDRESS(shapes, shape, exports_test_conformance_shapes_shape_t)
BY_ADDRESS(shapes, shapes, exports_test_conformance_shapes_list_shape_t)
BY_ADDRESS(shapes, alias, exports_test_conformance_shapes_alias_t)
BY_ADDRESS(shapes, pair, polyglot_tuple2_u8_string_t)
BY_ADDRESS(shapes, deep_pair, polyglot_tuple2_tuple2_u8_u8_tuple2_string_tuple1_bool_t)
BY_ADDRESS(shapes, list_bool, polyglot_list_bool_t)
BY_ADDRESS(shapes, list_s8, polyglot_list_s8_t)
BY_ADDRESS(shapes, list_s16, polyglot_list_s16_t)
BY_ADDRESS(shapes, list_u16, polyglot_list_u16_t)
BY_ADDRESS(shapes, list_s32, polyglot_list_s32_t)
BY_ADDRESS(shapes, list_u32, polyglot_list_u32_t)
BY_ADDRESS(shapes, list_u64, polyglot_list_u64_t)
BY_ADDRESS(shapes, list_s64, polyglot_list_s64_t)
BY_ADDRESS(shapes, list_f32, polyglot_list_f32_t)
BY_ADDRESS(shapes, list_f64, polyglot_list_f64_t)
BY_ADDRESS(shapes, list_char, polyglot_list_char32_t)
BY_ADDRESS(shapes, list_string, polyglot_list_string_t)
BY_ADDRESS(shapes, list_bytes, polyglot_list_list_u8_t)
BY_ADDRESS(shapes, list_level, exports_test_conformance_shapes_list_level_t)
BY_ADDRESS(shapes, list_list, polyglot_list_list_u32_t)
BY_ADDRESS(shapes, list_list_list, polyglot_list_list_list_string_t)
BY_ADDRESS(shapes, list_option, polyglot_list_option_string_t)
BY_ADDRESS(shapes, list_result, exports_test_conformance_shapes_list_result_u32_string_t)
BY_ADDRESS(shapes, list_tuple, polyglot_list_tuple2_string_u32_t)
BY_ADDRESS(shapes, list_few, exports_test_conformance_shapes_list_few_t)
BY_ADDRESS(shapes, result_result, exports_test_conformance_shapes_list_result_result_u8_level_option_string_t)
OPTION(shapes, option, uint32_t)
OPTION(shapes, option_string, polyglot_string_t)
OPTION(shapes, option_leaf, exports_test_conformance_shapes_leaf_t)
OPTION(shapes, option_option, polyglot_option_u32_t)
OPTION(shapes, option_option_option, polyglot_option_option_string_t)
OPTION(shapes, option_list, polyglot_list_u32_t)
OPTION(shapes, option_bytes, polyglot_list_u8_t)

void exports_test_conformance_shapes_echo_results(
    exports_test_conformance_shapes_result_u32_string_t *a,
    exports_test_conformance_shapes_result_u32_void_t *b,
    exports_test_conformance_shapes_result_void_string_t *c,
    exports_test_conformance_shapes_result_void_void_t *d,
    exports_test_conformance_shapes_tuple4_result_u32_string_result_u32_void_result_void_string_result_void_void_t *ret) {
  ret->f0 = *a;
  ret->f1 = *b;
  ret->f2 = *c;
  ret->f3 = *d;
}
