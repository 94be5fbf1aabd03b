// A game as a person at the page plays it: by clicks, drags and keys.
import { expectText, until } from './wait.mjs';

const FILES = 'abcdefgh';

export class Game {
  /** @param {import('playwright-core').Page} page */
  constructor(page) {
    this.page = page;
  }

  /** A square of the drawn board, for the pointer. */
  square(name) {
    return this.page.locator(`.cm-chessboard .square[data-square="${name}"]`);
  }

  /** A cell of the grid for keyboards and screen readers. */
  cell(name) {
    return this.page.locator(`[data-cell="${name}"]`);
  }

  /** What the grid says of a square: `e2, white pawn, can go here`. */
  label(name) {
    return this.cell(name).getAttribute('aria-label');
  }

  async click(from, to) {
    await this.square(from).click();
    await this.square(to).click();
  }

  async drag(from, to) {
    const middle = async (name) => {
      const { x, y, width, height } = await this.square(name).boundingBox();
      return [x + width / 2, y + height / 2];
    };
    const [start, end] = [await middle(from), await middle(to)];
    const { mouse } = this.page;
    await mouse.move(...start);
    await mouse.down();
    await mouse.move(start[0] + 6, start[1] - 6, { steps: 2 });
    await mouse.move(...end, { steps: 8 });
    await mouse.up();
  }

  /** Moves by keyboard alone: the focus is walked over the board with the arrow keys. */
  async keys(from, to) {
    const { keyboard } = this.page;
    await this.walk(from);
    await keyboard.press('Enter');
    await this.walk(to);
    await keyboard.press('Enter');
  }

  async walk(to) {
    const at = () => this.page.evaluate(() => document.activeElement?.getAttribute('data-cell'));
    const { keyboard } = this.page;
    const here = await at();
    if (!here) throw new Error('the focus is not on the board');
    const white = (await this.page.locator('.grid .cell').first().getAttribute('data-cell')) === 'a8';
    const side = white ? 1 : -1;
    const files = side * (FILES.indexOf(to[0]) - FILES.indexOf(here[0]));
    const ranks = side * (Number(to[1]) - Number(here[1]));
    for (let i = 0; i < Math.abs(files); i += 1) await keyboard.press(files > 0 ? 'ArrowRight' : 'ArrowLeft');
    for (let i = 0; i < Math.abs(ranks); i += 1) await keyboard.press(ranks > 0 ? 'ArrowUp' : 'ArrowDown');
    const now = await at();
    if (now !== to) throw new Error(`the arrow keys lead from ${here} to ${now}, not to ${to}`);
  }

  /** Walks the focus to the board by Tab. */
  async tabToBoard() {
    for (let i = 0; i < 40; i += 1) {
      await this.page.keyboard.press('Tab');
      if (await this.page.evaluate(() => document.activeElement?.hasAttribute('data-cell'))) return;
    }
    throw new Error('Tab never reaches the board');
  }

  /** The moves of the list, in SAN. */
  async moves() {
    const texts = await this.page.locator('.moves .move').evaluateAll((all) => all.map((move) => move.firstChild.textContent));
    return texts;
  }

  /** Waits until the network has answered the half-move number `plies - 1`: then there are `plies` in the list, all on the chain. */
  async answered(plies) {
    await until(`half-move ${plies}`, async () => (await this.moves()).length >= plies);
    return this.moves();
  }

  status(pattern) {
    return expectText(this.page.locator('#status'), pattern);
  }
}

/** Starts a game from the first page; the options are labels of the form. */
export async function newGame(page, { level = 'Small', color = 'White', time } = {}) {
  await page.goto('/');
  await page.locator('#play-now').waitFor();
  const choose = (label) => page.locator('.segments label', { hasText: label }).first().click();
  await choose(level);
  await choose(color);
  if (time) await choose(time);
  await page.locator('#play-now').click();
  await page.waitForURL(/\?game=\d+/);
  const game = new Game(page);
  await page.locator('.plate-clock').first().waitFor();
  return game;
}
