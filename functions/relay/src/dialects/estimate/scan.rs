//! A request read from front to back, once and without a tree: its texts, its turns, its media.
//!
//! Bytes count as a medium only where a dialect has one: below messages, outside of arguments,
//! answers of tools and schemas. Whatever stands elsewhere is text to some model, however it looks.

use std::borrow::Cow;

use memchr::memmem;

use super::medium::{Kind, Medium, Payload};
use super::strings::{inside, unescape};

/// What is found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    /// The inside of a string that a model reads, as it is escaped.
    Text(&'a [u8]),
    /// A message begins.
    Turn,
    /// A picture, a document, a sound, a film.
    Medium(Medium<'a>),
}

/// How deep parts stand in parts. What stands deeper counts as text.
const DEEPEST: usize = 32;
/// How deep messages stand: in an array of the request.
const TURNS: usize = 2;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The request.
    Root,
    /// Messages, or parts of them.
    Content,
    /// What holds a medium.
    Medium,
    /// Text, whatever its form.
    Text,
    /// Nothing that a model reads.
    Silent,
}

/// An object or an array that is open.
#[derive(Debug)]
struct Frame<'a> {
    place: Place,
    is_object: bool,
    /// The place of the value that comes next.
    next: Place,
    /// The name before it.
    name: Cow<'a, [u8]>,
    /// What the members of a medium say of it, or the medium of a part.
    medium: Medium<'a>,
    /// What a part calls itself.
    kind: Option<Kind>,
}

/// What stands in every request with media: a part of a member's name, or escapes in one.
const TRACES: [&[u8]; 6] = [
    b"_url\"",
    b"\"source\"",
    b"input_audio\"",
    b"\"file",
    b"\"inline",
    br"\u00",
];

/// Whether a request can have media: most have none, and need no closer look.
pub(super) fn may_have_media(json: &[u8]) -> bool {
    TRACES
        .iter()
        .any(|trace| memmem::find(json, trace).is_some())
}

#[derive(Debug)]
struct Scan<'a, 'f, F> {
    json: &'a [u8],
    at: usize,
    open: Vec<Frame<'a>>,
    /// How many more are open within what is text or silent.
    within: usize,
    found: &'f mut F,
}

/// Tells what a request holds. What is no JSON is silent from where it is none.
pub(super) fn scan<'a, F: FnMut(Piece<'a>)>(json: &'a [u8], found: &mut F) {
    let mut scan = Scan {
        json,
        at: 0,
        open: Vec::new(),
        within: 0,
        found,
    };
    while scan.step().is_some() {}
}

impl<'a, F: FnMut(Piece<'a>)> Scan<'a, '_, F> {
    /// One more brace, bracket or string; `None` at the end.
    fn step(&mut self) -> Option<()> {
        let rest = self.json.get(self.at..)?;
        let found = rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'))?;
        self.at += found + 1;
        match rest.get(found)? {
            b'"' => {
                let text = inside(self.json.get(self.at..)?)?;
                self.at += text.len() + 1;
                self.string(text);
            }
            b'{' => self.begin(true),
            b'[' => self.begin(false),
            _ => self.end(),
        }
        Some(())
    }

    /// The place of the value that stands here.
    fn place(&self) -> Place {
        match self.open.last() {
            None => Place::Root,
            Some(frame) if frame.is_object => frame.next,
            Some(frame) => frame.place,
        }
    }

    fn begin(&mut self, is_object: bool) {
        let place = self.place();
        let is_leaf = matches!(place, Place::Text | Place::Silent);
        if self.within > 0 || self.open.len() >= DEEPEST || (is_leaf && !self.open.is_empty()) {
            self.within += 1;
            return;
        }
        let name = self.open.last().map(|frame| frame.name.clone());
        let name = name.unwrap_or_default();
        if is_object && place == Place::Content && self.open.len() == TURNS {
            (self.found)(Piece::Turn);
        }
        let medium = if place == Place::Medium {
            Medium::named(&name)
        } else {
            Medium::default()
        };
        self.open.push(Frame {
            place,
            is_object,
            next: Place::Silent,
            name,
            medium,
            kind: None,
        });
    }

    fn end(&mut self) {
        if self.within > 0 {
            self.within -= 1;
            return;
        }
        let Some(frame) = self.open.pop() else {
            return;
        };
        match frame.place {
            Place::Medium if frame.is_object => self.hold(frame.medium),
            Place::Content => self.tell(frame.medium, frame.kind),
            _ => {}
        }
    }

    /// A part may say what its medium is behind it: that waits for the part's end.
    fn hold(&mut self, medium: Medium<'a>) {
        let part = self.open.last_mut();
        let Some(part) = part.filter(|frame| frame.place == Place::Content && frame.is_object)
        else {
            return self.tell(medium, None);
        };
        let (before, kind) = (std::mem::replace(&mut part.medium, medium), part.kind);
        self.tell(before, kind);
    }

    fn tell(&mut self, medium: Medium<'a>, kind: Option<Kind>) {
        let medium = medium.settled();
        match medium.payload {
            Some(Payload::Text(text)) => (self.found)(Piece::Text(text)),
            Some(_) => (self.found)(Piece::Medium(medium.of_kind(kind))),
            None => {}
        }
    }

    fn string(&mut self, text: &'a [u8]) {
        if self.within == 0 && self.is_name() {
            if let Some(frame) = self.open.last_mut() {
                frame.name = plain(text);
                frame.next = place_of(frame.place, &frame.name);
            }
            return;
        }
        let place = self.place();
        if self.within > 0 || place != Place::Medium {
            if place != Place::Silent {
                (self.found)(Piece::Text(text));
            } else if let Some(frame) = self.open.last_mut()
                && self.within == 0
                && *frame.name == *b"type"
            {
                frame.kind = Kind::of_part(text).or(frame.kind);
            }
            return;
        }
        let Some(frame) = self.open.last_mut() else {
            return;
        };
        if frame.place == Place::Medium && frame.is_object {
            frame.medium.say(&frame.name, text);
            return;
        }
        // A medium that is a string, and no object.
        let mut medium = Medium::named(&frame.name);
        medium.say(&frame.name, text);
        self.hold(medium);
    }

    /// Whether the string that was just read is a member's name.
    fn is_name(&self) -> bool {
        let rest = self.json.get(self.at..).unwrap_or_default();
        let is_object = self.open.last().is_some_and(|frame| frame.is_object);
        is_object && rest.trim_ascii_start().first() == Some(&b':')
    }
}

/// What the value of a member is.
fn place_of(parent: Place, name: &[u8]) -> Place {
    match parent {
        Place::Root => match name {
            b"messages"
            | b"input"
            | b"contents"
            | b"system"
            | b"systemInstruction"
            | b"system_instruction" => Place::Content,
            b"instructions" | b"prompt" | b"suffix" | b"tools" | b"functions"
            | b"response_format" => Place::Text,
            _ => Place::Silent,
        },
        Place::Content => match name {
            b"content" | b"parts" | b"output" | b"functionResponse" | b"function_response" => {
                Place::Content
            }
            b"source" | b"image_url" | b"video_url" | b"input_audio" | b"file" | b"inlineData"
            | b"inline_data" | b"fileData" | b"file_data" | b"file_url" | b"file_id" => {
                Place::Medium
            }
            b"type" | b"role" | b"id" | b"call_id" | b"tool_use_id" | b"tool_call_id"
            | b"status" | b"cache_control" | b"signature" | b"thoughtSignature"
            | b"thought_signature" | b"encrypted_content" | b"detail" | b"filename" => {
                Place::Silent
            }
            _ => Place::Text,
        },
        Place::Medium => match name {
            b"content" => Place::Content,
            _ => Place::Medium,
        },
        Place::Text | Place::Silent => parent,
    }
}

/// A name without escapes.
fn plain(name: &[u8]) -> Cow<'_, [u8]> {
    const LONGEST: usize = 128;
    if name.len() > LONGEST || memchr::memchr(b'\\', name).is_none() {
        return Cow::Borrowed(name);
    }
    let mut plain = Vec::new();
    unescape(name, &mut plain);
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> (Vec<String>, usize, usize) {
        let (mut texts, mut turns, mut media) = (Vec::new(), 0, 0);
        scan(json.as_bytes(), &mut |piece| match piece {
            Piece::Text(text) => texts.push(String::from_utf8(text.to_vec()).unwrap()),
            Piece::Turn => turns += 1,
            Piece::Medium(_) => media += 1,
        });
        (texts, turns, media)
    }

    #[test]
    fn texts_and_turns_are_told_from_what_no_model_reads() {
        let json = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"}]},
            {"role":"tool","tool_call_id":"x","content":"b"}],"metadata":{"user":"u"},
            "tools":[{"function":{"name":"f"}}],"stop":["s"]}"#;
        let (texts, turns, media) = found(json);
        assert_eq!(texts, ["a", "b", "function", "name", "f"]);
        assert_eq!((turns, media), (2, 0));
    }

    #[test]
    fn every_dialects_media_are_found_and_those_in_arguments_are_not() {
        let long = "A".repeat(8);
        for json in [
            r#"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,$"}}]}]}"#,
            r#"{"messages":[{"content":[{"type":"input_audio","input_audio":{"data":"$","format":"wav"}}]}]}"#,
            r#"{"messages":[{"content":[{"type":"file","file":{"file_data":"data:application/pdf;base64,$"}}]}]}"#,
            r#"{"messages":[{"content":[{"source":{"data":"$","type":"base64"},"type":"image"}]}]}"#,
            r#"{"messages":[{"content":[{"type":"tool_result","content":[{"type":"image","source":{"type":"url","url":"https://x"}}]}]}]}"#,
            r#"{"input":[{"content":[{"type":"input_image","image_url":"data:image/png;base64,$"}]}]}"#,
            r#"{"input":[{"content":[{"type":"input_file","file_id":"f"}]}]}"#,
            r#"{"input":[{"type":"function_call_output","output":[{"type":"input_image","image_url":"$"}]}]}"#,
            r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"$"}}]}]}"#,
            r#"{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"$"}}]}]}"#,
            r#"{"contents":[{"parts":[{"fileData":{"fileUri":"gs://x"}}]}]}"#,
            r#"{"contents":[{"parts":[{"functionResponse":{"parts":[{"inlineData":{"data":"$"}}]}}]}]}"#,
            r#"{"mess\u0061ges":[{"content":[{"image_url":{"\u0075rl":"https://x"}}]}]}"#,
        ] {
            assert_eq!(found(&json.replace('$', &long)).2, 1, "{json}");
            assert!(may_have_media(json.as_bytes()), "{json}");
        }
        for json in [
            r#"{"messages":[{"content":[{"type":"tool_use","input":{"source":{"type":"base64","data":"$"}}}]}]}"#,
            r#"{"messages":[{"content":[{"type":"document","source":{"type":"text","data":"$"}}]}]}"#,
            r#"{"contents":[{"parts":[{"functionCall":{"args":{"inlineData":{"data":"$"}}}}]}]}"#,
            r#"{"messages":[{"content":"{\"image_url\":{\"url\":\"$\"}}"}]}"#,
            r#"{"tools":[{"image_url":{"url":"https://x"}}]}"#,
        ] {
            let (texts, _, media) = found(&json.replace('$', &long));
            assert_eq!(media, 0, "{json}");
            assert!(!texts.is_empty(), "{json}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(json in "[\\[\\]{}\":,\\\\a-c]{0,200}") {
            found(&json);
        }
    }
}
