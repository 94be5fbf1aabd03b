// One `scenario` is one test: a page on a demo, what a person does, and what must be seen.
import { test } from 'node:test';
import { openPage, shoot } from './browser.mjs';
import { sharedStage } from './stage.mjs';

/** Longest time of a scenario, in ms; only one that hangs reaches it. */
const LONGEST = 600_000;

/** Words of which one must be in a scenario's name; none lets all run. */
const words = process.argv[2]?.split(',') ?? [''];
const isWanted = (name) => words.some((word) => name.includes(word));

/**
 * Runs `play` with a page on the shared demo (or on `options.stage()`), and fails if it throws or if the page had problems.
 * @param {string} name the page, a colon, what must hold
 * @param {object} options those of `openPage`, and `stage`: a function that gives another demo than the shared one
 * @param {(scene: { page: import('playwright-core').Page, stage: import('./stage.mjs').Stage, problems: object,
 *   context: import('playwright-core').BrowserContext, shoot: (name: string, options?: object) => Promise<void> }) => Promise<void>} play
 */
export function scenario(name, options, play) {
  if (!isWanted(name)) return;
  test(name, { timeout: LONGEST }, async () => {
    const stage = await (options.stage ?? sharedStage)();
    const origins = await rpcOrigins(stage);
    const { page, context, problems } = await openPage(stage.url, { ...options, origins });
    try {
      await play({ page, context, stage, problems, shoot: (file, how) => shoot(page, file, how) });
      problems.check();
    } catch (error) {
      const file = `failed-${name.replace(/[^a-z0-9]+/gi, '-')}`;
      await shoot(page, file).catch(() => {});
      error.stack += `\nscreenshot: ${file}.png, at ${page.url()}\npage: ${problems.list.join('\n  ') || 'no problems'}`;
      error.stack += `\ndaemon:\n${stage.tail()}`;
      throw error;
    } finally {
      await context.close();
    }
  });
}

/**
 * The same without a page.
 * @param {(stage: import('./stage.mjs').Stage) => Promise<void>} ask
 */
export function check(name, ask) {
  if (!isWanted(name)) return;
  test(name, { timeout: LONGEST }, async () => ask(await sharedStage()));
}

/** The nodes that the daemon's pages may ask. */
async function rpcOrigins(stage) {
  const { chains } = await stage.get('/api/v1/info');
  return chains.filter((chain) => chain.rpc_url).map((chain) => new URL(chain.rpc_url).origin);
}
