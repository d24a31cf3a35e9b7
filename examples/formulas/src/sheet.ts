import { attempt, evaluate, type Value } from './evaluate.js';
import { type Expression, reads } from './expression.js';
import { parse } from './parse.js';

/** Cells that read each other. */
export class Circle extends Error {
  constructor(readonly names: string[]) {
    super(names.join(' reads '));
  }
}

/** Reads what a cell holds: a formula, a number, or text. */
export function read(source: string): Expression {
  if (source.startsWith('=')) return parse(source.slice(1), 1);
  const number = source.trim() === '' ? NaN : Number(source);
  return Number.isFinite(number) ? { kind: 'number', number } : { kind: 'text', text: source };
}

/** The values of all cells, each computed once. */
export function compute(cells: Map<string, Expression>): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const name of order(cells)) {
    values.set(name, attempt(() => evaluate(cells.get(name)!, (other) => values.get(other))));
  }
  return values;
}

/** The cells, each after those that it reads. Without recursion: a column may refer to itself row by row. */
function order(cells: Map<string, Expression>): string[] {
  const done = new Set<string>();
  for (const start of cells.keys()) {
    const path: { name: string; open: string[] }[] = [];
    const onPath = new Set<string>();
    const enter = (name: string): void => {
      const e = cells.get(name);
      if (e === undefined || done.has(name)) return;
      if (onPath.has(name)) throw new Circle([...path.map((step) => step.name).slice(path.findIndex((step) => step.name === name)), name]);
      onPath.add(name);
      path.push({ name, open: [...reads(e)] });
    };
    for (enter(start); path.length > 0; ) {
      const { name, open } = path.at(-1)!;
      const other = open.shift();
      if (other !== undefined) {
        enter(other);
        continue;
      }
      path.pop();
      onPath.delete(name);
      done.add(name);
    }
  }
  return [...done];
}
