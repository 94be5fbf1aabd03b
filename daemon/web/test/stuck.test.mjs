// A transaction that no block takes: the operator sees it in the console, and has it pay more. The last one: the local chain goes on
// with a block every second afterwards, and no sooner.
import assert from 'node:assert/strict';
import { checkAccessible } from './lib/axe.mjs';
import { newGame } from './lib/chess.mjs';
import { ask } from './lib/node.mjs';
import { scenario } from './lib/scenario.mjs';
import { until } from './lib/wait.mjs';

scenario('stuck: a transaction that waits is bumped from the console', {}, async ({ page, stage, shoot }) => {
  const game = await newGame(page);
  await ask(stage, 'evm_setIntervalMining', 0);
  let row;
  try {
    await game.click('e2', 'e4');
    // The move gets its block, its answer none.
    await until('the move', async () => Number((await ask(stage, 'txpool_status')).pending) > 0);
    await ask(stage, 'evm_mine');
    row = await until('an answer that waits', async () => (await stage.operator('/transactions?state=broadcast')).items[0]);
    await page.goto(stage.ready.console);
    await page.getByText('live', { exact: true }).waitFor();
    await page.goto('/console#transactions');
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
