import assert from 'node:assert/strict';
import test from 'node:test';

import { page } from '../build/html.js';
import { amount } from '../build/sale.js';
import { text } from '../build/text.js';

const sale = {
  number: '42',
  customer: 'Ada <ada@example.org>',
  lines: [{ name: 'A name that is longer than any till has room for', quantity: 2, total: 123456n }],
  discounts: [['coupon', 500n]],
  total: 122956n,
  tax: 19631n,
};

test('amounts have thousands and cents', () => {
  assert.deepEqual([0n, 7n, 99999n, 123456789n].map(amount), ['0.00', '0.07', '999.99', '1,234,567.89']);
});

test('no line is wider than the paper', () => {
  const lines = text(sale, Uint8Array.of(2, 1, 1)).split('\n');
  assert.ok(lines.every((line) => [...line].length <= 48));
  assert.ok(lines.some((line) => line.endsWith('… 1,234.56')));
  assert.ok(lines.includes(' '.repeat(23) + '█▐'));
});

test('what is filled into a page is escaped', () => {
  const source = page(sale, Uint8Array.of(2, 1, 1));
  assert.match(source, /Ada &lt;ada@example.org&gt;/);
  assert.match(source, /d="M10 0h2v40h-2zM13 0h1v40h-1z"/);
});
