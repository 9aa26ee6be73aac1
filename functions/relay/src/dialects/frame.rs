//! AWS's event stream: what is in one frame. Finding frames in a stream is `upstream::framing`'s.
//!
//! <https://smithy.io/2.0/aws/amazon-eventstream.html>

use aws_smithy_eventstream::frame::read_message_from;
use bytes::Bytes;

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// What it holds: JSON, mostly.
    pub payload: Bytes,
}

/// What a frame is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An event of this name.
    Event(String),
    /// The provider says no, with the name of an exception that it knows.
    Exception(String),
    /// The provider says no, in its headers.
    Error {
        /// Its word for it.
        code: String,
        /// Its sentence.
        message: String,
    },
}

/// What is in a frame; `None` when it is none, or of a kind that nobody knows.
#[must_use]
pub fn read(mut bytes: &[u8]) -> Option<Frame> {
    let message = read_message_from(&mut bytes).ok()?;
    let header = |name: &str| {
        let mut headers = message.headers().iter();
        let found = headers.find(|header| header.name().as_str() == name)?;
        Some(found.value().as_string().ok()?.as_str().to_owned())
    };
    let named = |name: &str| header(name).unwrap_or_default();
    let kind = match header(":message-type").as_deref() {
        // Its name tells an event, where the type is missing.
        Some("event") | None => Kind::Event(header(":event-type")?),
        Some("exception") => Kind::Exception(named(":exception-type")),
        Some("error") => Kind::Error {
            code: named(":error-code"),
            message: named(":error-message"),
        },
        Some(_) => return None,
    };
    Some(Frame {
        kind,
        payload: message.payload().clone(),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::{Header, HeaderValue, Message};

    use super::*;

    /// A frame with these headers.
    pub(crate) fn frame(headers: &[(&'static str, &'static str)], payload: &str) -> Vec<u8> {
        let mut message = Message::new(payload.as_bytes().to_vec());
        for (name, value) in headers {
            message = message.add_header(Header::new(*name, HeaderValue::String((*value).into())));
        }
        let mut bytes = Vec::new();
        write_message_to(&message, &mut bytes).unwrap();
        bytes
    }

    /// An event of this name.
    pub(crate) fn event(name: &'static str, payload: &str) -> Vec<u8> {
        frame(
            &[(":event-type", name), (":message-type", "event")],
            payload,
        )
    }

    /// An exception of this name.
    pub(crate) fn exception(name: &'static str, payload: &str) -> Vec<u8> {
        let headers = [(":exception-type", name), (":message-type", "exception")];
        frame(&headers, payload)
    }

    #[test]
    fn a_frame_tells_what_it_is() {
        let read = |bytes: Vec<u8>| read(&bytes);
        let kind = |bytes: Vec<u8>| read(bytes).map(|frame| frame.kind);
        assert_eq!(
            read(event("metadata", "{}")),
            Some(Frame {
                kind: Kind::Event("metadata".to_owned()),
                payload: Bytes::from_static(b"{}"),
            })
        );
        assert_eq!(
            kind(exception("throttlingException", "{}")),
            Some(Kind::Exception("throttlingException".to_owned()))
        );
        let headers = [
            (":message-type", "error"),
            (":error-code", "InternalFailure"),
            (":error-message", "oh"),
        ];
        assert_eq!(
            kind(frame(&headers, "")),
            Some(Kind::Error {
                code: "InternalFailure".to_owned(),
                message: "oh".to_owned(),
            })
        );
        assert_eq!(kind(frame(&[(":message-type", "ping")], "")), None);
        assert_eq!(super::read(b"data: {}\n\n"), None);
    }
}
