// The component: what the world polyglot exports.

import * as changes from './changes.js';
import * as errors from './errors.js';

// echoes makes functions that return their argument: echo-bool is echoBool.
const echoes = (...types) => Object.fromEntries(types.map((type) => [`echo${type}`, (v) => v]));

const scalars = echoes(
  'Bool', 'U8', 'S8', 'U16', 'S16', 'U32', 'S32', 'U64', 'S64', 'F32', 'F64', 'Char', 'String', 'Bytes',
);

const shapes = {
  ...echoes(
    'Level', 'Unit', 'Permissions', 'Several', 'Few', 'Point', 'Leaf', 'Tree', 'Everything', 'Empties', 'Shape', 'Shapes',
    'Alias',
    'Pair', 'DeepPair',
    'Option', 'OptionString', 'OptionLeaf', 'OptionOption', 'OptionOptionOption', 'OptionList', 'OptionBytes',
    'ListBool', 'ListS8', 'ListS16', 'ListU16', 'ListS32', 'ListU32', 'ListU64', 'ListS64', 'ListF32', 'ListF64',
    'ListChar', 'ListString', 'ListBytes',
    'ListLevel', 'ListList', 'ListListList', 'ListOption', 'ListResult', 'ListTuple', 'ListFew', 'ResultResult',
  ),
  echoResults: (a, b, c, d) => [a, b, c, d],
};

const signatures = {
  nothing() {},
  consume() {},
  produce: () => 'produced',
  add: (a, b) => BigInt(a) + BigInt(b),
  many: (a, b, c, d, e, f, g, h, i, j, k, l) => [a, b, c.join(), d ?? '-', e, f.join(), g, h, i, j, k, l].join(' '),
};

const keywords = {
  func: (record, variant, value) => [record, variant, value],
  aBC1: (v) => v,
};

const geometry = {
  mirror: ({ x, y }, unit) => [{ x: y, y: x }, unit],
};

export { scalars, shapes, changes, signatures, errors, keywords as interface, geometry };
