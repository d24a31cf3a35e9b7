import { amount, type Sale } from './sale.js';

const WIDTH = 48;

/** A receipt for a till that prints characters, each line as wide as the paper or less. */
export function text(sale: Sale, widths: Uint8Array): string {
  const rule = '-'.repeat(WIDTH);
  return [
    center('THE LOOM'),
    center(`for ${sale.customer}`),
    rule,
    ...sale.lines.map(({ name, quantity, total }) => row(`${quantity} x ${name}`, amount(total))),
    ...sale.discounts.map(([reason, off]) => row(reason, `-${amount(off)}`)),
    rule,
    row('Total', amount(sale.total)),
    row('of which tax', amount(sale.tax)),
    rule,
    ...bars(widths),
    center(sale.number),
    '',
  ].join('\n');
}

function row(left: string, right: string): string {
  const room = WIDTH - right.length - 1;
  const fits = [...left].length <= room ? left : `${[...left].slice(0, room - 1).join('')}…`;
  return fits + ' '.repeat(WIDTH - [...fits].length - right.length) + right;
}

function center(line: string): string {
  return ' '.repeat(Math.max(0, (WIDTH - [...line].length) >> 1)) + line;
}

// bars draws two modules per character.
function bars(widths: Uint8Array): string[] {
  const modules = [...widths].flatMap((width, at) => Array<boolean>(width).fill(at % 2 === 0));
  const pairs = Array.from({ length: Math.ceil(modules.length / 2) }, (_, at) => [modules[2 * at], modules[2 * at + 1]]);
  const line = pairs.map(([left, right]) => (left ? (right ? '█' : '▌') : right ? '▐' : ' ')).join('');
  return [center(line).trimEnd(), center(line).trimEnd()];
}
