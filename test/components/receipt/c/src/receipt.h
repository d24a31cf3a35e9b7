// Receipts. Plain C, without WebAssembly.

#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *sku; // not ended by a zero
  size_t sku_length;
  uint32_t cents, count;
} line;

typedef struct {
  uint64_t total, tax;
  char *text; // the caller frees it
  size_t length;
} receipt;

receipt ring_up(const line *lines, size_t count, uint32_t percent);
