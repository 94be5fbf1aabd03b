// A module of the pages' sources, for tests of what needs no browser.
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './places.mjs';

/** Bundles and loads `src/…` as the pages have it. */
export async function source(path) {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, 'daemon/web', path)],
    bundle: true,
    format: 'esm',
    write: false,
    logLevel: 'silent',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** A contract's interface, as it is compiled. */
export function abi(name) {
  return JSON.parse(readFileSync(join(ROOT, 'contracts/artifacts', `${name}.json`), 'utf8')).abi;
}

/** A contract's init code. */
export function bytecode(name) {
  return JSON.parse(readFileSync(join(ROOT, 'contracts/artifacts', `${name}.json`), 'utf8')).bytecode;
}
