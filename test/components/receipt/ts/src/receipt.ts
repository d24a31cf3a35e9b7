// Receipts. Plain TypeScript, without WebAssembly.

export interface Line {
  sku: string;
  cents: number;
  count: number;
}

export interface Receipt {
  total: number;
  tax: number;
  text: string;
}

const money = (cents: number): string => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;

export function ringUp(lines: Line[], percent: number): Receipt {
  const printed: string[] = [];
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
