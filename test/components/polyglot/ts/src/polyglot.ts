// The component: what the world polyglot exports.

import type * as geometryContract from 'test:other/geometry@0.3.1';
import type * as signaturesContract from 'test:conformance/signatures@1.2.0';

import { changes } from './changes.js';
import { scalars, shapes } from './echoes.js';
import { errors } from './errors.js';

const signatures: typeof signaturesContract = {
  nothing() {},
  consume() {},
  produce: () => 'produced',
  add: (a, b) => BigInt(a) + BigInt(b),
  many: (a, b, c, d, e, f, g, h, i, j, k, l) => [a, b, c.join(), d ?? '-', e, f.join(), g, h, i, j, k, l].join(' '),
};

// jco has no types for an interface of this name.
const keywords = {
  func: <R, V, E>(record: R, variant: V, value: E) => [record, variant, value],
  aBC1: (v: number) => v,
};

const geometry: typeof geometryContract = {
  mirror: ({ x, y }, unit) => [{ x: y, y: x }, unit],
};

export { scalars, shapes, changes, signatures, errors, keywords as interface, geometry };
