// The component: what bench:receipt/till exports.

import type * as contract from 'bench:receipt/till@1.0.0';

import { ringUp } from './receipt.js';

export const till: typeof contract = {
  ringUp(lines, percent) {
    const { total, tax, text } = ringUp(lines, percent);
    return { total: BigInt(total), tax: BigInt(tax), text };
  },
};
