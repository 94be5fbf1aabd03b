// The page of a guarded vault: incidents of the demo's accounts, judged by real proofs.
import assert from 'node:assert/strict';
import { checkAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/browser.mjs';
import { scenario } from './lib/scenario.mjs';
import { until } from './lib/wait.mjs';
import { ask } from './lib/node.mjs';
import { testWallet } from './lib/wallet.mjs';
import { connectDemo, connectWallet } from './lib/connect.mjs';

/** The vault's incidents by the API, once one of them has this verdict. */
async function judged(stage, verdict) {
  const path = `/api/v1/chains/31337/guards/${stage.ready.vault}/incidents`;
  return until(`an incident that is ${verdict}`, async () => (await stage.get(path)).items.find((incident) => incident.verdict === verdict));
}

scenario('guards: an honest withdrawal is released, with its account beside others', {}, async ({ page, stage, shoot }) => {
  const incident = await judged(stage, 'released');
  await page.goto(`/guards?incident=${incident.id}`);
  await page.getByRole('heading', { name: `Incident ${incident.id}` }).waitFor();
  await page.getByRole('heading', { name: `Score ${incident.score}` }).waitFor();
  const strips = page.locator('.feature svg[role=img]');
  assert.equal(await strips.count(), incident.features.length);
  assert.ok(incident.features.length >= 10, `${incident.features.length} features`);
  for (const label of await strips.evaluateAll((list) => list.map((node) => node.getAttribute('aria-label')))) {
    assert.match(label, /: (at least as high as|above|below|among|no population)/);
  }
  assert.ok(incident.score < (await stage.get(`/api/v1/chains/31337/guards/${stage.ready.vault}`)).release_below);
  await checkAccessible(page);
  await shoot('guards-released');
});

scenario('guards: a flagged account is held, and the vault is paused', {}, async ({ page, stage, shoot }) => {
  await page.goto('/guards');
  await page.locator('.tiles').waitFor();
  const incident = await judged(stage, 'held');
  // The page is told by itself.
  await page.locator(`.incidents [data-id="${incident.id}"] .tag`, { hasText: 'Held' }).waitFor();
  await page.locator(`.plot-mark[href$="incident=${incident.id}"]`).click();
  await page.getByRole('heading', { name: `Incident ${incident.id}` }).waitFor();
  assert.match(page.url(), new RegExp(`incident=${incident.id}$`));
  const guard = await stage.get(`/api/v1/chains/31337/guards/${stage.ready.vault}`);
  assert.equal(await page.locator('.banner').count(), guard.paused ? 1 : 0);
  assert.ok(incident.score >= guard.pause_at);
  await checkAccessible(page);
  await shoot('guards-held');
  await page.goBack();
  await page.locator('.tiles').waitFor();
});

scenario('guards: a phone shows all of it', { size: PHONE, scheme: 'dark' }, async ({ page, stage, shoot }) => {
  const incident = await judged(stage, 'held');
  await page.goto(`/guards?incident=${incident.id}`);
  await page.locator('.feature').first().waitFor();
  const { width, inner } = await page.evaluate(() => ({ width: document.documentElement.scrollWidth, inner: document.documentElement.clientWidth }));
  assert.ok(width <= inner, `${width} px on a screen of ${inner} px`);
  await checkAccessible(page);
  await shoot('guards-held-phone');
});

scenario('guards: governance ends a pause, and nobody else is offered to', {}, async ({ page, stage, shoot }) => {
  const path = `/api/v1/chains/31337/guards/${stage.ready.vault}`;
  const { governance } = await until('a pause', async () => {
    const guard = await stage.get(path);
    return guard.paused && guard;
  });
  const { init } = await testWallet(stage, governance);
  await page.addInitScript({ content: init });
  await page.goto('/guards');
  await page.getByText('Governance can end it early').waitFor();
  assert.equal(await page.getByRole('button', { name: 'End the pause' }).count(), 0);
  await shoot('guards-paused');
  await connectWallet(page);
  await page.getByRole('button', { name: 'End the pause' }).click();
  await page.locator('.banner').waitFor({ state: 'detached' });
  await page.locator('#guards').getByText('Running', { exact: true }).waitFor();
  assert.equal((await stage.get(path)).paused, false);
});

// The last one: it changes the chain's clock.
scenario('guards: a held withdrawal is paid out by anybody after its time', {}, async ({ page, stage, shoot }) => {
  const path = `/api/v1/chains/31337/guards/${stage.ready.vault}/incidents`;
  const incident = await judged(stage, 'held');
  const { timestamp } = (await stage.get('/api/v1/info')).chains[0].head;
  await ask(stage, 'evm_increaseTime', Math.max(0, incident.release_at - timestamp) + 60);
  await ask(stage, 'evm_mine');
  await until('the new time', async () => (await stage.get('/api/v1/info')).chains[0].head.timestamp > incident.release_at);
  await page.goto(`/guards?incident=${incident.id}`);
  await page.getByText('Anybody may have it paid out').waitFor();
  await connectDemo(page);
  await page.getByRole('button', { name: 'Pay out' }).click();
  await page.locator(`.incidents [data-id="${incident.id}"] .tag`, { hasText: 'Paid out' }).waitFor();
  assert.equal((await stage.get(`${path}/${incident.id}`)).state, 'claimed');
  await shoot('guards-paid-out');
});
