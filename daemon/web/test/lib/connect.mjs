// Connecting a wallet as a person does.

/** Connects the demo's throw-away key. */
export async function connectDemo(page) {
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.getByRole('dialog').getByRole('button', { name: /throw-away key/i }).click();
  await page.locator('#account').waitFor();
}

/** Connects the wallet that `testWallet` puts into the page. */
export async function connectWallet(page) {
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.getByRole('dialog').getByRole('button', { name: /test wallet/i }).click();
  await page.locator('#account').waitFor();
}
