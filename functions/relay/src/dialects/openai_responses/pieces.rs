//! What an answer's items say of the provider's own tools, which are billed by the piece.
//!
//! A search of the web is billed, opening one of the pages that it found is not; a search of files is
//! billed by the call, code by the container that it runs in.
//! <https://platform.openai.com/docs/pricing#built-in-tools>

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use shared::domain::usage::Usage;

use crate::dialects::json::Fields;

/// What was counted. Items that are told twice are counted once.
#[derive(Debug, Clone, Default)]
pub(super) struct Pieces {
    web: BTreeSet<String>,
    files: BTreeSet<String>,
    containers: BTreeSet<String>,
    /// How many items had no name.
    nameless: u64,
}

impl Pieces {
    /// What a whole answer's items say.
    pub(super) fn of(output: &[&RawValue]) -> Self {
        let mut pieces = Self::default();
        for item in output {
            pieces.see(item);
        }
        pieces
    }

    /// One item, when it is done.
    pub(super) fn see(&mut self, item: &RawValue) {
        let Some(mut fields) = Fields::of(item) else {
            return;
        };
        let kind = fields.text("type").unwrap_or_default();
        if !kind.ends_with("_call") || fields.text("status").as_deref() == Some("failed") {
            return;
        }
        let id = fields.text("id").unwrap_or_else(|| {
            self.nameless += 1;
            self.nameless.to_string()
        });
        match kind.as_str() {
            "web_search_call" => {
                let action = fields.object("action");
                let word = action.and_then(|mut action| action.text("type"));
                if word.is_none_or(|word| word == "search") {
                    self.web.insert(id);
                }
            }
            "x_search_call" => {
                self.web.insert(id);
            }
            "file_search_call" => {
                self.files.insert(id);
            }
            "code_interpreter_call" => {
                self.containers
                    .insert(fields.text("container_id").unwrap_or_default());
            }
            _ => {}
        }
    }

    /// The same as usage.
    pub(super) fn usage(&self) -> Usage {
        Usage {
            web_searches: self.web.len() as u64,
            file_searches: self.files.len() as u64,
            code_runs: self.containers.len() as u64,
            ..Usage::default()
        }
    }

    /// The same, if there is anything.
    pub(super) fn some(&self) -> Option<Usage> {
        Some(self.usage()).filter(|usage| *usage != Usage::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::json::array;

    #[test]
    fn only_what_is_billed_is_counted_and_only_once() {
        let output = RawValue::from_string(
            r#"[{"type":"web_search_call","id":"a","status":"completed","action":{"type":"search"}},
            {"type":"web_search_call","id":"a","status":"completed","action":{"type":"search"}},
            {"type":"web_search_call","id":"b","action":{"type":"open_page"}},
            {"type":"web_search_call","id":"c","status":"failed","action":{"type":"search"}},
            {"type":"web_search_call","id":"d"},
            {"type":"file_search_call","id":"e","queries":["x","y"]},
            {"type":"file_search_call"},{"type":"file_search_call"},
            {"type":"code_interpreter_call","id":"f","container_id":"cntr_1"},
            {"type":"code_interpreter_call","id":"g","container_id":"cntr_1"},
            {"type":"function_call","id":"h"},7,null]"#
                .to_owned(),
        )
        .unwrap();
        let usage = Pieces::of(&array(&output)).usage();
        assert_eq!(
            (usage.web_searches, usage.file_searches, usage.code_runs),
            (2, 3, 1)
        );
        assert_eq!(Pieces::default().some(), None);
    }
}
