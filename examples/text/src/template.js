// Templates in the manner of Mustache: {{name}}, {{#name}}…{{/name}}, {{^name}}…{{/name}}, {{.}}.

import { position } from './csv.js';
import { escapeHtml } from './html.js';

const TAG = /\{\{\s*([#^/]?)\s*([\w.-]+)\s*\}\}/g;

const ESCAPE = {
  none: (text) => text,
  html: escapeHtml,
  json: (text) => JSON.stringify(text).slice(1, -1),
};

/** Fills a template with the values that the bindings give to its names. */
export function fill(template, bindings, escaping) {
  const values = new Map(bindings.map(({ name, value }) => [name, value]));
  return print(read(template), values, ESCAPE[escaping]);
}

// A node is a text, {name} or {name, inverted, body}.
function read(template) {
  const root = { body: [] };
  const open = [root];
  let done = 0;
  for (const { 0: tag, 1: kind, 2: name, index } of template.matchAll(TAG)) {
    const { body } = open.at(-1);
    if (index > done) body.push(template.slice(done, index));
    done = index + tag.length;
    if (kind === '') {
      body.push({ name });
    } else if (kind === '/') {
      if (open.length === 1 || open.at(-1).name !== name) unbalanced(template, index);
      open.pop();
    } else {
      const section = { name, inverted: kind === '^', body: [], start: index };
      body.push(section);
      open.push(section);
    }
  }
  if (open.length > 1) unbalanced(template, open.at(-1).start);
  root.body.push(template.slice(done));
  return root.body;
}

function unbalanced(template, offset) {
  throw { tag: 'unbalanced', val: position(template, offset) };
}

function print(body, values, escape) {
  return body
    .map((node) => {
      if (typeof node === 'string') return node;
      const value = values.get(node.name);
      if (value === undefined) throw { tag: 'not-found', val: node.name };
      return node.body ? section(node, value, values, escape) : escape(scalar(node.name, value));
    })
    .join('');
}

function scalar(name, { tag, val }) {
  if (tag !== 'text' && tag !== 'number') {
    throw { tag: 'invalid-argument', val: `${name} is ${tag === 'items' ? 'a list' : 'a condition'}, not a text` };
  }
  return String(val);
}

function section({ inverted, body }, { tag, val }, values, escape) {
  const items = tag === 'items' ? val : [];
  const shown = tag === 'items' ? items.length > 0 : Boolean(val);
  if (inverted) return shown ? '' : print(body, values, escape);
  if (!shown) return '';
  if (tag !== 'items') return print(body, values, escape);
  return items.map((item) => print(body, new Map(values).set('.', { tag: 'text', val: item }), escape)).join('');
}
