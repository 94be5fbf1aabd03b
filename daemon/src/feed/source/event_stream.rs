//! The event-stream format: bytes, however they are cut, to events.
//!
//! As the HTML standard's section 9.2 has it: lines end with CR, LF or both; a colon parts field and value; an empty line
//! ends an event; an event without data is none. What is over its limit is left out, and said.

use std::time::Duration;

/// An event, or what was in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// An event.
    Event(StreamEvent),
    /// One that was longer than allowed.
    TooLong,
    /// How long the server wants its clients to wait before they connect again.
    Retry(Duration),
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StreamEvent {
    /// Its type; `message` where it names none.
    pub(super) kind: String,
    /// Its data, lines joined with LF.
    pub(super) data: String,
    /// The id that the server gave last; empty for none.
    pub(super) last_id: String,
}

/// Bytes to events.
#[derive(Debug)]
pub(super) struct Parser {
    /// Most bytes of an event's lines together.
    limit: usize,
    /// Of the line so far, what is kept.
    line: Vec<u8>,
    /// Its bytes, also of those that aren't.
    line_bytes: usize,
    /// The last byte was CR: an LF after it belongs to the same end.
    after_cr: bool,
    /// Something came before: no byte order mark from here on.
    begun: bool,
    kind: String,
    data: String,
    last_id: String,
    /// Bytes of the event so far, also of those that weren't kept.
    size: usize,
}

impl Parser {
    /// `last_id` is what the server gave before, on an earlier connection.
    pub(super) fn new(limit: usize, last_id: String) -> Self {
        Self {
            limit,
            line: Vec::new(),
            line_bytes: 0,
            after_cr: false,
            begun: false,
            kind: String::new(),
            data: String::new(),
            last_id,
            size: 0,
        }
    }

    /// Bytes since an event ended. Grows without end where a server ends none.
    pub(super) fn open_bytes(&self) -> usize {
        self.size
    }

    /// Takes bytes as they come; gives what they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for &byte in bytes {
            let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\r' | b'\n' => frames.extend(self.end_line()),
                _ => {
                    self.size = self.size.saturating_add(1);
                    self.line_bytes = self.line_bytes.saturating_add(1);
                    // A line that will be left out needs no room.
                    if self.size <= self.limit {
                        self.line.push(byte);
                    }
                }
            }
        }
        frames
    }

    fn end_line(&mut self) -> Option<Frame> {
        let (bytes, length) = (std::mem::take(&mut self.line), std::mem::take(&mut self.line_bytes));
        let begun = std::mem::replace(&mut self.begun, true);
        if length == 0 {
            return self.end_event();
        }
        if self.size > self.limit {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let line = if begun { &text } else { text.strip_prefix('\u{feff}').unwrap_or(&text) };
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            // A comment: it only shows that the server is there, and is part of no event.
            "" if line.starts_with(':') => self.size = self.size.saturating_sub(length),
            "event" => value.clone_into(&mut self.kind),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.last_id),
            "retry" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => {
                return value.parse().ok().map(|millis| Frame::Retry(Duration::from_millis(millis)));
            }
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Frame> {
        let too_long = std::mem::take(&mut self.size) > self.limit;
        let (mut kind, mut data) = (std::mem::take(&mut self.kind), std::mem::take(&mut self.data));
        if too_long {
            return Some(Frame::TooLong);
        }
        // The last line's end is none of the data.
        data.pop()?;
        if kind.is_empty() {
            kind = "message".into();
        }
        Some(Frame::Event(StreamEvent { kind, data, last_id: self.last_id.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 40;

    /// One word per frame: `kind[id]data` with LF as `|`, `too-long`, or `retry N` in milliseconds.
    fn parse(pieces: &[&[u8]]) -> String {
        let mut parser = Parser::new(LIMIT, "0".into());
        let frames = pieces.iter().flat_map(|piece| parser.push(piece)).map(|frame| match frame {
            Frame::Event(StreamEvent { kind, data, last_id }) => {
                format!("{kind}[{last_id}]{}", data.replace('\n', "|"))
            }
            Frame::TooLong => "too-long".into(),
            Frame::Retry(pause) => format!("retry {}", pause.as_millis()),
        });
        frames.collect::<Vec<_>>().join(" ")
    }

    fn check(stream: &[u8], expected: &str) {
        assert_eq!(parse(&[stream]), expected, "{}", stream.escape_ascii());
        // However it is cut.
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(parse(&bytes), expected, "{} byte by byte", stream.escape_ascii());
    }

    #[test]
    fn streams_are_read_as_the_standard_says() {
        check(b"", "");
        check(b"data: a\n\n", "message[0]a");
        check(b"data:a\r\n\r\ndata:  b\r\rdata\n\n", "message[0]a message[0] b message[0]");
        check(b"data: a\ndata:\ndata: b\n\n", "message[0]a||b");
        check(b"event: x\nid: 7\ndata: a\n\ndata: b\n\n", "x[7]a message[7]b");
        check(b"id: 7\n\nid\ndata: a\n\n", "message[]a");
        check(b"id: a\0b\ndata: a\n\n", "message[0]a");
        check(b"event: x\n\ndata: a\n\n", "message[0]a");
        check(b": hello\n:\n\n: \n\n", "");
        check(b"unknown: x\n data: y\ndata: a\n\n", "message[0]a");
        check(b"retry: 250\nretry: x\nretry:\nretry: -1\nretry: 99999999999999999999\n", "retry 250");
        // Not ended, so none.
        check(b"data: a\n", "");
        check(b"\xef\xbb\xbfdata: a\n\n", "message[0]a");
        check(b"\xef\xbb\xbf\n\xef\xbb\xbfdata: a\n\n", "");
        check(b"data: \xff\n\n", "message[0]\u{fffd}");
        check(b"\n\n\r\r\n\n", "");
    }

    #[test]
    fn what_is_too_long_is_left_out_and_the_rest_is_read() {
        let long = |n: usize| vec![b'x'; n];
        let after = b"\n\nid: 9\ndata: b\n\n";
        // 6 bytes of name, colon and blank.
        check(&[b"data: ", &long(LIMIT - 6)[..], after].concat(), &format!("message[0]{} message[9]b", "x".repeat(34)));
        check(&[b"data: ", &long(LIMIT - 5)[..], after].concat(), "too-long message[9]b");
        check(&[b"id: 3\ndata: ", &long(500)[..], after].concat(), "too-long message[9]b");
        check(&[&b"data: aaaaaaaaaaaa\n".repeat(5)[..], after].concat(), "too-long message[9]b");
        // Comments are part of no event.
        check(&[&b": a comment of some length\n".repeat(9)[..], b"data: a", after].concat(), "message[0]a message[9]b");
        let mut parser = Parser::new(LIMIT, String::new());
        assert_eq!(parser.push(&long(10_000)), []);
        assert_eq!((parser.open_bytes(), parser.line.len()), (10_000, LIMIT));
    }
}
