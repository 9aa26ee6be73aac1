//! Server-sent events: what is in one event. Finding events in a stream is `upstream::framing`'s.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>

use std::borrow::Cow;

use bytes::Bytes;

/// The data of an event: its `data` lines, joined by line feeds; `None` when it has none.
#[must_use]
pub fn data(event: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut lines = fields(event, b"data");
    let first = lines.next()?;
    let Some(second) = lines.next() else {
        return Some(Cow::Borrowed(first));
    };
    let mut joined = first.to_vec();
    for line in std::iter::once(second).chain(lines) {
        joined.push(b'\n');
        joined.extend_from_slice(line);
    }
    Some(Cow::Owned(joined))
}

/// Whether the last event of a stream, which lacks the blank line after it, has come whole: its JSON
/// ends, or it says that all is done. What was cut says nothing, however much of it can be guessed.
#[must_use]
pub fn is_whole(last: &[u8]) -> bool {
    let Some(data) = data(last) else {
        return false;
    };
    let data = data.trim_ascii();
    data == b"[DONE]" || serde_json::from_slice::<serde::de::IgnoredAny>(data).is_ok()
}

/// The name of an event; the last `event` line counts.
#[must_use]
pub fn name(event: &[u8]) -> Option<&[u8]> {
    fields(event, b"event").last()
}

/// An event of that name and data.
#[must_use]
pub fn write(name: Option<&str>, data: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(data.len() + 32);
    if let Some(name) = name {
        event.extend_from_slice(b"event: ");
        event.extend_from_slice(name.as_bytes());
        event.push(b'\n');
    }
    event.extend_from_slice(b"data: ");
    let from = event.len();
    event.extend_from_slice(data);
    // What a provider wrote over several lines is one line here: in JSON they are white space.
    for byte in event.iter_mut().skip(from) {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    event.extend_from_slice(b"\n\n");
    Bytes::from(event)
}

fn fields<'a>(event: &'a [u8], name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    event
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter_map(move |line| {
            let rest = line.strip_prefix(name)?.strip_prefix(b":")?;
            Some(rest.strip_prefix(b" ").unwrap_or(rest))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_lines_are_joined() {
        let event = b"event: a\r\ndata:one\r\ndata: two\r\n: note\r\n\r\n";
        assert_eq!(data(event).as_deref(), Some(b"one\ntwo".as_slice()));
        assert_eq!(name(event), Some(b"a".as_slice()));
        assert_eq!(data(b": keep-alive\n\n"), None);
        assert_eq!(
            data(&write(Some("x"), b"{}")).as_deref(),
            Some(b"{}".as_slice())
        );
        assert_eq!(write(None, b"{\r\n}"), "data: {  }\n\n");
    }

    #[test]
    fn the_last_event_says_something_only_when_it_is_whole() {
        for whole in [
            "data: {\"a\":1}",
            "event: x\ndata: {\"a\":\ndata: 1}\n",
            "data: [DONE]",
            "data: {\"a\":\"\\ud83d\"}",
        ] {
            assert!(is_whole(whole.as_bytes()), "{whole}");
        }
        for cut in [
            "dat",
            "dat",
            "data: {\"a\":1",
            "data: [DON",
            "event: message_stop\ndata: {\"ty",
        ] {
            assert!(!is_whole(cut.as_bytes()), "{cut}");
        }
    }
}
