//! What plain and streamed answers to callers have in common: their head, and the form of calls.

use crate::dialects::Asked;
use crate::dialects::json::{Fields, Json, Object, Raw, array, text};
use crate::dialects::neutral::request::ToolUse;

/// What each chunk of an answer says of it.
#[derive(Debug, Clone)]
pub(super) struct Head {
    id: String,
    created: u64,
    model: String,
}

impl Head {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self {
            id: format!("chatcmpl-{}", asked.id),
            created: asked.at_s,
            model: asked.wanted.model.clone(),
        }
    }

    pub(super) fn object(&self, kind: &'static str) -> Object {
        Object::new()
            .with("id", &self.id)
            .with("object", kind)
            .with("created", self.created)
            .with("model", &self.model)
    }
}

/// How the caller wants calls: as its request declares tools.
#[derive(Debug, Clone, Default)]
pub(super) struct Form {
    /// Whether it declares `functions`, from before there were tools.
    pub(super) legacy: bool,
    /// The names of its custom tools, which take any text.
    custom: Vec<String>,
}

impl Form {
    pub(super) fn of(body: &[u8]) -> Self {
        let json = String::from_utf8_lossy(body);
        let Some(mut request) = Fields::parse(&json) else {
            return Self::default();
        };
        let tools = request.take("tools").map(array);
        let custom = tools.iter().flatten().filter_map(|tool| {
            let mut tool = Fields::of(tool)?;
            tool.object("custom")?.text("name")
        });
        Self {
            legacy: tools.is_none() && request.take("functions").is_some(),
            custom: custom.collect(),
        }
    }

    pub(super) fn is_custom(&self, name: &str) -> bool {
        self.custom.iter().any(|custom| custom == name)
    }

    /// A call, whole.
    pub(super) fn call(&self, call: &ToolUse) -> Object {
        if self.is_custom(&call.name) {
            let custom = Object::new()
                .with("name", &call.name)
                .with("input", custom_input(&call.arguments));
            return Object::new()
                .with("id", &call.id)
                .with("type", "custom")
                .with("custom", custom);
        }
        Object::new()
            .with("id", &call.id)
            .with("type", "function")
            .with("function", function(call))
    }
}

/// A function's name and arguments.
pub(super) fn function(call: &ToolUse) -> Object {
    Object::new()
        .with("name", &call.name)
        .with("arguments", arguments(&call.arguments))
}

/// The text of some arguments: a call without any has an empty object.
pub(super) fn arguments(arguments: &str) -> String {
    if arguments.trim().is_empty() {
        "{}".to_owned()
    } else {
        arguments.to_owned()
    }
}

/// The text that a custom tool takes: where it stands in for a function, it is the argument `input`.
pub(super) fn custom_input(arguments: &str) -> String {
    let input = Fields::parse(arguments).and_then(|mut fields| {
        let input = text(fields.take("input")?)?;
        fields.is_empty().then_some(input)
    });
    input.unwrap_or_else(|| arguments.to_owned())
}

/// The arguments of a function that stands in for a custom tool.
pub(super) fn custom_arguments(input: &str) -> Raw {
    let is_wrapped = Fields::parse(input)
        .is_some_and(|mut fields| fields.take("input").is_some() && fields.is_empty());
    if is_wrapped && let Ok(raw) = serde_json::from_str(input) {
        return raw;
    }
    Object::new()
        .with("input", Json::from(input.to_owned()))
        .to_raw()
}
