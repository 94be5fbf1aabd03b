//! Chess: boards as the arena and the circuit write them, moves as people write them.
//!
//! The arena and the network see every position from the side to move; shakmaty and people see it
//! from White's side. This file is the only place that turns one into the other.

use shakmaty::{
    CastlingMode, CastlingSide, Chess, Color, EnPassantMode, File, FromSetup, Move, MoveList, Piece, Position, Rank,
    Role, Setup, Square,
    san::{San, SanError, SanPlus},
    uci::UciMove,
};
use zugzwang_circuits::schema::PackedBoard;

/// What can be wrong with a position or a move.
#[derive(Debug, thiserror::Error)]
pub enum ChessError {
    /// A board word that is no position.
    #[error("board {board}: it is no chess position: {why}; is chain.arena an arena of this version?")]
    NoPosition {
        /// The board, 64 hex digits, h8 first.
        board: String,
        /// Why.
        why: String,
    },
    /// A move that can't be played, in words for the person who gave it.
    #[error("{0}")]
    Move(String),
    /// Not one of the ranked moves is legal.
    #[error("none of the {ranked} ranked moves is legal in {fen}; the committed rule is that the NPC resigns")]
    NoneLegal {
        /// How many were ranked.
        ranked: usize,
        /// The position.
        fen: String,
    },
}

crate::code::codes!(ChessError { NoPosition = 611, Move = 612, NoneLegal = 613 });

/// Steps (file, rank) of the network's eight directions.
const DIRECTIONS: [(i32, i32); 8] = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)];
/// Steps of a knight.
const KNIGHT: [(i32, i32); 8] = [(1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2)];
const ROLES: [Role; 6] = [Role::Pawn, Role::Knight, Role::Bishop, Role::Rook, Role::Queen, Role::King];

/// The square as the side to move sees it. Its own inverse.
fn seen_by(turn: Color, square: Square) -> Square {
    if turn == Color::White { square } else { square.flip_vertical() }
}

/// A position as the network reads it.
pub fn pack(position: &Chess) -> PackedBoard {
    let turn = position.turn();
    let mut squares = [0u8; 64];
    for square in Square::ALL {
        if let Some(piece) = position.board().piece_at(square) {
            let role = ROLES.iter().position(|r| *r == piece.role).unwrap_or(0) as u8;
            squares[seen_by(turn, square).to_usize()] = 1 + role + if piece.color == turn { 0 } else { 6 };
        }
    }
    let right = |color, side| position.castles().has(color, side);
    let castling = [
        right(turn, CastlingSide::KingSide),
        right(turn, CastlingSide::QueenSide),
        right(!turn, CastlingSide::KingSide),
        right(!turn, CastlingSide::QueenSide),
    ];
    let en_passant = position.legal_ep_square().map(|square| square.file().to_u32() as u8);
    PackedBoard { squares, castling, en_passant }
}

/// The position of a board seen from the side to move.
pub fn unpack(board: &PackedBoard, turn: Color) -> Result<Chess, ChessError> {
    let mut setup = Setup::empty();
    setup.turn = turn;
    for (index, code) in board.squares.iter().enumerate() {
        let Some(role) = code.checked_sub(1).and_then(|c| ROLES.get(usize::from(c % 6))) else {
            continue;
        };
        let color = if *code <= 6 { turn } else { !turn };
        setup.board.set_piece_at(seen_by(turn, Square::ALL[index % 64]), Piece { color, role: *role });
    }
    let rooks = [(turn, File::H), (turn, File::A), (!turn, File::H), (!turn, File::A)];
    for ((color, file), has) in rooks.into_iter().zip(board.castling) {
        if has {
            setup.castling_rights |= Square::from_coords(file, color.backrank());
        }
    }
    setup.ep_square = board
        .en_passant
        .and_then(|f| File::ALL.get(usize::from(f)))
        .map(|file| seen_by(turn, Square::from_coords(*file, Rank::Sixth)));
    // Odd positions are legal on the arena if legal moves led there.
    let built = match Chess::from_setup(setup, CastlingMode::Standard) {
        Err(e) => e.ignore_too_much_material(),
        ok => ok,
    };
    let built = match built {
        Err(e) => e.ignore_impossible_check(),
        ok => ok,
    };
    built.map_err(|e| ChessError::NoPosition {
        board: board.squares.iter().rev().map(|c| format!("{c:x}")).collect(),
        why: format!("{:?}", e.kinds()),
    })
}

/// Whether the side to move has no legal move: mate or stalemate.
pub fn is_over(board: &PackedBoard, white_to_move: bool) -> Result<bool, ChessError> {
    let turn = if white_to_move { Color::White } else { Color::Black };
    Ok(unpack(board, turn)?.legal_moves().is_empty())
}

/// The move that an index of the network means, if it is legal.
pub fn move_of_index(position: &Chess, index: usize) -> Option<Move> {
    let turn = position.turn();
    let (plane, from) = (index / 64, Square::ALL[index % 64]);
    let step = |df: i32, dr: i32| -> Option<Square> {
        Some(Square::from_coords(from.file().offset(df)?, from.rank().offset(dr)?))
    };
    let (to, under) = match plane {
        0..56 => {
            let (df, dr) = DIRECTIONS[plane / 7];
            let distance = (plane % 7 + 1) as i32;
            (step(df * distance, dr * distance)?, None)
        }
        56..64 => {
            let (df, dr) = KNIGHT[plane - 56];
            (step(df, dr)?, None)
        }
        64..73 => {
            let under = [Role::Knight, Role::Bishop, Role::Rook][(plane - 64) % 3];
            (step((plane as i32 - 64) / 3 - 1, 1)?, Some(under))
        }
        _ => return None,
    };
    // Under-promotions name their piece; a pawn that reaches the last rank by a queen's move queens.
    let pawn = position.board().role_at(seen_by(turn, from)) == Some(Role::Pawn);
    let promotion = match under {
        Some(_) if !pawn || to.rank() != Rank::Eighth => return None,
        Some(role) => Some(role),
        None => (pawn && to.rank() == Rank::Eighth).then_some(Role::Queen),
    };
    standard(position, UciMove::Normal { from: seen_by(turn, from), to: seen_by(turn, to), promotion })
}

/// A legal move by its squares. Shakmaty also takes "king takes own rook" for castling; the arena
/// and the network don't.
fn standard(position: &Chess, uci: UciMove) -> Option<Move> {
    uci.to_move(position).ok().filter(|m| UciMove::from_standard(*m) == uci)
}

/// The first legal move of a ranking: what the arena will play.
pub fn choose(position: &Chess, ranking: &[usize]) -> Result<Move, ChessError> {
    ranking
        .iter()
        .find_map(|index| move_of_index(position, *index))
        .ok_or_else(|| ChessError::NoneLegal { ranked: ranking.len(), fen: fen(position) })
}

/// A move as the arena writes it: `from | to << 6 | promotion << 12`, squares from White's side,
/// promotion 0, 2 N, 3 B, 4 R, 5 Q.
pub fn word(m: Move) -> u16 {
    let UciMove::Normal { from, to, promotion } = UciMove::from_standard(m) else {
        return 0;
    };
    let promotion = promotion.and_then(|role| ROLES.iter().position(|r| *r == role)).map_or(0, |p| p as u16 + 1);
    from.to_u32() as u16 | (to.to_u32() as u16) << 6 | promotion << 12
}

/// The move that a word of the arena means.
pub fn from_word(position: &Chess, word: u16) -> Result<Move, ChessError> {
    let square = |bits: u16| Square::ALL[usize::from(bits & 63)];
    let promotion = match word >> 12 {
        0 => None,
        code => ROLES.get(usize::from(code) - 1).copied(),
    };
    let uci = UciMove::Normal { from: square(word), to: square(word >> 6), promotion };
    standard(position, uci).ok_or_else(|| ChessError::Move(format!("{uci} is not legal in {}", fen(position))))
}

/// A move in standard notation, with `+` and `#`.
pub fn san(position: &Chess, m: Move) -> String {
    SanPlus::from_move(position.clone(), m).to_string()
}

/// Forsyth-Edwards notation.
pub fn fen(position: &Chess) -> String {
    shakmaty::fen::Fen::from_position(position, EnPassantMode::Legal).to_string()
}

/// Reads a move that a person typed, in SAN (`Nf3`, `exd5`, `O-O`, `e8=N`) or UCI (`g1f3`). An
/// illegal one is answered with why.
pub fn parse(position: &Chess, text: &str) -> Result<Move, ChessError> {
    let text = text.trim();
    let legal = position.legal_moves();
    if legal.is_empty() {
        return Err(ChessError::Move("the game is over: there is no legal move".into()));
    }
    if let Ok(UciMove::Normal { from, to, promotion }) = text.to_lowercase().parse::<UciMove>() {
        let uci = UciMove::Normal { from, to, promotion };
        return uci.to_move(position).map_err(|_| ChessError::Move(why_not(position, &legal, from, to, promotion)));
    }
    let plain = text.replace('0', "O");
    let Ok(san) = plain.parse::<San>().or_else(|_| plain.parse::<SanPlus>().map(|s| s.san)) else {
        return Err(ChessError::Move(format!(
            "\"{text}\" is no move: write SAN (Nf3, exd5, O-O, e8=Q) or UCI (g1f3, e7e8q)"
        )));
    };
    san.to_move(position).map_err(|error| ChessError::Move(why_not_san(position, &legal, san, text, error)))
}

fn why_not(position: &Chess, legal: &MoveList, from: Square, to: Square, promotion: Option<Role>) -> String {
    let Some(piece) = position.board().piece_at(from) else {
        return format!("there is no piece on {from}");
    };
    let name = role_name(piece.role);
    if piece.color != position.turn() {
        return format!("the {name} on {from} is not yours: {} to move", side(position.turn()));
    }
    if position.board().piece_at(to).is_some_and(|p| p.color == piece.color) {
        return format!("your own piece stands on {to}");
    }
    let standard = |m: &Move| match UciMove::from_standard(*m) {
        UciMove::Normal { from, to, promotion } => Some((from, to, promotion)),
        _ => None,
    };
    let mut goals: Vec<Square> = Vec::new();
    for (f, t, p) in legal.iter().filter_map(standard) {
        if f == from && t == to && p != promotion {
            return if promotion.is_none() {
                format!("the pawn promotes on {to}: add q, r, b or n, as in {from}{to}q")
            } else {
                format!("the {name} on {from} can't become that on {to}")
            };
        }
        if f == from && !goals.contains(&t) {
            goals.push(t);
        }
    }
    let reason = if position.is_check() { "you are in check: " } else { "" };
    if goals.is_empty() {
        return format!("{reason}the {name} on {from} has no legal move");
    }
    let goals = goals.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    format!("{reason}the {name} on {from} can't go to {to}; it can go to {goals}")
}

fn why_not_san(position: &Chess, legal: &MoveList, san: San, text: &str, error: SanError) -> String {
    let listed = |wanted: &dyn Fn(&Move) -> bool| {
        legal.iter().filter(|m| wanted(m)).map(|m| self::san(position, *m)).collect::<Vec<_>>().join(", ")
    };
    let check = if position.is_check() { "you are in check: " } else { "" };
    match (san, error) {
        (San::Normal { role, to, .. }, SanError::AmbiguousSan) => {
            let several = listed(&|m| m.role() == role && m.to() == to);
            format!("\"{text}\" can mean more than one move: {several}")
        }
        (San::Castle(_), _) => format!(
            "{check}castling that way is not legal now: the king or rook has moved, a piece stands between, or the king would pass an attacked square"
        ),
        (San::Normal { role: Role::Pawn, to, promotion: None, .. }, _)
            if legal.iter().any(|m| m.promotion().is_some() && m.to() == to) =>
        {
            format!("the pawn promotes on {to}: write {text}=Q, =R, =B or =N")
        }
        (San::Normal { role, to, .. }, _) => {
            let name = role_name(role);
            let others = listed(&|m| m.role() == role && !m.is_castle());
            let there = listed(&|m| m.to() == to && !m.is_castle());
            match (others.is_empty(), there.is_empty()) {
                (true, true) => format!("{check}no {name} of yours has a legal move"),
                (true, false) => {
                    format!("{check}no {name} of yours can move; on {to} you can play {there}")
                }
                (false, _) => {
                    format!("{check}no {name} of yours can go to {to}; {name} moves are {others}")
                }
            }
        }
        _ => format!("\"{text}\" is not legal here"),
    }
}

fn role_name(role: Role) -> &'static str {
    ["pawn", "knight", "bishop", "rook", "queen", "king"][ROLES.iter().position(|r| *r == role).unwrap_or(0)]
}

/// A side's name.
pub fn side(color: Color) -> &'static str {
    if color == Color::White { "White" } else { "Black" }
}

/// The board as text, from one side's view, with the squares of the last move marked.
pub fn draw(position: &Chess, view: Color, last: Option<Move>) -> String {
    let touched = last.and_then(|m| match UciMove::from_standard(m) {
        UciMove::Normal { from, to, .. } => Some([from, to]),
        _ => None,
    });
    let mut text = String::new();
    let order = |i: usize| if view == Color::White { 7 - i } else { i };
    for row in 0..8 {
        let rank = Rank::ALL[order(row)];
        text.push_str(&format!("  {} ", rank.char()));
        for column in 0..8 {
            let square = Square::from_coords(File::ALL[7 - order(column)], rank);
            let symbol = position.board().piece_at(square).map_or('·', glyph);
            let marked = touched.is_some_and(|squares| squares.contains(&square));
            text.push_str(&if marked { format!("[{symbol}]") } else { format!(" {symbol} ") });
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text.push_str("    ");
    for column in 0..8 {
        text.push_str(&format!(" {} ", File::ALL[7 - order(column)].char()));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn glyph(piece: Piece) -> char {
    let set = if piece.color == Color::White {
        ['♙', '♘', '♗', '♖', '♕', '♔']
    } else {
        ['♟', '♞', '♝', '♜', '♛', '♚']
    };
    set[ROLES.iter().position(|r| *r == piece.role).unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use shakmaty::fen::Fen;

    use super::*;

    fn at(fen: &str) -> Chess {
        fen.parse::<Fen>().expect("fen").into_position(CastlingMode::Standard).expect("position")
    }

    const POSITIONS: [&str; 7] = [
        "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
        "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R b KQkq - 0 1",
        "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1",
        "rnbqkbnr/ppp1p1pp/8/3pPp2/8/8/PPPP1PPP/RNBQKBNR w KQkq f6 0 3",
        "rnbqkbnr/pppp1ppp/8/8/3Pp3/5N2/PPP1PPPP/RNBQKB1R b KQkq d3 0 3",
        "r3k2r/1P4P1/8/8/8/8/1p4p1/R3K2R b Kq - 0 1",
        "n1n5/PPPk4/8/8/8/8/4Kppp/5N1N w - - 0 1",
    ];

    #[test]
    fn packing_is_undone_by_unpacking() {
        for fen in POSITIONS {
            let position = at(fen);
            let again = unpack(&pack(&position), position.turn()).expect("position");
            assert_eq!(again.board(), position.board(), "{fen}");
            assert_eq!(
                (again.castles().castling_rights(), again.legal_ep_square()),
                (position.castles().castling_rights(), position.legal_ep_square()),
                "{fen}"
            );
        }
        let mut broken = pack(&at(POSITIONS[0]));
        broken.squares[4] = 0;
        assert!(unpack(&broken, Color::White).expect_err("no king").to_string().contains("no chess position"));
    }

    #[test]
    fn the_indices_name_each_legal_move_once() {
        for fen in POSITIONS {
            let position = at(fen);
            let mut named: Vec<Move> = (0..4672).filter_map(|index| move_of_index(&position, index)).collect();
            assert_eq!(named.len(), position.legal_moves().len(), "{fen}");
            for m in position.legal_moves() {
                assert!(named.contains(&m), "{fen} {m}");
                assert_eq!(from_word(&position, word(m)).expect("word"), m);
            }
            named.sort_by_key(|m| word(*m));
            named.dedup();
            assert_eq!(named.len(), position.legal_moves().len(), "{fen}");
        }
    }

    fn check(fen: &str, moves: &[&str], expected: Expect) {
        let position = at(fen);
        let shown: Vec<String> = moves
            .iter()
            .map(|text| match parse(&position, text) {
                Ok(m) => format!("{text}: {}\n", san(&position, m)),
                Err(why) => format!("{text}: {why}\n"),
            })
            .collect();
        expected.assert_eq(&shown.concat());
    }

    #[test]
    fn moves_are_read_or_refused_with_why() {
        check(
            POSITIONS[0],
            &["Nf3", "g1f3", "e4", "e5", "e2e5", "e7e5", "e3e4", "Bb5", "O-O", "Qd2", "d1d2", "hello", "b1c3", "Ke2"],
            expect![[r#"
                Nf3: Nf3
                g1f3: Nf3
                e4: e4
                e5: no pawn of yours can go to e5; pawn moves are a3, b3, c3, d3, e3, f3, g3, h3, a4, b4, c4, d4, e4, f4, g4, h4
                e2e5: the pawn on e2 can't go to e5; it can go to e3, e4
                e7e5: the pawn on e7 is not yours: White to move
                e3e4: there is no piece on e3
                Bb5: no bishop of yours has a legal move
                O-O: castling that way is not legal now: the king or rook has moved, a piece stands between, or the king would pass an attacked square
                Qd2: no queen of yours has a legal move
                d1d2: your own piece stands on d2
                hello: "hello" is no move: write SAN (Nf3, exd5, O-O, e8=Q) or UCI (g1f3, e7e8q)
                b1c3: Nc3
                Ke2: no king of yours has a legal move
            "#]],
        );
        check(
            "4k3/8/8/8/8/8/4r3/R3K2R w KQ - 0 1",
            &["0-0", "Kxe2", "e1e2", "Ra2", "a1a8"],
            expect![[r#"
                0-0: you are in check: castling that way is not legal now: the king or rook has moved, a piece stands between, or the king would pass an attacked square
                Kxe2: Kxe2
                e1e2: Kxe2
                Ra2: you are in check: no rook of yours has a legal move
                a1a8: you are in check: the rook on a1 has no legal move
            "#]],
        );
        check(
            "8/P6k/8/8/8/8/8/K7 w - - 0 1",
            &["a8", "a7a8", "a8=N", "a7a8q", "a8=Q"],
            expect![[r#"
                a8: the pawn promotes on a8: write a8=Q, =R, =B or =N
                a7a8: the pawn promotes on a8: add q, r, b or n, as in a7a8q
                a8=N: a8=N
                a7a8q: a8=Q
                a8=Q: a8=Q
            "#]],
        );
        check(
            "4k3/8/8/8/8/8/8/N1N1K3 w - - 0 1",
            &["Nb3", "Nab3", "Nb5"],
            expect![[r#"
                Nb3: "Nb3" can mean more than one move: Nab3, Ncb3
                Nab3: Nab3
                Nb5: no knight of yours can go to b5; knight moves are Nc2, Nab3, Na2, Ne2, Ncb3, Nd3
            "#]],
        );
    }

    #[test]
    fn boards_are_drawn() {
        let position = at(POSITIONS[3]);
        expect![[r#"
            board
              1  ♖  ♘  ♗  ♔  ♕  ♗  ♘  ♖
              2  ♙  ♙  ♙  ·  ♙  ♙  ♙  ♙
              3  ·  ·  ·  ·  ·  ·  ·  ·
              4  ·  ·  ·  ·  ·  ·  ·  ·
              5  ·  ·  ♟  ♙  ♟  ·  ·  ·
              6  ·  ·  ·  ·  ·  ·  ·  ·
              7  ♟  ♟  ·  ♟  ·  ♟  ♟  ♟
              8  ♜  ♞  ♝  ♚  ♛  ♝  ♞  ♜
                 h  g  f  e  d  c  b  a
        "#]]
        .assert_eq(&format!("board\n{}", draw(&position, Color::Black, None)));
    }
}
