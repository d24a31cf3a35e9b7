// The component: what bench:receipt/till exports.

import { ringUp } from './receipt.js';

export const till = {
  ringUp(lines, percent) {
    const { total, tax, text } = ringUp(lines, percent);
    return { total: BigInt(total), tax: BigInt(tax), text };
  },
};
