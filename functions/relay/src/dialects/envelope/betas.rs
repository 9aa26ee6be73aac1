//! Beta flags of Anthropic's dialect: which of them a host takes, and what goes with those it does not.
//!
//! One flag that a host does not know fails the whole request, and so do the members that a flag
//! enables. Clients send whatever their vendor's own API takes.
//! <https://docs.anthropic.com/en/api/beta-headers>

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::value::RawValue;
use shared::failure::Failure;

use crate::dialects::claude::Claude;
use crate::dialects::json;
use crate::dialects::neutral::{Field, Notes};
use crate::dialects::parts::{Edits, Parts};

/// The header, where flags stand at the vendor's own.
pub const HEADER: &str = "anthropic-beta";
/// The member of a body, where flags stand on Bedrock.
pub const MEMBER: &str = "anthropic_beta";

/// Who hosts Claude.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// Bedrock, by `InvokeModel`.
    Invoke,
    /// Bedrock, by Converse.
    Converse,
    /// Vertex AI.
    Vertex,
}

/// The flags that a host takes, and its name of them where that is another.
const INVOKE: &[(&str, &str)] = &[
    (
        "advanced-tool-use-2025-11-20",
        "tool-search-tool-2025-10-19",
    ),
    ("compact-2026-01-12", ""),
    ("computer-use-2025-01-24", ""),
    ("computer-use-2025-11-24", ""),
    ("context-1m-2025-08-07", ""),
    ("context-management-2025-06-27", ""),
    ("dangerous-tool-use-2026-09-03", ""),
    ("effort-2025-11-24", ""),
    ("fine-grained-tool-streaming-2025-05-14", ""),
    ("mid-conversation-output-config-2026-07-01", ""),
    ("mid-conversation-tool-changes-2026-07-01", ""),
    ("thinking-binding-controls-2026-08-01", ""),
    ("thinking-display-updates-2026-08-18", ""),
    ("tool-search-tool-2025-10-19", ""),
];
const CONVERSE: &[(&str, &str)] = &[
    ("computer-use-2025-01-24", ""),
    ("computer-use-2025-11-24", ""),
    ("context-1m-2025-08-07", ""),
    ("effort-2025-11-24", ""),
    ("fine-grained-tool-streaming-2025-05-14", ""),
    ("structured-outputs-2025-11-13", ""),
    ("thinking-binding-controls-2026-08-01", ""),
    ("thinking-display-updates-2026-08-18", ""),
];
const VERTEX: &[(&str, &str)] = &[
    (
        "advanced-tool-use-2025-11-20",
        "tool-search-tool-2025-10-19",
    ),
    ("compact-2026-01-12", ""),
    ("computer-use-2025-01-24", ""),
    ("computer-use-2025-11-24", ""),
    ("context-1m-2025-08-07", ""),
    ("context-management-2025-06-27", ""),
    ("dangerous-tool-use-2026-09-03", ""),
    ("inline-tools-2026-09-15", ""),
    ("interleaved-thinking-2025-05-14", ""),
    ("per-turn-control-2026-07-01", ""),
    ("thinking-binding-controls-2026-08-01", ""),
    ("thinking-display-updates-2026-08-18", ""),
    ("tool-search-tool-2025-10-19", ""),
    ("web-search-2025-03-05", ""),
];

/// Where a member stands that a flag enables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the request.
    Top(&'static str),
    /// In each tool.
    Tool(&'static str),
    /// In the request's `output_config`.
    Output(&'static str),
    /// In every `cache_control`.
    CacheControl(&'static str),
}

/// What the flags of these beginnings enable; any one of them does.
const ENABLED: &[(&[&str], Place)] = &[
    (
        &["context-management-", "compact-"],
        Place::Top("context_management"),
    ),
    (&["mcp-client-"], Place::Top("mcp_servers")),
    (&["structured-outputs-"], Place::Top("output_format")),
    (&["fast-mode-"], Place::Top("speed")),
    (&["skills-", "code-execution-"], Place::Top("container")),
    (&["effort-"], Place::Output("effort")),
    (
        &["advanced-tool-use-", "tool-search-tool-"],
        Place::Tool("defer_loading"),
    ),
    (
        &["advanced-tool-use-", "tool-examples-"],
        Place::Tool("input_examples"),
    ),
    (
        &["advanced-tool-use-", "code-execution-"],
        Place::Tool("allowed_callers"),
    ),
    (
        &["fine-grained-tool-streaming-"],
        Place::Tool("eager_input_streaming"),
    ),
    (&["prompt-caching-scope-"], Place::CacheControl("scope")),
];

/// The flags in a caller's headers.
pub fn of(headers: &HeaderMap) -> impl Iterator<Item = String> + '_ {
    let values = headers.get_all(HEADER).iter();
    let lists = values.filter_map(|value| value.to_str().ok());
    let flags = lists.flat_map(|list| list.split(',')).map(str::trim);
    flags.filter(|flag| !flag.is_empty()).map(str::to_owned)
}

/// Some flags: those that a host takes, in its own names, and those that it does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sorted {
    /// What the host gets.
    pub kept: BTreeSet<String>,
    /// What it does not.
    pub dropped: BTreeSet<String>,
}

/// Sorts flags.
#[must_use]
pub fn sort(host: Host, flags: impl IntoIterator<Item = String>, notes: &mut Notes) -> Sorted {
    let mut sorted = Sorted::default();
    for flag in flags {
        if let Some(name) = at(host, &flag) {
            sorted.kept.insert(name.to_owned());
        } else {
            notes.drop(Field::Other(format!("{HEADER}: {flag}")));
            sorted.dropped.insert(flag);
        }
    }
    sorted
}

/// A host's name of a flag; `None` when it does not take it.
fn at(host: Host, flag: &str) -> Option<&str> {
    let table = match host {
        Host::Invoke => INVOKE,
        Host::Converse => CONVERSE,
        Host::Vertex => VERTEX,
    };
    let mut table = table.iter();
    let (_, name) = table.find(|(known, _)| *known == flag)?;
    Some(if name.is_empty() { flag } else { name })
}

/// A body on its way to a host of Claude.
#[derive(Debug)]
pub(super) struct Parcel<'a> {
    body: &'a Bytes,
    text: &'a str,
    parts: Parts,
    /// Members that go.
    gone: BTreeSet<&'static str>,
    /// Members that go from objects within.
    gone_within: BTreeMap<(usize, usize), BTreeSet<&'static str>>,
}

impl<'a> Parcel<'a> {
    pub(super) fn of(body: &'a Bytes) -> Result<Self, Failure> {
        // The body has been read before: what is wrong with it was told then.
        let text = std::str::from_utf8(body).map_err(Failure::internal)?;
        let parts = Parts::of(text, 0..text.len());
        Ok(Self {
            body,
            text,
            parts: parts.ok_or_else(|| Failure::internal("no JSON object"))?,
            gone: BTreeSet::new(),
            gone_within: BTreeMap::new(),
        })
    }

    /// The flags that stand in the body.
    pub(super) fn flags(&self) -> Vec<String> {
        let list = self.parts.value(MEMBER).map(|span| self.elements(span));
        let list = list.unwrap_or_default().into_iter();
        list.filter_map(json::text).collect()
    }

    /// Takes a member out.
    pub(super) fn remove(&mut self, name: &'static str) {
        self.gone.insert(name);
    }

    /// Takes out what the dropped flags enable.
    pub(super) fn strip(&mut self, flags: &Sorted, claude: Option<Claude>, notes: &mut Notes) {
        for (beginnings, place) in ENABLED {
            let says = |flag: &String| beginnings.iter().any(|one| flag.starts_with(one));
            let lost = flags.dropped.iter().any(says) && !flags.kept.iter().any(says);
            // Newer models take it without a flag.
            let free = *place == Place::Output("effort") && claude.is_some_and(Claude::adapts);
            if lost
                && !free
                && let Some(path) = self.take_out(*place)
            {
                notes.drop(Field::Other(path));
            }
        }
    }

    /// Takes a member out, wherever it stands; tells its path if it was there.
    fn take_out(&mut self, place: Place) -> Option<String> {
        let (spans, name, path) = match place {
            Place::Top(name) => {
                self.parts.value(name)?;
                self.remove(name);
                return Some(name.to_owned());
            }
            Place::Output(name) => {
                let spans = self.parts.value("output_config").into_iter().collect();
                (spans, name, "output_config.")
            }
            Place::Tool(name) => {
                let tools = self.elements(self.parts.value("tools")?).into_iter();
                let spans = tools.map(|tool| within(self.text, tool.get())).collect();
                (spans, name, "tools[].")
            }
            Place::CacheControl(name) => {
                let mut spans = Vec::new();
                cache_controls(self.text, "", 0..self.text.len(), &mut spans);
                (spans, name, "cache_control.")
            }
        };
        let mut found = false;
        for span in spans {
            let object = Parts::of(self.text, span.clone());
            if object.is_some_and(|object| object.value(name).is_some()) {
                let gone = self.gone_within.entry((span.start, span.end));
                gone.or_default().insert(name);
                found = true;
            }
        }
        found.then(|| format!("{path}{name}"))
    }

    fn elements(&self, list: Range<usize>) -> Vec<&'a RawValue> {
        let text = self.text.get(list).unwrap_or_default();
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The body with these members in front.
    pub(super) fn write(mut self, first: &[(&'static str, String)]) -> Bytes {
        let mut edits = Edits::default();
        self.gone.extend(first.iter().map(|(name, _)| *name));
        edits.remove(&self.parts, |name| self.gone.contains(name));
        for ((start, end), gone) in &self.gone_within {
            if let Some(object) = Parts::of(self.text, *start..*end) {
                edits.remove(&object, |name| gone.contains(name));
            }
        }
        let first = first.iter().map(|(name, value)| (*name, value.as_str()));
        edits.put_first(&self.parts, first);
        edits.apply(self.body)
    }
}

/// Where a part of a text stands in it.
fn within(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    start..start + part.len()
}

/// Where every `cache_control` in a value stands.
fn cache_controls(text: &str, name: &str, span: Range<usize>, found: &mut Vec<Range<usize>>) {
    let value = text.get(span.clone()).unwrap_or_default();
    match name {
        "cache_control" => found.push(span),
        // What callers' tools take is theirs.
        "input" | "input_schema" => {}
        _ if !value.contains("cache_control") => {}
        _ => {
            if let Some(object) = Parts::of(text, span) {
                for (name, span) in object.iter() {
                    cache_controls(text, name, span, found);
                }
            } else if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(value) {
                for element in list {
                    cache_controls(text, "", within(text, element.get()), found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(host: Host, flags: &[&str]) -> (Sorted, Notes) {
        let mut notes = Notes::default();
        let flags = flags.iter().map(|flag| (*flag).to_owned());
        (sort(host, flags, &mut notes), notes)
    }

    #[test]
    fn unknown_flags_stay_behind_and_are_told() {
        let given = [
            "context-1m-2025-08-07",
            "files-api-2025-04-14",
            "new-2030-01-01",
        ];
        for host in [Host::Invoke, Host::Converse, Host::Vertex] {
            let (sorted, notes) = sorted(host, &given);
            let kept: Vec<_> = sorted.kept.iter().map(String::as_str).collect();
            assert_eq!(kept, ["context-1m-2025-08-07"], "{host:?}");
            assert_eq!(notes.dropped.len(), 2, "{host:?}");
        }
        let (sorted, _) = sorted(Host::Vertex, &["advanced-tool-use-2025-11-20"]);
        assert!(sorted.kept.contains("tool-search-tool-2025-10-19"));
    }

    #[test]
    fn what_a_dropped_flag_enables_goes_with_it() {
        let body = r#"{"tools":[{"eager_input_streaming":true,"defer_loading":true,"name":"f",
            "input_schema":{"cache_control":{"scope":1}},"cache_control":{"type":"ephemeral","scope":"global"}}],
            "mcp_servers":[], "output_config":{"effort":"low","format":{}},
            "system":[{"text":"s","cache_control":{"scope":"global","type":"ephemeral"}}],"messages":[]}"#;
        let body = Bytes::from_static(body.as_bytes());
        let flags = [
            "mcp-client-2025-11-20",
            "effort-2025-11-24",
            "fine-grained-tool-streaming-2025-05-14",
            "prompt-caching-scope-2026-01-05",
        ];
        let (sorted, mut notes) = sorted(Host::Vertex, &flags);
        let mut parcel = Parcel::of(&body).unwrap();
        parcel.strip(&sorted, Claude::read("claude-opus-4-5"), &mut notes);
        assert_eq!(
            parcel.write(&[]),
            r#"{"tools":[{"defer_loading":true,"name":"f",
            "input_schema":{"cache_control":{"scope":1}},"cache_control":{"type":"ephemeral"}}], "output_config":{"format":{}},
            "system":[{"text":"s","cache_control":{"type":"ephemeral"}}],"messages":[]}"#
        );
        let told = |path: &str| notes.dropped.contains(&Field::Other(path.to_owned()));
        for path in [
            "mcp_servers",
            "output_config.effort",
            "tools[].eager_input_streaming",
            "cache_control.scope",
        ] {
            assert!(told(path), "{path}");
        }
    }

    #[test]
    fn newer_models_measure_their_thoughts_without_a_flag() {
        let body = Bytes::from_static(br#"{"output_config":{"effort":"low"}}"#);
        let (sorted, mut notes) = sorted(Host::Vertex, &["effort-2025-11-24"]);
        let mut parcel = Parcel::of(&body).unwrap();
        parcel.strip(&sorted, Claude::read("claude-opus-4-6"), &mut notes);
        assert_eq!(parcel.write(&[]), body);
    }
}
