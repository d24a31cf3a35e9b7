#include "receipt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

// longest is how long a line can get, without its sku: two numbers of 20 digits and what is between them.
enum { longest = 64 };

static size_t print_price(char *to, uint64_t cents) {
  return sprintf(to, " %" PRIu64 ".%02" PRIu64 "\n", cents / 100, cents % 100);
}

receipt ring_up(const line *lines, size_t count, uint32_t percent) {
  size_t room = 2 * longest;
  for (size_t i = 0; i < count; i++) room += lines[i].sku_length + longest;
  receipt r = {.text = malloc(room)};
  if (r.text == NULL) abort();
  char *to = r.text;
  for (const line *l = lines; l < lines + count; l++) {
    uint64_t price = (uint64_t)l->cents * l->count;
    r.total += price;
    to += sprintf(to, "%" PRIu32 " %.*s", l->count, (int)l->sku_length, l->sku);
    to += print_price(to, price);
  }
  r.tax = (r.total * percent + 50) / 100;
  r.total += r.tax;
  to += sprintf(to, "tax %" PRIu32 "%%", percent);
  to += print_price(to, r.tax);
  to += sprintf(to, "total");
  to += print_price(to, r.total);
  r.length = to - r.text;
  return r;
}
