//! JSON without a tree: members are taken by name and what is left is carried; numbers stay text.
//!
//! Identifiers above 2⁵³, `1.0` beside `1`, the order of members: none of it may change on the way,
//! so no value passes through a float, and what is not understood keeps its bytes.

mod quantity;
mod read;
mod text;
mod write;

use serde_json::value::RawValue;

pub use quantity::{Incredible, quantity};
pub use read::{Fields, array, count, wrong};
pub use text::{Halves, text};
pub use write::{Json, Object};

/// Some JSON text, as it came.
pub type Raw = Box<RawValue>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_taken_is_left_as_it_came() {
        let json = r#"{"b": 1.0, "a":9007199254740993123 ,"c":null,"d":{"x" : 1e400}}"#;
        let mut fields = Fields::parse(json).unwrap();
        assert_eq!(fields.read::<f64>("b", "a number").unwrap(), Some(1.0));
        assert!(fields.take("c").is_none());
        let rest: Vec<_> = fields
            .rest()
            .map(|(n, v)| (n, v.get().to_owned()))
            .collect();
        assert_eq!(rest[0], ("a".to_owned(), "9007199254740993123".to_owned()));
        assert_eq!(rest[1].1, r#"{"x" : 1e400}"#);
    }

    #[test]
    fn halves_of_a_pair_find_each_other() {
        let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
        let mut halves = Halves::default();
        assert_eq!(halves.text(&raw(r#""a\ud83d""#)).unwrap(), "a");
        assert_eq!(halves.text(&raw(r#""\ude00b\n""#)).unwrap(), "😀b\n");
        assert_eq!(text(&raw(r#""a\ud83d""#)).unwrap(), "a\u{FFFD}");
        assert_eq!(text(&raw(r#""\"\\\ud83d\"""#)).unwrap(), "\"\\\u{FFFD}\"");
        assert_eq!(text(&raw("7")), None);
    }

    #[test]
    fn written_members_keep_their_order() {
        let raw = RawValue::from_string("[1.0, 2]".to_owned()).unwrap();
        let object = Object::of_type("x")
            .with("b", raw)
            .maybe("no", None::<u64>)
            .with("a", 1);
        assert_eq!(object.to_bytes(), r#"{"type":"x","b":[1.0, 2],"a":1}"#);
    }

    #[test]
    fn a_path_leads_into_objects_that_are_there() {
        let mut object = Object::new().with("a", Object::new().with("b", 1));
        assert!(object.put_at(&["a", "c"], 2) && object.put_at(&["d"], 3));
        assert!(!object.put_at(&["e", "f"], 4) && !object.put_at(&["d"], 5));
        assert_eq!(object.to_bytes(), r#"{"a":{"b":1,"c":2},"d":3}"#);
    }
}
