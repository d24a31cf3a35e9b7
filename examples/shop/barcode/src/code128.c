#include "code128.h"

#include <stdbool.h>
#include <string.h>

enum { START_B = 104, START_C = 105, STOP = 106 };

// The widths of each character: 11 modules, and 13 of the stop.
static const char *const PATTERNS[] = {
  "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213", "221312", "231212",
  "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132", "221231", "213212", "223112", "312131",
  "311222", "321122", "321221", "312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123", "131321",
  "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331", "132131", "113123", "113321", "133121",
  "313121", "211331", "231131", "213113", "213311", "213131", "311123", "311321", "331121", "312113", "312311", "332111",
  "314111", "221411", "431111", "111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
  "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111", "111242", "121142", "121241", "114212",
  "124112", "124211", "411212", "421112", "421211", "212141", "214121", "412121", "111143", "111341", "131141", "114113",
  "114311", "411113", "411311", "113141", "114131", "311141", "411131", "211412", "211214", "211232", "2331112",
};

static void append(code128_symbol *symbol, unsigned character) {
  for (const char *width = PATTERNS[character]; *width != '\0'; width++) {
    symbol->widths[symbol->length++] = (uint8_t)(*width - '0');
    symbol->modules += (uint32_t)(*width - '0');
  }
}

static bool digit(uint8_t character) { return character >= '0' && character <= '9'; }

// pairs tells whether a text is nothing but pairs of digits.
static bool pairs(const uint8_t *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (!digit(text[i])) return false;
  return length % 2 == 0;
}

size_t code128_encode(const uint8_t *text, size_t length, code128_symbol *symbol) {
  memset(symbol, 0, sizeof *symbol);
  bool c = pairs(text, length);
  unsigned start = c ? START_C : START_B;
  // Each character counts as often as its place says, and the start once.
  unsigned sum = start, place = 1;
  append(symbol, start);
  for (size_t i = 0; i < length; i += c ? 2 : 1, place++) {
    if (text[i] < ' ' || text[i] > '\x7f') return i;
    unsigned character = c ? 10u * (text[i] - '0') + (text[i + 1] - '0') : text[i] - (unsigned)' ';
    append(symbol, character);
    sum += place * character;
  }
  symbol->check = (uint8_t)(sum % 103);
  append(symbol, symbol->check);
  append(symbol, STOP);
  return length;
}
