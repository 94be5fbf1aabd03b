// Where things lie.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Folder of the screenshots that a run keeps. */
export const SCREENSHOTS = join(ROOT, '.zugzwang/screenshots');

/** The daemon's binary: the one that ZUGZWANG names, else the newest that cargo has built. */
export function daemon() {
  if (process.env.ZUGZWANG) return process.env.ZUGZWANG;
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
  const built = ['debug', 'release'].map((profile) => join(target, profile, 'zugzwang')).filter((path) => existsSync(path));
  if (built.length === 0) throw new Error('the daemon is not built; run `make test-web`, or name its binary in ZUGZWANG');
  return built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

/** The browser's program. */
export function browser() {
  return execFileSync(join(ROOT, 'scripts/browser'), ['path'], { encoding: 'utf8' }).trim();
}

/** A file for a screenshot. */
export function screenshot(name) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  return join(SCREENSHOTS, `${name}.png`);
}
