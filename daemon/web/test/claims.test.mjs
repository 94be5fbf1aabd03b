// What the page hands in to claim a draw by repetition, against the arena itself.
//
// The arena's games here have a verifier that says yes to all, so that the test can choose both sides' moves.
import assert from 'node:assert/strict';
import { decodeEventLog, encodeDeployData, encodeFunctionData, pad } from 'viem';
import { abi, bytecode, source } from './lib/module.mjs';
import { ask } from './lib/node.mjs';
import { check } from './lib/scenario.mjs';
import { until } from './lib/wait.mjs';

const { GameRecord } = await source('src/chess/record.ts');
const { seen } = await source('src/chess/encode.ts');
const { moveOfIndex, moveWord } = await source('src/chess/moves.ts');

const ARENA = abi('ChessArena');
const MODEL = pad('0x7a', { size: 32 });

/** Host and human in one. */
const PLAYER = '0x00000000000000000000000000000000c0ffee03';

class Arena {
  constructor(stage) {
    this.stage = stage;
  }

  async transact(to, data) {
    const hash = await ask(this.stage, 'eth_sendTransaction', { from: PLAYER, ...(to === null ? {} : { to }), data });
    const receipt = await until('a block', () => ask(this.stage, 'eth_getTransactionReceipt', hash));
    assert.equal(receipt.status, '0x1');
    return receipt;
  }

  async deploy(name, args = []) {
    const { contractAddress } = await this.transact(null, encodeDeployData({ abi: abi(name), bytecode: bytecode(name), args }));
    return contractAddress;
  }

  call(functionName, args) {
    return this.transact(this.address, encodeFunctionData({ abi: ARENA, functionName, args }));
  }

  static async open(stage) {
    const arena = new Arena(stage);
    await ask(stage, 'anvil_impersonateAccount', PLAYER);
    await ask(stage, 'anvil_setBalance', PLAYER, '0x8ac7230489e80000');
    const verifier = await arena.deploy('MockVerifier', [MODEL]);
    arena.address = await arena.deploy('ChessArena');
    await arena.call('openOffer', [verifier, MODEL, 0n, 3600n, 10n]);
    return arena;
  }

  /** A game after these moves, of which the human makes every second one. */
  async game(white, moves) {
    const { logs } = await this.call('createGame', [1n, white]);
    const { args } = decodeEventLog({ abi: ARENA, ...logs[0] });
    const record = new GameRecord();
    for (const [ply, uci] of moves.entries()) {
      if ((ply % 2 === 0) === white) await this.call('playHuman', [args.gameId, BigInt(ply), moveWord(uci)]);
      else await this.call('playNpc', [args.gameId, BigInt(ply), ranking(record.fen, uci), '0x']);
      record.play(uci);
    }
    return { id: args.gameId, record };
  }

  /** Whether the arena would take a claim: nothing is sent. */
  async takes(id, { start, pairs }) {
    const data = encodeFunctionData({ abi: ARENA, functionName: 'claimThreefold', args: [id, start, pairs] });
    return ask(this.stage, 'eth_call', { from: PLAYER, to: this.address, data }, 'latest').then(() => true, () => false);
  }
}

/** A ranking whose first move this is. */
function ranking(fen, uci) {
  const position = seen(fen);
  for (let index = 0; index < 73 * 64; index += 1) if (moveOfIndex(position, index) === uci) return BigInt(index);
  throw new Error(`no index names ${uci}`);
}

/** The knights go out and home again: the first position is back after every fourth half-move. */
const DANCE = ['g1f3', 'g8f6', 'f3g1', 'f6g8'];

check('claims: a third repetition, whoever is to move', async (stage) => {
  const arena = await Arena.open(stage);
  const cases = [
    // The human's colour, the moves, whether the position is there for the third time
    [true, [...DANCE, ...DANCE], true],
    [false, [...DANCE, ...DANCE], true],
    [true, [...DANCE, ...DANCE, 'g1f3'], true],
    [false, [...DANCE, ...DANCE, 'g1f3'], true],
    // After pawns have moved, only a tail of the game repeats.
    [true, ['e2e4', 'e7e5', 'd2d3', 'd7d6', ...DANCE, ...DANCE], true],
    [false, ['e2e4', 'e7e5', 'd2d3', 'd7d6', ...DANCE, ...DANCE, 'g1f3'], true],
    // Right after e2e4 nothing can be captured in passing: the position counts.
    [true, ['e2e4', ...['g8f6', 'g1f3', 'f6g8', 'f3g1'], ...['g8f6', 'g1f3', 'f6g8', 'f3g1']], true],
    // Twice is not enough; and a king that went and came back has lost its castling.
    [true, DANCE, false],
    [true, ['e2e4', 'e7e5', 'e1e2', 'e8e7', 'e2e1', 'e7e8', 'e1e2', 'e8e7', 'e2e1', 'e7e8'], false],
  ];
  for (const [white, moves, third] of cases) {
    const { id, record } = await arena.game(white, moves);
    const name = `${white ? 'White' : 'Black'} ${moves.join(' ')}`;
    assert.equal(record.times >= 3, third, name);
    assert.equal(await arena.takes(id, record.repetition(white)), third, name);
  }
});
