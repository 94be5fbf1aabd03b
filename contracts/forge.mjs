// Runs the pinned forge with its own exit status: `node forge.mjs test`, and so on.
//
// The npm package's `forge` starts the same binary, but exits with 0 whatever becomes of it, so that failed tests and
// badly formatted sources would pass.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };
const extension = process.platform === 'win32' ? '.exe' : '';
const name = `@foundry-rs/forge-${process.platform}-${ARCHITECTURES[process.arch]}/bin/forge${extension}`;

let binary;
try {
  binary = createRequire(import.meta.url).resolve(name);
} catch {
  console.error(`error: ${name} is missing: run \`npm ci\` in contracts/`);
  process.exit(1);
}
const run = spawnSync(binary, process.argv.slice(2), { stdio: 'inherit' });
if (run.error) console.error(`error: can't run forge: ${run.error.message}`);
// None if a signal ended it.
process.exit(run.status ?? 1);
