// The component: what demo:checksum/checksum exports, on top of the code in sums.c and sha256.c. It frees its arguments.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checksums.h"
#include "sha256.h"
#include "sums.h"

#define CHECKSUM(name) exports_demo_checksum_checksum_##name

static uint64_t sum(const checksums_list_u8_t *data, CHECKSUM(algorithm_t) algorithm) {
  switch (algorithm) {
  case EXPORTS_DEMO_CHECKSUM_CHECKSUM_ALGORITHM_CRC32: return crc(CRC32, data->ptr, data->len);
  case EXPORTS_DEMO_CHECKSUM_CHECKSUM_ALGORITHM_CRC32C: return crc(CRC32C, data->ptr, data->len);
  case EXPORTS_DEMO_CHECKSUM_CHECKSUM_ALGORITHM_ADLER32: return adler32(data->ptr, data->len);
  default: return fnv1a(data->ptr, data->len);
  }
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count > 0 ? count : 1, size);
  if (memory == NULL) abort();
  return memory;
}

uint64_t CHECKSUM(sum)(checksums_list_u8_t *data, CHECKSUM(algorithm_t) algorithm) {
  uint64_t result = sum(data, algorithm);
  checksums_list_u8_free(data);
  return result;
}

void CHECKSUM(sums)(checksums_list_list_u8_t *parts, CHECKSUM(algorithm_t) algorithm, checksums_list_u64_t *ret) {
  ret->len = parts->len;
  ret->ptr = allocate(parts->len, sizeof *ret->ptr);
  for (size_t i = 0; i < parts->len; i++) ret->ptr[i] = sum(&parts->ptr[i], algorithm);
  checksums_list_list_u8_free(parts);
}

void CHECKSUM(sha256)(checksums_list_u8_t *data, checksums_list_u8_t *ret) {
  ret->len = SHA256_SIZE;
  ret->ptr = allocate(SHA256_SIZE, 1);
  sha256(data->ptr, data->len, ret->ptr);
  checksums_list_u8_free(data);
}

// differs says what the data's digest is instead, where it is not as expected.
static bool differs(const checksums_list_u8_t *data, const uint8_t *expected, char text[2 * SHA256_SIZE + 1]) {
  uint8_t digest[SHA256_SIZE];
  sha256(data->ptr, data->len, digest);
  for (int i = 0; i < SHA256_SIZE; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
  return memcmp(digest, expected, SHA256_SIZE) != 0;
}

bool CHECKSUM(verify)(checksums_list_u8_t *data, CHECKSUM(expectation_t) *expected, CHECKSUM(problem_t) *err) {
  char text[2 * SHA256_SIZE + 1];
  bool ok = true;
  err->tag = EXPORTS_DEMO_CHECKSUM_CHECKSUM_PROBLEM_DATA_LOSS;
  if (expected->tag == EXPORTS_DEMO_CHECKSUM_CHECKSUM_EXPECTATION_SUM) {
    uint64_t is = sum(data, expected->val.sum.f0);
    ok = is == expected->val.sum.f1;
    snprintf(text, sizeof text, "%" PRIx64, is);
  } else if (expected->val.sha256.len != SHA256_SIZE) {
    ok = false;
    err->tag = EXPORTS_DEMO_CHECKSUM_CHECKSUM_PROBLEM_INVALID_ARGUMENT;
    snprintf(text, sizeof text, "a SHA-256 has 32 bytes, not %zu", expected->val.sha256.len);
  } else {
    ok = !differs(data, expected->val.sha256.ptr, text);
  }
  // Both payloads of the problem are strings, at one place.
  if (!ok) checksums_string_dup(&err->val.data_loss, text);
  checksums_list_u8_free(data);
  CHECKSUM(expectation_free)(expected);
  return ok;
}
