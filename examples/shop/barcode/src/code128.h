// Code 128 (ISO/IEC 15417): text as bars. No WebAssembly in here: any C compiler will do.

#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
  CODE128_TEXT = 80,                          // the longest text, in characters
  CODE128_WIDTHS = (CODE128_TEXT + 2) * 6 + 7 // bars and spaces of one: start, text, check, stop
};

typedef struct {
  uint8_t widths[CODE128_WIDTHS]; // in modules, a bar first, then in turn
  size_t length;                  // how many of them there are
  uint32_t modules;               // their sum
  uint8_t check;
} code128_symbol;

// code128_encode makes the symbol of a text of 1 to CODE128_TEXT characters. It returns the length of the text, or the place of
// a character that Code 128 B does not have; there is no symbol then.
size_t code128_encode(const uint8_t *text, size_t length, code128_symbol *symbol);
