// A wallet of the browser (EIP-1193, announced by EIP-6963), whose owner says yes or no. The local node signs for it.
import { ask } from './node.mjs';

/** The account of the wallet: nobody's, with coin of the local chain. */
const ACCOUNT = '0x00000000000000000000000000000000c0ffee01';

/**
 * Gives the account coin, the test's own if none is named; returns the account, and a script that puts the wallet into a page. There `testWallet.say` is what its
 * owner answers, and `testWallet.asked` what was asked for.
 */
export async function testWallet(stage, address = ACCOUNT) {
  await ask(stage, 'anvil_impersonateAccount', address);
  await ask(stage, 'anvil_setBalance', address, '0x8ac7230489e80000');
  const init = `(() => {
    const node = ${JSON.stringify(stage.rpc)}, account = ${JSON.stringify(address)};
    const wallet = { say: 'yes', asked: [] };
    const owners = ['eth_requestAccounts', 'eth_sendTransaction'];
    const provider = {
      on() {}, removeListener() {},
      async request({ method, params = [] }) {
        wallet.asked.push(method);
        if (owners.includes(method) && wallet.say === 'no') throw Object.assign(new Error('User rejected the request.'), { code: 4001 });
        if (method === 'eth_requestAccounts' || method === 'eth_accounts') return [account];
        const response = await fetch(node, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
        const { result, error } = await response.json();
        if (error) throw Object.assign(new Error(error.message), error);
        return result;
      },
    };
    const detail = Object.freeze({ info: { uuid: '00000000-0000-4000-8000-000000000001', name: 'Test wallet', icon: 'data:image/svg+xml,<svg/>', rdns: 'test.wallet' }, provider });
    const announce = () => window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }));
    window.addEventListener('eip6963:requestProvider', announce);
    window.testWallet = wallet;
  })()`;
  return { account: address, init };
}
