//! Rollups: the summary equals the records at any moment, whatever runs, dies or comes late.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use local::engine::TABLE_NAME;
use maintenance::jobs::JOBS;
use proptest::prelude::RngExt;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Map, Value, json};
use shared::domain::id::{RequestId, UserId};
use shared::domain::money::NanoUsd;
use shared::domain::record::{Status, UsageRecord};
use shared::failure::Failure;
use tests::House;
use tests::callers::{Administrator, KeyCaller};
use tests::faults::{Fault, Faults};
use tests::records::record;

const MINUTE_MS: i64 = 60_000;

/// What records add up to: requests, tokens of input and output, cost.
type Sum = (u64, u64, u64, NanoUsd);

fn sum_of(records: &[Value]) -> Sum {
    records
        .iter()
        .fold((0, 0, 0, NanoUsd::ZERO), |sum, record| {
            let cost: NanoUsd = record["cost_usd"].as_str().unwrap().parse().unwrap();
            (
                sum.0 + 1,
                sum.1 + record["tokens"]["input"].as_u64().unwrap(),
                sum.2 + record["tokens"]["output"].as_u64().unwrap(),
                sum.3.checked_add(cost).unwrap(),
            )
        })
}

fn sum_in(row: &Value) -> Sum {
    (
        row["requests"].as_u64().unwrap(),
        row["tokens"]["input"].as_u64().unwrap(),
        row["tokens"]["output"].as_u64().unwrap(),
        row["cost_usd"].as_str().unwrap().parse().unwrap(),
    )
}

/// Every record that anybody has, page by page.
async fn all_records(root: &Administrator) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = root.get(&format!("/api/usage?limit=200{cursor}")).await;
        let page = page.expect(200);
        all.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

async fn summary(root: &Administrator, query: &str) -> Value {
    let path = format!("/api/usage/summary?from=2026-11-01&{query}");
    root.get(&path).await.expect(200)
}

/// The summaries say what the records say: for everybody, by day, and for each user.
async fn summaries_are_true(house: &House, when: &str) {
    let root = house.root().await;
    let records = all_records(&root).await;
    let by_day = summary(&root, "by=user,day").await;
    assert_eq!(sum_in(&by_day["total"]), sum_of(&records), "{when}");
    let mut wanted: BTreeMap<(String, String), Vec<Value>> = BTreeMap::new();
    for record in &records {
        let day = record["at"]
            .as_str()
            .unwrap()
            .split_once('T')
            .unwrap()
            .0
            .to_owned();
        let user = record["user_id"].as_str().unwrap().to_owned();
        wanted.entry((user, day)).or_default().push(record.clone());
    }
    let rows = by_day["data"].as_array().unwrap();
    let rows: BTreeMap<(String, String), Sum> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            ((text("user_id"), text("day")), sum_in(row))
        })
        .collect();
    let wanted: BTreeMap<_, _> = wanted
        .into_iter()
        .map(|(group, records)| (group, sum_of(&records)))
        .collect();
    assert_eq!(rows, wanted, "{when}");
    let users: std::collections::BTreeSet<&String> = wanted.keys().map(|(user, _)| user).collect();
    for user in users {
        let own = summary(&root, &format!("user_id={user}&by=day")).await;
        let sums = wanted.iter().filter(|((of, _), _)| of == user);
        let sums: Vec<Sum> = sums.map(|(_, sum)| *sum).collect();
        let rows = own["data"].as_array().unwrap().iter().map(sum_in);
        assert_eq!(rows.collect::<Vec<Sum>>(), sums, "{when}");
    }
}

async fn chat(house: &House, caller: &KeyCaller) -> RequestId {
    let answer = caller.chat(json!({ "max_tokens": 50 })).await;
    answer.expect(200);
    house.quiet().await;
    answer.header("x-request-id").unwrap().parse().unwrap()
}

/// The job itself, without the lease that keeps runs apart.
async fn run_without_lease(house: &House) -> Result<Value, Failure> {
    let job = JOBS.iter().find(|job| job.name() == "roll_up").unwrap();
    job.run(&house.server.maintenance, &Map::new()).await
}

#[tokio::test]
async fn the_summary_equals_the_records_whatever_the_schedule() {
    let house = House::new().await;
    let mut callers = Vec::new();
    for name in ["ada", "bob", "eve"] {
        callers.push(house.user_with(name, "1").await);
    }
    let root = house.root().await;
    let unlimited = root
        .patch(
            &format!("/api/users/{}", callers[2].user_id),
            &json!({ "unlimited": true }),
        )
        .await;
    unlimited.expect(200);
    let mut dice = TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]);
    for step in 0..60 {
        let when = match dice.random_range(0..8_u32) {
            0..=2 => {
                let caller = &callers[dice.random_range(0..callers.len())];
                chat(&house, caller).await;
                "a call"
            }
            3 => {
                house.clock.advance_ms(dice.random_range(1..20) * MINUTE_MS);
                "some minutes"
            }
            4 => {
                house
                    .clock
                    .advance_ms(dice.random_range(1..30) * 60 * MINUTE_MS);
                "some hours"
            }
            5 => {
                let (one, other) =
                    tokio::join!(run_without_lease(&house), run_without_lease(&house));
                one.unwrap();
                other.unwrap();
                "two runs at once"
            }
            _ => {
                house.run_job("roll_up", json!({})).await;
                "a run"
            }
        };
        summaries_are_true(&house, &format!("step {step}, after {when}")).await;
    }
    assert!(house.run_job("roll_up", json!({})).await["report"]["through"].is_string());
}

#[tokio::test]
async fn a_run_right_after_another_changes_nothing() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    for minutes in [1, 25, 24 * 60] {
        chat(&house, &ada).await;
        house.clock.advance_ms(minutes * MINUTE_MS);
        house.run_job("roll_up", json!({})).await;
        let again = house.run_job("roll_up", json!({})).await;
        assert_eq!(again["report"]["written"], 0, "{again}");
        summaries_are_true(&house, "after both").await;
    }
}

#[tokio::test]
async fn a_run_that_dies_between_its_writes_is_no_harm() {
    for fault in [Fault::Lost, Fault::Applied] {
        for nth in [0, 1, 3, 5, 6] {
            let faults = Faults::default();
            let house = House::builder().with(&faults).build().await;
            let mut callers = Vec::new();
            for name in ["ada", "bob", "eve"] {
                callers.push(house.user_with(name, "1").await);
            }
            for _ in 0..2 {
                join_all(callers.iter().map(|caller| chat(&house, caller))).await;
                house.clock.advance_ms(15 * 60 * MINUTE_MS);
            }
            // The run writes six days; from the nth write on, all of them fail.
            for _ in 0..nth {
                faults.plan("PutItem", Fault::None);
            }
            for _ in 0..40 {
                faults.plan("PutItem", fault);
            }
            let died = run_without_lease(&house).await;
            faults.clear();
            assert_eq!(died.is_err(), nth < 6, "{fault:?} {nth}");
            summaries_are_true(&house, &format!("after {fault:?} at write {nth}")).await;
            house.run_job("roll_up", json!({})).await;
            summaries_are_true(&house, "after the next run").await;
            assert_eq!(run_without_lease(&house).await.unwrap()["written"], 0);
        }
    }
}

#[tokio::test]
async fn records_that_come_late_are_counted_at_once_and_once() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let user: UserId = ada.user_id.parse().unwrap();
    let began_ms = house.clock.now_ms();
    chat(&house, &ada).await;
    let took_ms = 30 * 60 * MINUTE_MS;
    house.clock.advance_ms(took_ms);
    house.run_job("roll_up", json!({})).await;
    let log = house.store.usage_log();
    let late = |n, status| UsageRecord {
        status,
        ..record(user, began_ms + MINUTE_MS, took_ms.unsigned_abs(), n)
    };
    log.write(&late(1, Status::Ok), 90).await.unwrap();
    log.write(&late(2, Status::Unsettled), 90).await.unwrap();
    summaries_are_true(&house, "before the late ones are added up").await;
    let (one, other) = tokio::join!(run_without_lease(&house), run_without_lease(&house));
    assert_eq!(
        (one.unwrap()["late"].clone(), other.is_ok()),
        (json!(1), true)
    );
    summaries_are_true(&house, "after they are").await;
    // The call was only slow: the true record takes the other's place.
    let mut told = late(2, Status::Ok);
    told.cost = NanoUsd::new(77_777);
    log.replace_unsettled(&told, 0, 90).await.unwrap();
    summaries_are_true(&house, "before the true record is added up").await;
    let root = house.root().await;
    assert_eq!(summary(&root, "").await["total"]["unsettled"], 0);
    house.run_job("roll_up", json!({})).await;
    summaries_are_true(&house, "after it is").await;
    // The note of it stays for one more run: an index may tell a moment late what was written.
    for late in [1, 0] {
        let again = house.run_job("roll_up", json!({})).await;
        assert_eq!(
            (&again["report"]["late"], &again["report"]["written"]),
            (&json!(late), &json!(0))
        );
    }
    assert_eq!(summary(&root, "").await["total"]["requests"], 3);
}

#[tokio::test]
async fn a_call_over_midnight_counts_on_the_day_on_which_it_began() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let user: UserId = ada.user_id.parse().unwrap();
    house.clock.advance_ms(11 * 60 * MINUTE_MS + 59 * MINUTE_MS);
    let began_ms = house.clock.now_ms();
    chat(&house, &ada).await;
    for minute in 0..45 {
        if minute == 8 {
            let slow = record(user, began_ms + 50_000, 420_000, 5);
            house.store.usage_log().write(&slow, 90).await.unwrap();
        }
        if minute % 3 == 0 {
            house.run_job("roll_up", json!({})).await;
        }
        if minute % 5 == 0 {
            summaries_are_true(&house, &format!("minute {minute}")).await;
        }
        house.clock.advance_ms(MINUTE_MS);
    }
    let root = house.root().await;
    let days = summary(&root, "by=day").await;
    assert_eq!(days["data"].as_array().unwrap().len(), 1, "{days}");
    assert_eq!(days["data"][0]["day"], "2026-11-23");
    assert_eq!(days["data"][0]["requests"], 2);
}

/// Deletes every item of a kind, as its time to live does.
async fn expire(house: &House, kind: &str) -> usize {
    let client = house.database.client();
    let found = client.scan().table_name(TABLE_NAME).send().await.unwrap();
    let mut deleted = 0;
    for item in found.items() {
        if item["pk"].as_s().unwrap().starts_with(kind) {
            let delete = client.delete_item().table_name(TABLE_NAME);
            let delete = delete.key("pk", item["pk"].clone());
            delete.key("sk", item["sk"].clone()).send().await.unwrap();
            deleted += 1;
        }
    }
    deleted
}

#[tokio::test]
async fn sums_outlive_the_records_that_they_are_made_of() {
    let house = House::builder()
        .setting("usage_retention_days", 1)
        .build()
        .await;
    let ada = house.user_with("ada", "1").await;
    let user: UserId = ada.user_id.parse().unwrap();
    let began_ms = house.clock.now_ms();
    chat(&house, &ada).await;
    chat(&house, &ada).await;
    house.clock.advance_ms(24 * 60 * MINUTE_MS - 1);
    house.run_job("roll_up", json!({})).await;
    assert_eq!(all_records(&house.root().await).await.len(), 2);
    house.clock.advance_ms(1);
    // They are there still, but nobody sees them any more.
    let root = house.root().await;
    assert_eq!(all_records(&root).await.len(), 0);
    let total = summary(&root, "").await["total"].clone();
    assert_eq!(
        (&total["requests"], &total["cost_usd"]),
        (&json!(2), &json!("0.0001"))
    );
    house.clock.advance_ms(3 * 24 * 60 * MINUTE_MS);
    assert_eq!(expire(&house, "USAGE#").await, 2);
    assert_eq!(expire(&house, "ACTIVE#").await, 1);
    house.run_job("roll_up", json!({})).await;
    let root = house.root().await;
    assert_eq!(summary(&root, "").await["total"], total);
    // What comes so late is counted beside what is there.
    let late = UsageRecord {
        model: None,
        ..record(user, began_ms, 4 * 86_400_000, 9)
    };
    house.store.usage_log().write(&late, 1).await.unwrap();
    for _ in 0..2 {
        house.run_job("roll_up", json!({})).await;
        assert_eq!(summary(&root, "").await["total"]["requests"], 3);
    }
    // Parts of a day are only known from records.
    let part = "/api/usage/summary?from=2026-11-23T12:00:00Z&to=2026-11-24";
    let refused = root.get(part).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["field"]),
        (400, &json!("from"))
    );
}

#[tokio::test]
async fn what_unlimited_users_spend_is_told_to_the_nano_dollar() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    chat(&house, &ada).await;
    let root = house.root().await;
    let change = json!({ "unlimited": true });
    root.patch(&format!("/api/users/{}", ada.user_id), &change)
        .await
        .expect(200);
    for calls in 2..6_u32 {
        chat(&house, &ada).await;
        let root = house.root().await;
        let spent = NanoUsd::new(50_000 * i64::from(calls)).to_string();
        assert_eq!(root.user(&ada.user_id).await["spent_usd"], spent);
        house.clock.advance_ms(11 * 60 * MINUTE_MS);
        house.run_job("roll_up", json!({})).await;
        let root = house.root().await;
        assert_eq!(root.user(&ada.user_id).await["spent_usd"], spent);
    }
}

#[tokio::test]
async fn a_day_of_very_many_models_is_kept_in_parts() {
    let house = House::new().await;
    let ada = house.user_with("ada", "1").await;
    let user: UserId = ada.user_id.parse().unwrap();
    let root = house.root().await;
    for (round, many) in [(1, 30_u32), (2, 800), (3, 800)] {
        let now_ms = house.clock.now_ms();
        let records = (0..many).map(|n| UsageRecord {
            model: Some(format!("{round}-made-up-{n}-{}", "m".repeat(200))),
            ..record(user, now_ms, 1, n.into())
        });
        for some in records.collect::<Vec<_>>().chunks(50) {
            let log = house.store.usage_log();
            let written = join_all(some.iter().map(|record| log.write(record, 90))).await;
            assert!(written.iter().all(Result::is_ok));
        }
        house.clock.advance_ms(60 * MINUTE_MS);
        let before = summary(&root, "by=model").await;
        let report = house.run_job("roll_up", json!({})).await;
        assert_eq!(report["report"]["written"], 1, "{report}");
        let after = summary(&root, "by=model").await;
        assert_eq!(after, before, "round {round}");
        assert_eq!(
            summary(&root, &format!("by=model&user_id={user}")).await,
            before
        );
    }
    assert_eq!(summary(&root, "").await["total"]["requests"], 1_630);
}
