//! Golden bills: what providers say was used, what that is by component, and the amount worked out by hand.
//!
//! The cases are in `cases/*.txt`; `case.rs` tells how they are written. Each is played through every
//! lane that it can take, whole and streamed, and is the same bill in all of them.

mod arithmetic;
mod case;
mod embeddings;
mod lanes;
mod price;
mod wire;

use std::collections::BTreeSet;

use shared::domain::usage::Usage;

use crate::stage::nothing;
use case::{Case, Expected};

/// Every case.
fn cases() -> Vec<Case> {
    [
        include_str!("cases/openai_chat.txt"),
        include_str!("cases/compatible.txt"),
        include_str!("cases/openai_responses.txt"),
        include_str!("cases/anthropic.txt"),
        include_str!("cases/bedrock.txt"),
        include_str!("cases/gemini.txt"),
        include_str!("cases/cohere.txt"),
        include_str!("cases/hostile.txt"),
        include_str!("cases/prices.txt"),
        include_str!("cases/book.txt"),
    ]
    .into_iter()
    .flat_map(case::read)
    .collect()
}

/// Complaints of other gateways' users that a payload can show, by their numbers in our notes.
const COMPLAINTS: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 21];

#[test]
fn there_are_bills_of_all_kinds_under_names_of_their_own() {
    let cases = cases();
    assert!(cases.len() >= 190, "{} cases", cases.len());
    let from_the_book = cases.iter().filter(|case| case.price.book.is_some());
    let count = from_the_book.count();
    assert!(count >= 10, "{count} cases are priced by the book");
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    let told = |number: u8| {
        let prefix = format!("peers_{number:02}_");
        names.iter().any(|name| name.starts_with(&prefix))
    };
    let untold: Vec<u8> = COMPLAINTS.into_iter().filter(|n| !told(*n)).collect();
    assert!(untold.is_empty(), "no case for {untold:?}");
}

#[test]
fn the_arithmetic_beside_each_bill_is_right() {
    let mut wrong = Vec::new();
    for case in cases() {
        if let Some(work) = &case.work {
            wrong.extend(arithmetic::check(work).err().map(|why| case.says(&why)));
        }
    }
    nothing(&wrong);
}

#[test]
fn every_usage_costs_what_was_worked_out_by_hand() {
    let mut wrong = Vec::new();
    for case in cases() {
        let (Expected::Usage(usage), Some(work)) = (&case.expected, &case.work) else {
            continue;
        };
        let price = case.price.bills_by();
        let bill = price.bill(usage, case.ratio).total.to_string();
        let by_hand = arithmetic::amount(work);
        if bill != by_hand {
            wrong.push(case.says(&format!("the bill is {bill}, by hand it is {by_hand}")));
        }
    }
    nothing(&wrong);
}

#[test]
fn the_rows_of_the_book_are_those_that_stand_beside_their_bills() {
    let mut wrong = Vec::new();
    for case in cases() {
        wrong.extend(case.price.differs().map(|why| case.says(&why)));
    }
    nothing(&wrong);
}

#[test]
fn no_search_or_container_is_billed_without_its_price_in_sight() {
    let mut wrong = Vec::new();
    for case in cases() {
        let Expected::Usage(usage) = &case.expected else {
            continue;
        };
        let pieces = &case.price.price.pieces;
        for (count, amount, what) in [
            (usage.web_searches, pieces.web_search, "web_search"),
            (usage.file_searches, pieces.file_search, "file_search"),
            (usage.code_runs, pieces.code_run, "code_run"),
        ] {
            if count > 0 && amount.is_none() {
                wrong.push(case.says(&format!("what does a {what} cost?")));
            }
        }
    }
    nothing(&wrong);
}

#[test]
fn every_lane_sees_the_same_usage_whole_and_streamed() {
    let mut wrong = Vec::new();
    for case in cases() {
        let readings = lanes::readings(&case);
        assert!(!readings.is_empty(), "{}: nothing is read", case.name);
        for (lane, seen) in readings {
            let expected = match &case.expected {
                Expected::Usage(usage) => Some(*usage),
                Expected::Estimated => None,
            };
            if seen != expected {
                wrong.push(case.says(&format!("{lane}: {seen:?}, and not {expected:?}")));
            }
        }
    }
    nothing(&wrong);
}

#[test]
fn callers_are_told_the_same_totals_in_their_own_dialects() {
    let mut wrong = Vec::new();
    for case in cases() {
        let Expected::Usage(usage) = &case.expected else {
            continue;
        };
        for (lane, told) in lanes::told_to_callers(&case) {
            let told = told.map(totals);
            if told != Some(totals(*usage)) {
                let right = totals(*usage);
                wrong.push(case.says(&format!("{lane}: {told:?}, and not {right:?}")));
            }
        }
    }
    nothing(&wrong);
}

/// What every dialect can tell.
fn totals(usage: Usage) -> [(&'static str, u64); 4] {
    [
        ("input", usage.total_input()),
        ("cached", usage.total_cache_read()),
        ("output", usage.total_output()),
        ("reasoning", usage.reasoning),
    ]
}
