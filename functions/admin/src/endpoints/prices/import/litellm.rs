//! Reads rows of LiteLLM's price map: exactly, or not at all.
//!
//! <https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json>

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use shared::domain::money::{NanoUsd, Rate};
use shared::domain::price::{Component, Price, Rates, Tier};
use shared::domain::usage::Service;

use super::decimal::scaled;

/// The members of a row.
type Row<'a> = BTreeMap<String, &'a RawValue>;

/// What could be read of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) price: Price,
    /// Members that price what Tollhouse never meets or counts apart.
    pub(super) ignored: Vec<String>,
}

/// Members that are rates of tokens, before what a threshold and a service add to them.
const RATES: [(&str, Component); 12] = [
    ("input_cost_per_token", Component::Input),
    ("output_cost_per_token", Component::Output),
    ("cache_read_input_token_cost", Component::CacheRead),
    (
        "cache_read_input_audio_token_cost",
        Component::CacheReadAudio,
    ),
    (
        "cache_read_input_image_token_cost",
        Component::CacheReadImage,
    ),
    ("cache_creation_input_token_cost", Component::CacheWrite5m),
    (
        "cache_creation_input_token_cost_above_1hr",
        Component::CacheWrite1h,
    ),
    ("output_cost_per_reasoning_token", Component::Reasoning),
    ("input_cost_per_audio_token", Component::InputAudio),
    ("output_cost_per_audio_token", Component::OutputAudio),
    ("input_cost_per_image_token", Component::InputImage),
    ("output_cost_per_image_token", Component::OutputImage),
];

/// What a service adds to a member's name.
const SERVICES: [(&str, Service); 4] = [
    ("_batches", Service::Batch),
    ("_flex", Service::Flex),
    ("_priority", Service::Priority),
    ("_fast", Service::Fast),
];

/// Parts of the names of members that price what no usage here counts: caches of half a day, services
/// and regions that no answer names, storage, and tools that are other products.
const NOT_MET: [&str; 14] = [
    "_above_12hr",
    "_ultrafast",
    "_decisions",
    "_balanced",
    "cache_creation_input_audio_token_cost",
    "explicit_cache_read",
    "google_maps",
    "_per_video",
    "video_token",
    "dbu_cost",
    "_per_gb_per_day",
    "computer_use_",
    "regional_",
    "off_peak_pricing",
];

/// The modes in which models are billed by what Tollhouse counts.
const MODES: [&str; 4] = ["chat", "completion", "responses", "embedding"];

/// The provider that a row names, which may stand before the model in its name.
pub(super) fn provider_of(row: &RawValue) -> Option<String> {
    text(members(row)?.get("litellm_provider")?)
}

/// The price in a row, or why there is none that is exact.
pub(super) fn read(model: &str, row: &RawValue) -> Result<Reading, String> {
    let row = members(row).ok_or("It is not an object.")?;
    let mode = row.get("mode").and_then(|mode| text(mode));
    if let Some(mode) = mode.as_deref().filter(|mode| !MODES.contains(mode)) {
        let mode: String = mode.chars().take(40).collect();
        return Err(format!("Its mode is {mode}, which is not billed here."));
    }
    let mut reading = Reading {
        price: Price {
            model: model.to_owned(),
            source: row.get("source").and_then(|source| text(source)),
            max_input: row.get("max_input_tokens").and_then(|most| count(most)),
            max_output: row.get("max_output_tokens").and_then(|most| count(most)),
            ..Price::default()
        },
        ignored: Vec::new(),
    };
    read_bands(&mut reading.price, &row)?;
    let mut inexact = Vec::new();
    for (name, value) in &row {
        match read_member(&mut reading.price, name, value, &row)? {
            Member::Read => {}
            Member::Ignored => reading.ignored.push(name.clone()),
            Member::Unknown => inexact.push(name.as_str()),
        }
    }
    if !inexact.is_empty() {
        return Err(format!("It is also billed by {}.", inexact.join(", ")));
    }
    finish(&mut reading.price, &row, mode.as_deref())?;
    Ok(reading)
}

enum Member {
    Read,
    Ignored,
    Unknown,
}

fn read_member(
    price: &mut Price,
    name: &str,
    value: &RawValue,
    row: &Row<'_>,
) -> Result<Member, String> {
    if value.get() == "null" {
        return Ok(Member::Read);
    }
    if let Some((component, above, service)) = place(name) {
        let rate = rate(name, value)?;
        rates_at(price, above, service).set(component, Some(rate));
        return Ok(Member::Read);
    }
    match name {
        "input_cost_per_request" => price.per_call = Some(amount(name, value, 9)?),
        "code_interpreter_cost_per_session" => {
            price.pieces.code_run = Some(amount(name, value, 9)?);
        }
        "file_search_cost_per_1k_calls" => {
            price.pieces.file_search = Some(amount(name, value, 6)?);
        }
        "search_context_cost_per_query" => price.pieces.web_search = search(value)?,
        "provider_specific_entry" | "tiered_pricing" | "input_cost_per_token_cache_hit" => {}
        _ => return Ok(foreign(name, value, row)),
    }
    Ok(Member::Read)
}

/// A member that is none of ours: whether it prices something.
fn foreign(name: &str, value: &RawValue, row: &Row<'_>) -> Member {
    let prices = ["cost", "pric", "multiplier"];
    let free = number(value).is_some_and(|number| scaled(&number, 12) == Some(0));
    if free || !prices.iter().any(|word| name.contains(word)) {
        return Member::Read;
    }
    // An image is priced once: by its tokens where they have a price.
    let by_token =
        |start: &str| name.starts_with(start) && row.contains_key(&format!("{start}_token"));
    let images = by_token("input_cost_per_image") || by_token("output_cost_per_image");
    if images || NOT_MET.iter().any(|part| name.contains(part)) {
        Member::Ignored
    } else {
        Member::Unknown
    }
}

/// What a member prices: a component, above so much input, at a service.
fn place(name: &str) -> Option<(Component, Option<u64>, Service)> {
    let served = SERVICES
        .iter()
        .find_map(|(suffix, service)| Some((name.strip_suffix(suffix)?, *service)));
    let (name, service) = served.unwrap_or((name, Service::Standard));
    let (name, above) = match name.strip_suffix("k_tokens") {
        Some(rest) => {
            let (name, thousands) = rest.rsplit_once("_above_")?;
            (
                name,
                Some(thousands.parse::<u64>().ok()?.checked_mul(1_000)?),
            )
        }
        None => (name, None),
    };
    let known = RATES.iter().find(|(known, _)| *known == name);
    known.map(|(_, component)| (*component, above, service))
}

fn rates_at(price: &mut Price, above: Option<u64>, service: Service) -> &mut Rates {
    let Some(above_input_tokens) = above else {
        return match service {
            Service::Standard => &mut price.rates,
            service => price.services.entry(service).or_default(),
        };
    };
    let mut tiers = price.tiers.iter();
    let at = tiers.position(|tier| tier.above_input_tokens >= above_input_tokens);
    let at = at.unwrap_or(price.tiers.len());
    let known = price.tiers.get(at).map(|tier| tier.above_input_tokens);
    if known != Some(above_input_tokens) {
        let tier = Tier {
            above_input_tokens,
            ..Tier::default()
        };
        price.tiers.insert(at, tier);
    }
    #[expect(clippy::indexing_slicing, reason = "it was put there if it was not")]
    let tier = &mut price.tiers[at];
    match service {
        Service::Standard => &mut tier.rates,
        service => tier.services.entry(service).or_default(),
    }
}

/// Bands of input, each with rates: the first is the price itself, the others are tiers.
fn read_bands(price: &mut Price, row: &Row<'_>) -> Result<(), String> {
    let Some(bands) = row.get("tiered_pricing") else {
        return Ok(());
    };
    let wrong = || "Its tiered_pricing cannot be read.".to_owned();
    let bands: Vec<Row<'_>> = serde_json::from_str(bands.get()).map_err(|_| wrong())?;
    for band in &bands {
        let range = band.get("range").ok_or_else(wrong)?;
        let range: Vec<&RawValue> = serde_json::from_str(range.get()).map_err(|_| wrong())?;
        let from = range.first().and_then(|from| number(from));
        let from = from.and_then(|from| scaled(&from, 0)).ok_or_else(wrong)?;
        let above = u64::try_from(from).ok().filter(|from| *from > 0);
        for (name, value) in band.iter().filter(|(name, _)| *name != "range") {
            let (component, none, service) = place(name)
                .ok_or_else(|| format!("Its tiered_pricing is also billed by {name}."))?;
            if none.is_some() {
                return Err(wrong());
            }
            rates_at(price, above, service).set(component, Some(rate(name, value)?));
        }
    }
    Ok(())
}

/// What follows from several members.
fn finish(price: &mut Price, row: &Row<'_>, mode: Option<&str>) -> Result<(), String> {
    let hit = "input_cost_per_token_cache_hit";
    if let (None, Some(value)) = (price.rates.cache_read, row.get(hit)) {
        price.rates.cache_read = Some(rate(hit, value)?);
    }
    if mode == Some("embedding") {
        price.rates.output = price.rates.output.or(Some(Rate::default()));
    }
    let special = row.get("provider_specific_entry");
    let special = special.and_then(|special| members(special));
    if let Some(fast) = special.and_then(|special| number(special.get("fast")?)) {
        let factor = scaled(&fast, 6).ok_or("Its factor for fast answers cannot be read.")?;
        let rates =
            times(&price.rates, factor).ok_or("Its rates for fast answers are not exact.")?;
        price.services.insert(Service::Fast, rates);
    }
    for component in Component::TOKENS {
        drop_repeated(price, component);
    }
    if price.is_complete() {
        Ok(())
    } else {
        Err("It has no price for tokens, neither of input nor of output.".to_owned())
    }
}

/// Leaves a component out that costs everywhere what it would fall back to: then it does so at services
/// and above thresholds, too, for which the map does not name it.
fn drop_repeated(price: &mut Price, component: Component) {
    let Some(fallback) = component.fallback() else {
        return;
    };
    let tiers = price.tiers.iter_mut();
    let tiers = tiers.flat_map(|tier| {
        let services = tier.services.values_mut();
        services.chain([&mut tier.rates])
    });
    let services = price.services.values_mut();
    let mut all: Vec<&mut Rates> = services.chain([&mut price.rates]).chain(tiers).collect();
    let repeats = |rates: &Rates| match rates.get(component) {
        Some(rate) => rates.get(fallback) == Some(rate),
        None => true,
    };
    if all.iter().all(|rates| repeats(rates)) {
        for rates in &mut all {
            rates.set(component, None);
        }
    }
}

/// Rates times a factor in millionths, where that is exact.
fn times(rates: &Rates, factor: i64) -> Option<Rates> {
    let mut product = Rates::default();
    for component in Component::TOKENS {
        if let Some(rate) = rates.get(component) {
            let millionths = i128::from(rate.get()).checked_mul(i128::from(factor))?;
            let whole = (millionths % 1_000_000 == 0).then_some(millionths / 1_000_000)?;
            product.set(component, Some(Rate::new(i64::try_from(whole).ok()?)));
        }
    }
    Some(product)
}

/// A search costs the same whatever the size of its context, or it has no price here.
fn search(value: &RawValue) -> Result<Option<NanoUsd>, String> {
    let name = "search_context_cost_per_query";
    let sizes = members(value).ok_or_else(|| format!("Its {name} cannot be read."))?;
    let mut found: Option<NanoUsd> = None;
    for value in sizes.values().filter(|value| value.get() != "null") {
        let cost = amount(name, value, 9)?;
        if found.is_some_and(|before| before != cost) {
            return Err("What a search costs depends on the size of its context.".to_owned());
        }
        found = Some(cost);
    }
    Ok(found)
}

fn rate(name: &str, value: &RawValue) -> Result<Rate, String> {
    let pico = number(value).and_then(|number| scaled(&number, 12));
    pico.map(Rate::new).ok_or_else(|| inexact(name, value))
}

fn amount(name: &str, value: &RawValue, places: i32) -> Result<NanoUsd, String> {
    let nano = number(value).and_then(|number| scaled(&number, places));
    nano.map(NanoUsd::new).ok_or_else(|| inexact(name, value))
}

fn inexact(name: &str, value: &RawValue) -> String {
    let shown: String = value.get().chars().take(40).collect();
    format!("Its {name} is {shown}, which is no price that can be kept exactly.")
}

/// A number as it is written, in quotes or not.
fn number(value: &RawValue) -> Option<String> {
    let written = value.get();
    let plain = written.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    if plain {
        Some(written.to_owned())
    } else {
        text(value)
    }
}

fn count(value: &RawValue) -> Option<u64> {
    let count = u64::try_from(scaled(&number(value)?, 0)?).ok()?;
    (1..=100_000_000).contains(&count).then_some(count)
}

fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

fn members(value: &RawValue) -> Option<Row<'_>> {
    serde_json::from_str(value.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(row: &str) -> Result<Reading, String> {
        read("m", &RawValue::from_string(row.to_owned()).unwrap())
    }

    fn shown(rate: Option<Rate>) -> String {
        rate.map(|rate| rate.to_string()).unwrap_or_default()
    }

    #[test]
    fn every_kind_of_member_finds_its_place() {
        let reading = read_text(
            r#"{"mode":"chat","litellm_provider":"x","input_cost_per_token":3e-06,
            "output_cost_per_token":1.5e-05,"cache_read_input_token_cost":3e-07,
            "cache_creation_input_token_cost":3.75e-06,"cache_creation_input_token_cost_above_1hr":6e-06,
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens":1.2e-05,
            "input_cost_per_token_above_200k_tokens":6e-06,"input_cost_per_token_above_128k_tokens":4e-06,
            "input_cost_per_token_above_200k_tokens_priority":9e-06,"input_cost_per_token_flex":1.5e-06,
            "output_cost_per_token_batches":7.5e-06,"output_cost_per_reasoning_token":2e-05,
            "input_cost_per_audio_token":1e-05,"cache_read_input_audio_token_cost":1e-06,
            "input_cost_per_request":0.005,"file_search_cost_per_1k_calls":2.5,
            "code_interpreter_cost_per_session":0.03,"max_output_tokens":64000,"max_input_tokens":"200000",
            "search_context_cost_per_query":{"search_context_size_low":0.01,"search_context_size_high":1e-2},
            "provider_specific_entry":{"us":1.1,"fast":2.0},"input_cost_per_token_ultrafast":1e-3,
            "supports_vision":true,"source":"https://example.com"}"#,
        )
        .unwrap();
        let price = reading.price;
        assert_eq!(reading.ignored, ["input_cost_per_token_ultrafast"]);
        assert_eq!(shown(price.rates.input), "3");
        assert_eq!(shown(price.rates.cache_write_1h), "6");
        assert_eq!(shown(price.rates.reasoning), "20");
        assert_eq!(shown(price.rates.cache_read_audio), "1");
        let above: Vec<u64> = price
            .tiers
            .iter()
            .map(|tier| tier.above_input_tokens)
            .collect();
        assert_eq!(above, [128_000, 200_000]);
        assert_eq!(shown(price.tiers[1].rates.cache_write_1h), "12");
        assert_eq!(
            shown(price.tiers[1].services[&Service::Priority].input),
            "9"
        );
        assert_eq!(shown(price.services[&Service::Flex].input), "1.5");
        assert_eq!(shown(price.services[&Service::Batch].output), "7.5");
        assert_eq!(shown(price.services[&Service::Fast].cache_write_5m), "7.5");
        assert_eq!(price.per_call.unwrap().to_string(), "0.005");
        assert_eq!(price.pieces.web_search.unwrap().to_string(), "0.01");
        assert_eq!(price.pieces.file_search.unwrap().to_string(), "0.0025");
        assert_eq!(
            (price.max_input, price.max_output),
            (Some(200_000), Some(64_000))
        );
    }

    #[test]
    fn bands_of_input_are_tiers() {
        let price = read_text(
            r#"{"mode":"chat","tiered_pricing":[
            {"range":[0,32000.0],"input_cost_per_token":1.2e-06,"output_cost_per_token":6e-06},
            {"range":[32000.0,128000.0],"input_cost_per_token":2.4e-06,"output_cost_per_token":1.2e-05}]}"#,
        )
        .unwrap()
        .price;
        assert_eq!(shown(price.rates.output), "6");
        assert_eq!(price.tiers[0].above_input_tokens, 32_000);
        assert_eq!(shown(price.tiers[0].rates.input), "2.4");
    }

    #[test]
    fn what_repeats_its_fallback_falls_back_at_services_too() {
        let row = |batch: &str| {
            format!(
                r#"{{"mode":"chat","input_cost_per_token":1e-6,"output_cost_per_token":9e-6,
                "output_cost_per_reasoning_token":9e-6,"output_cost_per_token_batches":4.5e-6{batch}}}"#
            )
        };
        let reasoning = |row: String| read_text(&row).unwrap().price.rates.reasoning;
        assert_eq!(reasoning(row("")), None);
        // Where it differs anywhere, it is kept everywhere.
        let differs = row(r#","output_cost_per_reasoning_token_batches":5e-6"#);
        assert_eq!(shown(reasoning(differs)), "9");
    }

    #[test]
    fn what_is_not_exact_is_skipped_with_the_reason() {
        for (row, reason) in [
            (r#"[]"#, "not an object"),
            (r#"{"mode":"image_generation"}"#, "mode is image_generation"),
            (r#"{"mode":"chat"}"#, "no price for tokens"),
            (r#"{"input_cost_per_token":1e-6}"#, "no price for tokens"),
            (
                r#"{"input_cost_per_token":1e-13,"output_cost_per_token":1e-6}"#,
                "input_cost_per_token is 1e-13",
            ),
            (
                r#"{"input_cost_per_token":-1e-6,"output_cost_per_token":1e-6}"#,
                "input_cost_per_token is -1e-6",
            ),
            (
                r#"{"input_cost_per_token":1e-6,"output_cost_per_token":1e-6,"input_cost_per_image":0.1}"#,
                "also billed by input_cost_per_image",
            ),
            (
                r#"{"input_cost_per_token":1e-6,"output_cost_per_token":1e-6,
                "search_context_cost_per_query":{"a":0.01,"b":0.02}}"#,
                "size of its context",
            ),
        ] {
            let told = read_text(row).unwrap_err();
            assert!(told.contains(reason), "{row}: {told}");
        }
    }
}
