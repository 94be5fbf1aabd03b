// Chromium, and pages in it that remember what went wrong.
import { chromium } from 'playwright-core';
import { browser as program, screenshot } from './places.mjs';

/** Widths at which pages are looked at, in CSS pixels. */
export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 360, height: 740 };

/** @type {Promise<import('playwright-core').Browser> | undefined} */
let shared;

/** The one browser of the run. */
export function browser() {
  shared ??= chromium.launch({
    executablePath: program(),
    // Chromium refuses to run as root with its sandbox; as anybody else it keeps it.
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--disable-gpu', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
  });
  return shared;
}

export async function closeBrowser() {
  await (await shared?.catch(() => undefined))?.close();
}

/** What a page may not do without a test failing. */
class Problems {
  constructor(page, origins) {
    this.list = [];
    this.expected = [];
    page.on('pageerror', (error) => this.add(`error: ${error.stack ?? error}`));
    page.on('console', (message) => {
      if (message.type() === 'error') this.add(`console: ${message.text()} (${message.location().url})`);
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      const local = ['data:', 'blob:'].includes(url.protocol);
      if (!local && !origins.has(url.origin)) this.add(`a request to another origin: ${request.url()}`);
    });
  }

  add(text) {
    this.list.push(text);
  }

  /** A problem that a test provokes, by a pattern. */
  expect(pattern) {
    this.expected.push(pattern);
  }

  /** Throws if there was any that isn't expected. */
  check() {
    const left = this.list.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
    if (left.length > 0) throw new Error(`the page had problems:\n${left.join('\n')}`);
  }
}

/**
 * A page in a context of its own: no storage is shared with another.
 * @param {string} url where the daemon is
 * @param {{ size?: object, scheme?: 'light' | 'dark', origins?: string[], init?: string }} options further origins that the page
 *   may ask; a script that runs before the page's
 */
export async function openPage(url, { size = DESKTOP, scheme = 'light', origins = [], init } = {}) {
  const context = await (await browser()).newContext({
    viewport: size,
    colorScheme: scheme,
    reducedMotion: 'reduce',
    hasTouch: size.width < 600,
    acceptDownloads: true,
    baseURL: url,
    locale: 'en-GB',
    timezoneId: 'UTC',
  });
  context.setDefaultTimeout(120_000);
  if (init) await context.addInitScript({ content: init });
  const page = await context.newPage();
  const problems = new Problems(page, new Set([new URL(url).origin, ...origins]));
  return { page, context, problems };
}

/** Keeps what a page looks like now, whole. */
export async function shoot(page, name, { whole = true } = {}) {
  await page.screenshot({ path: screenshot(name), fullPage: whole, animations: 'disabled', caret: 'hide' });
}
