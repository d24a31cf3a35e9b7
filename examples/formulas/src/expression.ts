// Formulas as trees. No WebAssembly in here, nor in the modules that this one is for: node runs them as they are.

export type Operator = '+' | '-' | '*' | '/' | '&' | '=' | '<>' | '<' | '<=' | '>' | '>=';

export type Expression =
  | { kind: 'number'; number: number }
  | { kind: 'text'; text: string }
  | { kind: 'logical'; logical: boolean }
  | { kind: 'cell'; name: string }
  | { kind: 'range'; names: string[] }
  | { kind: 'negative'; of: Expression }
  | { kind: 'binary'; operator: Operator; left: Expression; right: Expression }
  | { kind: 'call'; name: string; args: Expression[] };

/** What is wrong with a formula, and where. */
export class SyntaxFault extends Error {
  constructor(
    readonly position: number,
    reason: string,
  ) {
    super(reason);
  }
}

/** The cells that an expression reads, each once. */
export function reads(e: Expression): Set<string> {
  switch (e.kind) {
    case 'number':
    case 'text':
    case 'logical':
      return new Set();
    case 'cell':
      return new Set([e.name]);
    case 'range':
      return new Set(e.names);
    case 'negative':
      return reads(e.of);
    case 'binary':
      return new Set([...reads(e.left), ...reads(e.right)]);
    case 'call':
      return new Set(e.args.flatMap((arg) => [...reads(arg)]));
  }
}
