// CSV as RFC 4180 describes it, with any delimiter.

/** Reads a whole text into a table of equally long rows. */
export function parse(source, { delimiter, header, trim }) {
  const rows = [];
  for (const { fields, line } of records(source, delimiter)) {
    if (rows.length > 0 && fields.length !== rows[0].length) {
      throw { tag: 'uneven', val: [line, rows[0].length, fields.length] };
    }
    rows.push(trim ? fields.map((field) => field.trim()) : fields);
  }
  return { header: header ? rows.shift() : undefined, rows };
}

function* records(source, delimiter) {
  let at = 0;
  let line = 1;
  while (at < source.length) {
    const first = line;
    const fields = [];
    for (;;) {
      const field = source[at] === '"' ? quoted(source, at, delimiter) : plain(source, at, delimiter);
      fields.push(field.text);
      line += newlines(source.slice(at, field.end));
      at = field.end;
      if (!source.startsWith(delimiter, at)) break;
      at += delimiter.length;
    }
    if (source.startsWith('\r\n', at)) at += 2;
    else if (at < source.length) at += 1;
    line += 1;
    if (fields.length > 1 || fields[0] !== '') yield { fields, line: first };
  }
}

function plain(source, start, delimiter) {
  let end = start;
  while (end < source.length && !'\r\n'.includes(source[end]) && !source.startsWith(delimiter, end)) end += 1;
  return { text: source.slice(start, end), end };
}

// A quoted field; what stands between its closing quote and the next delimiter is part of it, as spreadsheets do.
function quoted(source, start, delimiter) {
  let text = '';
  let at = start + 1;
  for (;;) {
    const quote = source.indexOf('"', at);
    if (quote < 0) throw { tag: 'unclosed-quote', val: position(source, start) };
    text += source.slice(at, quote);
    if (source[quote + 1] !== '"') {
      const rest = plain(source, quote + 1, delimiter);
      return { text: text + rest.text, end: rest.end };
    }
    text += '"';
    at = quote + 2;
  }
}

/** The line and column of an offset, both counted from 1. */
export function position(source, offset) {
  const before = source.slice(0, offset);
  return { line: newlines(before) + 1, column: offset - before.lastIndexOf('\n') };
}

function newlines(text) {
  return text.split('\n').length - 1;
}
