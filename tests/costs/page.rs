//! The page: `docs/costs.md`.

use std::fmt::Write;
use std::fs;

use tests::meter::{Sums, Units};

use super::figures::{Figures, times};
use super::prices::{self as price, DAYS, Nano, USD};
use super::rows::{FULLEST, ROWS};

/// A million calls.
const MILLION: u64 = 1_000_000;
/// Memory of the relay in MB, as the template has it unless it is told otherwise.
const RELAY_MB: u64 = 256;
/// What is assumed of a call, where nothing is measured.
const ANSWER_KB: u64 = 8;
const LOGGED_BYTES: u64 = 1_000;
const SECONDS: u64 = 15;
/// What is assumed of a run of maintenance.
const RUN_MS: u64 = 200;
const RUN_LOGGED_BYTES: u64 = 700;
/// What DynamoDB adds to each item that it keeps, and to each entry of an index.
const ITEM_OVERHEAD: u64 = 100;

pub(super) fn write(figures: &Figures) -> String {
    let mut page = HEAD.to_owned();
    calls(&mut page, figures);
    items(&mut page, figures);
    beside(&mut page, figures);
    idle(&mut page, figures);
    lambda(&mut page);
    all(&mut page, figures);
    assumptions(&mut page);
    page
}

const HEAD: &str = "\
# What it costs

<!-- Written by tests/costs. Do not edit: see CONTRIBUTING.md. -->

Two bills: the books of each call in DynamoDB, and what carries the call. The units are measured: the
stories make each call, and ask the database what it consumed (`ReturnConsumedCapacity`). A write unit
is 1 KB written, in the table or in its index; a read unit is 4 KB read, half of one when it may be a
moment old.

## The books of a call

When key, user and configuration are in memory, which they are but for one call in five seconds.

";

fn calls(page: &mut String, figures: &Figures) {
    page.push_str("| call | write units | of these the index's | read units | aim, write units | USD a million calls |\n");
    page.push_str("|---|---:|---:|---:|---:|---:|\n");
    for (row, call) in ROWS.iter().zip(&figures.calls) {
        let Sums {
            written,
            index,
            read,
            ..
        } = call.sums;
        let aim = match row.aim {
            None => String::new(),
            Some(aim) if written <= Units::whole(aim) => format!("{aim}"),
            Some(aim) => format!("{aim}: missed"),
        };
        let title = row.title;
        let dollars = usd(books(written, read));
        writeln!(
            page,
            "| {title} | {written} | {index} | {read} | {aim} | {dollars} |"
        )
        .unwrap();
    }
}

fn items(page: &mut String, figures: &Figures) {
    page.push_str("\nThe fullest of them, by what is written and read:\n\n");
    page.push_str("| item | operations | write units | of these the index's | read units |\n|---|---:|---:|---:|---:|\n");
    for (kind, sums) in &fullest(figures).kinds {
        let Sums {
            operations,
            written,
            index,
            read,
        } = sums;
        writeln!(
            page,
            "| `{kind}` | {operations} | {written} | {index} | {read} |"
        )
        .unwrap();
    }
    let bytes = figures.record_bytes;
    let kept = kept_bytes(figures);
    let month = kept * MILLION * price::STORED_GB / GB;
    writeln!(
        page,
        "\nIts usage record has {bytes} bytes. Kept, and in the index, a million of them cost {} USD a \
         month beyond the first 25 GB of an account.",
        usd(month)
    )
    .unwrap();
}

fn beside(page: &mut String, figures: &Figures) {
    page.push_str(
        "\n## Beside the calls\n\n| what | write units | read units |\n|---|---:|---:|\n",
    );
    for (what, sums) in &figures.beside {
        writeln!(page, "| {what} | {} | {} |", sums.written, sums.read).unwrap();
    }
    page.push_str(
        "\nA process is one instance of the relay. The configuration here is two channels and one price; each \
         further 4 KB of it is one read unit more, once a process and after each change of it.\n",
    );
    let reads = usd(price::TEN_THOUSAND_READS_OF_SECRETS);
    writeln!(
        page,
        "Ten thousand starts of a process read the secret for {reads} USD."
    )
    .unwrap();
}

fn idle(page: &mut String, figures: &Figures) {
    page.push_str("\n## When nobody calls\n\n| job | runs a day | write units a run | read units a run | USD a month |\n|---|---:|---:|---:|---:|\n");
    for job in &figures.jobs {
        let runs = job.runs_a_day * DAYS;
        let cost = books(times(job.run.written, runs), times(job.run.read, runs)) / MILLION;
        let (name, day, run) = (job.name, job.runs_a_day, job.run);
        writeln!(
            page,
            "| `{name}` | {day} | {} | {} | {} |",
            run.written,
            run.read,
            fine(cost)
        )
        .unwrap();
    }
    let bill = idle_bill(figures);
    page.push_str("\n| a month of nobody calling | USD | USD, without what AWS gives for nothing |\n|---|---:|---:|\n");
    for line in &bill {
        writeln!(
            page,
            "| {} | {} | {} |",
            line.what,
            fine(line.after),
            fine(line.before)
        )
        .unwrap();
    }
    let (after, before) = bill.iter().fold((0, 0), |(after, before), line| {
        (after + line.after, before + line.before)
    });
    writeln!(
        page,
        "| **all** | **{}** | **{}** |",
        fine(after),
        fine(before)
    )
    .unwrap();
    writeln!(
        page,
        "\nA dashboard is made only where it is asked for; beyond the first three of an account each is \
         {} USD.\nA web ACL is not made, only named.",
        usd(price::DASHBOARD)
    )
    .unwrap();
}

/// A line of a bill: what is paid, and what would be without AWS's monthly gifts.
struct Line {
    what: String,
    after: Nano,
    before: Nano,
}

fn idle_bill(figures: &Figures) -> Vec<Line> {
    let template = fs::read_to_string("../template.yaml").unwrap();
    let count = |kind: &str| template.matches(&format!("Type: {kind}\n")).count() as u64;
    let (secrets, alarms) = (
        count("AWS::SecretsManager::Secret"),
        count("AWS::CloudWatch::Alarm"),
    );
    let runs = figures.runs_a_month();
    let (written, read) = figures.idle_a_month();
    let jobs = books(written, read) / MILLION;
    let seconds = gb_seconds(RELAY_MB, runs * RUN_MS) / 1_000;
    let lambda =
        seconds * price::GB_SECOND_PICO / 1_000 + runs * price::MILLION_INVOCATIONS / MILLION;
    let logs = runs * RUN_LOGGED_BYTES * price::LOGGED_GB / GB;
    let always = |what: String, cost| Line {
        what,
        after: cost,
        before: cost,
    };
    let given = |what: String, cost| Line {
        what,
        after: 0,
        before: cost,
    };
    vec![
        always(format!("{secrets} secret"), secrets * price::SECRET),
        always("reads and writes of the jobs".to_owned(), jobs),
        given(
            format!("{runs} runs of schedules (14 million are free)"),
            runs * price::MILLION_SCHEDULED / MILLION,
        ),
        given(
            "the functions that they start (400,000 GB-seconds and a million calls are free)"
                .to_owned(),
            lambda,
        ),
        given("their logs (5 GB are free)".to_owned(), logs),
        given(
            format!("{alarms} alarms (ten an account are free)"),
            alarms * price::ALARM,
        ),
        always(
            "table, index and point-in-time recovery, all but empty".to_owned(),
            (price::STORED_GB + price::RECOVERABLE_GB) / 1_000,
        ),
        always("CloudFront".to_owned(), 0),
    ]
}

fn lambda(page: &mut String) {
    page.push_str("\n## Carrying a call\n\nThe relay is paid for as long as the provider answers: seconds × GB × 0.0000133334 USD (arm64), and\n0.20 USD a million calls. USD a million calls:\n\n| an answer takes | 128 MB | 256 MB | 512 MB |\n|---|---:|---:|---:|\n");
    for seconds in [1, 5, 15, 60] {
        let cell = |mb| usd(carried(seconds, mb));
        writeln!(
            page,
            "| {seconds} s | {} | {} | {} |",
            cell(128),
            cell(256),
            cell(512)
        )
        .unwrap();
    }
    let fronted = price::MILLION_REQUESTS + price::MILLION_EDGE_RUNS;
    writeln!(
        page,
        "\nCloudFront: {} USD a million calls for the request and the function that tells who calls, and {} \
         USD a GB sent (10 million requests, 2 million runs and 1 TB a month are free). Lambda asks {} USD \
         a GB more for what an answer has beyond 6 MB.",
        usd(fronted),
        fine(price::SENT_GB),
        fine(price::STREAMED_GB),
    )
    .unwrap();
}

fn all(page: &mut String, figures: &Figures) {
    writeln!(page, "\n## All of it\n\nA million calls in a month, with every limit, {SECONDS} s each, at {RELAY_MB} MB, in USD; first as if AWS gave\nnothing for nothing.\n\n| what | USD |\n|---|---:|").unwrap();
    let sums = fullest(figures).sums;
    let stored = kept_bytes(figures) * MILLION;
    let lines = [
        ("books: writes and reads", books(sums.written, sums.read)),
        (
            "books: a month of records, kept and recoverable",
            stored * (price::STORED_GB + price::RECOVERABLE_GB) / GB,
        ),
        ("Lambda", carried(SECONDS, RELAY_MB)),
        (
            "CloudFront: requests",
            price::MILLION_REQUESTS + price::MILLION_EDGE_RUNS,
        ),
        (
            "CloudFront: answers",
            ANSWER_KB * 1_000 * MILLION * price::SENT_GB / GB,
        ),
        ("logs", LOGGED_BYTES * MILLION * price::LOGGED_GB / GB),
        (
            "idle, as above",
            idle_bill(figures).iter().map(|line| line.before).sum(),
        ),
    ];
    for (what, cost) in lines {
        writeln!(page, "| {what} | {} |", usd(cost)).unwrap();
    }
    let total: Nano = lines.iter().map(|(_, cost)| cost).sum();
    let given = (400_000 * price::GB_SECOND_PICO / 1_000) + price::MILLION_INVOCATIONS;
    writeln!(page, "| **all** | **{}** |", usd(total)).unwrap();
    writeln!(
        page,
        "\nAWS gives each account 400,000 GB-seconds and a million calls of functions a month: {} USD less. The \
         requests to CloudFront are free up to ten million, its first TB and the table's first 25 GB, too.",
        usd(given)
    )
    .unwrap();
}

fn assumptions(page: &mut String) {
    writeln!(
        page,
        "\n## What is assumed\n\n\
         * Prices of us-east-1, on demand, November 2026, without taxes. They stand in `tests/costs/prices.rs`.\n\
         * A month has {DAYS} days. A GB has 1,000,000,000 bytes.\n\
         * A refused write is counted at what the item's size makes it, though the answer of AWS does not tell.\n\
         * Measured with names as long as real ones, one answer's usage with cached and reasoning tokens, wallets\n  \
           with few calls in flight: a wallet is one unit until some twenty calls are.\n\
         * Not measured: {ANSWER_KB} KB an answer, {LOGGED_BYTES} bytes of log a call; {RUN_MS} ms and {RUN_LOGGED_BYTES} bytes of log a run of maintenance.\n\
         * What people do in the console is not counted: it is reads of lists, and nobody does it a million times.\n\n\
         Where the prices stand:"
    )
    .unwrap();
    for at in price::PAGES {
        writeln!(page, "<{at}>").unwrap();
    }
}

const GB: u64 = 1_000_000_000;

fn fullest(figures: &Figures) -> &super::figures::Cost {
    let mut rows = ROWS.iter().zip(&figures.calls);
    rows.find(|(row, _)| row.title == FULLEST).unwrap().1
}

/// What a record takes in table and index.
fn kept_bytes(figures: &Figures) -> u64 {
    (figures.record_bytes + ITEM_OVERHEAD) * 2
}

/// What a million times so many units cost.
fn books(written: Units, read: Units) -> Nano {
    written.halves() * price::MILLION_HALF_WRITES + read.halves() * price::MILLION_HALF_READS
}

/// GB-seconds.
fn gb_seconds(mb: u64, seconds: u64) -> u64 {
    mb * seconds / 1_024
}

/// What Lambda asks for a million calls of so many seconds.
fn carried(seconds: u64, mb: u64) -> Nano {
    gb_seconds(mb, seconds * MILLION) * price::GB_SECOND_PICO / 1_000 + price::MILLION_INVOCATIONS
}

/// Dollars and cents.
fn usd(nano: Nano) -> String {
    let cents = (nano + USD / 200) / (USD / 100);
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// Dollars and hundredths of cents.
fn fine(nano: Nano) -> String {
    let parts = (nano + USD / 20_000) / (USD / 10_000);
    format!("{}.{:04}", parts / 10_000, parts % 10_000)
}
