//! The demo's scripted human: a three-ply material search, the same game for the same seed.

use shakmaty::{Chess, Color, EnPassantMode, Move, Position, Role, Square};

const MATE: i32 = 100_000;

/// Chooses moves. Deterministic for a seed.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Player {
    state: u64,
    seen: Vec<u64>,
}

impl Player {
    /// A player whose taste depends on the seed.
    pub(in crate::demo) fn new(seed: u64) -> Self {
        Self { state: seed ^ 0x9e37_79b9_7f4a_7c15, seen: Vec::new() }
    }

    /// Its move, or `None` where there is none.
    pub(in crate::demo) fn choose(&mut self, position: &Chess) -> Option<Move> {
        let mut best: Option<(i32, Move)> = None;
        let mut alpha = -MATE * 2;
        for m in ordered(position) {
            let mut after = position.clone();
            after.play_unchecked(m);
            let noise = (self.next() % 12) as i32;
            // A position that was there already is worth less, so that games end.
            let repeated = self.seen.iter().filter(|hash| **hash == key(&after)).count() as i32;
            let score = -search(&after, 2, -2 * MATE, -(alpha - 60)) + noise - 45 * repeated;
            if best.is_none_or(|(value, _)| score > value) {
                best = Some((score, m));
            }
            alpha = alpha.max(score);
        }
        let (_, m) = best?;
        let mut after = position.clone();
        after.play_unchecked(m);
        self.seen.push(key(&after));
        Some(m)
    }

    /// Xorshift: enough for taste.
    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}

fn key(position: &Chess) -> u64 {
    use shakmaty::zobrist::Zobrist64;
    position.zobrist_hash::<Zobrist64>(EnPassantMode::Legal).0
}

fn ordered(position: &Chess) -> Vec<Move> {
    let mut moves: Vec<Move> = position.legal_moves().into_iter().collect();
    moves.sort_by_key(|m| -(m.capture().map_or(0, value) + m.promotion().map_or(0, value)));
    moves
}

fn search(position: &Chess, depth: u32, mut alpha: i32, beta: i32) -> i32 {
    let moves = ordered(position);
    if moves.is_empty() {
        return if position.is_check() { -MATE - depth as i32 } else { 0 };
    }
    if position.is_insufficient_material() {
        return 0;
    }
    if depth == 0 {
        return quiet(position, alpha, beta, 4);
    }
    for m in moves {
        let mut after = position.clone();
        after.play_unchecked(m);
        alpha = alpha.max(-search(&after, depth - 1, -beta, -alpha));
        if alpha >= beta {
            break;
        }
    }
    alpha
}

fn quiet(position: &Chess, mut alpha: i32, beta: i32, depth: u32) -> i32 {
    alpha = alpha.max(evaluate(position));
    if depth == 0 || alpha >= beta {
        return alpha;
    }
    for m in ordered(position).into_iter().filter(|m| m.is_capture()) {
        let mut after = position.clone();
        after.play_unchecked(m);
        alpha = alpha.max(-quiet(&after, -beta, -alpha, depth - 1));
        if alpha >= beta {
            break;
        }
    }
    alpha
}

fn value(role: Role) -> i32 {
    match role {
        Role::Pawn => 100,
        Role::Knight => 310,
        Role::Bishop => 325,
        Role::Rook => 500,
        Role::Queen => 950,
        Role::King => 0,
    }
}

/// Material, advanced pawns, pieces towards the middle; with much more material, the other king
/// towards the edge and ours beside it. From the side to move.
fn evaluate(position: &Chess) -> i32 {
    let turn = position.turn();
    let mut score = 0;
    let mut material = [0i32; 2];
    for square in position.board().occupied() {
        let Some(piece) = position.board().piece_at(square) else {
            continue;
        };
        let sign = if piece.color == turn { 1 } else { -1 };
        material[usize::from(piece.color == turn)] += value(piece.role);
        let rank = square.rank().to_u32() as i32;
        let advance = if piece.color == Color::White { rank } else { 7 - rank };
        let place = match piece.role {
            Role::Pawn => advance * advance,
            Role::Knight | Role::Bishop => 12 - 4 * edge(square),
            Role::King => 0,
            Role::Queen | Role::Rook => advance,
        };
        score += sign * (value(piece.role) + place);
    }
    let (us, them) = (position.board().king_of(turn), position.board().king_of(!turn));
    if let (Some(us), Some(them)) = (us, them) {
        let lead = material[1] - material[0];
        let chase = |hunter: Square, prey: Square| 12 * edge(prey) - 4 * hunter.distance(prey) as i32;
        if lead > 350 {
            score += chase(us, them);
        } else if lead < -350 {
            score -= chase(them, us);
        }
    }
    score
}

/// 0 on the four middle squares, 3 on the edge.
fn edge(square: Square) -> i32 {
    let far = |x: u32| if x < 4 { 3 - x as i32 } else { x as i32 - 4 };
    far(square.file().to_u32()).max(far(square.rank().to_u32()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_plays_the_same_game_to_its_end() {
        let game = |seed| {
            let (mut white, mut black) = (Player::new(seed), Player::new(seed + 1));
            let mut position = Chess::default();
            let mut moves = Vec::new();
            while !position.is_game_over() && moves.len() < 8 {
                let player = if position.turn() == Color::White { &mut white } else { &mut black };
                let m = player.choose(&position).expect("a move");
                assert!(position.is_legal(m));
                moves.push(m);
                position.play_unchecked(m);
            }
            moves
        };
        assert_eq!(game(1), game(1));
    }

    #[test]
    fn it_mates_where_it_can() {
        let fen: shakmaty::fen::Fen = "6k1/5ppp/8/8/8/8/8/R3K3 w - - 0 1".parse().expect("fen");
        let position: Chess = fen.into_position(shakmaty::CastlingMode::Standard).expect("position");
        let m = Player::new(3).choose(&position).expect("a move");
        assert_eq!(m.to(), Square::A8);
    }
}
