// The component: what demo:receipts/receipts exports. The barcode is another function, called as if it were in here.

import { code128, type Problem, type Symbol } from 'demo:barcode/barcode@1.0.0';
import type * as contract from 'demo:receipts/receipts@1.0.0';

import { page } from './html.js';
import { text } from './text.js';

const forms = { text, html: page };

export const receipts: typeof contract = {
  print(sale, form) {
    return forms[form](sale, barcode(sale.number).widths);
  },
};

function barcode(number: string): Symbol {
  try {
    return code128(number);
  } catch (error) {
    // An error of an import is thrown with the value that the WIT gives it as its payload.
    if (error instanceof Error && 'payload' in error) throw explain(number, error.payload as Problem);
    throw error;
  }
}

function explain(number: string, problem: Problem): contract.Problem {
  switch (problem.tag) {
    case 'invalid-argument':
      return { tag: 'invalid-argument', val: `the number ${number} has a character that is not in a barcode, at ${problem.val}` };
    case 'out-of-range':
      return { tag: 'invalid-argument', val: `a number of ${problem.val} characters does not fit a barcode` };
    case 'unavailable':
      return problem;
  }
}
