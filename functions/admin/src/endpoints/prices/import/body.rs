//! What to import, and how.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::failure::Failure;
use utoipa::ToSchema;

use crate::body::present;

/// Rows of LiteLLM's price map, by model.
pub(super) type PriceMap = BTreeMap<String, Box<RawValue>>;

const MOST_PATTERNS: usize = 500;
const LONGEST_SOURCE: usize = 200;

/// A price map in LiteLLM's format, or where it is, and what to take of it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceImport)]
pub(crate) struct ImportBody {
    /// Where the map is: an address that begins with `https://`. Instead of `prices`.
    #[serde(default, deserialize_with = "present")]
    url: Option<String>,
    /// The map itself, by model. Instead of `url`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, serde_json::Value>>)]
    prices: Option<PriceMap>,
    /// True unless given: only tell what would change.
    #[serde(default, deserialize_with = "present")]
    dry_run: Option<bool>,
    /// `add` (unless given): only models that have no price of their own yet. `update`: only those that
    /// have. `overwrite`: both.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    mode: Option<Mode>,
    /// Patterns of the models to take; all unless given.
    #[serde(default, deserialize_with = "present")]
    models: Option<Vec<String>>,
    /// Whether `xai/grok-4` of the provider `xai` is to be `grok-4`. False unless given.
    #[serde(default, deserialize_with = "present")]
    strip_prefix: Option<bool>,
    /// What to note as the source; the map's address unless given.
    #[serde(default, deserialize_with = "present")]
    source: Option<String>,
}

/// Which models an import may change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    #[default]
    Add,
    Update,
    Overwrite,
}

impl Mode {
    pub(super) const fn takes(self, exists: bool) -> bool {
        match self {
            Self::Add => !exists,
            Self::Update => exists,
            Self::Overwrite => true,
        }
    }
}

/// How to import.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) dry_run: bool,
    pub(super) mode: Mode,
    pub(super) models: Vec<String>,
    pub(super) strip_prefix: bool,
    pub(super) source: Option<String>,
    pub(super) date: Date,
}

/// Where the map is.
#[derive(Debug)]
pub(super) enum From {
    Url(String),
    Body(PriceMap),
}

impl ImportBody {
    /// What was asked for, today.
    pub(super) fn read(self, date: Date) -> Result<(From, Import), Failure> {
        let models = self.models.unwrap_or_default();
        if models.len() > MOST_PATTERNS {
            let text = format!("At most {MOST_PATTERNS} patterns are taken.");
            return Err(Failure::bad_field("models", text));
        }
        let source = self.source.or_else(|| self.url.clone());
        if self.url.is_none()
            && source
                .as_ref()
                .is_some_and(|text| text.len() > LONGEST_SOURCE)
        {
            let text = format!("A source has at most {LONGEST_SOURCE} characters.");
            return Err(Failure::bad_field("source", text));
        }
        let import = Import {
            dry_run: self.dry_run.unwrap_or(true),
            mode: self.mode.unwrap_or_default(),
            models,
            strip_prefix: self.strip_prefix.unwrap_or(false),
            source: source.map(|text| text.chars().take(LONGEST_SOURCE).collect()),
            date,
        };
        let from = match (self.url, self.prices) {
            (Some(url), None) => From::Url(url),
            (None, Some(prices)) => From::Body(prices),
            (None, None) => {
                let text = "Give the address of a price map as url, or the map as prices.";
                return Err(Failure::bad_field("url", text));
            }
            (Some(_), Some(_)) => {
                let text = "Give either url or prices, not both.";
                return Err(Failure::bad_field("prices", text));
            }
        };
        Ok((from, import))
    }
}
