// What the forms print. No WebAssembly in here or in them: node runs them as they are.

export interface Sale {
  number: string;
  customer: string;
  lines: { name: string; quantity: number; total: bigint }[];
  discounts: [string, bigint][];
  total: bigint;
  tax: bigint;
}

/** Cents as an amount: 123456n is 1,234.56. */
export function amount(cents: bigint): string {
  const whole = (cents / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  return `${whole}.${(cents % 100n).toString().padStart(2, '0')}`;
}
