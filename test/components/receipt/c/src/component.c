// The component: what bench:receipt/till exports. It frees its arguments.

#include <stdlib.h>

#include "receipt.h"
#include "shop.h"

void exports_bench_receipt_till_ring_up(exports_bench_receipt_till_list_line_t *bought, uint32_t percent,
                                        exports_bench_receipt_till_receipt_t *ret) {
  line *lines = calloc(bought->len + 1, sizeof *lines);
  if (lines == NULL) abort();
  for (size_t i = 0; i < bought->len; i++) {
    const exports_bench_receipt_till_line_t *from = &bought->ptr[i];
    lines[i] = (line){(const char *)from->sku.ptr, from->sku.len, from->cents, from->count};
  }
  receipt r = ring_up(lines, bought->len, percent);
  ret->total = r.total;
  ret->tax = r.tax;
  ret->text = (shop_string_t){(uint8_t *)r.text, r.length};
  free(lines);
  exports_bench_receipt_till_list_line_free(bought);
}
