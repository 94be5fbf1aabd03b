// Runs the scenarios of the pages in Chromium against a real daemon on a local chain.
//
//   node --test-reporter=./test/reporter.mjs test/main.mjs [WORD,…]    only scenarios whose name holds one of the words
//
// ZUGZWANG names the daemon's binary; without it, the one that cargo built last. Screenshots are left in .zugzwang/screenshots.
// One process runs all files, so that they share one browser and one demo; both end with it.
import { readdirSync } from 'node:fs';
import { after } from 'node:test';
import { closeBrowser } from './lib/browser.mjs';
import { closeStages } from './lib/stage.mjs';

const HERE = new URL('.', import.meta.url);

// What the demo needs a minute for comes late: by then it has happened. What changes the chain's clock by days comes last.
const LATE = ['markets.test.mjs', 'stuck.test.mjs', 'guards.test.mjs'];

const files = readdirSync(HERE)
  .filter((name) => name.endsWith('.test.mjs'))
  .sort((a, b) => LATE.indexOf(a) - LATE.indexOf(b) || a.localeCompare(b));

for (const file of files) await import(new URL(file, HERE).href);

after(async () => {
  await closeBrowser();
  await closeStages();
});
