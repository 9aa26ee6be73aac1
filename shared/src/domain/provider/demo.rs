//! The demo: a small deterministic upstream inside the local server; it needs no provider account.

use super::card::{Auth, Provider, Tongue};
use crate::domain::dialect::Dialect;

pub(super) const DEMO: Provider = Provider {
    name: "demo",
    label: "Demo",
    base_url: None,
    speaks: &[
        Tongue::of(Dialect::OpenaiChat),
        Tongue::of(Dialect::Anthropic),
    ],
    auth: Auth::None,
    credential: &[],
    names: &[],
    quirks: &[],
    docs: "https://github.com/tollhouse/tollhouse#run-it",
};
