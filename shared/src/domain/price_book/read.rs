//! Reads the lines of the book.
//!
//! ```text
//! # a remark
//! @ 2026-11-23 https://example.com/pricing     date and source of the lines below
//! name other-name name-20*  input=1 output=2 batch.input=0.5 >200k.input=2 >200k.batch.input=1
//! ```
//!
//! A line begins with the names or patterns of models that cost the same. Then come figures: a component
//! (USD per million tokens), `per_call`, `web_search`, `file_search` or `code_run` (USD each), and
//! `max_input` and `max_output` (tokens). Before a component may stand the service that it is for, and
//! before that the input above which it holds, in thousands of tokens.

use jiff::civil::Date;

use crate::domain::price::{Component, Origin, Price, Rates, Tier};
use crate::domain::usage::Service;

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the price book: {what:?} cannot be read")]
pub(super) struct Unreadable {
    line: usize,
    what: String,
}

/// The prices, one for each name, line by line.
pub(super) fn rows(book: &str) -> impl Iterator<Item = Result<Vec<Price>, Unreadable>> {
    let mut section = Price {
        origin: Origin::Book,
        ..Price::default()
    };
    let numbered = book.lines().enumerate();
    numbered.filter_map(move |(at, text)| {
        let wrong = |what: &str| Unreadable {
            line: at + 1,
            what: what.to_owned(),
        };
        if let Some(from) = text.strip_prefix('@') {
            return read_section(&mut section, from)
                .is_none()
                .then(|| Err(wrong(text)));
        }
        if text.trim().is_empty() || text.starts_with('#') {
            return None;
        }
        Some(read_line(&section, text).map_err(wrong))
    })
}

fn read_section(section: &mut Price, text: &str) -> Option<()> {
    let (date, source) = text.trim().split_once(' ')?;
    section.date = Some(date.parse::<Date>().ok()?);
    section.source = Some(format!("built-in: {}", source.trim()));
    Some(())
}

/// The prices of a line, or the word in it that is wrong.
fn read_line<'a>(section: &Price, text: &'a str) -> Result<Vec<Price>, &'a str> {
    let words = || text.split_ascii_whitespace();
    let mut price = section.clone();
    for word in words().filter(|word| word.contains('=')) {
        read_figure(&mut price, word).ok_or(word)?;
    }
    price.tiers.sort_by_key(|tier| tier.above_input_tokens);
    let names = words().filter(|word| !word.contains('='));
    let named = |name: &str| Price {
        model: name.to_owned(),
        ..price.clone()
    };
    Ok(names.map(named).collect())
}

fn read_figure(price: &mut Price, word: &str) -> Option<()> {
    let (name, figure) = word.split_once('=')?;
    match name {
        "per_call" => price.per_call = Some(figure.parse().ok()?),
        "max_input" => price.max_input = Some(figure.parse().ok()?),
        "max_output" => price.max_output = Some(figure.parse().ok()?),
        _ => {
            let (place, name) = name.rsplit_once('.').unwrap_or(("", name));
            let component = Component::named(name)?;
            if Component::PIECES.contains(&component) {
                price.pieces.set(component, Some(figure.parse().ok()?));
            } else {
                let rates = place_of(price, place)?;
                let is_new = rates.get(component).is_none();
                rates.set(component, Some(figure.parse().ok()?));
                return is_new.then_some(());
            }
        }
    }
    Some(())
}

/// The rates that `>200k.batch` means.
fn place_of<'a>(price: &'a mut Price, place: &str) -> Option<&'a mut Rates> {
    let Some(above) = place.strip_prefix('>') else {
        return Some(match place {
            "" => &mut price.rates,
            service => price.services.entry(named_service(service)?).or_default(),
        });
    };
    let (thousands, service) = above.split_once('.').unwrap_or((above, ""));
    let thousands: u64 = thousands.strip_suffix('k')?.parse().ok()?;
    let above_input_tokens = thousands.checked_mul(1_000)?;
    let known = |tier: &Tier| tier.above_input_tokens == above_input_tokens;
    if !price.tiers.iter().any(known) {
        price.tiers.push(Tier {
            above_input_tokens,
            ..Tier::default()
        });
    }
    let tier = price.tiers.iter_mut().find(|tier| known(tier))?;
    Some(match service {
        "" => &mut tier.rates,
        service => tier.services.entry(named_service(service)?).or_default(),
    })
}

fn named_service(name: &str) -> Option<Service> {
    match name {
        "batch" => Some(Service::Batch),
        "flex" => Some(Service::Flex),
        "priority" => Some(Service::Priority),
        "fast" => Some(Service::Fast),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTION: &str = "@ 2026-11-23 https://example.com/pricing\n";

    #[test]
    fn a_line_says_what_stands_where() {
        let book = format!(
            "{SECTION}\n# remark\na a-20*  input=1 output=2 web_search=0.01 max_output=5 flex.input=0.5 \
             >200k.input=2 >200k.flex.input=1\n"
        );
        let mut lines = rows(&book);
        let prices = lines.next().unwrap().unwrap();
        assert_eq!(lines.next(), None);
        let names: Vec<&str> = prices.iter().map(|price| price.model.as_str()).collect();
        assert_eq!(names, ["a", "a-20*"]);
        let price = &prices[1];
        let text = |rates: &Rates| rates.input.map(|rate| rate.to_string());
        assert_eq!(text(&price.rates).as_deref(), Some("1"));
        assert_eq!(
            text(&price.services[&Service::Flex]).as_deref(),
            Some("0.5")
        );
        assert_eq!(price.tiers[0].above_input_tokens, 200_000);
        assert_eq!(text(&price.tiers[0].rates).as_deref(), Some("2"));
        let long = &price.tiers[0].services[&Service::Flex];
        assert_eq!(text(long).as_deref(), Some("1"));
        assert_eq!(price.max_output, Some(5));
        assert_eq!(
            price.source.as_deref(),
            Some("built-in: https://example.com/pricing")
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for word in [
            "colour=1",
            "input=x",
            "input=-1",
            "slow.input=1",
            ">200.input=1",
            ">k.input=1",
            ">200k.slow.input=1",
            "max_output=-1",
            "input=1 input=2",
        ] {
            let book = format!("{SECTION}a {word}\n");
            let wrong = rows(&book).next().unwrap().unwrap_err();
            assert_eq!(wrong.line, 2, "{word}");
            assert!(word.ends_with(&wrong.what), "{wrong}");
        }
        assert!(rows("@ yesterday x\n").next().unwrap().is_err());
    }
}
