//! Errors in words for people: of the API (problem+json), of wallets (EIP-1193), of contracts, of the network.

import { Refused, RpcError, Unreachable } from '../chain/rpc';

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
  NotWorldTurn: 'It is the turn of the network.',
  StakeTooSmall: 'The stake is smaller than the game asks for.',
  StakeTooLarge: 'More than can be counted would be behind this move.',
  NoVotes: 'Nobody voted in this round: its end is a time-out.',
  RoundHasVotes: 'There are votes in this round: it must be closed.',
  Closed: 'Bets are closed.',
  NotOpen: 'The market is decided.',
  NotSettled: 'The market is not decided yet.',
  NoSuchOutcome: 'Nobody can bet on this.',
  EmptyBet: 'A bet of nothing is none.',
  Paused: 'The vault is paused: nothing leaves it.',
  NotPaused: 'The vault is not paused.',
  TooEarly: 'It is too early for that.',
  WrongStatus: 'Something else has become of this withdrawal in the meantime.',
  NotAllowed: 'This account may not do that.',
  NothingToClaim: 'There is nothing to claim, not yet or not any more.',
};

/** Whether the person said no in their wallet (EIP-1193, 4001). */
export function isRejection(error: unknown): boolean {
  return error instanceof RpcError && (error.code === 4001 || /user (rejected|denied)/i.test(error.message));
}

/** Any error in words. */
export function describe(error: unknown): Trouble {
  const trouble = (title: string, detail: string, kind: Trouble['kind'] = 'error', code: string | null = null): Trouble => ({ kind, title, detail, code });
  if (error instanceof Problem) return trouble(error.title, error.detail, 'error', error.code);
  if (error instanceof Plain) return trouble(error.title, error.detail, error.kind);
  if (isRejection(error)) return trouble('You declined this in your wallet.', 'Nothing was sent.', 'info');
  if (error instanceof Refused) return trouble('The contract refused.', CONTRACT[error.error] ?? error.error);
  if (error instanceof Unreachable) return trouble('The chain cannot be reached.', 'Try again in a moment.');
  if (error instanceof RpcError) {
    if (/insufficient funds/i.test(error.message)) return trouble('This account has too little coin for that.', 'It must cover the stake and the gas.');
    return trouble('The node or wallet refused.', error.message);
  }
  if (error instanceof TypeError && /fetch|network/i.test(error.message)) return trouble('The server cannot be reached.', 'Try again in a moment.');
  return trouble('That did not work.', error instanceof Error ? error.message : String(error));
}
