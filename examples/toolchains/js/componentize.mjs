// componentize.mjs TOOLCHAIN SOURCE OUT: makes the component of one JavaScript module.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [toolchain, source, out] = process.argv.slice(2);
const entry = join(toolchain, 'node_modules/@bytecodealliance/componentize-js/src/componentize.js');
const { componentize } = await import(pathToFileURL(entry));

const { main } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
const { component } = await componentize({
  sourcePath: join(source, main),
  witPath: join(source, 'wit'),
  // No network: without these two a component does not even import it.
  disableFeatures: ['http', 'fetch-event'],
});
await writeFile(out, component);
