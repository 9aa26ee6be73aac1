//! The top level of a JSON object, with the place of each member: one scan, no tree.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use shared::failure::{Failure, Kind};

/// The members of a request that decide what it costs and where it goes.
#[derive(Debug)]
pub struct Members<'a> {
    found: Vec<Member<'a>>,
}

/// One member.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    name: &'static str,
    /// Its JSON text.
    pub text: &'a str,
    /// Where that text stands in the body.
    pub span: Range<usize>,
}

impl<'a> Members<'a> {
    /// Finds the members of these names.
    ///
    /// # Errors
    /// When the body is not a JSON object, or has one of the members twice: a policy must not see
    /// one and the provider the other.
    pub fn find(body: &'a [u8], names: &'static [&'static str]) -> Result<Self, Failure> {
        let mut reader = serde_json::Deserializer::from_slice(body);
        let found = Scan { body, names }
            .deserialize(&mut reader)
            .and_then(|found| {
                reader.end()?;
                Ok(found)
            });
        found
            .map(|found| Self { found })
            .map_err(|error| not_json(&error))
    }

    /// The member of that name, unless it is missing or null.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Member<'a>> {
        self.found
            .iter()
            .find(|member| member.name == name && member.text != "null")
    }

    /// Where the member of that name stands, whatever it is.
    fn span(&self, name: &str) -> Option<Range<usize>> {
        let found = self.found.iter().find(|member| member.name == name);
        found.map(|member| member.span.clone())
    }

    /// Where the member of that name stands, if it is null.
    #[must_use]
    pub fn span_of_null(&self, name: &str) -> Option<Range<usize>> {
        let null = self
            .found
            .iter()
            .find(|member| member.name == name && member.text == "null");
        null.map(|member| member.span.clone())
    }

    /// The member of that name, as `T`; `None` when it is missing or null.
    ///
    /// # Errors
    /// When it is something else than `expected`.
    pub fn read<T: Deserialize<'a>>(
        &self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>, Failure> {
        let Some(member) = self.get(name) else {
            return Ok(None);
        };
        serde_json::from_str(member.text).map(Some).map_err(|_| {
            Failure::bad_field(
                name,
                format!("Invalid value for '{name}': {expected} is expected."),
            )
        })
    }

    /// The member of that name, as `T`.
    ///
    /// # Errors
    /// When it is missing, null, or something else than `expected`.
    pub fn require<T: Deserialize<'a>>(
        &self,
        name: &'static str,
        expected: &str,
    ) -> Result<T, Failure> {
        self.read(name, expected)?.ok_or_else(|| {
            let mut failure =
                Failure::bad_field(name, format!("Missing required parameter: '{name}'."));
            failure.code = "missing_required_parameter".into();
            failure
        })
    }

    /// Refuses a member of that name that is not an array, or is missing.
    ///
    /// # Errors
    /// When it is.
    pub fn require_array(&self, name: &'static str) -> Result<(), Failure> {
        let member: &RawValue = self.require(name, "an array")?;
        if member.get().starts_with('[') {
            return Ok(());
        }
        let text = format!("Invalid value for '{name}': an array is expected.");
        Err(Failure::bad_field(name, text))
    }
}

/// The model's name in a request.
///
/// # Errors
/// When it is missing, or no name.
pub fn model(members: &Members<'_>) -> Result<String, Failure> {
    const LONGEST: usize = 256;
    let model: Cow<'_, str> = members.require("model", "a string")?;
    if model.is_empty() || model.len() > LONGEST || model.chars().any(char::is_control) {
        return Err(Failure::bad_field(
            "model",
            format!("Invalid value for 'model': a name of 1 to {LONGEST} bytes is expected."),
        ));
    }
    Ok(model.into_owned())
}

/// A body that names this model, whatever it named before.
///
/// # Errors
/// When it is no JSON object.
pub fn with_model(body: &Bytes, model: &str) -> Result<Bytes, Failure> {
    let found = Members::find(body, &["model"])?;
    let name = serde_json::Value::from(model).to_string();
    if let Some(span) = found.span("model") {
        return Ok(splice(body, &[(span, name.into_bytes())]));
    }
    let place = first_place(body);
    let is_empty = body.get(place..).unwrap_or_default().trim_ascii() == b"}";
    let comma = if is_empty { "" } else { "," };
    let member = format!(r#""model":{name}{comma}"#);
    Ok(splice(body, &[(place..place, member.into_bytes())]))
}

/// Puts other bytes in place of some spans, given in the body's order.
#[must_use]
pub fn splice(body: &Bytes, edits: &[(Range<usize>, Vec<u8>)]) -> Bytes {
    if edits.is_empty() {
        return body.clone();
    }
    let added: usize = edits.iter().map(|(_, text)| text.len()).sum();
    let mut out = BytesMut::with_capacity(body.len() + added);
    let mut from = 0;
    for (span, text) in edits {
        out.extend_from_slice(body.get(from..span.start).unwrap_or_default());
        out.extend_from_slice(text);
        from = span.end;
    }
    out.extend_from_slice(body.get(from..).unwrap_or_default());
    out.freeze()
}

/// Where a new first member of the object can be put.
#[must_use]
pub fn first_place(body: &[u8]) -> usize {
    memchr::memchr(b'{', body).map_or(0, |brace| brace + 1)
}

fn not_json(error: &serde_json::Error) -> Failure {
    let text = if error.is_data() {
        format!("The body is not a valid request: {error}.")
    } else {
        format!("The body is not valid JSON: {error}.")
    };
    Failure::new(Kind::BadRequest, "invalid_json", text)
}

/// A member's name, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct MemberName<'a>(#[serde(borrow)] Cow<'a, str>);

struct Scan<'a> {
    body: &'a [u8],
    names: &'static [&'static str],
}

impl<'a> DeserializeSeed<'a> for Scan<'a> {
    type Value = Vec<Member<'a>>;

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Scan<'a> {
    type Value = Vec<Member<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found: Vec<Member<'a>> = Vec::with_capacity(self.names.len());
        while let Some(MemberName(name)) = map.next_key()? {
            let value: &'a RawValue = map.next_value()?;
            let alike = |wanted: &&&str| wanted.eq_ignore_ascii_case(&name);
            let Some(wanted) = self.names.iter().find(alike) else {
                continue;
            };
            // Some providers read names without regard to case: the last one counts there.
            if *wanted != name {
                return Err(A::Error::custom(format_args!(
                    "member '{name}' for '{wanted}'"
                )));
            }
            let name = wanted;
            if found.iter().any(|member| member.name == *name) {
                return Err(A::Error::custom(format_args!("duplicate member '{name}'")));
            }
            let text = value.get();
            let start = text.as_ptr().addr().wrapping_sub(self.body.as_ptr().addr());
            found.push(Member {
                name,
                text,
                span: start..start + text.len(),
            });
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["model", "stream"];

    #[test]
    fn spans_are_those_of_the_values() {
        let body =
            br#" { "a" : [1, {"model":"inner"}], "m\u006fdel" : "gpt \"x\"" ,"stream":true}"#;
        let members = Members::find(body, NAMES).unwrap();
        let member = members.get("model").unwrap();
        assert_eq!(&body[member.span.clone()], br#""gpt \"x\"""#);
        assert_eq!(model(&members).unwrap(), "gpt \"x\"");
    }

    #[test]
    fn a_second_model_is_refused_however_it_is_spelled() {
        let twice = br#"{"model":"a","m\u006fdel":"b"}"#;
        let failure = Members::find(twice, NAMES).unwrap_err();
        assert!(
            failure.public.contains("duplicate member 'model'"),
            "{failure}"
        );
    }

    #[test]
    fn a_name_in_other_letters_is_refused() {
        for body in [r#"{"model":"a","Model":"b"}"#, r#"{"MODEL":"a"}"#] {
            assert!(Members::find(body.as_bytes(), NAMES).is_err(), "{body}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in [
            "",
            "[]",
            "null",
            "{",
            r#"{"model":"a"} x"#,
            "{\"model\":\"\u{1}\"}",
        ] {
            assert!(Members::find(body.as_bytes(), NAMES).is_err(), "{body}");
        }
        assert!(Members::find(b"{\"model\":\"\xff\"}", NAMES).is_err());
    }

    #[test]
    fn other_bytes_stay_as_they_are() {
        let body = Bytes::from_static(br#"{ "model" :"a" , "n":1.0}"#);
        let members = Members::find(&body, NAMES).unwrap();
        let span = members.get("model").unwrap().span.clone();
        let first = first_place(&body);
        let edits = [
            (first..first, b"\"x\":1,".to_vec()),
            (span, b"\"bb\"".to_vec()),
        ];
        assert_eq!(splice(&body, &edits), r#"{"x":1, "model" :"bb" , "n":1.0}"#);
    }
}
