// The operator's console: behind its token, with the numbers of /metrics, live, filtered and exported.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { checkAccessible } from './lib/axe.mjs';
import { PHONE } from './lib/browser.mjs';
import { scenario } from './lib/scenario.mjs';
import { until } from './lib/wait.mjs';

const SECTIONS = ['overview', 'jobs', 'transactions', 'endpoints', 'keys', 'workers', 'models', 'alerts', 'events', 'metrics'];

/** Opens the console as somebody does who was given the address that the demo prints. */
async function enter(page, stage, section = 'overview') {
  await page.goto(stage.ready.console);
  await page.getByText('live', { exact: true }).waitFor();
  if (section !== 'overview') await page.locator('.sections').getByRole('link', { name: new RegExp(`^${section}$`, 'i') }).click();
}

/** Series of /metrics: name{labels} → value. */
async function metrics(stage) {
  const text = await (await fetch(`${stage.url}/metrics`, { headers: { authorization: `Bearer ${stage.token}` } })).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

/** The rows of a table that was exported by its button. */
async function exported(page, form) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: `as ${form}` }).click()]);
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}

scenario('console: a wrong token is refused, the right one is kept for this tab alone', {}, async ({ page, context, stage, problems, shoot }) => {
  problems.expect(/401/);
  await page.goto('/console');
  const field = page.getByLabel('Token');
  await field.fill('this is not the token');
  await page.getByRole('button', { name: 'Open the console' }).click();
  await page.getByText('This is not the token of this daemon.').waitFor();
  await shoot('console-refused', { whole: false });
  await field.fill(stage.token);
  await field.press('Enter');
  await page.getByRole('heading', { name: 'Chain 31337' }).waitFor();

  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie]));
  assert.ok(!kept.includes(stage.token), 'the token must not outlive the tab');
  await page.reload();
  await page.getByRole('heading', { name: 'Chain 31337' }).waitFor();
  const other = await context.newPage();
  await other.goto('/console');
  await other.getByLabel('Token').waitFor();
  await page.getByRole('button', { name: 'Forget the token' }).click();
  await page.getByLabel('Token').waitFor();
});

scenario('console: a token in the address is taken out of it', {}, async ({ page, stage }) => {
  await enter(page, stage);
  assert.ok(!page.url().includes(stage.token), page.url());
  assert.equal(await page.evaluate((token) => document.documentElement.outerHTML.includes(token), stage.token), false);
});

scenario('console: the overview has the numbers of /metrics', {}, async ({ page, stage, shoot }) => {
  await enter(page, stage);
  const shown = (metric) => page.locator(`.tile[title="${metric}"] dd`).first();
  await until('the same numbers on both sides', async () => {
    const before = await metrics(stage);
    const answered = Number((await shown('zugzwang_jobs_answered_total').innerText()).replace(/\D/g, '') || 0);
    const balance = parseFloat(await shown('zugzwang_key_balance_ether').innerText());
    const sum = (name) => [...before].filter(([key]) => key.startsWith(`${name}{`)).reduce((total, [, value]) => total + value, 0);
    return answered === sum('zugzwang_jobs_answered_total') && Math.abs(balance - sum('zugzwang_key_balance_ether')) < 1e-3;
  });
  await checkAccessible(page);
  await shoot('console-overview');
});

scenario('console: every section can be read', {}, async ({ page, stage, shoot }) => {
  await enter(page, stage);
  for (const section of SECTIONS) {
    await page.goto(`/console#${section}`);
    await page.locator(`.sections a[href="#${section}"][aria-current]`).waitFor();
    if (section !== 'overview') await page.locator('.table-frame').waitFor();
    if (['jobs', 'transactions', 'endpoints', 'keys', 'models', 'metrics'].includes(section)) {
      await until(`rows of ${section}`, async () => (await page.locator('.table-frame tbody tr:not(.empty)').count()) > 0);
    }
    await checkAccessible(page);
    await shoot(`console-${section}`, { whole: section !== 'metrics' });
  }
});

scenario('console: on a phone rows are cards', { size: PHONE, scheme: 'dark' }, async ({ page, stage, shoot }) => {
  await enter(page, stage, 'jobs');
  await until('rows of jobs', async () => (await page.locator('.table-frame tbody tr:not(.empty)').count()) > 0);
  const { width, inner } = await page.evaluate(() => ({ width: document.documentElement.scrollWidth, inner: document.documentElement.clientWidth }));
  assert.ok(width <= inner, `${width} px on a screen of ${inner} px`);
  await checkAccessible(page);
  await shoot('console-jobs-phone', { whole: false });
});

scenario('console: tables filter, sort and export what is seen', {}, async ({ page, stage }) => {
  await enter(page, stage, 'metrics');
  const rows = page.locator('.table-frame tbody tr:not(.empty)');
  await until('metrics', async () => (await rows.count()) > 20);
  await page.getByRole('searchbox').fill('zugzwang_chain head');
  await until('fewer rows', async () => (await rows.count()) === 2);
  await page.getByText('2 of').waitFor();

  const { name, text } = await exported(page, 'CSV');
  assert.equal(name, 'zugzwang-metrics.csv');
  const lines = text.trimEnd().split('\r\n');
  assert.equal(lines[0], 'name,labels,value');
  assert.deepEqual(lines.slice(1).map((line) => line.split(',')[0]).sort(), ['zugzwang_chain_head_age_seconds', 'zugzwang_chain_head_blocks']);
  const list = JSON.parse((await exported(page, 'JSON')).text);
  assert.equal(list.length, 2);
  assert.equal(typeof list[0].value, 'number');

  await page.getByRole('searchbox').fill('zugzwang_rpc');
  const sorted = async () => (await page.locator('td[data-title=Metric]').allInnerTexts()).join('\n');
  const head = page.getByRole('columnheader', { name: 'Metric' });
  await head.getByRole('button').click();
  await until('ascending order', async () => (await head.getAttribute('aria-sort')) === 'ascending');
  const up = await sorted();
  await head.getByRole('button').click();
  await until('descending order', async () => (await head.getAttribute('aria-sort')) === 'descending');
  assert.notEqual(await sorted(), up);
});

scenario('console: a job is shown with its time line, and events come by themselves', {}, async ({ page, stage, shoot }) => {
  await enter(page, stage, 'jobs');
  const { items } = await until('an answered job', async () => {
    const list = await stage.operator('/jobs?state=final&limit=1');
    return list.items.length > 0 && list;
  });
  await page.locator(`tr[data-key="${items[0].id}"] button.link`).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('heading', { name: `Job ${items[0].id}` }).waitFor();
  await dialog.getByText('The network has answered').waitFor();
  assert.ok((await dialog.locator('.trail').count()) > 0, 'its transaction is there');
  await checkAccessible(page);
  await shoot('console-job', { whole: false });
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });

  await page.goto('/console#events');
  await page.locator('td[data-title=Event]').first().waitFor();
});
