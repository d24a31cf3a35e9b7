// componentize.mjs TOOLCHAIN SOURCE OUT: makes the component of one JavaScript or TypeScript module.
//
// TypeScript is checked against the types of SOURCE/wit, which are written to SOURCE/wit-types, as SOURCE/tsconfig.json says.

import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [toolchain, source, out] = process.argv.slice(2);
const modules = join(toolchain, 'node_modules');
const { componentize } = await import(pathToFileURL(join(modules, '@bytecodealliance/componentize-js/src/componentize.js')));

// compile compiles the TypeScript of SOURCE into a directory and returns what was made of its main module.
async function compile(main, to) {
  const types = join(source, 'wit-types');
  await rm(types, { recursive: true, force: true });
  run('@bytecodealliance/jco/src/jco.js', 'guest-types', join(source, 'wit'), '--out-dir', types);
  run('typescript/bin/tsc', '--project', source, '--rootDir', join(source, dirname(main)), '--outDir', to);
  await writeFile(join(to, 'package.json'), '{"type": "module"}');
  return join(to, main.slice(dirname(main).length).replace(/\.ts$/, '.js'));
}

function run(program, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(modules, program), ...args], { encoding: 'utf8' });
  if (status !== 0) {
    process.stderr.write(stdout + stderr);
    throw new Error(`${program} failed`);
  }
}

const { main } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
if (typeof main !== 'string') throw new Error(`${source}/package.json has no "main": name the module that exports the functions`);
const compiled = await mkdtemp(join(tmpdir(), 'weft-ts-'));
try {
  const { component } = await componentize({
    sourcePath: main.endsWith('.ts') ? await compile(main, compiled) : join(source, main),
    witPath: join(source, 'wit'),
    // No network: without these two a component does not even import it.
    disableFeatures: ['http', 'fetch-event'],
  });
  await writeFile(out, component);
} finally {
  await rm(compiled, { recursive: true, force: true });
}
