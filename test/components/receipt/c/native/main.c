// The same as a program: native PERCENT SKU:CENTS:COUNT...

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/receipt.h"

int main(int argc, char **argv) {
  if (argc < 2) {
    fputs("usage: native PERCENT SKU:CENTS:COUNT...\n", stderr);
    return 2;
  }
  line *lines = calloc(argc, sizeof *lines);
  if (lines == NULL) abort();
  for (int i = 2; i < argc; i++) {
    line *l = &lines[i - 2];
    l->sku = argv[i];
    l->sku_length = strcspn(argv[i], ":");
    if (sscanf(argv[i] + l->sku_length, ":%" SCNu32 ":%" SCNu32, &l->cents, &l->count) != 2) return 2;
  }
  receipt r = ring_up(lines, argc - 2, strtoul(argv[1], NULL, 10));
  printf("%" PRIu64 " %" PRIu64 "\n%.*s\n", r.total, r.tax, (int)r.length, r.text);
  free(r.text);
  free(lines);
}
