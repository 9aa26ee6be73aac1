//! What becomes of each member of a request on its way to each provider: the page that says it, and
//! the law that nothing is lost without a word.
//!
//! `fidelity/<caller>.json` names every member that the caller's API publishes, with a value that
//! matters. A member stands in one of the file's bases, and is set at places of it. With
//! `TOLLHOUSE_UPDATE_DOCS=1` the page is written instead of compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Write};
use std::fs;

use relay::dialects::neutral::Request;
use relay::dialects::neutral::request::{Block, Kind, Medium, Source};
use relay::dialects::{Destination, Wanted, Written};
use serde::Deserialize;
use serde_json::Value;
use shared::domain::dialect::Dialect;
use shared::failure::{Failure, Kind as Refusal};

use crate::stage::{self, CALLERS, caller, card_of, nothing, upstream};

const PAGE: &str = "../../docs/fidelity.md";

/// What the names of bases begin with that are about thinking: they go to models that think.
const THINKING: &str = "thinking";

/// One pixel, in place of what the gateway fetches for a provider that does not fetch itself.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A kind of provider, which is a column of the page.
struct Column {
    title: &'static str,
    dialect: Dialect,
    card: &'static str,
    model: &'static str,
    /// The model for what is about thinking.
    thinker: &'static str,
}

const fn column(
    title: &'static str,
    dialect: Dialect,
    card: &'static str,
    models: [&'static str; 2],
) -> Column {
    let [model, thinker] = models;
    Column {
        title,
        dialect,
        card,
        model,
        thinker,
    }
}

const COLUMNS: [Column; 8] = [
    column(
        "OpenAI, chat",
        Dialect::OpenaiChat,
        "openai",
        ["gpt-4.1", "gpt-5.2"],
    ),
    column(
        "compatible, chat",
        Dialect::OpenaiChat,
        "openai-compatible",
        ["llama-3.3-70b-instruct", "gpt-oss-120b"],
    ),
    column(
        "OpenAI, Responses",
        Dialect::OpenaiResponses,
        "openai",
        ["gpt-4.1", "gpt-5.2"],
    ),
    column(
        "Anthropic",
        Dialect::Anthropic,
        "anthropic",
        ["claude-sonnet-4-5", "claude-sonnet-4-5"],
    ),
    column(
        "Gemini",
        Dialect::Gemini,
        "gemini",
        ["gemini-2.5-pro", "gemini-2.5-pro"],
    ),
    column(
        "Bedrock, Claude",
        Dialect::Bedrock,
        "bedrock",
        [
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
        ],
    ),
    column(
        "Bedrock, Nova",
        Dialect::Bedrock,
        "bedrock",
        ["amazon.nova-pro-v1:0", "amazon.nova-2-lite-v1:0"],
    ),
    column(
        "Cohere",
        Dialect::Cohere,
        "cohere",
        ["command-a-03-2025", "command-a-reasoning-08-2025"],
    ),
];

/// The bases that providers take whole. What another one is about may be dropped or emulated itself:
/// then so is what stands in it.
const WHOLE: [&str; 3] = ["plain", "tools", THINKING];

/// Members that make no difference, and need no word.
struct Known {
    members: &'static [&'static str],
    /// The columns' titles; none is all of them.
    columns: &'static [&'static str],
    fate: Fate,
    why: &'static str,
}

static KNOWN: [Known; 6] = [
    Known {
        members: &[
            "reasoning_effort: none",
            "reasoning.effort: none",
            "thinking: disabled",
            "generationConfig.thinkingConfig.thinkingBudget: 0",
        ],
        columns: &["Bedrock, Claude"],
        fate: Fate::Carried,
        why: "These models do not think unless they are asked to: nothing needs to be said.",
    },
    Known {
        members: &["reasoning.summary"],
        columns: &["Bedrock, Claude", "Bedrock, Nova", "Cohere"],
        fate: Fate::Carried,
        why: "Models that think there tell their thoughts anyway: nothing needs to be said.",
    },
    Known {
        members: &["thinking.display"],
        columns: &[
            "OpenAI, chat",
            "compatible, chat",
            "Bedrock, Claude",
            "Bedrock, Nova",
            "Cohere",
        ],
        fate: Fate::Dropped,
        why: "`omitted` saves time, and changes nothing of what is answered: thoughts are told \
              there or not as the provider does it, and the header does not name the member.",
    },
    Known {
        members: &["response_format.json_schema.strict", "text.format.strict"],
        columns: &["Anthropic", "Gemini", "Bedrock, Claude", "Cohere"],
        fate: Fate::Carried,
        why: "Answers keep to a schema there anyway: nothing needs to be said.",
    },
    Known {
        members: &[
            "messages[].content[] redacted_thinking",
            "contents[].parts[].thoughtSignature",
            "contents[].parts[] functionCall with a signature",
        ],
        columns: &[],
        fate: Fate::Dropped,
        why: "Only the provider that made this state can open it. Nobody else misses it, so the \
              header does not name it.",
    },
    Known {
        members: &["toolConfig.functionCallingConfig.mode: VALIDATED"],
        columns: &["Cohere"],
        fate: Fate::Carried,
        why: "It is `AUTO`, which is what Cohere does anyway, and calls that fit their schemas, \
              which Cohere does not promise; the header does not name it.",
    },
];

/// A caller's members, as their file has them.
#[derive(Deserialize)]
struct Samples {
    bases: BTreeMap<String, Value>,
    members: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    name: String,
    /// The base that it stands in; `plain` when nothing is said.
    #[serde(default = "plain")]
    of: String,
    /// Values by their places in the base, as JSON pointers; `-` is the place after an array's last.
    add: BTreeMap<String, Value>,
}

fn plain() -> String {
    "plain".to_owned()
}

/// What becomes of a member.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Express,
    Carried,
    Emulated,
    Dropped,
    Refused,
}

impl Display for Fate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Express => "express",
            Self::Carried => "carried",
            Self::Emulated => "emulated",
            Self::Dropped => "dropped",
            Self::Refused => "refused",
        })
    }
}

#[test]
fn no_member_is_lost_without_a_word() {
    let mut page = include_str!("fidelity/intro.md").to_owned();
    let mut wrong = Vec::new();
    models(&mut page);
    for from in CALLERS {
        table(from, &mut page, &mut wrong);
    }
    page.push('\n');
    for (number, known) in (1..).zip(&KNOWN) {
        writeln!(page, "* [{number}] {}", known.why).unwrap();
    }
    nothing(&wrong);
    if shared::env::optional("TOLLHOUSE_UPDATE_DOCS").is_some() {
        fs::create_dir_all("../../docs").unwrap();
        fs::write(PAGE, &page).unwrap();
        return;
    }
    let written = fs::read_to_string(PAGE).unwrap_or_default();
    let told =
        "docs/fidelity.md is stale: write it with TOLLHOUSE_UPDATE_DOCS=1, and read the diff";
    assert!(written == page, "{told}");
}

/// Which models the columns are about.
fn models(page: &mut String) {
    page.push_str("\n| column | channel's provider | model | for thinking |\n|---|---|---|---|\n");
    for to in &COLUMNS {
        let (title, card, model, thinker) = (to.title, to.card, to.model, to.thinker);
        writeln!(page, "| {title} | `{card}` | `{model}` | `{thinker}` |").unwrap();
    }
}

/// A caller's table. What is lost in silence goes to `wrong`.
fn table(from: Dialect, page: &mut String, wrong: &mut Vec<String>) {
    let file = fs::read_to_string(format!("tests/fidelity/{from}.json")).unwrap();
    let samples: Samples = serde_json::from_str(&file).unwrap();
    let titles = COLUMNS.map(|column| column.title).join(" | ");
    let lines = "|---".repeat(COLUMNS.len());
    writeln!(
        page,
        "\n## Callers of `{from}`\n\n| member | {titles} |\n|---{lines}|"
    )
    .unwrap();
    let mut seen = BTreeSet::new();
    for member in &samples.members {
        let name = &member.name;
        assert!(seen.insert(name), "{from} {name} is there twice");
        let base = samples.bases[&member.of].clone();
        write!(page, "| `{name}` |").unwrap();
        for to in &COLUMNS {
            if let Some(fate) = fate(from, to, &base, member) {
                write!(page, " {fate} |").unwrap();
            } else if let Some((number, known)) = known(name, to) {
                write!(page, " {} [{number}] |", known.fate).unwrap();
            } else {
                wrong.push(format!("{from} {name} to {}: silent", to.title));
            }
        }
        page.push('\n');
    }
}

/// What is known of a member that makes no difference to a provider, and its number.
fn known(member: &str, to: &Column) -> Option<(usize, &'static Known)> {
    let fits = |known: &&Known| {
        let columns = known.columns;
        known.members.contains(&member) && (columns.is_empty() || columns.contains(&to.title))
    };
    (1..).zip(&KNOWN).find(|(_, known)| fits(known))
}

/// What becomes of a member; `None` when it makes no difference, and nobody says so.
fn fate(from: Dialect, to: &Column, base: &Value, member: &Member) -> Option<Fate> {
    if to.dialect == from {
        return Some(Fate::Express);
    }
    let mut changed = base.clone();
    for (place, value) in &member.add {
        set(&mut changed, place, value);
    }
    let thinks = member.of.starts_with(THINKING);
    let pair = written(from, to, base, thinks)
        .and_then(|before| Ok((before, written(from, to, &changed, thinks)?)));
    let (before, after) = match pair {
        Ok(pair) => pair,
        Err(failure) => {
            let told = format!("{from} {} {failure:?}", member.name);
            assert!(failure.kind == Refusal::BadRequest, "{told}");
            return Some(Fate::Refused);
        }
    };
    if !after.notes.dropped.is_subset(&before.notes.dropped) {
        Some(Fate::Dropped)
    } else if !after.notes.emulated.is_subset(&before.notes.emulated) {
        Some(Fate::Emulated)
    } else if after.body != before.body {
        Some(Fate::Carried)
    } else if WHOLE.contains(&&*member.of) {
        None
    } else if !before.notes.dropped.is_empty() {
        Some(Fate::Dropped)
    } else {
        (!before.notes.emulated.is_empty()).then_some(Fate::Emulated)
    }
}

/// A request as a provider gets it.
fn written(from: Dialect, to: &Column, body: &Value, thinks: bool) -> Result<Written, Failure> {
    let wanted: Wanted = stage::wanted(from, &body.to_string(), false);
    let mut request = caller(from).read_request(&wanted)?;
    let provider = upstream(to.dialect);
    fetch(&mut request, |url| provider.wants_bytes(url));
    let destination = Destination {
        model: if thinks { to.thinker } else { to.model },
        stream: false,
        card: card_of(to.card),
    };
    provider.write_request(&request, &destination)
}

/// Puts a pixel in place of media that the gateway would fetch.
fn fetch(request: &mut Request, wants_bytes: impl Fn(&str) -> bool) {
    for block in request
        .turns
        .iter_mut()
        .flat_map(|turn| &mut turn.content.blocks)
    {
        let blocks = match &mut block.kind {
            Kind::ToolResult(result) => &mut result.content.blocks[..],
            _ => std::slice::from_mut(block),
        };
        for medium in blocks.iter_mut().filter_map(medium) {
            if matches!(&medium.source, Source::Url(url) if wants_bytes(url)) {
                medium.source = Source::Base64(PIXEL.to_owned());
                medium.mime.get_or_insert_with(|| "image/png".to_owned());
            }
        }
    }
}

fn medium(block: &mut Block) -> Option<&mut Medium> {
    match &mut block.kind {
        Kind::Image(medium)
        | Kind::Document(medium)
        | Kind::Audio(medium)
        | Kind::Video(medium) => Some(medium),
        _ => None,
    }
}

/// Sets a place in a request; objects on the way there are made.
fn set(root: &mut Value, place: &str, value: &Value) {
    let mut at = root;
    for step in place.split('/').skip(1) {
        at = match at {
            Value::Array(list) => {
                let index = step.parse().unwrap_or(list.len());
                if index == list.len() {
                    list.push(Value::Null);
                }
                &mut list[index]
            }
            other => &mut other[step],
        };
    }
    *at = value.clone();
}
