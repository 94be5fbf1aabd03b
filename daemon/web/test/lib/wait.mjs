// Waiting for what is to come: by asking again, never by a time that decides.

/** Longest time for anything that a test waits for, in ms: far more than it takes, so that a slow machine fails nothing. */
export const PATIENCE = 120_000;

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks until there is an answer.
 * @template T
 * @param {string} what names what is waited for, in the error
 * @param {() => Promise<T | undefined | null | false>} ask
 * @returns {Promise<T>}
 */
export async function until(what, ask, patience = PATIENCE) {
  const end = Date.now() + patience;
  let last;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`${what}: nothing after ${patience / 1000} s`, { cause: last });
    await pause(100);
  }
}

/** Waits until an element's text matches. */
export async function expectText(locator, pattern) {
  let last = '';
  await until(`the text ${pattern}`, async () => pattern.test((last = (await locator.textContent()) ?? ''))).catch((error) => {
    throw new Error(`${error.message}; it is: ${last}`);
  });
}
