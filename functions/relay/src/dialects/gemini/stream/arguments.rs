//! Arguments of a call that come in pieces, each with the path of the value that it belongs to.
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc>

use serde_json::value::RawValue;

use crate::dialects::json::{Fields, Halves, Json, Object, Raw};

/// Longer paths and lists name nothing: memory must not grow by a mere number.
const DEEPEST: usize = 64;
const LONGEST: usize = 65_536;

/// The arguments so far.
#[derive(Debug, Default)]
pub(super) struct Arguments(Option<Node>);

#[derive(Debug)]
enum Node {
    Value(Raw),
    /// A text that may go on, with half a character that waits for the other half.
    Text(String, Halves),
    Object(Vec<(String, Self)>),
    List(Vec<Self>),
}

enum Step {
    Member(String),
    Element(usize),
}

impl Arguments {
    /// The arguments that come whole.
    pub(super) fn whole(args: &RawValue) -> Self {
        Self(Some(Node::Value(args.to_owned())))
    }

    /// Adds an element of `partialArgs`. What has no path, or no value, is nothing.
    pub(super) fn add(&mut self, piece: &RawValue) {
        let Some(mut fields) = Fields::of(piece) else {
            return;
        };
        let path = fields.text("jsonPath").and_then(|path| steps(&path));
        let Some(path) = path else { return };
        let root = self.0.get_or_insert_with(|| Node::Object(Vec::new()));
        let Some(place) = root.at(&path) else { return };
        if let Some(text) = fields.take("stringValue") {
            place.say(text);
        } else if let Some(value) = fields
            .take("numberValue")
            .or_else(|| fields.take("boolValue"))
        {
            *place = Node::Value(value.to_owned());
        }
    }

    /// The text of the object, or nothing where there is none.
    pub(super) fn finish(self) -> String {
        match self.0 {
            None => String::new(),
            Some(node) => compact(node.finish().to_raw().get()),
        }
    }
}

/// Without the white space between its tokens: plain answers are indented on the way, not by the model.
fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let kept = json.chars().filter(|letter| {
        if quoted {
            quoted = escaped || *letter != '"';
            escaped = !escaped && *letter == '\\';
            return true;
        }
        quoted = *letter == '"';
        !letter.is_ascii_whitespace()
    });
    kept.collect()
}

impl Node {
    /// The node at a path; a null where there was none.
    fn at(&mut self, path: &[Step]) -> Option<&mut Self> {
        let mut node = self;
        for step in path {
            node = match step {
                Step::Member(name) => node.member(name)?,
                Step::Element(at) => node.element(*at)?,
            };
        }
        Some(node)
    }

    fn member(&mut self, name: &str) -> Option<&mut Self> {
        if !matches!(self, Self::Object(_)) {
            *self = Self::Object(Vec::new());
        }
        let Self::Object(members) = self else {
            return None;
        };
        let at = members.iter().position(|(known, _)| known == name);
        let at = at.unwrap_or_else(|| {
            members.push((name.to_owned(), Self::null()));
            members.len() - 1
        });
        members.get_mut(at).map(|(_, node)| node)
    }

    fn element(&mut self, at: usize) -> Option<&mut Self> {
        if !matches!(self, Self::List(_)) {
            *self = Self::List(Vec::new());
        }
        let Self::List(elements) = self else {
            return None;
        };
        while elements.len() <= at {
            elements.push(Self::null());
        }
        elements.get_mut(at)
    }

    fn null() -> Self {
        Self::Value(Raw::default())
    }

    fn say(&mut self, more: &RawValue) {
        if !matches!(self, Self::Text(..)) {
            *self = Self::Text(String::new(), Halves::default());
        }
        if let Self::Text(text, halves) = self {
            text.push_str(&halves.text(more).unwrap_or_default());
        }
    }

    fn finish(self) -> Json {
        match self {
            Self::Value(raw) => raw.into(),
            Self::Text(text, _) => text.into(),
            Self::List(elements) => Json::Array(elements.into_iter().map(Self::finish).collect()),
            Self::Object(members) => {
                let mut object = Object::new();
                for (name, node) in members {
                    object.put(name, node.finish());
                }
                object.into()
            }
        }
    }
}

/// The steps of a path such as `$.a.b[0]['c']`; `None` when it is none.
/// <https://www.rfc-editor.org/rfc/rfc9535>
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == DEEPEST {
            return None;
        }
        if let Some(inside) = rest.strip_prefix('[') {
            let (step, after) = bracketed(inside)?;
            steps.push(step);
            rest = after;
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        if name.is_empty() {
            return None;
        }
        steps.push(Step::Member(name.to_owned()));
        rest = after;
    }
    (!steps.is_empty()).then_some(steps)
}

/// What stands after `[`, up to `]`: a number, or a name in quotes.
fn bracketed(inside: &str) -> Option<(Step, &str)> {
    let Some(quote) = inside.chars().next().filter(|c| ['\'', '"'].contains(c)) else {
        let (number, after) = inside.split_once(']')?;
        let at: usize = number.trim().parse().ok()?;
        return (at < LONGEST).then_some((Step::Element(at), after));
    };
    let mut name = String::new();
    let mut letters = inside.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            let after = inside.get(at + 1..)?.strip_prefix(']')?;
            return Some((Step::Member(name), after));
        }
        name.push(if letter == '\\' {
            letters.next()?.1
        } else {
            letter
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(pieces: &[&str]) -> String {
        let mut arguments = Arguments::default();
        for piece in pieces {
            arguments.add(&RawValue::from_string((*piece).to_owned()).unwrap());
        }
        arguments.finish()
    }

    #[test]
    fn pieces_find_their_places() {
        let object = folded(&[
            r#"{"jsonPath":"$.a","stringValue":"x","willContinue":true}"#,
            r#"{"jsonPath":"$.list[0].n","numberValue":9007199254740993}"#,
            r#"{"jsonPath":"$.a","stringValue":"y"}"#,
            r#"{"jsonPath":"$.list[1].b","boolValue":false}"#,
            r#"{"jsonPath":"$['it\\'s. '][0]","nullValue":"NULL_VALUE"}"#,
            r#"{"jsonPath":"$.e","stringValue":"\ud83d","willContinue":true}"#,
            r#"{"jsonPath":"$.e","stringValue":"\ude00"}"#,
        ]);
        assert_eq!(
            object,
            concat!(
                r#"{"a":"xy","list":[{"n":9007199254740993},{"b":false}],"#,
                r#""it's. ":[null],"e":"😀"}"#
            )
        );
    }

    #[test]
    fn whole_arguments_lose_only_the_white_space_between_their_tokens() {
        let args = r#"{ "a \" b" : [ 1.0 , "x  \\" ] ,
            "c":{} }"#;
        let raw = RawValue::from_string(args.to_owned()).unwrap();
        let whole = Arguments::whole(&raw).finish();
        assert_eq!(whole, r#"{"a \" b":[1.0,"x  \\"],"c":{}}"#);
    }

    #[test]
    fn what_has_no_place_is_nothing() {
        let deep = format!(r#"{{"jsonPath":"${}","numberValue":1}}"#, ".a".repeat(100));
        for piece in [
            r#"{"jsonPath":"$","stringValue":"x"}"#,
            r#"{"jsonPath":"$..a","stringValue":"x"}"#,
            r#"{"jsonPath":"$.a[99999999]","numberValue":1}"#,
            r#"{"jsonPath":"$[x","numberValue":1}"#,
            r#"{"stringValue":"x"}"#,
            &deep,
            "7",
        ] {
            assert_eq!(folded(&[piece]), "", "{piece}");
        }
    }
}
