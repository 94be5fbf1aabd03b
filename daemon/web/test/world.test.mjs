// The World page: a round with five voters, from the first vote to the claims, with a real proof of the answer.
import assert from 'node:assert/strict';
import { encodeFunctionData } from 'viem';
import { checkAccessible } from './lib/axe.mjs';
import { openPage } from './lib/browser.mjs';
import { Game } from './lib/chess.mjs';
import { abi } from './lib/module.mjs';
import { ask, balance } from './lib/node.mjs';
import { scenario } from './lib/scenario.mjs';
import { expectText, until } from './lib/wait.mjs';

const ETHER = 10n ** 18n;

/** Long enough for any machine: the test ends the window itself. */
const WINDOW_S = 1800;

/** Who votes for what, in thousandths of a coin: the knight has the largest single stake, the pawn the most together. */
const VOTERS = [
  ['e2', 'e4', 20],
  ['d2', 'd4', 15],
  ['g1', 'f3', 30],
  ['e2', 'e4', 5],
  ['e2', 'e4', 10],
];

/** The host whose games the demo's daemon plays opens one of the World. */
async function open(stage, arena, { verifier, model_id: modelId }) {
  const host = stage.ready.sponsor;
  await ask(stage, 'anvil_impersonateAccount', host);
  const terms = { verifier, modelId, worldIsWhite: true, window: WINDOW_S, moveTime: 3600, leastStake: ETHER / 1000n };
  const data = encodeFunctionData({ abi: abi('WorldArena'), functionName: 'openGame', args: [terms] });
  const hash = await ask(stage, 'eth_sendTransaction', { from: host, to: arena, data, value: `0x${(ETHER / 2n).toString(16)}` });
  const { logs } = await until('the game', () => ask(stage, 'eth_getTransactionReceipt', hash));
  return BigInt(logs[0].topics[1]).toString();
}

/** Stakes on a move by the page of one voter, who has a key of their own. */
async function vote(page, id, [from, to, thousandths]) {
  await page.goto(`/world?game=${id}`);
  const game = new Game(page);
  await page.locator('.board.input-enabled').waitFor();
  await game.click(from, to);
  await expectText(page.locator('.vote-form'), /Your choice: \S/);
  await page.locator('#amount').fill(String(thousandths / 1000));
  await page.locator('#vote').click();
  await until('the vote in the bars', async () => (await page.locator(`.votes .vote.mine[data-move="${from}${to}"]`).count()) === 1);
}

scenario('world: a round with five voters', {}, async ({ page, stage, shoot }) => {
  const { chains } = await stage.get('/api/v1/info');
  const arena = chains[0].apps.find((app) => app.kind === 'world')?.contract;
  assert.ok(arena, 'the demo serves a World arena');
  const { items: offers } = await stage.get(`/api/v1/chains/${chains[0].chain_id}/offers`);
  const id = await open(stage, arena, offers.find((offer) => offer.served));

  // The first voter's page stays open and sees the others come.
  const others = [];
  try {
    await vote(page, id, VOTERS[0]);
    for (const voter of VOTERS.slice(1)) {
      const other = await openPage(stage.url, { origins: [stage.rpc] });
      others.push(other);
      await vote(other.page, id, voter);
    }
    const bar = (move) => page.locator(`.votes .vote[data-move="${move}"]`);
    await expectText(bar('e2e4'), /0.035 ETH.*44 % · 3 voters/);
    await expectText(bar('g1f3'), /0.03 ETH.*38 % · 1 voter/);
    await expectText(bar('d2d4'), /0.015 ETH.*19 % · 1 voter/);
    assert.deepEqual(await page.locator('.votes .vote').evaluateAll((all) => all.map((row) => row.dataset.move)), ['e2e4', 'g1f3', 'd2d4']);
    assert.equal(await page.locator('.arrows .arrow').count(), 3);
    await page.evaluate(() => scrollTo(0, 0));
    await shoot('world-votes');
    await checkAccessible(page);

    // The window ends; whoever closes the round, the move with the most behind it is played, and the network answers by proof.
    await ask(stage, 'evm_increaseTime', WINDOW_S + 1);
    await ask(stage, 'evm_mine');
    const game = new Game(page);
    const moves = await game.answered(2);
    assert.equal(moves[0], 'e4');
    await page.locator('#verify').click();
    await expectText(page.locator('.verdict'), /Every check holds/);
    await page.evaluate(() => scrollTo(0, 0));
    await shoot('world-answered');

    // Who voted for another move has the stake back.
    const loser = others[1].page;
    const account = await loser.locator('#account').getAttribute('title');
    await loser.locator('#do-claim').click();
    await expectText(loser.locator('#do-withdraw'), /Withdraw 0.03 ETH/);
    const before = await balance(stage, account);
    await loser.locator('#do-withdraw').click();
    await loser.locator('#do-withdraw').waitFor({ state: 'detached' });
    const gained = (await balance(stage, account)) - before;
    assert.ok(gained > (29n * ETHER) / 1000n && gained < (30n * ETHER) / 1000n, `${gained} wei came back`);
    // Stakes on the move that was played stay in play.
    assert.equal(await page.locator('#do-claim').count(), 0);
    await expectText(page.locator('.facts').first(), /In play0.035 ETH/);
    for (const other of others) other.problems.check();
  } finally {
    for (const other of others) await other.context.close();
  }
});

scenario('world: a stake that is too small or no number is refused', {}, async ({ page, stage }) => {
  const { chains } = await stage.get('/api/v1/info');
  const arena = chains[0].apps.find((app) => app.kind === 'world')?.contract;
  const { items: offers } = await stage.get(`/api/v1/chains/${chains[0].chain_id}/offers`);
  const id = await open(stage, arena, offers.find((offer) => offer.served));
  await page.goto(`/world?game=${id}`);
  await page.locator('.board.input-enabled').waitFor();
  await new Game(page).drag('e2', 'e4');
  for (const [stake, words] of [['0.0001', /The stake is too small. At least 0.001 ETH/], ['a lot', /The stake is no number/]]) {
    await page.locator('#amount').fill(stake);
    await page.locator('#vote').click();
    await expectText(page.locator('.notice'), words);
  }
  await expectText(page.locator('.votes'), /No vote yet/);
});
