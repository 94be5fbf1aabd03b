//! Errors in words for people: of the API (problem+json), of wallets (EIP-1193), of contracts, of the network.

/** An error as it is shown. */
export interface Trouble {
  kind: 'error' | 'info';
  title: string;
  detail: string;
  /** The ZZ code, if the daemon gave one. */
  code: string | null;
}

/** An answer of the API that is no success, as RFC 9457 has it. */
export class Problem extends Error {
  constructor(readonly status: number, readonly title: string, readonly detail: string, readonly code: string | null, readonly retryAfterS: number | null) {
    super(detail === '' ? title : `${title}: ${detail}`);
  }
}

/** Something that is said to the person as it stands. */
export class Plain extends Error {
  constructor(readonly title: string, readonly detail = '', readonly kind: 'error' | 'info' = 'error') {
    super(`${title} ${detail}`);
  }
}

/** What the contracts' errors mean. */
const CONTRACT: Record<string, string> = {
  NoSuchGame: 'There is no such game.',
  GameIsOver: 'The game is over.',
  WrongPly: 'The game has gone on in the meantime.',
  NotNpcTurn: 'It is your turn.',
  NotHumanTurn: 'It is the turn of the network.',
  NotYourGame: 'This account does not play this game.',
  TimeIsUp: 'The time for this move has run out.',
  TimeIsNotUp: 'There is still time on the clock.',
  IllegalMove: 'The rules of chess forbid this move.',
  ClaimRefused: 'The position does not allow this claim.',
  NotAVerifier: "The model's verifier is gone.",
  OfferUnavailable: 'The offer is closed, or all its games are taken.',
  WrongStake: 'The stake is not the one of the offer.',
  InsufficientBalance: 'The host cannot cover the stake at the moment.',
  PaymentFailed: 'Your account refused the payment.',
};

/** A link of the chain of causes, as viem and wallets make them. */
interface Link { name?: unknown; code?: unknown; message?: unknown; shortMessage?: unknown; data?: unknown; cause?: unknown }

function links(error: unknown): Link[] {
  const found: Link[] = [];
  for (let at: unknown = error; typeof at === 'object' && at !== null && found.length < 12; at = (at as Link).cause) found.push(at as Link);
  return found;
}

/** Whether the person said no in their wallet. */
export function isRejection(error: unknown): boolean {
  return links(error).some((link) => link.code === 4001 || link.code === 'ACTION_REJECTED' || link.name === 'UserRejectedRequestError');
}

/** The contract's own error in the causes, by name. */
export function contractError(error: unknown): string | null {
  for (const link of links(error)) {
    const data = link.data as { errorName?: unknown } | undefined;
    if (typeof data === 'object' && data !== null && typeof data.errorName === 'string') return data.errorName;
  }
  return null;
}

/** Any error in words. */
export function describe(error: unknown): Trouble {
  if (error instanceof Problem) return { kind: 'error', title: error.title, detail: error.detail, code: error.code };
  if (error instanceof Plain) return { kind: error.kind, title: error.title, detail: error.detail, code: null };
  if (isRejection(error)) return { kind: 'info', title: 'You declined this in your wallet.', detail: 'Nothing was sent.', code: null };
  const name = contractError(error);
  if (name !== null) return { kind: 'error', title: 'The contract refused.', detail: CONTRACT[name] ?? name, code: null };
  const names = links(error).map((link) => String(link.name));
  if (names.includes('InsufficientFundsError')) return { kind: 'error', title: 'This account has too little coin for that.', detail: 'It must cover the stake and the gas.', code: null };
  if (names.includes('HttpRequestError') || names.includes('TimeoutError')) return { kind: 'error', title: 'The chain cannot be reached.', detail: 'Try again in a moment.', code: null };
  if (error instanceof TypeError && /fetch/i.test(error.message)) return { kind: 'error', title: 'The server cannot be reached.', detail: 'Try again in a moment.', code: null };
  const first = links(error)[0];
  const detail = typeof first?.shortMessage === 'string' ? first.shortMessage : typeof first?.message === 'string' ? first.message : String(error);
  return { kind: 'error', title: 'That did not work.', detail, code: null };
}
