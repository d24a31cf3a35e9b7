// Checksums. Plain C, without WebAssembly.

#pragma once

#include <stddef.h>
#include <stdint.h>

// The polynomials of crc, with their bits reversed.
#define CRC32 0xedb88320u
#define CRC32C 0x82f63b78u

uint32_t crc(uint32_t polynomial, const uint8_t *data, size_t length);
uint32_t adler32(const uint8_t *data, size_t length);
uint64_t fnv1a(const uint8_t *data, size_t length);
