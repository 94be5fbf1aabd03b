//! The compact file of an integer graph.
//!
//! `ZZGRAPH1`, then little-endian base-128 numbers (signed ones zigzag), then per layer its weights
//! packed at the width of the widest one. Everything is checked on reading; nothing panics.

use crate::bounds::check_structure;
use crate::graph::{Activation, Board, Digit, Graph, InputChannel, Layer, Residual};

const MAGIC: &[u8; 8] = b"ZZGRAPH1";
/// Limit on every count in a file, so that a bad file can't ask for much memory.
const LIMIT: usize = 1 << 26;

/// The file's bytes.
pub fn encode(graph: &Graph) -> Vec<u8> {
    let mut w = Writer(MAGIC.to_vec());
    w.size(graph.board.height);
    w.size(graph.board.width);
    w.size(graph.top);
    w.size(graph.input.len());
    for c in &graph.input {
        w.size(c.limb);
        for d in &c.cells {
            w.number(d.map_or(0, |d| u64::from(d.bits)));
            if let Some(d) = d {
                w.number(d.offset.into());
            }
        }
    }
    w.size(graph.layers.len());
    for l in &graph.layers {
        w.layer(l, graph.board.cells());
    }
    w.0
}

/// The graph of a file's bytes; its structure is checked, its bounds are not.
///
/// # Errors
/// Says what is wrong with the file.
pub fn decode(bytes: &[u8]) -> Result<Graph, String> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err("it is no integer graph of this version".into());
    };
    let mut r = Reader(rest);
    let board = Board { height: r.size()?, width: r.size()? };
    if board.height > 1 << 8 || board.width > 1 << 8 {
        return Err(format!("the board is {}×{}", board.height, board.width));
    }
    let top = r.size()?;
    let channels = r.size()?;
    let mut input = Vec::new();
    for _ in 0..channels {
        let limb = r.size()?;
        let mut cells = Vec::new();
        for _ in 0..board.cells() {
            let bits = r.small()?;
            cells.push(if bits == 0 { None } else { Some(Digit { bits, offset: r.small()? }) });
        }
        input.push(InputChannel { limb, cells });
    }
    let count = r.size()?;
    let mut layers = Vec::new();
    for _ in 0..count {
        layers.push(r.layer(board.cells())?);
    }
    if !r.0.is_empty() {
        return Err(format!("{} bytes are left over", r.0.len()));
    }
    let graph = Graph { board, input, layers, top };
    check_structure(&graph).map_err(|e| e.to_string())?;
    Ok(graph)
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut v: u64) {
        while v >= 0x80 {
            self.0.push(v as u8 | 0x80);
            v >>= 7;
        }
        self.0.push(v as u8);
    }

    fn size(&mut self, v: usize) {
        self.number(v as u64);
    }

    fn signed(&mut self, v: i64) {
        self.number((v << 1 ^ v >> 63) as u64);
    }

    fn layer(&mut self, l: &Layer, cells: usize) {
        self.size(l.name.len());
        self.0.extend(l.name.bytes());
        self.size(l.in_channels);
        self.size(l.out_channels);
        self.size(l.kernel);
        match l.activation {
            Activation::Rank => self.number(0),
            Activation::IsZero => self.number(1),
            Activation::Relu { max } => self.number(max as u64 + 1),
        }
        l.shift.iter().for_each(|s| self.number((*s).into()));
        // A channel's bias is one number if all its cells agree.
        for b in l.bias.chunks(cells) {
            let flat = b.iter().all(|v| *v == b[0]);
            self.number(flat.into());
            b.iter().take(if flat { 1 } else { cells }).for_each(|v| self.signed(*v));
        }
        self.size(l.residual.as_ref().map_or(0, |r| r.tensor + 1));
        if let Some(r) = &l.residual {
            r.multiplier.iter().for_each(|m| self.signed(*m));
        }
        let widest = l.weights.iter().map(|w| w.unsigned_abs()).max().unwrap_or(0);
        let width = 33 - widest.leading_zeros();
        self.number(width.into());
        let (mut buffer, mut filled) = (0u64, 0);
        for w in &l.weights {
            let bits = *w as u32 as u64 & ((1 << width) - 1);
            buffer |= bits << filled;
            filled += width;
            while filled >= 8 {
                self.0.push(buffer as u8);
                (buffer, filled) = (buffer >> 8, filled - 8);
            }
        }
        if filled > 0 {
            self.0.push(buffer as u8);
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> Result<u64, String> {
        let mut v = 0u64;
        for shift in (0..63).step_by(7) {
            let (first, rest) = self.0.split_first().ok_or("it is cut short")?;
            self.0 = rest;
            v |= u64::from(first & 0x7f) << shift;
            if *first < 0x80 {
                return Ok(v);
            }
        }
        Err("it holds a number that is too large".into())
    }

    fn size(&mut self) -> Result<usize, String> {
        match usize::try_from(self.number()?) {
            Ok(v) if v <= LIMIT => Ok(v),
            _ => Err("it holds a count that is too large".into()),
        }
    }

    fn small(&mut self) -> Result<u32, String> {
        u32::try_from(self.number()?).map_err(|_| "it holds a number that is too large".into())
    }

    fn signed(&mut self) -> Result<i64, String> {
        let v = self.number()?;
        Ok((v >> 1) as i64 ^ -((v & 1) as i64))
    }

    fn bytes(&mut self, n: usize) -> Result<&[u8], String> {
        let (head, rest) = self.0.split_at_checked(n).ok_or("it is cut short")?;
        self.0 = rest;
        Ok(head)
    }

    fn layer(&mut self, cells: usize) -> Result<Layer, String> {
        let n = self.size()?;
        let name = String::from_utf8_lossy(self.bytes(n)?).into_owned();
        let (in_channels, out_channels, kernel) = (self.size()?, self.size()?, self.size()?);
        let count = [in_channels, out_channels, kernel, kernel]
            .into_iter()
            .try_fold(1usize, |a, b| a.checked_mul(b))
            .filter(|n| *n <= LIMIT && out_channels.saturating_mul(cells) <= LIMIT)
            .ok_or("it holds a layer that is too large")?;
        let activation = match self.number()? {
            0 => Activation::Rank,
            1 => Activation::IsZero,
            max => Activation::Relu { max: i64::try_from(max - 1).map_err(|e| e.to_string())? },
        };
        let mut shift = Vec::new();
        for _ in 0..out_channels {
            shift.push(self.small()?);
        }
        let mut bias = Vec::new();
        for _ in 0..out_channels {
            if self.number()? == 1 {
                let b = self.signed()?;
                bias.extend(std::iter::repeat_n(b, cells));
            } else {
                for _ in 0..cells {
                    bias.push(self.signed()?);
                }
            }
        }
        let residual = match self.size()? {
            0 => None,
            t => {
                let mut multiplier = Vec::new();
                for _ in 0..out_channels {
                    multiplier.push(self.signed()?);
                }
                Some(Residual { tensor: t - 1, multiplier })
            }
        };
        let weights = self.weights(count)?;
        Ok(Layer { name, in_channels, out_channels, kernel, weights, bias, residual, shift, activation })
    }

    fn weights(&mut self, count: usize) -> Result<Vec<i32>, String> {
        let width = self.number()?;
        if !(1..=32).contains(&width) {
            return Err(format!("its weights are {width} bits wide"));
        }
        let packed = self.bytes((count * width as usize).div_ceil(8))?;
        let mut weights = Vec::with_capacity(count);
        let (mut buffer, mut filled) = (0u64, 0);
        for byte in packed {
            buffer |= u64::from(*byte) << filled;
            filled += 8;
            while filled >= width && weights.len() < count {
                let unused = 32 - width as u32;
                weights.push(((buffer as u32) << unused) as i32 >> unused);
                (buffer, filled) = (buffer >> width, filled - width);
            }
        }
        Ok(weights)
    }
}
