//! Patterns of models that may be called.

use shared::failure::Failure;

/// The patterns, if none of them is empty.
pub(crate) fn read(models: Vec<String>) -> Result<Vec<String>, Failure> {
    if models.iter().all(|model| !model.trim().is_empty()) {
        return Ok(models);
    }
    Err(Failure::bad_field(
        "models",
        "A pattern of models is not empty.",
    ))
}
