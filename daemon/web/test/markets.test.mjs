// The page of markets: a bet from the page, and a market that a signed bulletin and a real proof decide.
import assert from 'node:assert/strict';
import { encodeFunctionData } from 'viem';
import { checkAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/browser.mjs';
import { connectDemo } from './lib/connect.mjs';
import { abi } from './lib/module.mjs';
import { ask, balance } from './lib/node.mjs';
import { scenario } from './lib/scenario.mjs';
import { expectText, until } from './lib/wait.mjs';

const PATH = '/api/v1/chains/31337/markets';

/** Bets are taken for so long on the market that the test opens; the test itself moves the clock. */
const WINDOW_S = 600;

/** Whose market that is: nobody's account, with coin of the local chain. */
const OPENER = '0x00000000000000000000000000000000c0ffee04';

/** Opens a market with another one's terms, on a bulletin that never comes. */
async function openLike(stage, model) {
  await ask(stage, 'anvil_impersonateAccount', OPENER);
  await ask(stage, 'anvil_setBalance', OPENER, '0x8ac7230489e80000');
  const now = Number((await ask(stage, 'eth_getBlockByNumber', 'latest', false)).timestamp);
  const terms = {
    publisher: model.publisher, feedId: model.feed_id, sequence: 2_000_000n, close: BigInt(now + WINDOW_S), deadline: BigInt(now + WINDOW_S + 1),
    verifier: model.verifier, modelId: model.model_id, minMargin: model.min_margin,
    classes: 1 + Math.max(model.no_result, ...model.outcomes.map((outcome) => outcome.class)), noResult: model.no_result, question: 'Will anybody say?',
  };
  const data = encodeFunctionData({ abi: abi('PredictionMarket'), functionName: 'open', args: [terms] });
  const hash = await ask(stage, 'eth_sendTransaction', { from: OPENER, to: model.contract, data });
  const { logs } = await until('the market', () => ask(stage, 'eth_getTransactionReceipt', hash));
  return BigInt(logs[0].topics[1]).toString();
}

const list = async (stage) => (await stage.get(`${PATH}?limit=200`)).items;

scenario('markets: a bet goes into its pool', {}, async ({ page, stage, shoot }) => {
  const market = await until('an open market', async () => (await list(stage)).find((m) => m.state === 'open' && Number(m.close) * 1000 - Date.now() > 600_000));
  await page.goto('/markets');
  await page.getByRole('link', { name: market.question }).first().click();
  await page.getByRole('heading', { name: 'Your bets' }).waitFor();
  await connectDemo(page);
  const outcome = market.outcomes[1];
  await page.getByRole('button', { name: 'Bet' }).click();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('name')), 'outcome', 'an outcome must be chosen first');
  await page.locator(`#outcome-${outcome.class}`).check({ force: true });
  await page.getByLabel('Amount in ETH').fill('0.5');
  await page.locator('#bet-promise', { hasText: /you get .* ETH/ }).waitFor();
  await page.getByRole('button', { name: 'Bet' }).click();
  await page.locator('.facts dd', { hasText: '0.5 ETH' }).waitFor();
  const after = await until('the pool by the API', async () => {
    const now = await stage.get(`${PATH}/${market.id}`);
    return BigInt(now.outcomes[1].pool) >= BigInt(outcome.pool) + 5n * 10n ** 17n && now;
  });
  assert.ok(BigInt(after.total) > BigInt(market.total));
  await checkAccessible(page);
  await shoot('market-bet');
});

scenario('markets: nonsense is not bet', {}, async ({ page, stage }) => {
  const market = (await list(stage)).find((m) => m.state === 'open');
  await page.goto(`/markets?market=${market.id}`);
  await connectDemo(page);
  await page.locator(`#outcome-${market.outcomes[0].class}`).check({ force: true });
  for (const nonsense of ['', '0', '-1', '1e18', 'all of it', '0.0000000000000000001']) {
    await page.getByLabel('Amount in ETH').fill(nonsense);
    await page.locator('#bet-promise', { hasText: 'Type an amount such as 0.25.' }).waitFor();
    await page.getByRole('button', { name: 'Bet' }).click();
    assert.equal(await page.getByLabel('Amount in ETH').getAttribute('aria-invalid'), 'true', nonsense);
  }
  await page.getByText('You have nothing in this market.').waitFor();
});

scenario('markets: a signed bulletin and a proof decide one', {}, async ({ page, stage, shoot }) => {
  const market = await until('a decided market', async () => (await list(stage)).find((m) => m.state === 'decided'));
  await page.goto(`/markets?market=${market.id}`);
  await page.locator('.bulletin blockquote').waitFor();
  assert.equal(await page.locator('.bulletin blockquote').innerText(), market.bulletin.text);
  const won = market.outcomes.find((outcome) => outcome.class === market.answer.class);
  assert.match(await page.locator('.pool.won .pool-name').innerText(), new RegExp(won.name, 'i'));
  await page.getByRole('img', { name: `Margin ${market.answer.margin}; ${market.min_margin} decides` }).waitFor();
  assert.ok(market.answer.margin >= market.min_margin);
  // The proof's transaction is the chain's own.
  assert.ok(await page.getByTitle(market.proof.tx).count());
  const receipt = await ask(stage, 'eth_getTransactionReceipt', market.proof.tx);
  assert.equal(receipt.status, '0x1');
  assert.equal(receipt.to.toLowerCase(), market.contract.toLowerCase());
  await checkAccessible(page);
  await shoot('market-decided');
});

scenario('markets: a phone shows a market', { size: PHONE, scheme: 'dark' }, async ({ page, stage, shoot }) => {
  const market = await until('a decided market', async () => (await list(stage)).find((m) => m.state === 'decided'));
  await page.goto(`/markets?market=${market.id}`);
  await page.locator('.bulletin').waitFor();
  const { width, inner } = await page.evaluate(() => ({ width: document.documentElement.scrollWidth, inner: document.documentElement.clientWidth }));
  assert.ok(width <= inner, `${width} px on a screen of ${inner} px`);
  await checkAccessible(page);
  await shoot('market-decided-phone');
});

scenario('markets: bets on what nobody ever says are taken back', {}, async ({ page, stage, shoot }) => {
  const id = await openLike(stage, (await list(stage)).find((m) => m.no_result !== null));
  const market = await until('the market by the API', () => stage.get(`${PATH}/${id}`));
  await page.goto(`/markets?market=${id}`);
  await connectDemo(page);
  for (const [outcome, amount] of [[market.outcomes[0], '0.25'], [market.outcomes[2], '0.5']]) {
    await page.locator(`#outcome-${outcome.class}`).check({ force: true });
    await page.getByLabel('Amount in ETH').fill(amount);
    await page.getByRole('button', { name: 'Bet' }).click();
    await page.locator('.facts dd', { hasText: `${amount} ETH` }).waitFor();
  }
  assert.equal(await page.locator('#claim').count(), 0);

  // Once the deadline has passed, the daemon ends the market.
  await ask(stage, 'evm_increaseTime', WINDOW_S + 2);
  await ask(stage, 'evm_mine');
  await expectText(page.locator('#claim'), /^Take back 0\.75 ETH$/);
  const ended = await stage.get(`${PATH}/${id}`);
  assert.equal(ended.refunds, true);
  await page.locator('#claim').click();
  await expectText(page.locator('#withdraw'), /^Withdraw 0\.75 ETH$/);
  await checkAccessible(page);
  await shoot('market-refund');
  const account = await page.locator('#account').getAttribute('title');
  const before = await balance(stage, account);
  await page.locator('#withdraw').click();
  await page.locator('#withdraw').waitFor({ state: 'detached' });
  const gained = (await balance(stage, account)) - before;
  assert.ok(gained > 74n * 10n ** 16n && gained <= 75n * 10n ** 16n, `${gained} wei came back`);
});
