// The local chain's node, asked by the tests themselves: what a page says is compared with it.

/** One request. */
export async function ask(stage, method, ...params) {
  const response = await fetch(stage.rpc, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = await response.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

/** An account's coin, in wei. */
export const balance = async (stage, account) => BigInt(await ask(stage, 'eth_getBalance', account, 'latest'));

/** How many transactions an account has sent. */
export const sent = async (stage, account) => Number(await ask(stage, 'eth_getTransactionCount', account, 'latest'));
