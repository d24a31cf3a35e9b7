// The part of Markdown that people write: headings, paragraphs, lists, quotes, code, rules, emphasis, links, images,
// and the extensions that the caller asks for. Raw HTML is escaped, and only web and mail addresses become links.

import { escapeHtml } from './html.js';
import { slug } from './slug.js';

const FENCE = /^(```|~~~)\s*([\w+-]*)\s*$/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^>\s?(.*)$/;
const DIVIDER = /^\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?$/;
const LETTER = /[0-9A-Za-z\u00c0-\u1fff\u3040-\uffff]/;
const SAFE_ADDRESS = /^(https?:\/\/|mailto:|[/#.])/i;

/** Renders a document. */
export function render(source, extensions) {
  const headings = [];
  const html = blocks(source.split(/\r?\n/), { extensions, headings });
  return {
    html,
    title: headings.find(({ level }) => level === 1)?.text,
    headings,
    words: source.split(/\s+/).filter((word) => LETTER.test(word)).length,
  };
}

function blocks(lines, context) {
  const out = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at].trim() === '') {
      at += 1;
      continue;
    }
    const [html, end] = block(lines, at, context);
    out.push(html);
    at = end;
  }
  return out.join('\n');
}

// Renders the block that begins at a line; returns it with the line after it.
function block(lines, at, context) {
  const line = lines[at];
  if (FENCE.test(line)) return fence(lines, at);
  if (HEADING.test(line)) return [heading(line, context), at + 1];
  if (RULE.test(line)) return ['<hr>', at + 1];
  if (QUOTE.test(line)) return quote(lines, at, context);
  if (ITEM.test(line)) return list(lines, at, context);
  if (context.extensions.tables && isTable(lines, at)) return table(lines, at, context);
  return paragraph(lines, at, context);
}

function fence(lines, at) {
  const [, mark, language] = FENCE.exec(lines[at]);
  const found = lines.findIndex((line, index) => index > at && line.trim() === mark);
  const end = found < 0 ? lines.length : found;
  const code = lines.slice(at + 1, end).map((line) => `${line}\n`);
  const attribute = language ? ` class="language-${escapeHtml(language)}"` : '';
  return [`<pre><code${attribute}>${escapeHtml(code.join(''))}</code></pre>`, end + 1];
}

function heading(line, { extensions, headings }) {
  const [, marks, source] = HEADING.exec(line);
  const level = marks.length;
  const text = plain(source);
  const anchor = slug(text);
  headings.push({ level, text, anchor });
  const attribute = extensions.anchors ? ` id="${anchor}"` : '';
  return `<h${level}${attribute}>${inline(source, extensions)}</h${level}>`;
}

// The text of a heading without its marks.
function plain(source) {
  return source.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/\*|~~|`|\b_+|_+\b/g, '');
}

function quote(lines, at, context) {
  const inside = [];
  while (at < lines.length && QUOTE.test(lines[at])) inside.push(QUOTE.exec(lines[at++])[1]);
  return [`<blockquote>\n${blocks(inside, context)}\n</blockquote>`, at];
}

function list(lines, at, context) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(mark);
  const items = [];
  while (at < lines.length) {
    const item = ITEM.exec(lines[at]);
    if (!item || item[1].length !== indent.length || /\d/.test(item[2]) !== ordered) break;
    const inside = [];
    for (at += 1; at < lines.length && deeper(lines[at], indent.length); at += 1) inside.push(lines[at]);
    const nested = inside.length > 0 ? `\n${blocks(inside, context)}\n` : '';
    items.push(`<li>${inline(item[3], context.extensions)}${nested}</li>`);
  }
  const tag = ordered ? 'ol' : 'ul';
  return [`<${tag}>\n${items.join('\n')}\n</${tag}>`, at];
}

function deeper(line, indent) {
  return line.trim() !== '' && line.length - line.trimStart().length > indent;
}

function isTable(lines, at) {
  return lines[at].includes('|') && DIVIDER.test(lines[at + 1] ?? '');
}

function table(lines, at, { extensions }) {
  const cell = (text, tag) => `<${tag}>${inline(text, extensions)}</${tag}>`;
  const row = (line, tag) => `<tr>${cells(line).map((text) => cell(text, tag)).join('')}</tr>`;
  const head = row(lines[at], 'th');
  const body = [];
  for (at += 2; at < lines.length && lines[at].includes('|'); at += 1) body.push(row(lines[at], 'td'));
  return [`<table>\n<thead>\n${head}\n</thead>\n<tbody>\n${body.join('\n')}\n</tbody>\n</table>`, at];
}

function cells(line) {
  return line.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim());
}

function paragraph(lines, at, { extensions }) {
  const text = [];
  while (at < lines.length && lines[at].trim() !== '' && (text.length === 0 || !interrupts(lines[at]))) {
    text.push(lines[at].trim());
    at += 1;
  }
  return [`<p>${inline(text.join('\n'), extensions)}</p>`, at];
}

function interrupts(line) {
  return [FENCE, HEADING, RULE, QUOTE, ITEM].some((start) => start.test(line));
}

// Inline marks, tried in this order at each place; what matches none is text.
function marks(extensions) {
  const inside = (text) => inline(text, extensions);
  const marks = [
    [/`([^`]+)`/y, (_, code) => `<code>${escapeHtml(code)}</code>`],
    [/!\[([^\]]*)\]\(([^\s)]+)\)/y, (all, text, to) => (SAFE_ADDRESS.test(to) ? image(to, text) : escapeHtml(all))],
    [/\[([^\]]+)\]\(([^\s)]+)\)/y, (all, text, to) => (SAFE_ADDRESS.test(to) ? link(to, inside(text)) : escapeHtml(all))],
    [/(\*\*|__)(?=\S)(.+?)(?<=\S)\1/sy, (_, sign, text) => `<strong>${inside(text)}</strong>`],
    [/([*_])(?=\S)(.+?)(?<=\S)\1/sy, (_, sign, text) => `<em>${inside(text)}</em>`],
  ];
  if (extensions.strikethrough) marks.push([/~~(?=\S)(.+?)(?<=\S)~~/sy, (_, text) => `<del>${inside(text)}</del>`]);
  if (extensions.autolinks) marks.push([/https?:\/\/[^\s<>()]+[^\s<>().,;:!?]/y, (to) => link(to, escapeHtml(to))]);
  return marks;
}

function inline(text, extensions) {
  const patterns = marks(extensions);
  let out = '';
  let at = 0;
  while (at < text.length) {
    const [html, end] = mark(text, at, patterns) ?? [escapeHtml(text[at]), at + 1];
    out += html;
    at = end;
  }
  return out;
}

function mark(text, at, patterns) {
  for (const [pattern, print] of patterns) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) return [print(...found), pattern.lastIndex];
  }
  return undefined;
}

function link(to, html) {
  return `<a href="${escapeHtml(to)}">${html}</a>`;
}

function image(from, text) {
  return `<img src="${escapeHtml(from)}" alt="${escapeHtml(text)}">`;
}
