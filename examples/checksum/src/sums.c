#include "sums.h"

// crc takes a byte at a time, by a table made for the call: an instance has no state, and 256 entries take a microsecond.
uint32_t crc(uint32_t polynomial, const uint8_t *data, size_t length) {
  uint32_t table[256];
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t entry = i;
    for (int bit = 0; bit < 8; bit++) entry = entry >> 1 ^ (entry & 1 ? polynomial : 0);
    table[i] = entry;
  }
  uint32_t sum = ~0u;
  for (size_t i = 0; i < length; i++) sum = sum >> 8 ^ table[(sum ^ data[i]) & 0xff];
  return ~sum;
}

// adler32 is RFC 1950, section 8.2. So many bytes can be added before a sum leaves 32 bits.
uint32_t adler32(const uint8_t *data, size_t length) {
  enum { MODULUS = 65521, RUN = 5552 };
  uint32_t a = 1, b = 0;
  while (length > 0) {
    size_t run = length < RUN ? length : RUN;
    length -= run;
    while (run-- > 0) {
      a += *data++;
      b += a;
    }
    a %= MODULUS;
    b %= MODULUS;
  }
  return b << 16 | a;
}

uint64_t fnv1a(const uint8_t *data, size_t length) {
  uint64_t sum = 0xcbf29ce484222325;
  for (size_t i = 0; i < length; i++) sum = (sum ^ data[i]) * 0x100000001b3;
  return sum;
}
