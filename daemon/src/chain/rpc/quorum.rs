//! Whether answers of several endpoints say the same. Pure.

use alloy::rpc::json_rpc::ResponsePacket;

use super::{
    Response,
    answer::{Block, Entry, result},
    request::Kind,
};

/// What an answer says, in a form in which equal answers are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Block(Option<alloy::primitives::B256>),
    Logs(Vec<Entry>),
    Other(String),
}

impl Said {
    /// `None` for what isn't compared: an error, a batch.
    pub(super) fn by(kind: &Kind, response: &Response) -> Option<Self> {
        let text = result(response)?;
        Some(match kind {
            Kind::Head | Kind::Block(_) => Self::Block(Block::of(response).map(|block| block.hash)),
            Kind::Logs(_) => {
                // Their order is no part of what is said.
                let mut logs = Entry::all(response)?;
                logs.sort();
                Self::Logs(logs)
            }
            _ => Self::Other(text.to_owned()),
        })
    }
}

/// Answers by what they say.
#[derive(Debug, Default)]
pub(super) struct Votes(Vec<(Said, usize, Response)>);

impl Votes {
    /// Counts an answer; the answer, if so many have now said the same.
    pub(super) fn count(&mut self, said: Said, response: Response, quorum: usize) -> Option<Response> {
        match self.0.iter_mut().find(|(other, ..)| *other == said) {
            Some((_, votes, _)) => *votes += 1,
            None => self.0.push((said, 1, response)),
        }
        self.0.iter().find(|(_, votes, _)| *votes >= quorum).map(|(.., response)| response.clone())
    }

    /// How many different things were said.
    pub(super) fn different(&self) -> usize {
        self.0.len()
    }
}

/// The highest head that so many endpoints have reached: nobody alone can claim a higher one.
pub(super) fn head(mut heads: Vec<(u64, Response)>, quorum: usize) -> Option<(u64, Response)> {
    heads.retain(|(_, response)| matches!(response, ResponsePacket::Single(_)));
    heads.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    heads.into_iter().nth(quorum.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::answer::tests::answer, *};

    fn log(index: &str, data: &str) -> Value {
        let (address, hash) = (alloy::primitives::Address::repeat_byte(1), alloy::primitives::B256::repeat_byte(2));
        json!({"address": address, "blockHash": hash, "blockNumber": "0x5", "logIndex": index, "transactionHash": hash, "topics": [], "data": data})
    }

    #[test]
    fn so_many_must_say_the_same() {
        let (one, two) = (log("0x0", "0x01"), log("0x1", "0x02"));
        let forged = log("0x0", "0xff");
        // Each row: the answers in their order, the quorum, and after which it is reached.
        let cases: [(Vec<Value>, usize, Option<usize>); 6] = [
            (vec![json!([one])], 1, Some(0)),
            (vec![json!([one, two]), json!([two, one])], 2, Some(1)),
            (vec![json!([one]), json!([forged])], 2, None),
            (vec![json!([one]), json!([]), json!([one])], 2, Some(2)),
            (vec![json!([]), json!([one]), json!([forged])], 2, None),
            (vec![json!([one]), json!([forged]), json!([one]), json!([one])], 3, Some(3)),
        ];
        for (answers, quorum, expected) in cases {
            let kind = Kind::Logs(Box::default());
            let mut votes = Votes::default();
            let reached = answers.iter().position(|result| {
                let response = answer(result);
                votes.count(Said::by(&kind, &response).expect("logs"), response, quorum).is_some()
            });
            assert_eq!(reached, expected, "{answers:?}");
        }
    }

    #[test]
    fn nobody_alone_claims_a_head() {
        let heads = |numbers: &[u64]| numbers.iter().map(|n| (*n, answer(&json!(n)))).collect::<Vec<_>>();
        let cases: [(&[u64], usize, Option<u64>); 5] = [
            (&[10, 12, 11], 1, Some(12)),
            (&[10, 1_000_000, 11], 2, Some(11)),
            (&[10, 1_000_000, 11], 3, Some(10)),
            (&[10], 2, None),
            (&[], 1, None),
        ];
        for (numbers, quorum, expected) in cases {
            assert_eq!(head(heads(numbers), quorum).map(|(number, _)| number), expected, "{numbers:?} {quorum}");
        }
    }
}
