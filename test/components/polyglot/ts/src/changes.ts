// Functions that look into their arguments. What the compiler checks here is what the WIT says: cases, names and kinds of numbers.

import type * as contract from 'test:conformance/changes@1.2.0';
import type { Level, Permissions } from 'test:conformance/shapes@1.2.0';

const LEVELS: readonly Level[] = ['low', 'medium', 'high'];
const PERMISSIONS = Array.from({ length: 32 }, (_, i) => `p${String(i).padStart(2, '0')}` as keyof Permissions);

export const changes: typeof contract = {
  not: (v) => !v,
  add: (a, b) => BigInt.asUintN(64, a + b),
  negate: (v) => BigInt.asIntN(64, -v),
  halve: (v) => v / 2,
  next: (v) => String.fromCodePoint(v.codePointAt(0)! + 1),
  join: (v, by) => v.join(by),
  reverse: (v) => v.toReversed(),
  swap: ([number, text]) => [text, number],
  raise: (v) => LEVELS[LEVELS.indexOf(v) + 1],
  complement: (v) => Object.fromEntries(PERMISSIONS.map((name) => [name, !v[name]])),
  both: (a, b) => ({ read: a.read || b.read, write: a.write || b.write }),

  flip: (v) =>
    v.map((result) => (result.tag === 'ok' ? { tag: 'err', val: result.val } : { tag: 'ok', val: result.val })),

  depth(v) {
    if (v === undefined) return 0;
    if (v.tag === 'none') return 1;
    return v.val === undefined ? 2 : 3;
  },

  name(v) {
    switch (v.tag) {
      case 'many':
      case 'data':
        return `${v.tag}:${v.val.length}`;
      default:
        return v.tag;
    }
  },

  weigh: ({ branches }) => branches.flatMap(({ leaves }) => leaves).reduce((sum, { weight }) => sum + weight, 0),

  increment: (v) => ({
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
  }),
};
