//! What a float network must satisfy before anything runs it.

use super::{Conv, FloatNet, FloatNode, FloatOp, MAX_ELEMENTS, Sparse, Term, Windows};

/// A node that contradicts its tensors. Networks made by the importer have none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("node {node} ({operator}): {what}; this network wasn't made by the importer")]
pub struct NetError {
    /// The node's name, or that of an input or output.
    pub node: String,
    /// Its ONNX operator, or "input" or "output".
    pub operator: String,
    /// What is wrong.
    pub what: String,
}

impl FloatNet {
    /// Checks order, sizes and indices of all nodes; whatever runs or compiles a network may rely on it.
    ///
    /// # Errors
    /// Names the first node that is wrong.
    pub fn check(&self) -> Result<(), NetError> {
        let fail = |operator: &str, node: &str, what: String| {
            Err(NetError { operator: operator.into(), node: node.into(), what })
        };
        let mut known = vec![false; self.tensors.len()];
        for t in &self.tensors {
            let size = t.shape.iter().try_fold(1usize, |a, d| a.checked_mul(*d));
            if size.is_none_or(|s| s > MAX_ELEMENTS) {
                return fail("tensor", &t.name, format!("shape {:?} is too large", t.shape));
            }
        }
        for input in &self.inputs {
            match known.get_mut(input.tensor) {
                Some(k) if !*k => *k = true,
                _ => return fail("input", &input.tensor.to_string(), "isn't a tensor of its own".into()),
            }
        }
        for node in &self.nodes {
            if let Some(i) = node.inputs.iter().find(|i| !known.get(**i).is_some_and(|k| *k)) {
                return fail(&node.operator, &node.name, format!("reads tensor {i} before it is computed"));
            }
            match known.get_mut(node.output) {
                Some(k) if !*k => *k = true,
                _ => return fail(&node.operator, &node.name, format!("can't write tensor {}", node.output)),
            }
            if let Err(what) = self.check_node(node) {
                return fail(&node.operator, &node.name, what);
            }
        }
        match self.outputs.iter().find(|o| !known.get(**o).is_some_and(|k| *k)) {
            Some(o) => fail("output", &o.to_string(), "is computed by no node".into()),
            None => Ok(()),
        }
    }

    fn check_node(&self, node: &FloatNode) -> Result<(), String> {
        let sizes: Vec<usize> = node.inputs.iter().map(|i| self.tensors[*i].len()).collect();
        let written = node.op.outputs(&sizes)?;
        let out = self.tensors[node.output].len();
        if written != out {
            return Err(format!("writes {written} values into a tensor of {out}"));
        }
        Ok(())
    }
}

impl FloatOp {
    /// How many values the node writes, given its inputs' sizes; checks every setting and index.
    pub(crate) fn outputs(&self, sizes: &[usize]) -> Result<usize, String> {
        let wanted = match self {
            Self::Sparse(_) => sizes.len(),
            Self::Product(_) | Self::MatMul(_) => 2,
            _ => 1,
        };
        if sizes.len() != wanted {
            return Err(format!("has {} inputs instead of {wanted}", sizes.len()));
        }
        match self {
            Self::Conv(c) => conv(c, sizes[0]),
            Self::Sparse(s) => s.fits(sizes),
            Self::Product(p) => {
                let inside = |list: &[u32], size: usize| list.iter().all(|i| (*i as usize) < size);
                if p.left.len() != p.right.len() || !inside(&p.left, sizes[0]) || !inside(&p.right, sizes[1]) {
                    return Err("its factors don't fit its inputs".into());
                }
                Ok(p.left.len())
            }
            Self::MatMul(m) => {
                let size = |a: usize, b: usize| m.batch.checked_mul(a)?.checked_mul(b);
                if size(m.m, m.k) != Some(sizes[0]) || size(m.k, m.n) != Some(sizes[1]) {
                    return Err(format!("its matrices don't fit inputs of {sizes:?} values"));
                }
                size(m.m, m.n).ok_or_else(|| "it is too large".into())
            }
            Self::Unary(_) => Ok(sizes[0]),
            Self::Max(w) => windows(w, sizes[0], 1),
            Self::TopK(t) => {
                let count = windows(&t.windows, sizes[0], t.k.max(1))?;
                count.checked_mul(t.k).ok_or_else(|| "it is too large".into())
            }
        }
    }
}

fn conv(c: &Conv, size: usize) -> Result<usize, String> {
    let product = |list: &[usize]| list.iter().try_fold(1usize, |a, b| a.checked_mul(*b));
    let divides = c.groups > 0 && c.channels.is_multiple_of(c.groups) && c.out_channels.is_multiple_of(c.groups);
    if !divides {
        return Err(format!("{} groups don't divide its channels", c.groups));
    }
    if product(&[c.channels, c.height, c.width]) != Some(size) {
        return Err(format!("its board doesn't fit an input of {size} values"));
    }
    let weights = product(&[c.out_channels, c.channels / c.groups, c.kernel[0], c.kernel[1]]);
    if weights != Some(c.weights.len()) || c.bias.len() != c.out_channels {
        return Err("its weights don't fit its channels".into());
    }
    let [height, width] = c.out_board().ok_or("its kernel is larger than its board")?;
    product(&[c.out_channels, height, width]).ok_or_else(|| "it is too large".into())
}

impl Sparse {
    /// How many sums there are, given the inputs' sizes; checks every index.
    pub(crate) fn fits(&self, sizes: &[usize]) -> Result<usize, String> {
        rows(&self.starts, self.terms.len(), 0)?;
        if self.starts.len() != self.bias.len() + 1 {
            return Err("it hasn't one constant per output".into());
        }
        let inside = |t: &Term| sizes.get(t.input as usize).is_some_and(|n| (t.index as usize) < *n);
        if self.terms.iter().all(inside) { Ok(self.bias.len()) } else { Err("a term lies outside of its input".into()) }
    }
}

fn windows(w: &Windows, size: usize, least: usize) -> Result<usize, String> {
    rows(&w.starts, w.indices.len(), least)?;
    let inside = w.indices.iter().all(|i| (*i as usize) < size);
    if inside { Ok(w.len()) } else { Err("a window lies outside of its input".into()) }
}

/// Compressed rows start at 0, end at `len`, and have at least `least` entries each.
fn rows(starts: &[u32], len: usize, least: usize) -> Result<(), String> {
    let ends = starts.first() == Some(&0) && starts.last().is_some_and(|e| *e as usize == len);
    let grows = starts.windows(2).all(|w| w[1].checked_sub(w[0]).is_some_and(|n| n as usize >= least));
    if ends && grows { Ok(()) } else { Err("its rows are out of order or too short".into()) }
}
