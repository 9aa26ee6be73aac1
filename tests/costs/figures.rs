//! The figures of the page, measured.

use std::collections::BTreeMap;

use maintenance::jobs::JOBS;
use serde_json::json;
use tests::House;
use tests::callers::KeyCaller;
use tests::meter::{self, Charge, Meter, Sums, Units};

use super::prices::DAYS;
use super::rows::{FULLEST, MODEL, ROWS, Row};

/// For how long an instance believes what it has read, and a little more, in milliseconds.
const STALE_MS: i64 = 6_000;
const HOUR_MS: i64 = 3_600_000;

/// Everything that the page tells.
pub(super) struct Figures {
    /// A call of each row, in their order.
    pub(super) calls: Vec<Cost>,
    /// What the fullest call takes more, and when.
    pub(super) beside: Vec<(&'static str, Sums)>,
    /// Each job, while nobody calls.
    pub(super) jobs: Vec<Idle>,
    /// The bytes of the fullest call's usage record.
    pub(super) record_bytes: u64,
}

/// What a call takes.
pub(super) struct Cost {
    pub(super) sums: Sums,
    pub(super) kinds: BTreeMap<String, Sums>,
}

/// What a job takes while nobody calls.
pub(super) struct Idle {
    pub(super) name: &'static str,
    pub(super) runs_a_day: u64,
    pub(super) run: Sums,
}

impl Cost {
    fn of(charges: &[Charge]) -> Self {
        Self {
            sums: meter::sum(charges),
            kinds: meter::by_kind(charges),
        }
    }
}

impl Figures {
    pub(super) async fn measure() -> Self {
        let (calls, record_bytes) = calls().await;
        Self {
            calls,
            beside: beside().await,
            jobs: jobs().await,
            record_bytes,
        }
    }

    /// Runs of all jobs in a month.
    pub(super) fn runs_a_month(&self) -> u64 {
        self.jobs.iter().map(|job| job.runs_a_day * DAYS).sum()
    }

    /// What all jobs take in a month.
    pub(super) fn idle_a_month(&self) -> (Units, Units) {
        let all = |units: fn(&Sums) -> Units| {
            let runs = self.jobs.iter();
            let each = runs.map(|job| times(units(&job.run), job.runs_a_day * DAYS));
            each.sum()
        };
        (all(|sums| sums.written), all(|sums| sums.read))
    }
}

/// So many times as much.
pub(super) fn times(units: Units, count: u64) -> Units {
    Units::of_halves(units.halves() * count)
}

/// A house with two channels and one price, on a meter.
async fn house(meter: &Meter) -> House {
    let house = House::builder().bare().on(meter).build().await;
    let root = house.root().await;
    let price = json!({ "model": MODEL, "input": "3", "output": "15", "cache_read": "0.3" });
    assert!(root.post("/api/prices", &price).await.status < 300);
    for priority in [10, 5] {
        let mut channel = house.upstream.channel("openai-compatible");
        channel["models"] = json!([MODEL]);
        channel["priority"] = json!(priority);
        house.channel(channel).await;
    }
    house
}

/// A call of each row, when everything that is remembered is in memory; and the size of a record.
async fn calls() -> (Vec<Cost>, u64) {
    let meter = Meter::default();
    let house = house(&meter).await;
    let (mut costs, mut record_bytes) = (Vec::new(), 0);
    for (number, row) in ROWS.iter().enumerate() {
        let caller = row.caller(&house, number).await;
        let charges = warm(&house, &meter, row, &caller).await;
        if row.title == FULLEST {
            let record = charges.iter().find(|charge| charge.kind == "USAGE");
            record_bytes = record.unwrap().item_bytes;
        }
        costs.push(Cost::of(&charges));
    }
    (costs, record_bytes)
}

async fn warm(house: &House, meter: &Meter, row: &Row, caller: &KeyCaller) -> Vec<Charge> {
    for _ in 0..row.before {
        row.make(house, caller).await;
    }
    once(house, meter, row, caller).await
}

async fn once(house: &House, meter: &Meter, row: &Row, caller: &KeyCaller) -> Vec<Charge> {
    drop(meter.take());
    let status = row.make(house, caller).await;
    assert_eq!(status, row.status, "{}", row.title);
    meter.take()
}

/// What the fullest call takes more than it takes each time.
async fn beside() -> Vec<(&'static str, Sums)> {
    let meter = Meter::default();
    let house = house(&meter).await;
    let row = ROWS.iter().find(|row| row.title == FULLEST).unwrap();
    let caller = row.caller(&house, 0).await;
    let first = meter::sum(&once(&house, &meter, row, &caller).await);
    let warm = meter::sum(&warm(&house, &meter, row, &caller).await);
    house.clock.advance_ms(STALE_MS);
    let stale = meter::sum(&once(&house, &meter, row, &caller).await);
    house.clock.advance_ms(HOUR_MS);
    let hour = meter::sum(&once(&house, &meter, row, &caller).await);
    vec![
        ("the first call of a process", less(first, warm)),
        (
            "a process looks whether its configuration, the key and the user are still true, at most every 5 s",
            less(stale, warm),
        ),
        (
            "a process's first call of an hour with that user and key",
            less(hour, stale),
        ),
    ]
}

fn less(more: Sums, less: Sums) -> Sums {
    Sums {
        operations: more.operations.saturating_sub(less.operations),
        written: more.written - less.written,
        index: more.index - less.index,
        read: more.read - less.read,
    }
}

/// Each job's second run in a house with some users and keys in which nobody calls.
async fn jobs() -> Vec<Idle> {
    let meter = Meter::default();
    let house = house(&meter).await;
    for (number, row) in ROWS.iter().enumerate() {
        row.caller(&house, number).await;
    }
    let mut idle = Vec::new();
    for job in JOBS {
        let Some(every_s) = job.every_s() else {
            continue;
        };
        let period_ms = i64::try_from(every_s).unwrap() * 1_000;
        house.run_job(job.name(), json!({})).await;
        house.clock.advance_ms(period_ms);
        drop(meter.take());
        house.run_job(job.name(), json!({})).await;
        idle.push(Idle {
            name: job.name(),
            runs_a_day: 86_400 / every_s,
            run: meter::sum(&meter.take()),
        });
    }
    idle
}
