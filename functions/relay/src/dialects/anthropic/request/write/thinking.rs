//! How much is thought, in what the model understands.

use super::Pen;
use crate::dialects::claude::Claude;
use crate::dialects::json::Object;
use crate::dialects::neutral::request::{Effort, Reasoning};
use crate::dialects::neutral::{Field, Request};

/// The least that a budget can be.
const LEAST_BUDGET: u64 = 1_024;

/// What is said of thinking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    /// Nothing.
    Unsaid,
    /// Only how much.
    Measure(Effort),
    /// That there is none, and how much there is of the rest.
    Off(Option<Effort>),
    /// That the model finds the measure itself.
    Adaptive(Option<Effort>, Display),
    /// That there is some, up to so many tokens.
    Budget {
        tokens: u64,
        effort: Option<Effort>,
        display: Display,
    },
}

/// Whether thoughts are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Display {
    /// As the model does.
    Unsaid,
    /// In short.
    Summarized,
    /// No.
    Omitted,
}

impl Display {
    fn of(told: Option<bool>) -> Self {
        match told {
            None => Self::Unsaid,
            Some(true) => Self::Summarized,
            Some(false) => Self::Omitted,
        }
    }

    const fn word(self) -> Option<&'static str> {
        match self {
            Self::Unsaid => None,
            Self::Summarized => Some("summarized"),
            Self::Omitted => Some("omitted"),
        }
    }
}

impl Thinking {
    pub(super) const fn is_on(&self) -> bool {
        matches!(self, Self::Adaptive(..) | Self::Budget { .. })
    }

    pub(super) const fn effort(&self) -> Option<Effort> {
        match self {
            Self::Unsaid => None,
            Self::Measure(effort) => Some(*effort),
            Self::Off(effort) | Self::Adaptive(effort, _) | Self::Budget { effort, .. } => *effort,
        }
    }

    /// `thinking`.
    pub(super) fn write(&self) -> Option<Object> {
        match self {
            Self::Unsaid | Self::Measure(_) => None,
            Self::Off(_) => Some(Object::of_type("disabled")),
            Self::Adaptive(_, display) => {
                Some(Object::of_type("adaptive").maybe("display", display.word()))
            }
            Self::Budget {
                tokens, display, ..
            } => Some(
                Object::of_type("enabled")
                    .with("budget_tokens", *tokens)
                    .maybe("display", display.word()),
            ),
        }
    }
}

/// What is said of thinking to this model.
pub(super) fn choose(request: &Request, pen: &mut Pen<'_>) -> Thinking {
    let Some(reasoning) = &request.reasoning else {
        return Thinking::Unsaid;
    };
    let none = reasoning.effort == Some(Effort::None) || reasoning.budget == Some(0);
    if reasoning.enabled == Some(false) || none {
        return off(reasoning, pen);
    }
    if reasoning.measure_only {
        return native(reasoning.effort, pen).map_or(Thinking::Unsaid, Thinking::Measure);
    }
    if reasoning.as_budget().is_none() && !reasoning.adaptive {
        pen.notes.drop(Field::Reasoning);
        return Thinking::Unsaid;
    }
    match pen.claude {
        Some(claude) if !claude.thinks() => {
            pen.notes.drop(Field::Reasoning);
            Thinking::Unsaid
        }
        Some(claude)
            if claude.adapts() && (reasoning.budget.is_none() || !claude.takes_budget()) =>
        {
            adaptive(reasoning, pen)
        }
        None if reasoning.adaptive => adaptive(reasoning, pen),
        _ => budget(request, reasoning, pen),
    }
}

/// The nearest effort that the model knows.
fn effort(wanted: Option<Effort>, pen: &mut Pen<'_>) -> Option<Effort> {
    let wanted = wanted?;
    let Some(claude) = pen.claude else {
        return Some(wanted);
    };
    let known = claude.effort(wanted);
    match known {
        None => pen.notes.drop(Field::Reasoning),
        Some(known) if known != wanted => pen.notes.emulate(Field::Reasoning),
        Some(_) => {}
    }
    known
}

/// An effort that was said in this dialect. The model knows best whether it has that very one.
fn native(wanted: Option<Effort>, pen: &mut Pen<'_>) -> Option<Effort> {
    let wanted = wanted?;
    if pen
        .claude
        .is_some_and(|claude| claude.effort(wanted).is_none())
    {
        pen.notes.drop(Field::Reasoning);
        return None;
    }
    Some(wanted)
}

fn off(reasoning: &Reasoning, pen: &mut Pen<'_>) -> Thinking {
    let rest = reasoning.effort.filter(|effort| *effort != Effort::None);
    match pen.claude {
        Some(claude) if !claude.can_stop_thinking() => {
            pen.notes.emulate(Field::Reasoning);
            Thinking::Measure(Effort::Low)
        }
        // It does not think unless it is told to.
        Some(claude) if !claude.thinks() => Thinking::Unsaid,
        _ => Thinking::Off(rest.and_then(|rest| effort(Some(rest), pen))),
    }
}

fn adaptive(reasoning: &Reasoning, pen: &mut Pen<'_>) -> Thinking {
    let measure = match (reasoning.effort, reasoning.budget) {
        (None, Some(budget)) => {
            pen.notes.emulate(Field::Reasoning);
            Some(Effort::of_budget(budget))
        }
        (effort, _) => effort,
    };
    // Callers of other dialects see thoughts unless they say otherwise; new models hide theirs.
    let display = match reasoning.told {
        None if !reasoning.adaptive && pen.claude.is_some() => Display::Summarized,
        told => Display::of(told),
    };
    let measure = if reasoning.adaptive {
        native(measure, pen)
    } else {
        effort(measure, pen)
    };
    Thinking::Adaptive(measure, display)
}

fn budget(request: &Request, reasoning: &Reasoning, pen: &mut Pen<'_>) -> Thinking {
    let wanted = reasoning.as_budget();
    if reasoning.budget.is_none() {
        pen.notes.emulate(Field::Reasoning);
    }
    let wanted = wanted.unwrap_or_else(|| Effort::Medium.budget());
    let limit = match request.max_output {
        Some(most) => Some(most),
        None => pen.claude.map(Claude::most_output),
    };
    // A budget that stands for a word leaves room for the answer; one that was said is only made
    // to fit.
    let most = limit.map_or(u64::MAX, |limit| {
        if reasoning.budget.is_some() {
            limit.saturating_sub(1)
        } else {
            limit / 2
        }
    });
    if most < LEAST_BUDGET {
        pen.notes.drop(Field::Reasoning);
        return Thinking::Unsaid;
    }
    let tokens = wanted.clamp(LEAST_BUDGET, most);
    if reasoning.budget.is_some_and(|said| said != tokens) {
        pen.notes.emulate(Field::Reasoning);
    }
    let both = reasoning.budget.is_some() && reasoning.effort.is_some();
    let also = reasoning.effort.filter(|_| both);
    Thinking::Budget {
        tokens,
        effort: also.and_then(|also| effort(Some(also), pen)),
        display: Display::of(reasoning.told),
    }
}
