//! Bulletins, lists and event streams that nobody meant to send, up to the verdict on each.

use super::{
    event_stream::{Frame, Parser},
    http,
};
use crate::{
    chain::{Key, types::B256},
    feed::{Bulletin, Inbox, Text, Verdict},
    fuzz,
};

/// Most bytes of an event.
const LIMIT: usize = 2000;

fn key() -> Key {
    Key::from_bytes(B256::repeat_byte(7)).expect("key")
}

fn bulletin(sequence: u64, text: &str) -> String {
    let text = Text::new(text.as_bytes()).expect("text");
    Bulletin::sign(&key(), B256::repeat_byte(1), sequence, 1_700_000_000, text).expect("signed").to_json()
}

/// Judges what can be read; says whether anything was taken.
fn judged(json: &[u8]) -> bool {
    let mut inbox = Inbox::new(key().address(), B256::repeat_byte(1));
    let Ok(bulletin) = Bulletin::from_json(json) else { return false };
    // What is read is written as it was.
    assert_eq!(Bulletin::from_json(bulletin.to_json().as_bytes()).as_ref(), Ok(&bulletin));
    let _ = bulletin.is_storable();
    matches!(inbox.judge(&bulletin), Verdict::New { .. })
}

#[test]
fn bulletins() {
    let corpus = [bulletin(0, "a"), bulletin(7, "It rains in Ulm: 12 mm."), bulletin(u64::MAX, "\"quoted\" \\ text")];
    fuzz::check("bulletins", 1000, &corpus.map(String::into_bytes), judged);
}

#[test]
fn lists() {
    let (one, two) = (bulletin(1, "one"), bulletin(2, "two"));
    let corpus = [format!("[{one},{two}]"), one.clone(), format!("[{one},{{}},3,[{two}],null]"), "[]".into()];
    fuzz::check("lists of bulletins", 1000, &corpus.map(String::into_bytes), |body| {
        http::list(body).is_ok_and(|items| items.iter().any(|item| judged(item.to_string().as_bytes())))
    });
}

#[test]
fn event_streams() {
    let (one, two) = (bulletin(1, "one"), bulletin(2, "two"));
    let corpus = [
        format!("id: 1\nevent: bulletin\ndata: {one}\n\n"),
        format!(": hello\r\n\r\nretry: 250\r\ndata: {one}\r\n\r\nid: 2\rdata: {two}\r\r"),
        format!("data: {}\ndata: {}\n\n", &two[..40], &two[40..]),
    ];
    fuzz::check("event streams", 1000, &corpus.map(String::into_bytes), |bytes| {
        let mut parser = Parser::new(LIMIT, "0".into());
        let (mut taken, mut frames) = (false, 0);
        // Cut where it happens to be cut.
        for piece in bytes.chunks(1 + bytes.first().map_or(0, |byte| usize::from(*byte))) {
            for frame in parser.push(piece) {
                frames += 1;
                if let Frame::Event(event) = frame {
                    assert!(event.data.len() <= 3 * LIMIT, "an event over its limit: {} bytes", event.data.len());
                    taken |= judged(event.data.as_bytes());
                }
            }
        }
        assert!(parser.open_bytes() <= bytes.len() && frames <= bytes.len(), "more than was sent");
        taken
    });
}
