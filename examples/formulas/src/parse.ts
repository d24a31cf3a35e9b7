import { type Expression, type Operator, SyntaxFault } from './expression.js';

const TOKEN = /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|"((?:[^"]|"")*)"|([A-Za-z][A-Za-z0-9]*)|(<>|<=|>=|[-+*\/&=<>(),:]))/y;
const CELL = /^([A-Z]{1,3})([1-9]\d{0,6})$/;

/** How tightly operators bind. */
const STRENGTH: Record<Operator, number> = {
  '=': 1, '<>': 1, '<': 1, '<=': 1, '>': 1, '>=': 1, '&': 2, '+': 3, '-': 3, '*': 4, '/': 4,
};

/** The most cells that a range may have, and the most that a formula may nest. */
const RANGE = 10_000;
const DEPTH = 100;

interface Token {
  kind: 'number' | 'text' | 'word' | 'sign' | 'end';
  text: string;
  at: number;
}

export const isCell = (name: string): boolean => CELL.test(name);

/** Reads a formula, without the "=" before it. Offset is added to the positions of faults. */
export function parse(source: string, offset = 0): Expression {
  const tokens = [...scan(source, offset)];
  let next = 0;

  const peek = (): Token => tokens[next]!;
  const take = (): Token => tokens[next++]!;
  const accept = (sign: string): boolean => {
    const found = peek().kind === 'sign' && peek().text === sign;
    if (found) next++;
    return found;
  };
  const expect = (sign: string): void => {
    if (!accept(sign)) throw new SyntaxFault(peek().at, `"${sign}" is missing`);
  };

  function expression(strength: number, depth: number): Expression {
    if (depth > DEPTH) throw new SyntaxFault(peek().at, `nested more than ${DEPTH} deep`);
    let left = operand(depth);
    for (;;) {
      const { kind, text } = peek();
      if (kind !== 'sign' || !isOperator(text) || STRENGTH[text] <= strength) return left;
      next++;
      left = { kind: 'binary', operator: text, left, right: expression(STRENGTH[text], depth + 1) };
    }
  }

  function operand(depth: number): Expression {
    const token = take();
    switch (token.kind) {
      case 'number':
        return { kind: 'number', number: Number(token.text) };
      case 'text':
        return { kind: 'text', text: token.text };
      case 'word':
        return word(token, depth);
      case 'sign':
        if (token.text === '-') return { kind: 'negative', of: expression(STRENGTH['*'], depth + 1) };
        if (token.text === '(') {
          const inner = expression(0, depth + 1);
          expect(')');
          return inner;
        }
    }
    throw new SyntaxFault(token.at, token.kind === 'end' ? 'something is missing' : `"${token.text}" is out of place`);
  }

  function word({ text, at }: Token, depth: number): Expression {
    const name = text.toUpperCase();
    if (accept('(')) {
      const args: Expression[] = [];
      if (!accept(')')) {
        do args.push(expression(0, depth + 1));
        while (accept(','));
        expect(')');
      }
      return { kind: 'call', name, args };
    }
    if (name === 'TRUE' || name === 'FALSE') return { kind: 'logical', logical: name === 'TRUE' };
    if (!isCell(name)) throw new SyntaxFault(at, `${text} is no cell`);
    return accept(':') ? range(name, take()) : { kind: 'cell', name };
  }

  const whole = expression(0, 0);
  if (peek().kind !== 'end') throw new SyntaxFault(peek().at, `"${peek().text}" is out of place`);
  return whole;
}

function* scan(source: string, offset: number): Generator<Token> {
  const token = new RegExp(TOKEN);
  let at = 0;
  for (let m; (m = token.exec(source)) !== null; at = token.lastIndex) {
    const [all, number, text, word, sign] = m;
    const start = offset + at + all.length - all.trimStart().length;
    if (number !== undefined) yield { kind: 'number', text: number, at: start };
    else if (text !== undefined) yield { kind: 'text', text: text.replaceAll('""', '"'), at: start };
    else if (word !== undefined) yield { kind: 'word', text: word, at: start };
    else yield { kind: 'sign', text: sign!, at: start };
  }
  const rest = source.slice(at);
  if (rest.trim() !== '') throw new SyntaxFault(offset + at + rest.length - rest.trimStart().length, 'nothing that a formula has');
  yield { kind: 'end', text: '', at: offset + source.length };
}

const isOperator = (text: string): text is Operator => text in STRENGTH;

function range(from: string, to: Token): Expression {
  const end = to.text.toUpperCase();
  if (to.kind !== 'word' || !isCell(end)) throw new SyntaxFault(to.at, 'a range ends with a cell');
  const [left, right] = [column(from), column(end)].sort((a, b) => a - b) as [number, number];
  const [top, bottom] = [row(from), row(end)].sort((a, b) => a - b) as [number, number];
  if ((right - left + 1) * (bottom - top + 1) > RANGE) throw new SyntaxFault(to.at, `more than ${RANGE} cells`);
  const names: string[] = [];
  for (let y = top; y <= bottom; y++) for (let x = left; x <= right; x++) names.push(letters(x) + y);
  return { kind: 'range', names };
}

const row = (name: string): number => Number(name.replace(/^[A-Z]+/, ''));

/** Columns as numbers: A is 1, Z is 26, AA is 27. */
const column = (name: string): number =>
  [...name.replace(/\d+$/, '')].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0);

function letters(column: number): string {
  let text = '';
  for (let left = column; left > 0; left = Math.floor((left - 1) / 26)) text = String.fromCharCode(65 + ((left - 1) % 26)) + text;
  return text;
}
