//! The environment: the only file that reads it.

/// A variable that is missing or makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {name}: {problem}")]
pub struct BadVariable {
    /// Its name.
    pub name: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The value of a variable; `None` when it is unset or empty.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The value of a variable that must be there.
///
/// # Errors
/// When it is unset or empty.
pub fn required(name: &'static str) -> Result<String, BadVariable> {
    optional(name).ok_or(BadVariable {
        name,
        problem: "must be set",
    })
}
