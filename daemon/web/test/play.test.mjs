// The Play page: whole games against the network, with real proofs on a local chain.
//
// The network is a function: on the same board it plays the same move. So these games are always the same, for as long as the
// model models/chess-s is.
import assert from 'node:assert/strict';
import { checkAccessible } from './lib/axe.mjs';
import { Game, newGame } from './lib/chess.mjs';
import { ask, balance, sent } from './lib/node.mjs';
import { scenario } from './lib/scenario.mjs';
import { expectText, until } from './lib/wait.mjs';
import { testWallet } from './lib/wallet.mjs';

const ETHER = 10n ** 18n;

/** White mates in its sixth move. */
const MATE = ['e2e4', 'g1f3', 'f3e5', 'd1f3', 'f1c4', 'c4f7'];

/** White's a-pawn takes on a8 in the seventh move. */
const PROMOTION = ['g1h3', 'a2a4', 'a4a5', 'a5a6', 'e2e3', 'a6b7'];

/** The address that the page plays with. */
async function account(page) {
  return page.locator('#account').getAttribute('title');
}

scenario('play: a whole game, from the first click to mate', {}, async ({ page, stage, shoot }) => {
  const game = await newGame(page, { time: '10 min' });
  const player = await account(page);
  let plies = 0;
  for (const [i, move] of MATE.entries()) {
    const [from, to] = [move.slice(0, 2), move.slice(2)];
    if (i % 2 === 0) await game.click(from, to);
    else await game.drag(from, to);
    plies += 1;
    if (move === MATE.at(-1)) break;
    if (i === 0) {
      // While the network thinks: the steps, and a bar of how much is proven.
      await page.locator('.stages li.active').waitFor();
      await shoot('play-thinking');
      assert.ok(Number(await page.locator('[role=progressbar]').getAttribute('aria-valuenow')) >= 0);
    }
    plies += 1;
    const moves = await game.answered(plies);
    assert.equal(moves.length, plies);
    if (i === 1) await verified(page, shoot);
  }
  // Nobody has a move any more: the winner claims it.
  await page.locator('#do-mate').click();
  await game.status(/You won by checkmate. 0.2 ETH are yours to withdraw/);
  assert.match((await game.moves()).at(-1), /^Bxf7#$/);
  await page.evaluate(() => scrollTo(0, 0));
  await shoot('play-won');
  await checkAccessible(page);

  const before = await balance(stage, player);
  await page.locator('#do-withdraw').click();
  await page.locator('#do-withdraw').waitFor({ state: 'detached' });
  const gained = (await balance(stage, player)) - before;
  assert.ok(gained > (19n * ETHER) / 100n && gained < (2n * ETHER) / 10n, `${gained} wei came out of the arena`);
});

/** Has the page check the newest proof, and sees that it says what it found. */
async function verified(page, shoot) {
  await page.locator('#verify').click();
  await expectText(page.locator('.verdict'), /Every check holds/);
  const checks = await page.locator('.checks li').evaluateAll((all) => all.map((row) => `${row.dataset.check}:${row.className}`));
  assert.deepEqual(checks, ['transaction', 'request', 'board', 'rights', 'move', 'model', 'proof', 'other'].map((name) => `${name}:ok`));
  await page.evaluate(() => scrollTo(0, 0));
  await shoot('play-proof');
}

scenario('play: a proof that was tampered with is found out', {}, async ({ page }) => {
  // The daemon's answer is changed on its way: the page must see that the chain says otherwise.
  await page.route('**/moves/1/proof', async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    const [first] = [BigInt(body.instances[3])];
    body.instances[3] = `0x${(first ^ 1n).toString(16).padStart(64, '0')}`;
    await route.fulfill({ response, json: body });
  });
  const game = await newGame(page);
  await game.click('e2', 'e4');
  await game.answered(2);
  await page.locator('#verify').click();
  await expectText(page.locator('.verdict'), /A check fails/);
  const failed = await page.locator('.checks li.bad').evaluateAll((all) => all.map((row) => row.dataset.check));
  assert.deepEqual(failed, ['board', 'proof']);
});

scenario('play: a promotion, first taken back and then to a knight', {}, async ({ page, shoot }) => {
  const game = await newGame(page);
  for (const [i, move] of PROMOTION.entries()) {
    await game.click(move.slice(0, 2), move.slice(2));
    await game.answered(2 * (i + 1));
  }
  await game.click('b7', 'a8');
  await page.locator('.promotion').waitFor();
  await shoot('play-promotion', { whole: false });
  await page.keyboard.press('Escape');
  await page.locator('.promotion').waitFor({ state: 'detached' });
  assert.match(await game.label('b7'), /white pawn/);
  assert.match(await game.label('a8'), /black rook/);
  await game.drag('b7', 'a8');
  await page.locator('.promote[data-piece=n]').click();
  const moves = await game.answered(14);
  assert.equal(moves[12], 'bxa8=N');
  assert.match(await game.label('a8'), /white knight/);
});

scenario('play: an illegal drag is refused, and nothing is sent', {}, async ({ page, stage }) => {
  const game = await newGame(page);
  const player = await account(page);
  const before = await sent(stage, player);
  for (const [from, to] of [['e2', 'e5'], ['a1', 'a4'], ['e1', 'e2'], ['g1', 'g3']]) {
    const label = await game.label(from);
    await game.drag(from, to);
    await until('the piece back at its square', async () => (await game.label(from)) === label);
    assert.deepEqual(await game.moves(), []);
  }
  await expectText(page.locator('#live-assertive'), /g1 to g3 is not allowed/);
  // The other side's men don't move at all.
  await game.drag('e7', 'e5');
  assert.equal(await page.locator('.cm-chessboard .square.selected').count(), 0);
  assert.equal(await sent(stage, player), before);
  await game.drag('e2', 'e4');
  assert.equal((await game.answered(2))[0], 'e4');
  assert.equal(await sent(stage, player), before + 1);
});

scenario('play: a wallet that rejects, then agrees', {}, async ({ page, stage }) => {
  const { account: player, init } = await testWallet(stage);
  await page.addInitScript({ content: init });
  const say = (answer) => page.evaluate((a) => { window.testWallet.say = a; }, answer);
  const connect = async () => {
    await page.locator('#connect').click();
    await page.locator('.choice', { hasText: 'Test wallet' }).click();
  };
  await page.goto('/');
  await page.locator('#play-now').waitFor();

  await say('no');
  await connect();
  await expectText(page.locator('.notice'), /You declined this in your wallet. Nothing was sent/);
  assert.equal(await page.locator('#account').count(), 0);

  await say('yes');
  await connect();
  await page.locator('#account').waitFor();
  assert.equal((await account(page)).toLowerCase(), player);

  const before = await sent(stage, player);
  await say('no');
  await page.locator('#play-now').click();
  await expectText(page.locator('.notice'), /You declined/);
  assert.equal(new URL(page.url()).search, '');

  await say('yes');
  await page.locator('#play-now').click();
  await page.waitForURL(/\?game=\d+/);
  const game = new Game(page);
  await game.status(/It is your move/);

  await say('no');
  await game.click('e2', 'e4');
  await expectText(page.locator('.notice'), /You declined/);
  await until('the pawn back on e2', async () => /white pawn/.test(await game.label('e2')));
  assert.deepEqual(await game.moves(), []);
  assert.equal(await sent(stage, player), before + 1, 'only the game was sent');

  await say('yes');
  await game.click('e2', 'e4');
  assert.equal((await game.answered(2))[0], 'e4');

  // The wallet is remembered, without being asked again.
  await page.reload();
  await page.locator('#account').waitFor();
  assert.ok(!(await page.evaluate(() => window.testWallet.asked)).includes('eth_requestAccounts'));
});

scenario('play: by keyboard alone, with all of it announced', {}, async ({ page, shoot }) => {
  const { keyboard } = page;
  const tabTo = async (selector) => {
    for (let i = 0; i < 60; i += 1) {
      if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
      await keyboard.press('Tab');
    }
    throw new Error(`Tab never reaches ${selector}`);
  };
  await page.goto('/');
  await page.locator('#play-now').waitFor();
  // What a screen reader would be told.
  await page.evaluate(() => {
    window.said = [];
    for (const id of ['live-polite', 'live-assertive']) {
      new MutationObserver(() => window.said.push(document.getElementById(id).textContent.trim())).observe(document.getElementById(id), { childList: true, characterData: true, subtree: true });
    }
  });
  const said = (pattern) => until(`an announcement ${pattern}`, async () => (await page.evaluate(() => window.said)).some((text) => pattern.test(text)));
  await tabTo('#play-now');
  await keyboard.press('Enter');
  await page.waitForURL(/\?game=\d+/);
  const game = new Game(page);
  await game.status(/It is your move/);

  await tabTo('[data-cell]');
  await game.walk('g1');
  assert.match(await game.label('g1'), /^g1, white knight/);
  await keyboard.press('Enter');
  await said(/white knight on g1 can go to (h3, f3|f3, h3)/);
  assert.match(await game.label('f3'), /can go here/);
  await keyboard.press('Escape');
  assert.doesNotMatch(await game.label('f3'), /can go here/);
  await game.walk('e2');
  await keyboard.press('Enter');
  await game.walk('e5');
  await keyboard.press('Enter');
  await said(/e2 to e5 is not allowed/);
  await game.walk('e4');
  await shoot('play-keyboard', { whole: false });
  await keyboard.press('Enter');
  await game.answered(2);
  await said(/Your move: pawn from e2 to e4/);
  await said(/The network proves its move/);
  await said(/The network plays: pawn from d7 to d5/);
  await game.keys('g1', 'f3');
  await game.answered(4);
  await said(/The network plays: pawn from d5 takes pawn on e4/);

  await tabTo('#verify');
  await keyboard.press('Enter');
  await expectText(page.locator('.verdict'), /Every check holds/);
  await said(/Every check holds/);

  await tabTo('#do-resign');
  await keyboard.press('Enter');
  await tabTo('#sure');
  await keyboard.press('Enter');
  await game.status(/You lost by resignation/);
});

scenario('play: the daemon is killed in mid-game, and the game goes on', {}, async ({ page, stage, problems }) => {
  // Streams break and requests fail while it is away.
  problems.expect(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|502|503/);
  const game = await newGame(page);
  await game.click('e2', 'e4');
  await page.locator('.stages li.active').waitFor();
  const pid = await stage.daemonPid();
  process.kill(pid, 'SIGKILL');
  await page.getByText('Reconnecting…').waitFor();
  // The demo starts it again; the page finds it by itself.
  await page.getByText('Reconnecting…').waitFor({ state: 'hidden' });
  assert.notEqual(await stage.daemonPid(), pid);
  assert.deepEqual(await game.answered(2), ['e4', 'd5']);
  await game.click('g1', 'f3');
  assert.equal((await game.answered(4)).length, 4);
});

scenario('play: as Black, and a second visitor watches', {}, async ({ page, context }) => {
  const game = await newGame(page, { color: 'Black' });
  await game.answered(1);
  assert.equal(await page.locator('.grid .cell').first().getAttribute('data-cell'), 'h1', 'Black is at the bottom');
  await game.drag('e7', 'e5');
  const moves = await game.answered(3);
  const watcher = await context.newPage();
  await watcher.goto(page.url());
  const seen = new Game(watcher);
  await seen.answered(3);
  assert.deepEqual(await seen.moves(), moves);
  await watcher.close();
});

scenario('play: a game that is not there', {}, async ({ page, problems }) => {
  problems.expect(/404/);
  await page.goto('/?game=999999');
  await expectText(page.locator('#play'), /There is no game 999999/);
});

scenario('play: a chain that does not answer is said, not hidden', {}, async ({ page, stage, problems }) => {
  problems.expect(/ERR_FAILED/);
  const game = await newGame(page);
  const player = await account(page);
  const before = await sent(stage, player);
  await page.route(`${stage.rpc}/**`, (route) => route.abort());
  await game.click('e2', 'e4');
  await expectText(page.locator('.notice'), /The chain cannot be reached/);
  await until('the pawn back on e2', async () => /white pawn/.test(await game.label('e2')));
  await page.unroute(`${stage.rpc}/**`);
  await game.click('e2', 'e4');
  await game.answered(2);
  assert.equal(await sent(stage, player), before + 1);
  assert.equal(BigInt(await ask(stage, 'eth_chainId')), 31337n);
});
