// The page of a guarded vault: incidents of the demo's accounts, judged by real proofs.
import assert from 'node:assert/strict';
import { checkAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/browser.mjs';
import { scenario } from './lib/scenario.mjs';
import { until } from './lib/wait.mjs';

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
    assert.match(label, /: (higher than|above|below|among|no population)/);
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
