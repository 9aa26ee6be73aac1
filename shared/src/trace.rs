//! Logs: one JSON object a line on standard output, with the same few field names everywhere.
//!
//! Field names: `request_id`, `user_id`, `key_id`, `channel_id`, `provider`, `model`, `dialect`,
//! `status`, `http_status`, `code`, `cost_usd`, `ttfb_ms`, `total_ms`, `job`, `error`.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Crates that tell each step they take: more than an operator who looks for one call can read. They
/// are heard as loudly as we are from `trace` on only.
const TALKATIVE: [&str; 5] = ["aws_", "h2", "hyper", "reqwest", "rustls"];
/// The embedded engine, which calls each condition that does not hold an error. Conditions are how
/// this gateway refuses.
const ENGINE: &str = "dynoxide";

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
        .with(loudness(level))
        .with(lines)
        .try_init();
}

/// Who may say how much.
fn loudness(level: LevelFilter) -> Targets {
    let all = Targets::new().with_default(level);
    if level == LevelFilter::TRACE {
        return all;
    }
    all.with_targets(TALKATIVE.map(|name| (name, level.min(LevelFilter::INFO))))
        .with_target(ENGINE, level.min(LevelFilter::ERROR))
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

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn what_others_say_does_not_drown_what_we_say() {
        let would = |level: LevelFilter, target: &str, said: Level| {
            loudness(level).would_enable(target, &said)
        };
        let (info, debug) = (LevelFilter::INFO, LevelFilter::DEBUG);
        assert!(would(info, "relay::pipeline::settle", Level::INFO));
        assert!(!would(info, "relay::pipeline::settle", Level::DEBUG));
        assert!(would(debug, "relay::pipeline::settle", Level::DEBUG));
        assert!(!would(info, "dynoxide::server", Level::WARN));
        assert!(would(info, "dynoxide::server", Level::ERROR));
        assert!(!would(debug, "aws_smithy_runtime::client", Level::DEBUG));
        assert!(would(debug, "aws_smithy_runtime::client", Level::WARN));
        assert!(!would(
            LevelFilter::ERROR,
            "hyper_util::client",
            Level::WARN
        ));
        assert!(would(
            LevelFilter::TRACE,
            "hyper_util::client",
            Level::TRACE
        ));
    }
}
