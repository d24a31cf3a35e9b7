// The same as a program: node native.js PERCENT SKU:CENTS:COUNT...

import { ringUp } from './receipt.js';

const [percent, ...lines] = process.argv.slice(2);
const bought = lines.map((line) => {
  const [sku, cents, count] = line.split(':');
  return { sku, cents: Number(cents), count: Number(count) };
});
const { total, tax, text } = ringUp(bought, Number(percent));
console.log(`${total} ${tax}\n${text}`);
