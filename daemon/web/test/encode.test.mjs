// Positions and moves as the page encodes them, against the words that ARCHITECTURE.md and models/README.md prescribe.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { source } from './lib/module.mjs';

const { seen, positionWords, requestWords } = await source('src/chess/encode.ts');
const { choices, moveOfIndex, moveWord } = await source('src/chess/moves.ts');

const M = (1n << 64n) - 1n;
const ALL = M | (M << 64n) | (M << 128n);

const filter = process.argv[2];
function check(name, rows, one) {
  if (filter && !name.includes(filter)) return;
  test(name, () => rows.forEach((row) => one(...row)));
}

check(
  'encode: positions as public inputs',
  [
    // FEN; the board from the mover's eighth rank down, a nibble for each square from h to a; rights_a, rights_b
    ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1', 'a89cb98a 77777777 0 0 0 0 11111111 42365324', ALL, M],
    // Black sees its own men below, and the pawn on e4 as theirs on e5.
    ['rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1', 'a89cb98a 77707777 0 00070000 0 0 11111111 42365324', ALL, M],
    // An en-passant capture on d6, and the same square with no pawn that could capture there.
    ['4k3/8/8/3pP3/8/8/8/4K3 w - d6 0 2', '000c0000 0 0 00017000 0 0 0 00060000', 0n, 1n << 76n],
    ['4k3/8/8/3p4/8/8/4P3/4K3 w - d6 0 2', '000c0000 0 0 00007000 0 0 00010000 00060000', 0n, 0n],
    // The capture would leave the king in check: it is not legal, and not encoded.
    ['8/8/8/K2pP2r/8/8/8/4k3 w - d6 0 2', '0 0 0 a0017006 0 0 0 000c0000', 0n, 0n],
    // Seen by Black: own queen side, their king side.
    ['r3k3/8/8/8/8/8/8/4K2R b Kq - 0 1', 'a00c0000 0 0 0 0 0 0 00060004', (M << 64n) | (M << 128n), 0n],
  ],
  (fen, board, rightsA, rightsB) => {
    const ranks = board.split(' ').map((rank) => rank.padStart(8, '0'));
    const [boardHi, boardLo] = [ranks.slice(0, 4), ranks.slice(4)].map((half) => BigInt(`0x${half.join('')}`));
    assert.deepEqual(positionWords(seen(fen)), { boardLo, boardHi, rightsA, rightsB }, fen);
  },
);

check(
  'encode: the network’s move indices',
  [
    // FEN, index = plane·64 + from-square, move
    ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1', 1 * 64 + 12, 'e2e4'],
    ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1', 63 * 64 + 6, 'g1f3'],
    // Black's e7 is its e2.
    ['rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1', 1 * 64 + 12, 'e7e5'],
    // Castling is the king's move by two.
    ['4k3/8/8/8/8/8/8/4K2R w K - 0 1', (2 * 7 + 1) * 64 + 4, 'e1g1'],
    // A pawn onto the last rank is a queen; planes from 64 on are the others.
    ['4k3/P7/8/8/8/8/8/4K3 w - - 0 1', 48, 'a7a8q'],
    ['4k3/P7/8/8/8/8/8/4K3 w - - 0 1', 67 * 64 + 48, 'a7a8n'],
    ['1n2k3/P7/8/8/8/8/8/4K3 w - - 0 1', 72 * 64 + 48, 'a7b8r'],
    // Off the board, and an under-promotion from another rank.
    ['4k3/P7/8/8/8/8/8/4K3 w - - 0 1', 6 * 64 + 48, null],
    ['4k3/P7/8/8/8/8/8/4K3 w - - 0 1', 64 * 64 + 48, null],
    ['4k3/8/P7/8/8/8/8/4K3 w - - 0 1', 67 * 64 + 40, null],
  ],
  (fen, index, uci) => assert.equal(moveOfIndex(seen(fen), index), uci, `${fen} ${index}`),
);

check(
  'encode: move words of the arena',
  [
    ['e2e4', 12 | (28 << 6)],
    ['e7e8q', 52 | (60 << 6) | (5 << 12)],
    ['a2a1n', 8 | (0 << 6) | (2 << 12)],
  ],
  (uci, word) => assert.equal(moveWord(uci), BigInt(word)),
);

check(
  'encode: rankings hold 16 choices of 13 bits',
  [[[76, 4038]]],
  (first) => {
    const ranking = first.reduce((word, index, place) => word | (BigInt(index) << BigInt(13 * place)), 0n);
    const all = choices(seen('rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1'), ranking);
    assert.equal(all.length, 16);
    assert.deepEqual(all.slice(0, 2), [{ place: 0, index: 76, uci: 'e2e4' }, { place: 1, index: 4038, uci: 'g1f3' }]);
  },
);

check(
  'encode: a request is bound to chain, arena, game, ply and submitter',
  [[{ chainId: 31337, arena: '0x5FbDB2315678afecb367f032d93F642f64180aa3', game: 7n, ply: 3, submitter: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8' }]],
  (request) => {
    const [high, low] = requestWords(request);
    assert.ok(high < 1n << 128n && low < 1n << 128n);
    const { arena, submitter } = request;
    for (const other of [{ chainId: 1 }, { game: 8n }, { ply: 4 }, { submitter: arena }, { arena: submitter }]) {
      assert.notDeepEqual(requestWords({ ...request, ...other }), [high, low]);
    }
  },
);
