// What an operator does about transactions that no block takes, and about jobs that can't go on. Late: the local chain goes on with a
// block every second afterwards, and no sooner.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkAccessible } from './lib/axe.mjs';
import { newGame } from './lib/chess.mjs';
import { ask } from './lib/node.mjs';
import { scenario } from './lib/scenario.mjs';
import { until } from './lib/wait.mjs';

/** Opens a section of the console. */
async function enter(page, stage, section) {
  await page.goto(stage.ready.console);
  await page.getByText('live', { exact: true }).waitFor();
  await page.goto(`/console#${section}`);
}

/** Gives an order by the button of a row, and says yes to the question. */
async function order(page, name, row, question) {
  await page.getByRole('button', { name: `${name}: ${row}` }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('heading', { name: question }).waitFor();
  await dialog.getByRole('button', { name }).click();
  await dialog.waitFor({ state: 'detached' });
}

/** The job that answers the game on the page, if it has one. The demo's other players have jobs, too. */
async function jobOf(stage, page) {
  const game = new URL(page.url()).searchParams.get('game');
  const { items } = await stage.operator('/jobs?state=all&limit=200');
  return items.find((job) => job.app === 'chess' && job.subject === game);
}

/** The game's job and its transaction, which no block takes: blocks come by `evm_mine` alone, and only until the move is in one. */
function waiting(stage, page) {
  return until('an answer that waits', async () => {
    const job = await jobOf(stage, page);
    if (job === undefined) {
      if (Number((await ask(stage, 'txpool_status')).pending) > 0) await ask(stage, 'evm_mine');
      return false;
    }
    const { items } = await stage.operator('/transactions?state=broadcast');
    const row = items.find((tx) => tx.job === job.id);
    return row && { row, job };
  });
}

/** The state that a row of the table shows. */
const shown = (page, id) => page.locator(`tr[data-key="${id}"] td[data-title=State]`);

/** Changes a limit of the daemon's file, and has it read again. */
async function limit(stage, key, value) {
  const file = join(stage.ready.dir, 'zugzwang.toml');
  const text = readFileSync(file, 'utf8');
  const line = new RegExp(`(^\\[submit\\]$[^\\[]*?^${key} = ).*$`, 'm');
  assert.match(text, line);
  writeFileSync(file, text.replace(line, `$1${value}`));
  process.kill(await stage.daemonPid(), 'SIGHUP');
}

scenario('stuck: a transaction that waits is bumped from the console', {}, async ({ page, stage, shoot }) => {
  const game = await newGame(page);
  await ask(stage, 'evm_setIntervalMining', 0);
  let row;
  try {
    await game.click('e2', 'e4');
    ({ row } = await waiting(stage, page));
    await enter(page, stage, 'transactions');
    await page.getByRole('button', { name: `Bump: transaction ${row.id}` }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('heading', { name: `Pay more for transaction ${row.id}?` }).waitFor();
    await checkAccessible(page);
    await shoot('console-bump', { whole: false });
    await dialog.getByRole('button', { name: 'Bump' }).click();
    await page.locator(`tr[data-key="${row.id}"] td[data-title=Versions]`, { hasText: /^[2-9]$/ }).waitFor();
  } finally {
    await ask(stage, 'evm_setIntervalMining', 1);
  }
  await page.locator(`tr[data-key="${row.id}"] td[data-title=State]`, { hasText: /included|final/ }).waitFor();
  const { items } = await stage.operator('/transactions?all=true&limit=200');
  const bumped = items.find((tx) => tx.id === row.id);
  assert.notEqual(bumped.hash, row.hash);
  assert.ok(BigInt(bumped.max_fee) > BigInt(row.max_fee), `${bumped.max_fee} after ${row.max_fee} wei per gas`);
  assert.equal(bumped.ok, true);
});

scenario('stuck: a transaction is cancelled, and its job tried again', {}, async ({ page, stage, shoot }) => {
  const game = await newGame(page);
  await ask(stage, 'evm_setIntervalMining', 0);
  let row;
  let job;
  try {
    await game.click('d2', 'd4');
    ({ row, job } = await waiting(stage, page));
    await enter(page, stage, 'transactions');
    await order(page, 'Cancel', `transaction ${row.id}`, `Cancel transaction ${row.id}?`);
    await until('the job given up', async () => (await stage.operator(`/jobs/${job.id}`)).state === 'forfeited');
  } finally {
    await ask(stage, 'evm_setIntervalMining', 1);
  }
  // Its nonce is used by a payment of nothing.
  const cancelled = await until('the payment in a block', async () => {
    const { items } = await stage.operator('/transactions?all=true&limit=200');
    return items.find((tx) => tx.id === row.id && tx.block !== null);
  });
  const { to, value, input } = await ask(stage, 'eth_getTransactionByHash', cancelled.hash);
  assert.deepEqual([to.toLowerCase(), BigInt(value), input], [cancelled.signer.toLowerCase(), 0n, '0x']);

  await page.goto('/console#jobs');
  await shown(page, job.id).filter({ hasText: 'forfeited' }).waitFor();
  await shoot('console-forfeited', { whole: false });
  await order(page, 'Retry', `job ${job.id}`, `Try job ${job.id} again?`);
  await shown(page, job.id).filter({ hasText: /included|final/ }).waitFor();
});

scenario('stuck: a job that waits for its limits is dropped', {}, async ({ page, stage }) => {
  const game = await newGame(page);
  let job;
  try {
    await limit(stage, 'spend_per_hour_eth', '1e-9');
    await game.click('c2', 'c4');
    job = await until('a proof that waits', async () => {
      const job = await jobOf(stage, page);
      return job?.state === 'proved' && job;
    });
    await enter(page, stage, 'jobs');
    await order(page, 'Drop', `job ${job.id}`, `Drop job ${job.id}?`);
    await shown(page, job.id).filter({ hasText: 'forfeited' }).waitFor();
  } finally {
    await limit(stage, 'spend_per_hour_eth', '0.0');
  }
  await order(page, 'Retry', `job ${job.id}`, `Try job ${job.id} again?`);
  await shown(page, job.id).filter({ hasText: /included|final/ }).waitFor();
});
