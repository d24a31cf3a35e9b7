import assert from 'node:assert/strict';
import test from 'node:test';

import { parse } from '../build/parse.js';
import { compute, read } from '../build/sheet.js';

const sheet = (sources) => compute(new Map(Object.entries(sources).map(([name, source]) => [name, read(source)])));
const value = (formula, sources = {}) => sheet({ ...sources, Z1: formula }).get('Z1').val;

test('operators bind as they should', () => {
  assert.equal(value('=2 + 3 * 4 - 6 / 2'), 11);
  assert.equal(value('=(2 + 3) * -4'), -20);
  assert.equal(value('=10 - 4 - 3'), 3);
  assert.equal(value('="a" & 1 + 1 = "a2"'), true);
});

test('ranges have all cells between two corners', () => {
  assert.deepEqual(parse('B2:A1').names, ['A1', 'B1', 'A2', 'B2']);
  assert.equal(parse('Z1:AB1').names.join(), 'Z1,AA1,AB1');
  assert.equal(value('=SUM(A1:B2)', { A1: '1', A2: 'text', B1: '2.5', B2: '=A1 * 4' }), 7.5);
});

test('an error travels to what reads it', () => {
  assert.deepEqual(sheet({ A1: '=1 / 0', A2: '=A1 + 1', A3: '=IF(TRUE, 1, A1)' }).get('A2'), { tag: 'error', val: 'division by zero' });
  assert.equal(value('=IF(TRUE, 1, A1)', { A1: '=1 / 0' }), 1);
});

test('cells may not read each other', () => {
  assert.throws(() => sheet({ A1: '=B1', B1: '=C1 + 1', C1: '=A1' }), { names: ['A1', 'B1', 'C1', 'A1'] });
});

test('a long column is no deep recursion', () => {
  const column = { A1: '1' };
  for (let row = 2; row <= 5000; row++) column[`A${row}`] = `=A${row - 1} + 1`;
  assert.equal(sheet(column).get('A5000').val, 5000);
});

test('faults say where they are', () => {
  assert.throws(() => parse('1 + * 2'), { position: 4, message: '"*" is out of place' });
  assert.throws(() => parse('SUM(A1'), { position: 6, message: '")" is missing' });
  assert.throws(() => parse('1 ? 2'), { position: 2 });
});
