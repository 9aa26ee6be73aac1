//! What the books cost: write and read units of each kind of call, of what comes beside the calls, and
//! of nobody calling. With `TOLLHOUSE_UPDATE_DOCS=1` the page is written instead of compared.

mod figures;
mod page;
mod prices;
mod rows;
mod units;

use std::fs;

use figures::Figures;
use rows::ROWS;
use tests::database;
use tests::meter::Units;

const PAGE: &str = "../docs/costs.md";

#[tokio::test]
async fn calls_write_no_more_than_they_may_and_the_page_says_how_much() {
    let figures = Figures::measure().await;
    let rows = ROWS.iter().zip(&figures.calls);
    let dear: Vec<String> = rows
        .filter(|(row, call)| call.sums.written > Units::whole(row.most))
        .map(|(row, call)| {
            format!(
                "{} writes {}: {:?}",
                row.title, call.sums.written, call.kinds
            )
        })
        .collect();
    assert!(dear.is_empty(), "{dear:#?}");
    if database::elsewhere().is_some() {
        // DynamoDB Local asks nothing for a query that finds nothing; AWS asks for one unit.
        return;
    }
    let page = page::write(&figures);
    if shared::env::optional("TOLLHOUSE_UPDATE_DOCS").is_some() {
        fs::write(PAGE, &page).unwrap();
        return;
    }
    let written = fs::read_to_string(PAGE).unwrap_or_default();
    let news: Vec<&str> = page
        .lines()
        .filter(|line| !written.lines().any(|old| old == *line))
        .collect();
    let told = "docs/costs.md is stale: write it with TOLLHOUSE_UPDATE_DOCS=1, and read the diff";
    assert!(written == page, "{told}\n{news:#?}");
}
