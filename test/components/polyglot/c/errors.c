// Functions that fail, with an error of each type: true means that there is a value.

#include <stdlib.h>

#include "polyglot.h"

#define ERRORS(name) exports_test_conformance_errors_##name

enum { VALUE = 7, ERROR = 42 };

bool ERRORS(as_string)(bool fail, uint32_t *ret, polyglot_string_t *err) {
  *ret = VALUE;
  if (fail) polyglot_string_dup(err, "a string");
  return !fail;
}

bool ERRORS(as_enum)(ERRORS(code_t) *maybe_code, uint32_t *ret, ERRORS(code_t) *err) {
  *ret = VALUE;
  if (maybe_code != NULL) *err = *maybe_code;
  return maybe_code == NULL;
}

bool ERRORS(as_record)(bool fail, uint32_t *ret, ERRORS(problem_t) *err) {
  *ret = VALUE;
  if (fail) {
    err->code = ERROR;
    polyglot_string_dup(&err->text, "a record");
  }
  return !fail;
}

bool ERRORS(as_variant)(ERRORS(refusal_t) *maybe_refusal, uint32_t *ret, ERRORS(refusal_t) *err) {
  *ret = VALUE;
  if (maybe_refusal != NULL) *err = *maybe_refusal;
  return maybe_refusal == NULL;
}

bool ERRORS(as_list)(bool fail, uint32_t *ret, polyglot_list_string_t *err) {
  *ret = VALUE;
  if (fail) {
    err->len = 2;
    err->ptr = calloc(err->len, sizeof *err->ptr);
    polyglot_string_dup(&err->ptr[0], "one");
    polyglot_string_dup(&err->ptr[1], "two");
  }
  return !fail;
}

bool ERRORS(as_tuple)(bool fail, uint32_t *ret, polyglot_tuple2_u32_string_t *err) {
  *ret = VALUE;
  if (fail) {
    err->f0 = ERROR;
    polyglot_string_dup(&err->f1, "a tuple");
  }
  return !fail;
}

bool ERRORS(as_option)(bool fail, uint32_t *ret, polyglot_option_string_t *err) {
  *ret = VALUE;
  if (fail) {
    err->is_some = true;
    polyglot_string_dup(&err->val, "an option");
  }
  return !fail;
}

bool ERRORS(as_number)(bool fail, uint32_t *ret, uint32_t *err) {
  *ret = VALUE;
  *err = ERROR;
  return !fail;
}

bool ERRORS(as_nothing)(bool fail, uint32_t *ret) {
  *ret = VALUE;
  return !fail;
}

bool ERRORS(no_value)(bool fail, polyglot_string_t *err) {
  if (fail) polyglot_string_dup(err, "no value");
  return !fail;
}

bool ERRORS(neither)(bool fail) { return !fail; }
