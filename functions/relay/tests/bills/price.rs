//! What a case says of its price: rates, services, tiers, pieces, and the row of the book they are from.

use shared::domain::money::{NanoUsd, Rate};
use shared::domain::price::{Pieces, Price, Rates, Tier};
use shared::domain::price_book;
use shared::domain::usage::Service;

/// The lines that tell a price.
pub(super) const LINES: [&str; 6] = ["rates", "service", "tier", "pieces", "per_call", "book"];

/// A price as it is written in a case.
#[derive(Debug)]
pub(super) struct Written {
    /// By the figures that stand there.
    pub(super) price: Price,
    /// The model whose row of the book these figures are.
    pub(super) book: Option<String>,
}

/// The price in the lines of a case; lines of other kinds are left alone.
pub(super) fn read(model: &str, lines: &[(&str, &str)]) -> Written {
    let mut price = Price {
        model: model.to_owned(),
        ..Price::default()
    };
    let mut book = None;
    for (line, text) in lines {
        match *line {
            "rates" => price.rates = rates(text),
            "service" => {
                let (service, text) = first(text);
                let before = price.services.insert(named(service), rates(text));
                assert!(before.is_none(), "two lines of {service}");
            }
            "tier" => read_tier(&mut price, text),
            "pieces" => price.pieces = pieces(text),
            "per_call" => price.per_call = Some(text.parse().unwrap()),
            "book" => book = Some((*text).to_owned()),
            _ => {}
        }
    }
    Written { price, book }
}

impl Written {
    /// What the book says otherwise than the case.
    pub(super) fn differs(&self) -> Option<String> {
        let name = self.book.as_ref()?;
        let Some(row) = price_book::find(name) else {
            return Some(format!("the book has no price of {name}"));
        };
        let (here, there) = (figures(&self.price), figures(row));
        (here != there).then(|| format!("the book has {there}, and the case {here}"))
    }

    /// What a call is billed by: the book's own row, where the case names one.
    pub(super) fn bills_by(&self) -> &Price {
        let row = self.book.as_deref().and_then(price_book::find);
        row.map_or(&self.price, |row| row)
    }
}

/// All that a bill depends on.
fn figures(price: &Price) -> String {
    let figures = Price {
        rates: price.rates,
        pieces: price.pieces,
        per_call: price.per_call,
        tiers: price.tiers.clone(),
        services: price.services.clone(),
        ..Price::default()
    };
    serde_json::to_string(&figures).unwrap()
}

/// `200_000 input 6, output 22.5`, or those of a service there: `200_000 flex input 3`.
fn read_tier(price: &mut Price, text: &str) {
    let (above, text) = first(text);
    let above_input_tokens = above.replace('_', "").parse().unwrap();
    let known = |tier: &Tier| tier.above_input_tokens == above_input_tokens;
    if !price.tiers.iter().any(known) {
        price.tiers.push(Tier {
            above_input_tokens,
            ..Tier::default()
        });
    }
    let tier = price.tiers.iter_mut().find(|tier| known(tier)).unwrap();
    let (word, rest) = first(text);
    let before = if SERVICES.iter().any(|(name, _)| *name == word) {
        tier.services.insert(named(word), rates(rest))
    } else {
        Some(std::mem::replace(&mut tier.rates, rates(text)))
    };
    let twice = before.is_some_and(|before| !before.is_empty());
    assert!(!twice, "two lines of what is above {above}");
}

fn first(text: &str) -> (&str, &str) {
    let parts = text.split_once(' ');
    parts.unwrap_or_else(|| panic!("{text} says too little"))
}

const SERVICES: [(&str, Service); 4] = [
    ("batch", Service::Batch),
    ("flex", Service::Flex),
    ("priority", Service::Priority),
    ("fast", Service::Fast),
];

/// The service of that name.
pub(super) fn named(word: &str) -> Service {
    let found = SERVICES.iter().find(|(name, _)| *name == word);
    found.unwrap_or_else(|| panic!("what service is {word}?")).1
}

/// `name value, name value`.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(", ").map(first)
}

fn rates(text: &str) -> Rates {
    let mut rates = Rates::default();
    for (name, rate) in pairs(text) {
        let place = match name {
            "input" => &mut rates.input,
            "output" => &mut rates.output,
            "cache_read" => &mut rates.cache_read,
            "cache_read_audio" => &mut rates.cache_read_audio,
            "cache_read_image" => &mut rates.cache_read_image,
            "cache_write_5m" => &mut rates.cache_write_5m,
            "cache_write_1h" => &mut rates.cache_write_1h,
            "reasoning" => &mut rates.reasoning,
            "input_audio" => &mut rates.input_audio,
            "output_audio" => &mut rates.output_audio,
            "input_image" => &mut rates.input_image,
            "output_image" => &mut rates.output_image,
            other => panic!("what rate is {other}?"),
        };
        let before = place.replace(rate.parse::<Rate>().unwrap());
        assert!(before.is_none(), "two rates of {name}");
    }
    rates
}

fn pieces(text: &str) -> Pieces {
    let mut pieces = Pieces::default();
    for (name, amount) in pairs(text) {
        let place = match name {
            "web_search" => &mut pieces.web_search,
            "file_search" => &mut pieces.file_search,
            "code_run" => &mut pieces.code_run,
            other => panic!("what piece is {other}?"),
        };
        let before = place.replace(amount.parse::<NanoUsd>().unwrap());
        assert!(before.is_none(), "two amounts of {name}");
    }
    pieces
}
