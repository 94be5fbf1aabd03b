// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {WorldArena} from "../src/WorldArena.sol";
import {Outcome} from "../src/chess/GameWord.sol";
import {MoveCode} from "../src/chess/MoveCode.sol";
import {Base} from "./Base.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {TestWorldArena} from "./WorldBase.sol";

/// @title Four accounts and a host who do anything with three games, in any order
contract WorldUsers is Base {
    address public constant HOST = address(0x405);
    uint256 public constant GAMES = 3;
    uint256 private constant LEAST = 1000;

    WorldArena public immutable arena;
    uint256 public paidIn;
    uint256 public paidOut;

    /// @dev Every move that was voted for, by its game.
    mapping(uint256 game => WorldArena.Vote[]) private _votes;
    mapping(bytes32 vote => bool) private _known;

    constructor(WorldArena arena_, address verifier, bytes32 modelId) {
        arena = arena_;
        for (uint256 i; i < GAMES; ++i) {
            uint256 pot = i * 1 ether;
            paidIn += pot;
            vm.deal(HOST, pot);
            vm.prank(HOST);
            arena.openGame{value: pot}(WorldArena.Terms(verifier, modelId, i % 2 == 0, 40, 60, LEAST));
        }
    }

    function account(uint256 i) public pure returns (address) {
        return i % 5 == 4 ? HOST : address(uint160(0x100000 + i % 5));
    }

    function votes(uint256 game) external view returns (WorldArena.Vote[] memory) {
        return _votes[game];
    }

    /// @dev Votes for the first legal move from some place of the network's list on.
    function vote(uint256 who, uint256 game, uint256 start, uint96 amount, bool small) external {
        game = some(game);
        (uint256 ply, uint256 move) = legal(game, start);
        if (move == 0) return;
        uint256 sent = LEAST - 1 + (small ? amount % 4 : amount % (1 << 90));
        vm.deal(account(who), sent);
        vm.prank(account(who));
        try arena.vote{value: sent}(game, ply, move) {
            paidIn += sent;
            bytes32 key = keccak256(abi.encode(game, ply, move));
            if (!_known[key]) _votes[game].push(WorldArena.Vote(ply, move));
            _known[key] = true;
        } catch {}
    }

    /// @dev Lets the window end if asked to.
    function close(uint256 game, bool wait) external {
        game = some(game);
        WorldArena.GameView memory g = arena.game(game);
        if (wait && g.worldToMove && block.timestamp <= g.deadline) vm.warp(g.deadline + 1);
        try arena.closeRound(game, g.ply) {} catch {}
    }

    /// @dev Nearly always a legal move; now and then a ranking without one, which loses.
    function npc(uint256 game, uint256 start) external {
        game = some(game);
        (uint256 ply, uint256 move) = legal(game, start);
        uint256 ranking = move == 0 || start % 13 == 0 ? 0 : index(game, move);
        try arena.playNpc(game, ply, ranking, "proof") {} catch {}
    }

    function end(uint256 game, uint256 how) external {
        game = some(game);
        if (how % 5 == 0) try arena.claimTimeout(game) {} catch {}
        if (how % 5 == 1) try arena.claimMate(game) {} catch {}
        if (how % 5 == 2) try arena.claimStalemate(game) {} catch {}
        if (how % 5 == 3) try arena.claimDraw(game) {} catch {}
        // A draw at will, once in a while: bare kings.
        if (how % 40 == 39) {
            TestWorldArena(address(arena)).put(game, 6 | 12 << 252, arena.game(game).ply << 16);
            try arena.claimDraw(game) {} catch {}
        }
    }

    function claim(uint256 who, uint256 game) external {
        game = some(game);
        vm.prank(account(who));
        try arena.claim(game, _votes[game]) {} catch {}
    }

    function withdraw(uint256 who, uint256 amount) external {
        address from = account(who);
        amount = amount % (arena.balanceOf(from) + 2);
        vm.prank(from);
        try arena.withdraw(payable(from), amount) {
            paidOut += amount;
        } catch {}
    }

    function later(uint256 time) external {
        vm.warp(block.timestamp + time % 30);
    }

    /// @dev A legal move of a game by absolute squares, or 0.
    function legal(uint256 game, uint256 start) private view returns (uint256 ply, uint256 move) {
        (uint256 board, uint256 state) = arena.boardOf(game);
        ply = (state >> 16) & 0xffff;
        for (uint256 i; i < MoveCode.INDICES; ++i) {
            move = MoveCode.flipped(
                MoveCode.fromIndex(board, (start % MoveCode.INDICES + 64 * i) % MoveCode.INDICES), ply
            );
            if (move > 1 && arena.isLegal(game, move)) return (ply, move);
            if (i > 73) break;
        }
        return (ply, 0);
    }

    function index(uint256 game, uint256 move) private view returns (uint256 place) {
        (uint256 board, uint256 state) = arena.boardOf(game);
        move = MoveCode.flipped(move, state >> 16);
        while (MoveCode.fromIndex(board, place) != move) ++place;
    }

    function some(uint256 game) private pure returns (uint256) {
        return 1 + game % GAMES;
    }
}

/// @title An arena holds what it owes, and no more than dust besides
/// forge-config: default.invariant.runs = 24
/// forge-config: default.invariant.depth = 96
contract WorldSolvencyTest is Base {
    TestWorldArena private arena;
    WorldUsers private users;

    function setUp() external {
        vm.warp(1_800_000_000);
        arena = new TestWorldArena();
        bytes32 modelId = keccak256("a model");
        users = new WorldUsers(arena, address(new MockVerifier(modelId)), modelId);
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(users);
    }

    /// @notice Balances, pots and open stakes are what the arena holds; of a game that the World won, less than a wei for
    /// each claim more.
    function invariant_holdsWhatItOwes() external view {
        uint256 owed;
        for (uint256 i; i < 5; ++i) {
            owed += arena.balanceOf(users.account(i));
        }
        uint256 dust;
        for (uint256 id = 1; id <= users.GAMES(); ++id) {
            WorldArena.GameView memory g = arena.game(id);
            if (g.outcome == Outcome.Running) owed += g.pot + staked(id);
            else owed += dues(id);
            // Shares are rounded down, once for each account in each round.
            if (g.outcome == Outcome.HumanWon) dust += 5 * g.rounds;
        }
        uint256 held = address(arena).balance;
        eq(held + users.paidOut(), users.paidIn(), "nothing is made");
        require(held >= owed, "owes more than it holds");
        require(held - owed <= dust, "more than dust is lost");
    }

    /// @dev The stakes in a running game that nobody has claimed.
    function staked(uint256 id) private view returns (uint256 sum) {
        WorldArena.Vote[] memory votes = users.votes(id);
        for (uint256 v; v < votes.length; ++v) {
            for (uint256 i; i < 5; ++i) {
                (uint256 stake,) = arena.stakeOf(id, votes[v].ply, votes[v].move, users.account(i));
                sum += stake;
            }
        }
    }

    /// @dev What claims of a game that is over would still bring.
    function dues(uint256 id) private view returns (uint256 sum) {
        WorldArena.Vote[] memory votes = users.votes(id);
        for (uint256 v; v < votes.length; ++v) {
            for (uint256 i; i < 5; ++i) {
                sum += arena.dueOf(id, votes[v].ply, votes[v].move, users.account(i));
            }
        }
    }
}
