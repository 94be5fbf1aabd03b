// What holds of every page: its policy, its weight, its size on a phone, what a screen reader gets, how it looks.
import assert from 'node:assert/strict';
import { checkAccessible } from './lib/axe.mjs';
import { DESKTOP, PHONE } from './lib/browser.mjs';
import { check, scenario } from './lib/scenario.mjs';

/** Most bytes of script that a page may load, before compression. */
const SCRIPT = 300_000;

/** Each page, and what is there once it has drawn itself. */
const PAGES = [
  { name: 'play', path: '/', drawn: '#play > *' },
  { name: 'world', path: '/world', drawn: '#world > *' },
  { name: 'markets', path: '/markets', drawn: '.market .pools' },
  { name: 'guards', path: '/guards', drawn: '.tiles' },
  { name: 'console', path: '/console', drawn: '#token' },
];

const LOOKS = [
  { name: 'desktop-light', size: DESKTOP, scheme: 'light' },
  { name: 'desktop-dark', size: DESKTOP, scheme: 'dark' },
  { name: 'phone-light', size: PHONE, scheme: 'light' },
  { name: 'phone-dark', size: PHONE, scheme: 'dark' },
];

/** Elements that stick out of the page to the right. */
function wide(page) {
  return page.evaluate(() => {
    const edge = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= edge) return [];
    const out = [...document.querySelectorAll('body *')].filter((node) => node.getBoundingClientRect().right > edge + 1);
    return out.slice(0, 5).map((node) => `${node.tagName.toLowerCase()}.${node.className}`);
  });
}

for (const { name, path, drawn } of PAGES) {
  for (const look of LOOKS) {
    scenario(`pages: ${name}, ${look.name}`, look, async ({ page, shoot }) => {
      let script = 0;
      page.on('response', async (response) => {
        if (response.request().resourceType() === 'script') script += (await response.body()).length;
      });
      await page.goto(path);
      await page.locator(drawn).first().waitFor();
      await checkAccessible(page);
      assert.deepEqual(await wide(page), [], 'nothing sticks out to the right');
      assert.equal(await page.locator('h1').count(), 1, 'one heading of the first rank');
      assert.ok(script > 0 && script < SCRIPT, `${script} bytes of script`);
      const theme = await page.evaluate(() => document.documentElement.dataset.theme);
      assert.equal(theme, look.scheme);
      await shoot(`${name}-${look.name}`);
    });
  }
}

check('pages: the policy allows nothing inline and nothing from elsewhere', async (stage) => {
  for (const { path } of PAGES) {
    const response = await fetch(`${stage.url}${path}`);
    assert.equal(response.status, 200, path);
    const policy = response.headers.get('content-security-policy') ?? '';
    const rules = new Map(policy.split(';').map((rule) => rule.trim().split(/\s+/)).map(([name, ...sources]) => [name, sources]));
    assert.deepEqual(rules.get('default-src'), ["'none'"], policy);
    for (const name of ['script-src', 'style-src', 'font-src']) assert.deepEqual(rules.get(name), ["'self'"], policy);
    for (const name of ['base-uri', 'form-action', 'frame-ancestors']) assert.deepEqual(rules.get(name), ["'none'"], policy);
    assert.deepEqual(rules.get('connect-src'), ["'self'", new URL(stage.rpc).origin], policy);
    assert.ok(!/unsafe|\*|https?:\/\/(?!127\.0\.0\.1)/.test(policy), policy);
    const html = await response.text();
    assert.ok(!/<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc="\/assets\/)/i.test(html), `${path} has something inline`);
    for (const [, address] of html.matchAll(/(?:src|href)="([^"]*)"/g)) assert.match(address, /^[/#]/, `${path} loads ${address}`);
  }
});

scenario('pages: the browser enforces the policy', {}, async ({ page, problems }) => {
  problems.expect(/Content Security Policy/);
  await page.goto('/markets');
  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.ran = true';
    document.body.append(script);
    return globalThis.ran === true;
  });
  assert.equal(ran, false, 'an inline script must not run');
});

scenario('pages: colours follow the choice, and it is kept', { scheme: 'light' }, async ({ page }) => {
  await page.goto('/markets');
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  await page.getByRole('button', { name: 'Use dark colours' }).click();
  assert.equal(await theme(), 'dark');
  await page.goto('/guards');
  await page.getByRole('button', { name: 'Use light colours' }).waitFor();
  assert.equal(await theme(), 'dark');
});
