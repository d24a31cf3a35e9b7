// Signatures of all kinds, and names that are keywords somewhere.

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polyglot.h"

#define SIGNATURES(name) exports_test_conformance_signatures_##name
#define INTERFACE(name) exports_test_conformance_interface_##name

void SIGNATURES(nothing)(void) {}

void SIGNATURES(consume)(polyglot_string_t *v) { polyglot_string_free(v); }

void SIGNATURES(produce)(polyglot_string_t *ret) { polyglot_string_dup(ret, "produced"); }

uint64_t SIGNATURES(add)(uint32_t a, uint32_t b) { return (uint64_t)a + b; }

// write appends text to a string.
static void write(polyglot_string_t *to, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  size_t more = vsnprintf(NULL, 0, format, again);
  va_end(again);
  to->ptr = realloc(to->ptr, to->len + more + 1); // vsnprintf ends with a zero
  vsnprintf((char *)to->ptr + to->len, more + 1, format, arguments);
  va_end(arguments);
  to->len += more;
}

// scalar writes a code point as UTF-8, with a zero behind it.
static const char *scalar(uint32_t c, char text[5]) {
  char *to = text;
  if (c < 0x80) {
    *to++ = c;
  } else {
    int following = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = lead[following] | c >> 6 * following;
    while (following-- > 0) *to++ = 0x80 | (c >> 6 * following & 0x3f);
  }
  *to = 0;
  return text;
}

#define TEXT(s) (int)(s)->len, (const char *)(s)->ptr

void SIGNATURES(many)(uint8_t a, polyglot_string_t *b, polyglot_list_u32_t *c, polyglot_string_t *maybe_d, bool e,
                      polyglot_tuple2_u8_u8_t *f, polyglot_string_t *g, double h, uint32_t i, int64_t j,
                      polyglot_string_t *k, uint16_t l, polyglot_string_t *ret) {
  *ret = (polyglot_string_t){0};
  write(ret, "%u %.*s ", a, TEXT(b));
  for (size_t n = 0; n < c->len; n++) write(ret, n > 0 ? ",%" PRIu32 : "%" PRIu32, c->ptr[n]);
  if (maybe_d != NULL)
    write(ret, " %.*s", TEXT(maybe_d));
  else
    write(ret, " -");
  char letter[5];
  write(ret, " %s %u,%u %.*s %g %s %" PRId64 " %.*s %u", e ? "true" : "false", f->f0, f->f1, TEXT(g), h, scalar(i, letter),
        j, TEXT(k), l);
  polyglot_string_free(b);
  polyglot_list_u32_free(c);
  if (maybe_d != NULL) polyglot_string_free(maybe_d);
  polyglot_string_free(g);
  polyglot_string_free(k);
}

void INTERFACE(func)(INTERFACE(record_t) *import, INTERFACE(variant_t) *export_, INTERFACE(enum_t) use,
                     INTERFACE(tuple3_record_variant_enum_t) *ret) {
  ret->f0 = *import;
  ret->f1 = *export_;
  ret->f2 = use;
}

uint32_t INTERFACE(a_b_c1)(uint32_t x_y_z2) { return x_y_z2; }

void exports_test_other_geometry_mirror(exports_test_other_geometry_point_t *at, exports_test_other_geometry_unit_t unit,
                                        exports_test_other_geometry_tuple2_point_unit_t *ret) {
  ret->f0 = (exports_test_other_geometry_point_t){.x = at->y, .y = at->x};
  ret->f1 = unit;
}
