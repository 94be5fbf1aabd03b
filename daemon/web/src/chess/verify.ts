//! Checks a proof of a move again, in the page.
//!
//! What comes from the daemon is only compared: the proof is taken from the chain's transaction, the position is encoded
//! by this page from the moves before, and the verifier contract is asked through a node.

import { decodeFunctionData, type Address } from 'viem';
import { ChessArena } from '../abi/ChessArena';
import { IVerifier } from '../abi/IVerifier';
import type { Chain, Hex, MoveProof } from '../api/types';
import { read, transaction } from '../chain/calls';
import { Refused } from '../chain/rpc';
import { reader } from '../wallet/wallet';
import { positionWords, requestWords, seen } from './encode';
import { choices } from './moves';
import type { GameRecord } from './record';

/** One check, as it is shown. */
export interface Check {
  id: string;
  title: string;
  ok: boolean;
  /** What was compared, in one line. */
  detail: string;
}

/** What is checked. */
export interface Subject {
  chain: Chain;
  arena: Address;
  game: bigint;
  ply: number;
  /** The game up to this move, without it. */
  before: GameRecord;
  /** The move that the arena played. */
  uci: string;
  /** What the game was created with. */
  verifier: Hex;
  modelId: Hex;
  proof: MoveProof;
}

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** Makes every check, telling each as it is done. Throws only if the chain can't be read. */
export async function verify(subject: Subject, tell: (check: Check) => void): Promise<boolean> {
  let all = true;
  const done = (id: string, title: string, ok: boolean, detail: string) => {
    all &&= ok;
    tell({ id, title, ok, detail });
  };
  const { chain, arena, game, ply, before, proof } = subject;
  const instances = proof.instances.map((word) => BigInt(word));
  const ask = reader(chain);

  // The transaction itself, so that nothing hangs on what the daemon says of it.
  const tx = await transaction(ask, proof.tx);
  const call = sent(tx.input);
  const inTx = call !== null && tx.to !== null && same(tx.to, arena) && call.game === game && call.ply === ply
    && same(call.proof, proof.proof) && same(tx.from, proof.submitter);
  done('transaction', 'The transaction on chain holds this very proof', inTx,
    inTx ? `playNpc(game ${game}, ply ${ply}) with ${(call.proof.length - 2) / 2} bytes of proof` : 'the transaction is about something else');

  const request = requestWords({ chainId: chain.chain_id, arena, game, ply, submitter: tx.from });
  done('request', 'It was made for this game, this move and this submitter', instances[0] === request[0] && instances[1] === request[1],
    'keccak256(chain, arena, game, ply, submitter), hashed in this page');

  const position = seen(before.fen);
  const words = positionWords(position);
  done('board', 'It is about the board before the move', instances[3] === words.boardLo && instances[4] === words.boardHi, `encoded in this page from ${before.fen}`);
  done('rights', 'It has the castling rights and the en-passant file', instances[5] === words.rightsA && instances[6] === words.rightsB,
    `${before.fen.split(' ')[2] === '-' ? 'no castling rights' : `castling ${before.fen.split(' ')[2]}`}, ${position.enPassant === null ? 'no en-passant capture' : `en passant on ${String.fromCharCode(97 + position.enPassant)}`}`);

  const ranking = instances[2] ?? 0n;
  const first = choices(position, ranking).find((choice) => choice.uci !== null && before.allows(choice.uci));
  done('move', 'The move played is the first legal one of the ranking', first?.uci === subject.uci && call?.ranking === ranking,
    first === undefined ? 'no move of the ranking is legal' : `place ${first.place + 1} of 16: ${first.uci}`);

  const modelId = await read(ask, subject.verifier, IVerifier, 'modelId', []);
  done('model', "The game's verifier is of the model that the game names", same(modelId, subject.modelId) && same(proof.verifier, subject.verifier), modelId);

  const accepts = (words: bigint[]) =>
    read(ask, subject.verifier, IVerifier, 'verifyProof', [proof.proof, words]).catch(refused);
  done('proof', 'The verifier contract accepts the proof', await accepts(instances), 'eth_call of verifyProof, run now');

  // A verifier that says yes to everything would pass the line above. The two best choices, exchanged, must fail.
  const [one, two] = [ranking & 0x1fffn, (ranking >> 13n) & 0x1fffn];
  const other = instances.map((word, i) => (i === 2 ? ((ranking >> 26n) << 26n) | (one << 13n) | two : word));
  done('other', 'It refuses the same proof for another ranking', !(await accepts(other)), 'the first two choices exchanged');
  return all;
}

/** What a `playNpc` call says; null if it is another call. */
function sent(input: Hex): { game: bigint; ply: number; ranking: bigint; proof: Hex } | null {
  try {
    const { functionName, args } = decodeFunctionData({ abi: ChessArena, data: input });
    return functionName === 'playNpc' ? { game: args[0], ply: Number(args[1]), ranking: args[2], proof: args[3] } : null;
  } catch {
    return null;
  }
}

/** A verifier may say no by reverting; a node that can't be reached says nothing. */
function refused(error: unknown): false {
  if (error instanceof Refused) return false;
  throw error;
}
