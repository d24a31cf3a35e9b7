// A counter, and a list that grows by swaps. Errors of imports are thrown, with the error value as their payload.

import { increment, swap, Cas } from 'wasi:keyvalue/atomics@0.2.0-draft2';
import { deleteMany, getMany } from 'wasi:keyvalue/batch@0.2.0-draft2';
import { open } from 'wasi:keyvalue/store@0.2.0-draft2';

const encode = (text) => new TextEncoder().encode(text);
const decode = (bytes) => new TextDecoder().decode(bytes);

// explained runs a function and throws what WIT has for errors here: text.
function explained(run) {
  try {
    return run();
  } catch (e) {
    let why = e.payload; // a case, or a case in a case
    while (why?.tag) why = why.val ?? why.tag;
    throw why ?? String(e);
  }
}

// append adds a line to a value, however many others do so at once.
function append(bucket, key, line) {
  let cas = Cas.new(bucket, key);
  for (;;) {
    const lines = cas.current();
    try {
      return swap(cas, encode(`${lines === undefined ? '' : decode(lines)}${line}\n`));
    } catch (e) {
      if (e.payload?.tag !== 'cas-failed') throw e;
      cas = e.payload.val;
    }
  }
}

export const visits = {
  visit: (page, visitor) =>
    explained(() => {
      const bucket = open(page);
      append(bucket, 'visitors', visitor);
      return increment(bucket, 'count', 1n);
    }),

  visitors: (page) =>
    explained(() => {
      const [[, lines]] = getMany(open(page), ['visitors']);
      return lines === undefined ? [] : decode(lines).trimEnd().split('\n');
    }),

  clear: (page) =>
    explained(() => {
      const bucket = open(page);
      const { keys } = bucket.listKeys();
      deleteMany(bucket, keys);
      return keys.toSorted();
    }),
};
