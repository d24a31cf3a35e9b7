// The component: what demo:barcode/barcode exports, on top of the code in code128.c. It frees its arguments.

#include <stdlib.h>
#include <string.h>

#include "code128.h"
#include "function.h"

#define BARCODE(name) exports_demo_barcode_barcode_##name

bool BARCODE(code128)(function_string_t *text, BARCODE(symbol_t) *ret, BARCODE(problem_t) *err) {
  size_t length = text->len, done = 0;
  code128_symbol symbol;
  bool fits = length > 0 && length <= CODE128_TEXT;
  if (fits) done = code128_encode(text->ptr, length, &symbol);
  function_string_free(text);
  if (!fits) {
    err->tag = EXPORTS_DEMO_BARCODE_BARCODE_PROBLEM_OUT_OF_RANGE;
    err->val.out_of_range = length;
    return false;
  }
  if (done < length) {
    err->tag = EXPORTS_DEMO_BARCODE_BARCODE_PROBLEM_INVALID_ARGUMENT;
    err->val.invalid_argument = done;
    return false;
  }
  ret->modules = symbol.modules;
  ret->check = symbol.check;
  ret->widths.len = symbol.length;
  ret->widths.ptr = malloc(symbol.length);
  if (ret->widths.ptr == NULL) abort();
  memcpy(ret->widths.ptr, symbol.widths, symbol.length);
  return true;
}
