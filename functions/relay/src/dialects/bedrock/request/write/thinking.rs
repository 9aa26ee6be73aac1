//! How much is thought, as each model wants to be told.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-reasoning.html>

use crate::dialects::bedrock::model::{House, Model, Thinking};
use crate::dialects::claude::Claude;
use crate::dialects::json::{Json, Object};
use crate::dialects::neutral::request::{Effort, Reasoning};
use crate::dialects::neutral::{Field, Kind, Notes, Origin, Request, Role};

/// The least that Claude can be told to think.
const LEAST: u64 = 1_024;

/// What a request says of thinking.
#[derive(Debug, Default)]
pub(super) struct Mind {
    /// Members of `additionalModelRequestFields`.
    pub(super) fields: Vec<(&'static str, Json)>,
    /// `outputConfig.effort`.
    pub(super) effort: Option<&'static str>,
    /// Whether Claude thinks, so that it can be neither random nor made to call a tool.
    pub(super) claude_thinks: bool,
    /// Whether Nova thinks so hard that it takes no measures beside.
    pub(super) nova_thinks_hard: bool,
}

/// What the request wants; none when it does not say.
enum Wish<'a> {
    Off,
    On(&'a Reasoning),
}

pub(super) fn write(request: &Request, model: Model<'_>, notes: &mut Notes) -> Mind {
    let Some(reasoning) = &request.reasoning else {
        return Mind::default();
    };
    let wish = match reasoning.as_effort() {
        None if !reasoning.adaptive => return Mind::default(),
        Some(Effort::None) => Wish::Off,
        _ => Wish::On(reasoning),
    };
    match model.house() {
        House::Claude(claude) => of_claude(request, claude, &wish, notes),
        House::Nova2 => of_nova(&wish),
        House::GptOss | House::DeepSeek => {
            effort_alone(&wish, notes, |word| ("reasoning_effort", word.into()))
        }
        House::Gpt => effort_alone(&wish, notes, |word| {
            ("reasoning", Object::new().with("effort", word).into())
        }),
        House::Nova | House::AsTheySeeFit | House::Other => {
            if matches!(wish, Wish::On(_)) {
                notes.drop(Field::Reasoning);
            }
            Mind::default()
        }
    }
}

fn of_claude(request: &Request, claude: Claude, wish: &Wish<'_>, notes: &mut Notes) -> Mind {
    let kind = Thinking::of(claude);
    let reasoning = match (wish, kind) {
        (Wish::On(_), Thinking::Never) | (Wish::Off, Thinking::Always) => {
            notes.drop(Field::Reasoning);
            return Mind::default();
        }
        (Wish::Off, Thinking::Either | Thinking::Adaptive) => return off(),
        (Wish::Off, Thinking::Never | Thinking::Budget) => return Mind::default(),
        (Wish::On(reasoning), _) => reasoning,
    };
    if reasoning.measure_only {
        let known = reasoning.effort.and_then(|effort| claude.effort(effort));
        if known.is_none() {
            notes.drop(Field::Reasoning);
        }
        return Mind {
            effort: known.map(Effort::word),
            ..Mind::default()
        };
    }
    if is_made_to_call(request) && kind != Thinking::Always {
        notes.drop(Field::Reasoning);
        return if kind == Thinking::Budget {
            Mind::default()
        } else {
            off()
        };
    }
    let counted = reasoning.budget.is_some() && !reasoning.adaptive;
    if kind == Thinking::Budget || (kind == Thinking::Either && counted) {
        return budget(request, reasoning, notes);
    }
    if counted {
        notes.emulate(Field::Reasoning);
    }
    let mut thinking = Object::of_type("adaptive");
    // The newest tell their thoughts only when asked.
    if !claude.takes_budget() {
        let told = reasoning.told != Some(false);
        thinking.put("display", if told { "summarized" } else { "omitted" });
    }
    let said = reasoning.effort.is_some() || reasoning.budget.is_some();
    let effort = reasoning.as_effort().filter(|_| said);
    Mind {
        fields: vec![("thinking", thinking.into())],
        effort: effort
            .and_then(|effort| claude.effort(effort))
            .map(Effort::word),
        claude_thinks: true,
        nova_thinks_hard: false,
    }
}

fn off() -> Mind {
    Mind {
        fields: vec![("thinking", Object::of_type("disabled").into())],
        ..Mind::default()
    }
}

fn budget(request: &Request, reasoning: &Reasoning, notes: &mut Notes) -> Mind {
    let wanted = reasoning.as_budget().unwrap_or(Effort::Medium.budget());
    let most = request
        .max_output
        .map_or(u64::MAX, |most| most.saturating_sub(1));
    let budget = wanted.max(LEAST).min(most);
    // Claude goes on thinking only where its last thoughts are there, signed.
    if budget < LEAST || is_forgetful(request) {
        notes.drop(Field::Reasoning);
        return Mind::default();
    }
    if reasoning.budget != Some(budget) {
        notes.emulate(Field::Reasoning);
    }
    let thinking = Object::of_type("enabled").with("budget_tokens", budget);
    Mind {
        fields: vec![("thinking", thinking.into())],
        claude_thinks: true,
        ..Mind::default()
    }
}

fn of_nova(wish: &Wish<'_>) -> Mind {
    let Wish::On(reasoning) = wish else {
        let off = Object::of_type("disabled");
        return Mind {
            fields: vec![("reasoningConfig", off.into())],
            ..Mind::default()
        };
    };
    let effort = three_words(reasoning.as_effort().unwrap_or(Effort::Medium));
    let config = Object::of_type("enabled").with("maxReasoningEffort", effort);
    Mind {
        fields: vec![("reasoningConfig", config.into())],
        nova_thinks_hard: effort == "high",
        ..Mind::default()
    }
}

fn effort_alone(
    wish: &Wish<'_>,
    notes: &mut Notes,
    member: impl Fn(&'static str) -> (&'static str, Json),
) -> Mind {
    match wish {
        // These models always think; a little is the least.
        Wish::Off => {
            notes.emulate(Field::Reasoning);
            Mind {
                fields: vec![member("low")],
                ..Mind::default()
            }
        }
        Wish::On(reasoning) => {
            let effort = reasoning.as_effort().unwrap_or(Effort::Medium);
            Mind {
                fields: vec![member(three_words(effort))],
                ..Mind::default()
            }
        }
    }
}

fn three_words(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::ExtraHigh | Effort::Max => "high",
    }
}

/// Whether a tool must be called, which Claude does not do while it thinks.
fn is_made_to_call(request: &Request) -> bool {
    use crate::dialects::neutral::request::ToolChoice;
    let made = matches!(
        request.tool_choice,
        Some(ToolChoice::Any | ToolChoice::Named(_) | ToolChoice::Among { required: true, .. })
    );
    made && !request.tools.is_empty()
}

/// Whether the conversation ends with results of calls whose thoughts are missing.
fn is_forgetful(request: &Request) -> bool {
    let answers = |role: Role| matches!(role, Role::User | Role::Tool);
    let mut turns = request.turns.iter().rev();
    let results = turns
        .by_ref()
        .take_while(|turn| answers(turn.role))
        .flat_map(|turn| &turn.content.blocks)
        .any(|block| matches!(block.kind, Kind::ToolResult(_)));
    if !results {
        return false;
    }
    let after = request.turns.iter().rposition(|turn| answers(turn.role));
    let before = request.turns.iter().take(after.unwrap_or(0)).rev();
    let said = before
        .skip_while(|turn| answers(turn.role))
        .take_while(|turn| !answers(turn.role))
        .flat_map(|turn| &turn.content.blocks);
    !said.into_iter().any(|block| {
        let thought = matches!(block.kind, Kind::Reasoning(_) | Kind::Redacted);
        let state = block.opaque.as_ref();
        thought && state.is_some_and(|state| state.of(Origin::on_bedrock(true)).is_some())
    })
}
