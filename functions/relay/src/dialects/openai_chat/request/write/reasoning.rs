//! How much is thought, in the members that a provider knows.

use shared::domain::provider::card::Quirk;

use super::Letter;
use crate::dialects::json::Object;
use crate::dialects::neutral::Field;
use crate::dialects::neutral::request::{Effort, Reasoning};
use crate::dialects::openai_chat::wire;

impl Letter<'_> {
    pub(super) fn reasoning(&mut self, reasoning: Option<&Reasoning>) {
        let Some(reasoning) = reasoning else {
            return;
        };
        if self.has(Quirk::ReasoningDetails) {
            self.measure(reasoning);
        } else if self.has(Quirk::EnableThinking) {
            self.enable(reasoning);
        } else if self.has(Quirk::ThinkingSwitch) {
            self.switch(reasoning);
        } else if self.has(Quirk::Openai) {
            self.openai(reasoning);
        } else if let Some(effort) = reasoning.as_effort() {
            // Who wants no thinking has said so in words, or leaves it to the model.
            if effort != Effort::None || reasoning.effort == Some(Effort::None) {
                self.put("reasoning_effort", effort.word(), Field::Reasoning);
            } else {
                self.notes.drop(Field::Reasoning);
            }
        }
        if !self.has(Quirk::ReasoningDetails) {
            let summary = Field::Other("reasoning.summary".to_owned());
            self.notes.drop_if(reasoning.summary.as_ref(), summary);
        }
    }

    /// `OpenRouter`: an effort, or so many tokens.
    /// <https://openrouter.ai/docs/use-cases/reasoning-tokens>
    fn measure(&mut self, reasoning: &Reasoning) {
        let budget = reasoning.budget.filter(|_| reasoning.effort.is_none());
        let object = Object::new()
            .maybe("effort", reasoning.effort.map(Effort::word))
            .maybe("max_tokens", budget)
            .maybe("enabled", reasoning.enabled)
            .maybe("exclude", reasoning.told.map(|told| !told))
            .maybe("summary", reasoning.summary.clone());
        self.put("reasoning", object, Field::Reasoning);
    }

    /// Qwen: a switch, and so many tokens.
    /// <https://www.alibabacloud.com/help/en/model-studio/deep-thinking>
    fn enable(&mut self, reasoning: &Reasoning) {
        let enabled = reasoning.as_effort().map(|effort| effort != Effort::None);
        self.put_maybe("enable_thinking", enabled, Field::Reasoning);
        if enabled == Some(true) {
            let measured = reasoning.budget.is_some() || reasoning.effort.is_some();
            let budget = reasoning.as_budget().filter(|_| measured);
            self.put_maybe("thinking_budget", budget, Field::Reasoning);
        }
    }

    /// `DeepSeek`, GLM, Kimi: a switch; an effort beside a switch that is off is refused.
    /// <https://api-docs.deepseek.com/guides/thinking_mode>
    fn switch(&mut self, reasoning: &Reasoning) {
        let Some(effort) = reasoning.as_effort() else {
            return;
        };
        if effort == Effort::None {
            self.put("thinking", Object::of_type("disabled"), Field::Reasoning);
            return;
        }
        self.put("thinking", Object::of_type("enabled"), Field::Reasoning);
        if reasoning.effort.is_some() {
            self.put("reasoning_effort", effort.word(), Field::Reasoning);
        } else if reasoning.budget.is_some() {
            self.notes.emulate(Field::Reasoning);
        }
    }

    /// OpenAI: an effort that the model has; models that do not reason refuse the member.
    /// <https://platform.openai.com/docs/guides/reasoning>
    fn openai(&mut self, reasoning: &Reasoning) {
        let Some(wanted) = reasoning.as_effort() else {
            return;
        };
        if !wire::reasons(self.to.model) {
            self.notes.drop(Field::Reasoning);
            return;
        }
        let least = match wire::generation(self.to.model) {
            Some((5, 0)) => Effort::Minimal,
            Some(_) => Effort::None,
            None => Effort::Low,
        };
        let most = match wire::generation(self.to.model) {
            Some(generation) if generation >= (5, 2) => Effort::Max,
            _ if self.to.model.contains("-max") => Effort::ExtraHigh,
            _ => Effort::High,
        };
        let effort = match wanted.clamp(least, most) {
            // These newer models know it as nothing at all.
            Effort::Minimal if least == Effort::None => Effort::Low,
            // Only the newest know the highest word.
            Effort::Max if wanted == Effort::Max && reasoning.effort.is_none() => Effort::ExtraHigh,
            effort => effort,
        };
        if effort != wanted {
            self.notes.emulate(Field::Reasoning);
        }
        self.put("reasoning_effort", effort.word(), Field::Reasoning);
    }
}
