//! Changed cells of a valid witness: each is caught, or free for a reason that is named.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zugzwang_circuits::net::circuit::{Def, START_ROW, Shape};

use super::cases::{Case, chain, mixed, pick, products};

/// Why a changed first-phase cell may pass: nothing reads it.
fn is_free(case: &Case, column: usize, row: usize) -> bool {
    let (f, def) = (&case.layout.fixed, case.layout.defs[row]);
    match (column, def) {
        // `q` of windows is in no table, and their accumulator enters nothing.
        (1, Def::Window { .. }) => true,
        // A border that stands alone is `q`; its `x` is in no table and read by nobody.
        (0, Def::Single { .. }) => true,
        // Border values stand where no output stands: another one means another polynomial, which the equation catches.
        _ => {
            let _ = f;
            false
        }
    }
}

fn check(name: &str, case: &Case, each: usize) -> (usize, usize) {
    let rng = &mut ChaCha20Rng::seed_from_u64(11);
    let columns = case.witness().first.all().count();
    let (mut caught, mut free) = (0, 0);
    for column in 0..columns {
        for n in 0..each {
            let row = pick(rng, START_ROW as i64, case.layout.end as i64) as usize;
            let add = [1, -1, 1 << 20][n % 3];
            let mut witness = case.witness();
            let first = &mut witness.first;
            let cells =
                [Some(&mut first.x), Some(&mut first.q), Some(&mut first.r), Some(&mut first.m), first.y.as_mut()];
            if let Some(Some(cells)) = cells.into_iter().nth(column) {
                cells[row] += add;
            }
            // With the lookups counted anew, too: the change alone must be what is caught.
            if column != 3 {
                witness.count(&case.layout);
            }
            match (case.accepts(&witness), is_free(case, column, row)) {
                (false, _) => caught += 1,
                (true, true) => free += 1,
                (true, false) => {
                    panic!("{name}: column {column}, row {row} ({:?}) + {add} passes", case.layout.defs[row])
                }
            }
        }
    }
    (caught, free)
}

#[test]
fn changed_cells_are_caught() {
    for (name, net) in [("chain", chain()), ("mixed", mixed()), ("products", products())] {
        let case = Case::new(net, Shape { kernels: 4, k: 12 }, 1);
        let (caught, free) = check(name, &case, 60);
        println!("{name}: {caught} changed cells caught, {free} truly free");
    }
}
