// Receipts. Plain JavaScript, without WebAssembly.

const money = (cents) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;

export function ringUp(lines, percent) {
  const printed = [];
  let net = 0;
  for (const { sku, cents, count } of lines) {
    const price = cents * count;
    net += price;
    printed.push(`${count} ${sku} ${money(price)}\n`);
  }
  const tax = Math.floor((net * percent + 50) / 100);
  const total = net + tax;
  printed.push(`tax ${percent}% ${money(tax)}\n`, `total ${money(total)}\n`);
  return { total, tax, text: printed.join('') };
}
