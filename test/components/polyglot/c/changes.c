// Functions that look into their arguments.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polyglot.h"

#define CHANGES(name) exports_test_conformance_changes_##name

bool CHANGES(not)(bool v) { return !v; }

uint64_t CHANGES(add)(uint64_t a, uint64_t b) { return a + b; }

int64_t CHANGES(negate)(int64_t v) { return (int64_t)(0 - (uint64_t)v); }

double CHANGES(halve)(double v) { return v / 2; }

uint32_t CHANGES(next)(uint32_t v) { return v + 1; }

void CHANGES(join)(polyglot_list_string_t *v, polyglot_string_t *by, polyglot_string_t *ret) {
  size_t length = v->len > 0 ? by->len * (v->len - 1) : 0;
  for (size_t i = 0; i < v->len; i++) length += v->ptr[i].len;
  uint8_t *to = malloc(length > 0 ? length : 1);
  ret->ptr = to;
  ret->len = length;
  for (size_t i = 0; i < v->len; i++) {
    if (i > 0) to = (uint8_t *)memcpy(to, by->ptr, by->len) + by->len;
    to = (uint8_t *)memcpy(to, v->ptr[i].ptr, v->ptr[i].len) + v->ptr[i].len;
  }
  polyglot_list_string_free(v);
  polyglot_string_free(by);
}

void CHANGES(reverse)(polyglot_list_u8_t *v, polyglot_list_u8_t *ret) {
  for (size_t i = 0; i < v->len / 2; i++) {
    uint8_t byte = v->ptr[i];
    v->ptr[i] = v->ptr[v->len - 1 - i];
    v->ptr[v->len - 1 - i] = byte;
  }
  *ret = *v;
}

void CHANGES(swap)(polyglot_tuple2_u8_string_t *v, polyglot_tuple2_string_u8_t *ret) {
  ret->f0 = v->f1;
  ret->f1 = v->f0;
}

bool CHANGES(raise)(CHANGES(level_t) v, CHANGES(level_t) *ret) {
  *ret = v + 1;
  return v < EXPORTS_TEST_CONFORMANCE_SHAPES_LEVEL_HIGH;
}

CHANGES(permissions_t) CHANGES(complement)(CHANGES(permissions_t) v) { return ~v; }

CHANGES(few_t) CHANGES(both)(CHANGES(few_t) a, CHANGES(few_t) b) { return a | b; }

void CHANGES(flip)(exports_test_conformance_shapes_list_result_u32_string_t *v, CHANGES(list_result_string_u32_t) *ret) {
  ret->len = v->len;
  ret->ptr = calloc(v->len > 0 ? v->len : 1, sizeof *ret->ptr);
  for (size_t i = 0; i < v->len; i++) {
    ret->ptr[i].is_err = !v->ptr[i].is_err;
    if (v->ptr[i].is_err)
      ret->ptr[i].val.ok = v->ptr[i].val.err;
    else
      ret->ptr[i].val.err = v->ptr[i].val.ok;
  }
  free(v->ptr); // the strings are in the result
}

uint8_t CHANGES(depth)(polyglot_option_option_string_t *maybe_v) {
  uint8_t depth = 0;
  if (maybe_v == NULL) return depth;
  depth++;
  if (maybe_v->is_some) depth++;
  if (maybe_v->is_some && maybe_v->val.is_some) depth++;
  polyglot_option_option_string_free(maybe_v);
  return depth;
}

void CHANGES(name)(CHANGES(shape_t) *v, polyglot_string_t *ret) {
  static const char *const names[] = {
    "nothing", "circle", "rect", "named", "many", "maybe", "tried", "level", "data", "letter",
  };
  char text[32];
  if (v->tag == EXPORTS_TEST_CONFORMANCE_SHAPES_SHAPE_MANY)
    snprintf(text, sizeof text, "many:%zu", v->val.many.len);
  else if (v->tag == EXPORTS_TEST_CONFORMANCE_SHAPES_SHAPE_DATA)
    snprintf(text, sizeof text, "data:%zu", v->val.data.len);
  else
    snprintf(text, sizeof text, "%s", names[v->tag]);
  polyglot_string_dup(ret, text);
  CHANGES(shape_free)(v);
}

double CHANGES(weigh)(CHANGES(tree_t) *v) {
  double sum = 0;
  for (size_t i = 0; i < v->branches.len; i++) {
    const exports_test_conformance_shapes_list_leaf_t *leaves = &v->branches.ptr[i].leaves;
    for (size_t j = 0; j < leaves->len; j++) sum += leaves->ptr[j].weight;
  }
  CHANGES(tree_free)(v);
  return sum;
}

void CHANGES(increment)(CHANGES(everything_t) *v, CHANGES(everything_t) *ret) {
  *ret = *v;
  ret->b = v->b + 1;
  ret->c = (int8_t)(uint8_t)(v->c + 1);
  ret->d = v->d + 1;
  ret->e = (int16_t)(uint16_t)(v->e + 1);
  ret->f = v->f + 1;
  ret->g = (int32_t)((uint32_t)v->g + 1);
  ret->h = v->h + 1;
  ret->i = (int64_t)((uint64_t)v->i + 1);
  ret->j = v->j + 1;
  ret->k = v->k + 1;
}
