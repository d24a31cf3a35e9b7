import type { Expression, Operator } from './expression.js';

export type Value = { tag: 'number'; val: number } | { tag: 'text'; val: string } | { tag: 'logical'; val: boolean } | Failure;

interface Failure {
  tag: 'error';
  val: string;
}

/** Gives the value of a cell, or nothing where there is none. */
export type Lookup = (name: string) => Value | undefined;

const number = (val: number): Value => (Number.isFinite(val) ? { tag: 'number', val } : failure('no finite number'));
const text = (val: string): Value => ({ tag: 'text', val });
const logical = (val: boolean): Value => ({ tag: 'logical', val });
const failure = (val: string): Failure => ({ tag: 'error', val });

/** Computes an expression. What can't be computed is thrown as an error value. */
export function evaluate(e: Expression, lookup: Lookup): Value {
  switch (e.kind) {
    case 'number':
      return number(e.number);
    case 'text':
      return text(e.text);
    case 'logical':
      return logical(e.logical);
    case 'cell':
      return sound(lookup(e.name) ?? number(0));
    case 'range':
      throw failure('a range stands where one value is wanted');
    case 'negative':
      return number(-asNumber(evaluate(e.of, lookup)));
    case 'binary':
      return sound(OPERATORS[e.operator](evaluate(e.left, lookup), evaluate(e.right, lookup)));
    case 'call':
      return sound(call(e.name, e.args, lookup));
  }
}

function sound(value: Value): Value {
  if (value.tag === 'error') throw value;
  return value;
}

const OPERATORS: Record<Operator, (a: Value, b: Value) => Value> = {
  '+': (a, b) => number(asNumber(a) + asNumber(b)),
  '-': (a, b) => number(asNumber(a) - asNumber(b)),
  '*': (a, b) => number(asNumber(a) * asNumber(b)),
  '/': (a, b) => (asNumber(b) === 0 ? failure('division by zero') : number(asNumber(a) / asNumber(b))),
  '&': (a, b) => text(asText(a) + asText(b)),
  '=': (a, b) => logical(a.val === b.val),
  '<>': (a, b) => logical(a.val !== b.val),
  '<': (a, b) => logical(asNumber(a) < asNumber(b)),
  '<=': (a, b) => logical(asNumber(a) <= asNumber(b)),
  '>': (a, b) => logical(asNumber(a) > asNumber(b)),
  '>=': (a, b) => logical(asNumber(a) >= asNumber(b)),
};

/** Functions of all numbers that they are given, one by one and in ranges. */
const OF_NUMBERS: Record<string, (numbers: number[]) => Value> = {
  SUM: (n) => number(n.reduce((sum, x) => sum + x, 0)),
  COUNT: (n) => number(n.length),
  AVERAGE: (n) => (n.length === 0 ? failure('the average of no number') : number(n.reduce((sum, x) => sum + x, 0) / n.length)),
  MIN: (n) => number(n.reduce((least, x) => Math.min(least, x), n[0] ?? 0)),
  MAX: (n) => number(n.reduce((most, x) => Math.max(most, x), n[0] ?? 0)),
};

function call(name: string, args: Expression[], lookup: Lookup): Value {
  const arg = (at: number): Value => {
    const e = args[at];
    if (e === undefined) throw failure(`${name} wants more`);
    return evaluate(e, lookup);
  };
  const ofNumbers = OF_NUMBERS[name];
  if (ofNumbers !== undefined) return ofNumbers(args.flatMap((e) => numbers(e, lookup)));
  switch (name) {
    case 'IF':
      return asLogical(arg(0)) ? arg(1) : args.length > 2 ? arg(2) : logical(false);
    case 'ROUND': {
      const scale = 10 ** asNumber(arg(1));
      return number(Math.round(asNumber(arg(0)) * scale) / scale);
    }
    case 'LENGTH':
      return number([...asText(arg(0))].length);
    default:
      return failure(`there is no function ${name}`);
  }
}

/** The numbers of an argument; of a range, those of the cells that hold one. */
function numbers(e: Expression, lookup: Lookup): number[] {
  if (e.kind !== 'range') return [asNumber(evaluate(e, lookup))];
  return e.names.flatMap((name) => {
    const value = lookup(name);
    return value !== undefined && sound(value).tag === 'number' ? [value.val as number] : [];
  });
}

function asNumber(value: Value): number {
  if (value.tag === 'number') return value.val;
  if (value.tag === 'logical') return value.val ? 1 : 0;
  throw failure(`${JSON.stringify(value.val)} is no number`);
}

function asText(value: Value): string {
  return value.tag === 'logical' ? String(value.val).toUpperCase() : String(value.val);
}

function asLogical(value: Value): boolean {
  if (value.tag === 'text') throw failure(`${JSON.stringify(value.val)} is neither true nor false`);
  return value.val !== 0 && value.val !== false;
}

/** Runs a computation and gives its value, or the error value that it threw. */
export function attempt(compute: () => Value): Value {
  try {
    return compute();
  } catch (thrown) {
    if (typeof thrown === 'object' && thrown !== null && 'tag' in thrown && thrown.tag === 'error') return thrown as Failure;
    throw thrown;
  }
}
