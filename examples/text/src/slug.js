// The engine inside a component has no Unicode tables for normalization, so the letters are written out.
const PLAIN = new Map(
  Object.entries({
    a: 'àáâãäåāăą', ae: 'æ', c: 'çćĉċč', d: 'ďđð', e: 'èéêëēĕėęě', g: 'ĝğġģ', h: 'ĥħ',
    i: 'ìíîïĩīĭįı', j: 'ĵ', k: 'ķ', l: 'ĺļľŀł', n: 'ñńņňŋ', o: 'òóôõöøōŏő', oe: 'œ',
    r: 'ŕŗř', s: 'śŝşšș', ss: 'ß', t: 'ţťŧț', th: 'þ', u: 'ùúûüũūŭůűų', w: 'ŵ',
    y: 'ýÿŷ', z: 'źżž',
  }).flatMap(([plain, letters]) => [...letters].map((letter) => [letter, plain])),
);

const MARK = /[\u0300-\u036f]/g;

// ASCII, Latin, general and CJK punctuation, and spaces.
const BETWEEN = /[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\xbf×÷\u2000-\u206f\u3000-\u303f]+/;

/** Makes a slug of lower-case letters, digits and hyphens, cut at a word if it is longer than the limit. */
export function slug(title, limit) {
  const letters = [...title.toLowerCase().replace(MARK, '')].map((letter) => PLAIN.get(letter) ?? letter);
  const words = letters.join('').split(BETWEEN).filter(Boolean);
  const all = words.join('-');
  if (limit === undefined || all.length <= limit) return all;
  const end = all[limit] === '-' ? limit : all.lastIndexOf('-', limit - 1);
  return all.slice(0, end > 0 ? end : limit);
}
