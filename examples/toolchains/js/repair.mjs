// repair.mjs TOOLCHAIN: repairs two faults of componentize-js 0.23.0 in what it writes around a user's functions, and adds warm.js to that.
//
// The engine hands a function's number result to WebAssembly as it lies in memory. That is right for integers of 32 bits
// with a sign only: a u32 from 2^31 on is a double to the engine, and its lower half came out. A BigInt has to be without
// a sign, else the engine aborts: so did any negative s64. Both conversions keep their bits.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const file = join(process.argv[2], 'node_modules/@bytecodealliance/componentize-js/src/componentize.js');
const write = 'await writeFile(initializerPath, jsBindings);';
const repairs = [
  ['return val >>> 0;', 'return val | 0;'],
  ['return BigInt.asIntN(64, converted);', 'return BigInt.asUintN(64, converted);'],
];

const warm = await readFile(new URL('warm.js', import.meta.url), 'utf8');
const source = await readFile(file, 'utf8');
if (!source.includes(write)) throw new Error(`${file} is not as it was in componentize-js 0.23.0`);
const replaced = repairs.reduce((text, pair) => `${text}.replace(${pair.map((s) => JSON.stringify(s)).join(', ')})`, 'jsBindings');
await writeFile(file, source.replace(write, () => `jsBindings = ${replaced} + ${JSON.stringify(warm)};\n  ${write}`));
