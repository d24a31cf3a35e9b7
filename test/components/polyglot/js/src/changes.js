// Functions that look into their arguments. 64-bit integers are BigInt, flags are objects of booleans, a variant is
// { tag, val }.

const LEVELS = ['low', 'medium', 'high'];
const PERMISSIONS = Array.from({ length: 32 }, (_, i) => `p${String(i).padStart(2, '0')}`);

export const not = (v) => !v;

export const add = (a, b) => BigInt.asUintN(64, a + b);

export const negate = (v) => BigInt.asIntN(64, -v);

export const halve = (v) => v / 2;

export const next = (v) => String.fromCodePoint(v.codePointAt(0) + 1);

export const join = (v, by) => v.join(by);

export const reverse = (v) => v.toReversed();

export const swap = ([number, text]) => [text, number];

export const raise = (v) => LEVELS[LEVELS.indexOf(v) + 1];

export const complement = (v) => Object.fromEntries(PERMISSIONS.map((name) => [name, !v[name]]));

export const both = (a, b) => ({ read: a.read || b.read, write: a.write || b.write });

export const flip = (v) => v.map(({ tag, val }) => ({ tag: tag === 'ok' ? 'err' : 'ok', val }));

// An option is a value or undefined; one that is right in an option and holds one is { tag, val }.
export const depth = (v) => {
  if (v === undefined) return 0;
  if (v.tag === 'none') return 1;
  return v.val === undefined ? 2 : 3;
};

export const name = ({ tag, val }) => (tag === 'many' || tag === 'data' ? `${tag}:${val.length}` : tag);

export const weigh = ({ branches }) =>
  branches.flatMap(({ leaves }) => leaves).reduce((sum, { weight }) => sum + weight, 0);

export const increment = (v) => ({
  ...v,
  b: (v.b + 1) & 0xff,
  c: ((v.c + 1) << 24) >> 24,
  d: (v.d + 1) & 0xffff,
  e: ((v.e + 1) << 16) >> 16,
  f: (v.f + 1) >>> 0,
  g: (v.g + 1) | 0,
  h: BigInt.asUintN(64, v.h + 1n),
  i: BigInt.asIntN(64, v.i + 1n),
  j: v.j + 1,
  k: v.k + 1,
});
