//! Logs: one JSON object a line on standard output, with the same few field names everywhere.
//!
//! Field names: `request_id`, `user_id`, `key_id`, `channel_id`, `provider`, `model`, `dialect`,
//! `status`, `http_status`, `code`, `cost_usd`, `ttfb_ms`, `total_ms`, `job`, `error`.

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging. `level` is `error`, `warn`, `info`, `debug` or `trace`; anything else is `info`.
///
/// Logging that runs already stays as it is, so that tests may call this often.
pub fn start(level: Option<&str>) {
    let level = level
        .and_then(|text| text.parse().ok())
        .unwrap_or(LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false);
    let _ = tracing_subscriber::registry()
        .with(level)
        .with(lines)
        .try_init();
}

/// An error and everything beneath it, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
