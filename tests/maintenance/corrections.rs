//! Corrections: whatever periods, models and users overlap, whoever runs at once and whatever befalls the
//! table, what was booked for a call is what it cost less what it would have cost.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::civil::Date;
use local::engine::TABLE_NAME;
use maintenance::jobs::JOBS;
use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Map, Value, json};
use shared::domain::id::UserId;
use shared::domain::money::NanoUsd;
use shared::domain::price::{Price, Rates};
use shared::domain::rollup::begin_of;
use shared::domain::usage::Usage;
use tests::faults::{BEFALLS, Faults};
use tests::records::record;
use tests::{House, database};

/// Every call takes a thousand tokens: at one USD a million so many nano-USD.
const AT_ONE_USD: i64 = 1_000_000;
const GRANTED: i64 = 1_000_000_000_000;

/// A house with users of a thousand USD each.
async fn house_with(names: &[&str], faults: &Faults) -> (House, Vec<UserId>) {
    let house = House::builder().bare().with(faults).build().await;
    let root = house.root().await;
    let mut users = Vec::new();
    for name in names {
        let user = root.create_user(name).await;
        root.credit(&user, "1000").await;
        users.push(user.parse().unwrap());
    }
    (house, users)
}

fn day(of_november: i64) -> Date {
    Date::new(2026, 11, i8::try_from(of_november).unwrap()).unwrap()
}

/// Writes the record of a call that cost so much.
async fn call(house: &House, user: UserId, date: Date, model: &str, (n, cost): (u128, i64)) {
    let mut record = record(user, begin_of(date) + 3_600_000, 100, n);
    record.model = Some(model.to_owned());
    record.cost = NanoUsd::new(cost);
    record.tokens = Usage {
        input: 1_000,
        ..Usage::default()
    };
    house.store.usage_log().write(&record, 90).await.unwrap();
}

async fn set_price(house: &House, model: &str, usd: i64) {
    let rate = |usd: i64| usd.to_string().parse().ok();
    let rates = Rates {
        input: rate(usd),
        output: rate(1),
        ..Rates::default()
    };
    let price = Price {
        model: model.to_owned(),
        rates,
        ..Price::default()
    };
    let configuration = house.store.configuration();
    configuration
        .put_price(&price, house.clock.now())
        .await
        .unwrap();
}

async fn apply(house: &House, first: Date, last: Date, more: Value) -> Value {
    let report = house
        .run_job("re_rate", period(first, last, more).into())
        .await;
    report["report"].clone()
}

fn period(first: Date, last: Date, more: Value) -> Map<String, Value> {
    let arguments = json!({ "from": first.to_string(), "to": last.to_string(), "dry_run": false });
    let (Value::Object(mut arguments), Value::Object(more)) = (arguments, more) else {
        panic!("arguments are an object")
    };
    arguments.extend(more);
    arguments
}

async fn run_without_lease(house: &House, arguments: &Map<String, Value>) -> Value {
    let job = JOBS.iter().find(|job| job.name() == "re_rate").unwrap();
    job.run(&house.server.maintenance, arguments).await.unwrap()
}

/// By how much the balance has moved.
async fn moved(house: &House, user: UserId) -> i64 {
    let wallet = house.wallet(&user.to_string()).await;
    assert_eq!(wallet.granted, wallet.balance);
    wallet.balance.get() - GRANTED
}

/// The same; the user's credits must say so, too.
async fn corrected(house: &House, user: UserId) -> i64 {
    let path = format!("/api/users/{user}/credits?limit=200");
    let credits = house.root().await.get(&path).await.expect(200);
    let credits = credits["data"].as_array().unwrap();
    let credits = credits
        .iter()
        .filter(|credit| credit["cause"] == "correction");
    let amounts = credits.map(|credit| credit["amount_usd"].as_str().unwrap().parse().unwrap());
    let booked: NanoUsd = amounts.sum();
    assert_eq!(moved(house, user).await, booked.get());
    booked.get()
}

type Group = (UserId, Date, &'static str);

/// What should be.
#[derive(Debug, Default)]
struct Books {
    /// How many calls there were, and what they cost.
    calls: BTreeMap<Group, (i64, i64)>,
    prices: BTreeMap<&'static str, i64>,
    corrected: BTreeMap<Group, i64>,
}

impl Books {
    fn apply(&mut self, meant: impl Fn(&Group) -> bool) {
        for (group, (calls, cost)) in &self.calls {
            if meant(group) {
                let after = calls * self.prices[group.2] * AT_ONE_USD;
                self.corrected.insert(*group, cost - after);
            }
        }
    }

    async fn are_true(&self, house: &House, users: &[UserId], when: &str) {
        for user in users {
            let of = self.corrected.iter().filter(|(group, _)| group.0 == *user);
            let expected: i64 = of.map(|(_, amount)| amount).sum();
            assert_eq!(moved(house, *user).await, expected, "{when}");
        }
    }
}

#[tokio::test]
async fn whatever_overlaps_what_was_booked_is_the_difference_to_the_last_price() {
    const MODELS: [&str; 3] = ["fast-a", "fast-b", "slow"];
    let faults = Faults::default();
    let (house, users) = house_with(&["ada", "bob"], &faults).await;
    let mut dice = TestRng::from_seed(RngAlgorithm::ChaCha, &[23; 32]);
    let mut books = Books::default();
    for model in MODELS {
        set_price(&house, model, 1).await;
        books.prices.insert(model, 1);
    }
    let steps = if database::elsewhere().is_some() {
        40
    } else {
        120
    };
    let mut applied = Vec::new();
    for step in 0..steps {
        match dice.random_range(0..4_u32) {
            0 => {
                let group = (
                    users[dice.random_range(0..2_usize)],
                    day(dice.random_range(18..=22)),
                    MODELS[dice.random_range(0..3_usize)],
                );
                let cost = dice.random_range(0..5 * AT_ONE_USD);
                call(&house, group.0, group.1, group.2, (step, cost)).await;
                let calls = books.calls.entry(group).or_default();
                *calls = (calls.0 + 1, calls.1 + cost);
            }
            1 => {
                let model = MODELS[dice.random_range(0..3_usize)];
                let usd = dice.random_range(0..9);
                set_price(&house, model, usd).await;
                books.prices.insert(model, usd);
            }
            _ => {
                let (a, b) = (dice.random_range(18..=22), dice.random_range(18..=22));
                let (first, last) = (day(a.min(b)), day(a.max(b)));
                let user = [None, Some(users[0]), Some(users[1])][dice.random_range(0..3_usize)];
                let prefix = ["", "fast-", "slow"][dice.random_range(0..3_usize)];
                let more = json!({ "user_id": user, "model": format!("{prefix}*") });
                books.apply(|(of, date, model)| {
                    user.is_none_or(|user| user == *of)
                        && (first..=last).contains(date)
                        && model.starts_with(prefix)
                });
                let befall = BEFALLS[dice.random_range(0..BEFALLS.len())];
                if dice.random_range(0..3_u32) == 0 {
                    faults.plan_all("TransactWriteItems", befall);
                }
                if dice.random_range(0..3_u32) == 0 {
                    let arguments = period(first, last, more.clone());
                    join_all((0..3).map(|_| run_without_lease(&house, &arguments))).await;
                } else {
                    apply(&house, first, last, more.clone()).await;
                }
                faults.clear();
                applied.push((first, last, more));
            }
        }
        let when = format!("after step {step}");
        books.are_true(&house, &users, &when).await;
    }
    // At the prices of now, the whole month, and then everything once more.
    apply(&house, day(1), day(30), json!({})).await;
    books.apply(|_| true);
    books.are_true(&house, &users, "at last").await;
    for user in &users {
        corrected(&house, *user).await;
    }
    assert!(books.corrected.values().any(|amount| *amount != 0));
    let credits = credits(&house, &users).await;
    for (first, last, more) in applied {
        let report = apply(&house, first, last, more).await;
        assert_eq!(report["total"]["rest_usd"], "0", "{report}");
    }
    assert_eq!(self::credits(&house, &users).await, credits);
}

/// How many credits there are.
async fn credits(house: &House, users: &[UserId]) -> usize {
    let (mut count, root) = (0, house.root().await);
    for user in users {
        let path = format!("/api/users/{user}/credits?limit=200");
        let page = root.get(&path).await.expect(200);
        count += page["data"].as_array().unwrap().len();
    }
    count
}

#[tokio::test]
async fn days_that_were_corrected_one_by_one_are_not_corrected_again_with_their_month() {
    let (house, users) = house_with(&["ada"], &Faults::default()).await;
    let ada = users[0];
    for n in 0..4 {
        let date = day(18 + i64::try_from(n).unwrap());
        call(&house, ada, date, "fast", (n, 3 * AT_ONE_USD)).await;
    }
    set_price(&house, "fast", 1).await;
    for date in [day(18), day(19)] {
        let report = apply(&house, date, date, json!({})).await;
        assert_eq!(report["total"]["booked_usd"], "0.002");
    }
    let overlapping = apply(&house, day(19), day(20), json!({ "model": "f*" })).await;
    assert_eq!(overlapping["total"]["booked_usd"], "0.004");
    let month = apply(&house, day(1), day(30), json!({})).await;
    let total = &month["total"];
    assert_eq!(
        (&total["booked_usd"], &total["rest_usd"], &total["records"]),
        (&json!("0.008"), &json!("0"), &json!(4))
    );
    assert_eq!(corrected(&house, ada).await, 8 * AT_ONE_USD);
    // Days that are still to come have no calls.
    assert_eq!(month["last_day"], "2026-11-23");
}

#[tokio::test]
async fn more_than_one_write_takes_is_booked_all_the_same() {
    let (house, users) = house_with(&["ada"], &Faults::default()).await;
    let ada = users[0];
    for n in 0..230 {
        // A name that no key of the table could hold is one of them.
        let model = format!("made-up-{n}-{}", "x".repeat(if n == 7 { 2_000 } else { 0 }));
        call(&house, ada, day(22), &model, (n, 2 * AT_ONE_USD)).await;
    }
    set_price(&house, "made-up*", 1).await;
    for _ in 0..2 {
        let report = apply(&house, day(22), day(22), json!({})).await;
        let total = &report["total"];
        assert_eq!(
            (&total["booked_usd"], &total["rest_usd"]),
            (&json!("0.23"), &json!("0"))
        );
        assert_eq!(corrected(&house, ada).await, 230 * AT_ONE_USD);
    }
    assert_eq!(credits(&house, &users).await, 1 + 3);
}

#[tokio::test]
async fn what_could_not_be_paid_is_charged_when_it_can() {
    let (house, users) = house_with(&["ada"], &Faults::default()).await;
    let (ada, root) = (users[0], house.root().await);
    for (n, date) in [(0, day(20)), (1, day(21)), (2, day(22))] {
        call(&house, ada, date, "dear", (n, AT_ONE_USD)).await;
    }
    let call_them_back = json!({ "amount_usd": "-999.9985", "note": "all but a little" });
    let path = format!("/api/users/{ada}/credits");
    root.post(&path, &call_them_back).await.expect(201);
    set_price(&house, "dear", 2).await;
    let wanted = [
        ("0", "-0.0015", "-0.0015"),
        ("0.001", "-0.0025", "-0.0005"),
        ("1", "-0.003", "0"),
    ];
    for (more, booked, rest) in wanted {
        if more != "0" {
            root.credit(&ada.to_string(), more).await;
        }
        for _ in 0..2 {
            let report = apply(&house, day(1), day(23), json!({})).await;
            let total = &report["total"];
            assert_eq!(
                (&total["booked_usd"], &total["rest_usd"]),
                (&json!(booked), &json!(rest))
            );
        }
    }
    let left = house.wallet(&ada.to_string()).await.balance;
    assert_eq!(left.to_string(), "0.9995");
}

#[tokio::test]
async fn records_that_have_expired_take_no_correction_back() {
    let (house, users) = house_with(&["ada"], &Faults::default()).await;
    let ada = users[0];
    for n in 0..3 {
        call(&house, ada, day(20), "fast", (n, 3 * AT_ONE_USD)).await;
    }
    call(&house, ada, day(21), "fast", (3, 3 * AT_ONE_USD)).await;
    set_price(&house, "fast", 1).await;
    apply(&house, day(20), day(21), json!({})).await;
    assert_eq!(corrected(&house, ada).await, 8 * AT_ONE_USD);
    // The table deletes one after the other.
    let gone = record(ada, begin_of(day(20)) + 3_600_000, 100, 0).id;
    let delete = house.database.client().delete_item().table_name(TABLE_NAME);
    let key = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
    let delete = delete.key("pk", key(format!("USAGE#{ada}#2026-11")));
    let delete = delete.key("sk", key(gone.to_string()));
    delete.send().await.unwrap();
    set_price(&house, "fast", 2).await;
    let report = apply(&house, day(20), day(21), json!({})).await;
    assert_eq!(
        (&report["skipped"]["expired"], &report["total"]["records"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(corrected(&house, ada).await, 7 * AT_ONE_USD);
    // Days whose records may have begun to expire are not looked at.
    house.clock.advance_ms(100 * 86_400_000);
    let report = apply(&house, day(20), day(21), json!({})).await;
    assert_eq!(report["users"], json!([]), "{report}");
    assert_eq!(corrected(&house, ada).await, 7 * AT_ONE_USD);
}

#[tokio::test]
async fn what_no_balance_has_paid_for_is_given_back_to_none() {
    let (house, users) = house_with(&["ada"], &Faults::default()).await;
    let ada = users[0];
    let mut free = record(ada, begin_of(day(20)), 100, 1);
    (free.model, free.cost) = (Some("fast".to_owned()), NanoUsd::new(AT_ONE_USD));
    free.holds.clear();
    house.store.usage_log().write(&free, 90).await.unwrap();
    set_price(&house, "fast", 0).await;
    let report = apply(&house, day(20), day(20), json!({})).await;
    let total = &report["total"];
    // Its tokens of output cost a little still.
    assert_eq!(total["before_usd"], "0.001");
    assert_ne!(total["difference_usd"], "0");
    assert_eq!(
        (&total["booked_usd"], &total["rest_usd"]),
        (&json!("0"), &json!("0"))
    );
    assert_eq!(corrected(&house, ada).await, 0);
}
