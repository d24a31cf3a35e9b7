// The component: what demo:formulas/formulas exports. An error is thrown as the value that the WIT gives it.

import type * as contract from 'demo:formulas/formulas@1.0.0';

import { type Expression, reads, SyntaxFault } from './expression.js';
import { isCell, parse } from './parse.js';
import { Circle, compute, read } from './sheet.js';

export const formulas: typeof contract = {
  evaluate(list) {
    const cells = new Map<string, Expression>();
    for (const { name, source } of list) {
      if (!isCell(name)) throw refuse(name, new SyntaxFault(0, 'no name of a cell, such as B7'));
      if (cells.has(name)) throw { tag: 'already-exists', val: name } satisfies contract.Problem;
      cells.set(name, explained(name, () => read(source)));
    }
    const values = explained('', () => compute(cells));
    return list.map(({ name }) => ({ name, value: values.get(name)! }));
  },

  reads: (formula) => [...explained('', () => reads(parse(formula.replace(/^=/, ' '))))],
};

/** Runs something, and throws what it throws as a problem of the contract. */
function explained<T>(cell: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof SyntaxFault) throw refuse(cell, error);
    if (error instanceof Circle) throw { tag: 'circular', val: error.names } satisfies contract.Problem;
    throw error;
  }
}

function refuse(cell: string, { position, message }: SyntaxFault): contract.Problem {
  return { tag: 'invalid-argument', val: { cell, position, reason: message } };
}
