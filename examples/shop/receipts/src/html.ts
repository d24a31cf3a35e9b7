import { amount, type Sale } from './sale.js';

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** A template tag that escapes what is filled in, unless it is HTML already. */
function html(parts: TemplateStringsArray, ...values: (string | Html | Html[])[]): Html {
  return new Html(parts.reduce((done, part, at) => done + show(values[at - 1]!) + part));
}

class Html {
  constructor(readonly source: string) {}
}

function show(value: string | Html | Html[]): string {
  if (value instanceof Html) return value.source;
  if (Array.isArray(value)) return value.map(show).join('\n');
  return value.replace(/[&<>"]/g, (character) => ESCAPES[character]!);
}

/** A receipt as a page. */
export function page(sale: Sale, widths: Uint8Array): string {
  const rows = [
    ...sale.lines.map(({ name, quantity, total }) => html`<tr><td>${String(quantity)} × ${name}<td>${amount(total)}`),
    ...sale.discounts.map(([reason, off]) => html`<tr><td>${reason}<td>−${amount(off)}`),
  ];
  return html`<!doctype html>
<meta charset="utf-8">
<title>Receipt ${sale.number}</title>
<h1>The Loom</h1>
<p>For ${sale.customer}
<table>
${rows}
<tr><th>Total<th>${amount(sale.total)}
<tr><td>of which tax<td>${amount(sale.tax)}
</table>
${drawing(widths)}
<p>${sale.number}
`.source;
}

/** A barcode in one path: a rectangle for each bar. */
function drawing(widths: Uint8Array): Html {
  let x = 10; // the quiet zone
  let path = '';
  widths.forEach((width, at) => {
    if (at % 2 === 0) path += `M${x} 0h${width}v40h-${width}z`;
    x += width;
  });
  return html`<svg viewBox="0 0 ${String(x + 10)} 40" width="${String(2 * x + 20)}"><path d="${path}"/></svg>`;
}
